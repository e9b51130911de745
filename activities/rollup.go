package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
)

// rollUpHours is how many hours are filled in one transaction.
const rollUpHours = 10_000

// How much history one round of upkeep marks per tenant, and how long it fills
// stale hours before it leaves the rest to the next round.
const (
	markedPerRound = 20_000
	rollUpRound    = 40 * time.Second
)

// RollUpTenants marks hours of readings that were stored before there were
// roll-ups and fills the hours of every tenant that wait for it, in batches and
// in turn, so that a tenant with much to do holds up no other. It returns how
// many hours it filled.
func (a *Upkeep) RollUpTenants(ctx context.Context) (int, error) {
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, t := range tenants {
		if err := a.markHistory(ctx, t.ID); err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	total, deadline := 0, time.Now().Add(rollUpRound)
	for len(tenants) > 0 && time.Now().Before(deadline) {
		var behind []db.Tenant
		for _, t := range tenants {
			activity.RecordHeartbeat(ctx, t.Code)
			filled, err := rollUp(ctx, a.deps.DB, t.ID, nil)
			total += filled
			switch {
			case err != nil:
				failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
			case filled == rollUpHours:
				behind = append(behind, t)
			}
		}
		tenants = behind
	}
	return total, errors.Join(failed...)
}

func (a *Upkeep) markHistory(ctx context.Context, tenant uuid.UUID) error {
	return a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, _, err := db.MarkHistory(ctx, tx, tenant, markedPerRound)
		return err
	})
}

// rollUpAhead is how long a sweep lets the historian catch up before it scores
// with what there is.
const rollUpAhead = 4 * time.Minute

// RollUpHours fills the hours of a tenant that wait for it, for some minutes
// at most, and returns how many it filled.
func (a *Scoring) RollUpHours(ctx context.Context, tenant uuid.UUID) (int, error) {
	deadline, total := time.Now().Add(rollUpAhead), 0
	for time.Now().Before(deadline) {
		filled, err := rollUp(ctx, a.deps.DB, tenant, nil)
		total += filled
		if err != nil || filled < rollUpHours {
			return total, err
		}
		activity.RecordHeartbeat(ctx, total)
	}
	return total, nil
}

// rollUp fills one batch of stale hours in a transaction of its own.
func rollUp(ctx context.Context, d *db.DB, tenant uuid.UUID, signals []int64) (filled int, err error) {
	err = d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
		filled, err = db.RollUp(ctx, tx, tenant, signals, rollUpHours)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("roll hours up: %w", err)
	}
	return filled, nil
}

// packRound is how long one round of upkeep packs closed days before it leaves
// the rest to the next one.
const packRound = 30 * time.Second

// PackDays brings closed days of the historian into packed form, the oldest
// first and one per tenant in turn, and returns how many. Late readings make a
// day come again.
func (a *Upkeep) PackDays(ctx context.Context) (int, error) {
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil {
		return 0, err
	}
	waiting := map[uuid.UUID][]time.Time{}
	var failed []error
	for _, t := range tenants {
		err := a.deps.DB.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
			waiting[t.ID], err = db.DaysToPack(ctx, tx, t.ID)
			return err
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	packed, deadline := 0, time.Now().Add(packRound)
	for len(waiting) > 0 && time.Now().Before(deadline) {
		for _, t := range tenants {
			days := waiting[t.ID]
			if len(days) == 0 || !time.Now().Before(deadline) {
				delete(waiting, t.ID)
				continue
			}
			waiting[t.ID] = days[1:]
			alive := func(samples int64) { activity.RecordHeartbeat(ctx, t.Code, samples) }
			if _, err := a.deps.DB.PackDay(ctx, t.ID, days[0], alive); err != nil {
				failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
				delete(waiting, t.ID)
				continue
			}
			packed++
		}
	}
	return packed, errors.Join(failed...)
}
