package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Kinds of the events about a token.
const (
	eventTokenExpiring = "token.expiring"
	eventTokenExpired  = "token.expired"
)

// tokenEvent is what is told of a token that ends: which one, whose, when, and
// the schedules outside the product that will fail without it. Replaced says
// that it was rotated and yet is still in use.
type tokenEvent struct {
	TokenID    uuid.UUID       `json:"token_id"`
	Name       string          `json:"name"`
	Account    string          `json:"account"`
	ExpiresAt  time.Time       `json:"expires_at"`
	DaysBefore int32           `json:"days_before"`
	Replaced   bool            `json:"replaced"`
	Schedules  []tokenSchedule `json:"schedules"`
}

type tokenSchedule struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// TendTokens warns of tokens that end soon or have ended, raises an alert over
// every schedule that no token can start any more, and drops kept answers to
// requests of the API that are older than a day. A tenant that fails
// does not hold up the others.
func (a *Upkeep) TendTokens(ctx context.Context) error {
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil {
		return err
	}
	var failed []error
	for _, t := range tenants {
		activity.RecordHeartbeat(ctx, t.Code)
		err := a.deps.DB.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			if _, err := q.DeleteOldIdempotentRequests(ctx, tx, t.ID); err != nil {
				return fmt.Errorf("drop kept answers: %w", err)
			}
			if err := alertShutOut(ctx, tx, q, t.ID); err != nil {
				return err
			}
			return warnOfTokens(ctx, tx, q, t.ID)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	return errors.Join(failed...)
}

// alertShutOut holds an alert over every schedule outside the product whose
// token has ended, until it is given another or paused.
func alertShutOut(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
	schedules, err := q.ListTokenSchedules(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("list schedules that call with a token: %w", err)
	}
	var alerts []alert
	for _, s := range schedules {
		alerts = append(alerts, alert{kind: AlertScheduleToken, about: s.ID, holds: s.ShutOut, severity: 4,
			detail: map[string]any{"schedule_id": s.ID, "name": s.Name, "token": s.Token, "ended_at": s.EndedAt}})
	}
	_, err = settleAlerts(ctx, tx, q, tenant, time.Now().UTC(), alerts...)
	return err
}

// warnOfTokens announces every token whose end is to be told and notes that it
// was, so that the next round is silent.
func warnOfTokens(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
	ending, err := q.ListEndingAPITokens(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("list ending tokens: %w", err)
	}
	if len(ending) == 0 {
		return nil
	}
	admins, err := db.Holders(ctx, tx, tenant, access.ManageTokens)
	if err != nil {
		return err
	}
	for _, t := range ending {
		schedules, err := q.ListSchedulesOfToken(ctx, tx, tenant, &t.ID, t.UserID)
		if err != nil {
			return fmt.Errorf("list schedules of token: %w", err)
		}
		event := tokenEvent{TokenID: t.ID, Name: t.Name, Account: t.Username, ExpiresAt: t.ExpiresAt.UTC(), DaysBefore: t.DaysBefore,
			Replaced: t.Superseded, Schedules: []tokenSchedule{}}
		to := slices.Clone(admins)
		for _, s := range schedules {
			event.Schedules = append(event.Schedules, tokenSchedule{s.ID, s.Name})
			if !slices.Contains(to, s.OwnerID) {
				to = append(to, s.OwnerID)
			}
		}
		kind := eventTokenExpiring
		if t.DaysBefore == 0 {
			kind = eventTokenExpired
		}
		// The end belongs to the key: a token whose end was moved by a rotation is told of anew.
		key := kind + "/" + t.ID.String() + "/" + strconv.Itoa(int(t.DaysBefore)) + "/" + t.ExpiresAt.UTC().Format(time.RFC3339)
		err = db.Announce(ctx, tx, db.Announcement{TenantID: tenant, Kind: kind, ObjectType: "api_token", ObjectID: t.ID, Key: key, Payload: event, To: to})
		if err != nil {
			return err
		}
		if _, err := q.MarkAPITokenWarned(ctx, tx, tenant, t.ID); err != nil {
			return fmt.Errorf("note warning: %w", err)
		}
	}
	return nil
}
