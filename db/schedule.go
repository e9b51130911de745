package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/runs"
)

// RuleOf compiles when a schedule is due, by the calendar of its tenant.
func RuleOf(ctx context.Context, tx pgx.Tx, s Schedule) (*recurrence.Rule, error) {
	days, err := TenantCalendar(ctx, tx, s.TenantID)
	if err != nil {
		return nil, err
	}
	return s.Rule(days)
}

// Rule compiles when the schedule is due, by a calendar that was loaded before.
func (s Schedule) Rule(days *calendar.Calendar) (*recurrence.Rule, error) {
	var excluded []recurrence.Exclusion
	if err := json.Unmarshal(s.Exclusions, &excluded); err != nil {
		return nil, fmt.Errorf("read exclusions of schedule: %w", err)
	}
	return recurrence.New(s.Cron, s.TimeZone, excluded, days)
}

// Coming are the next n due times after a moment: after the pause in one that
// has an end, and none in one without. A rule that does not hold any more, such
// as one in a time zone that was given up, has none either.
func (s Schedule) Coming(days *calendar.Calendar, now time.Time, n int) ([]time.Time, error) {
	if s.PausedAt(now) {
		if s.PausedUntil == nil {
			return nil, nil
		}
		now = s.PausedUntil.Add(-time.Second)
	}
	rule, err := s.Rule(days)
	var unusable *fault.Error
	switch {
	case errors.As(err, &unusable):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return rule.Next(now, n), nil
}

// RunScope is what the request of a run of a tenant may refer to on a day.
func RunScope(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, today time.Time) (runs.Scope, error) {
	q, scope := New(), runs.Scope{Today: today}
	sites, err := q.ListSites(ctx, tx, tenant)
	if err != nil {
		return scope, fmt.Errorf("list sites: %w", err)
	}
	for _, x := range sites {
		scope.Sites = append(scope.Sites, x.ID)
	}
	assets, err := q.ListAssetsPlain(ctx, tx, tenant)
	if err != nil {
		return scope, fmt.Errorf("list assets: %w", err)
	}
	for _, x := range assets {
		scope.Assets = append(scope.Assets, x.ID)
	}
	return scope, nil
}

// Policy is how late work of the schedule is made up for.
func (s Schedule) Policy() recurrence.Policy {
	return recurrence.Policy{Overlap: s.Overlap, Window: time.Duration(s.CatchUpMinutes) * time.Minute}
}

// PausedAt reports whether the schedule rests at a moment.
func (s Schedule) PausedAt(t time.Time) bool {
	return s.Paused && (s.PausedUntil == nil || t.Before(*s.PausedUntil))
}

// StartTrigger is what the workflow engine has to know of the schedule; why it
// rests stays in the database, because the engine keeps it in clear. A pause with
// an end becomes the moment from which it starts again, so that the first due
// time after the pause is not lost.
func (s Schedule) StartTrigger() recurrence.Trigger {
	t := recurrence.Trigger{TenantID: s.TenantID, ID: s.ID, Cron: s.Cron, Zone: s.TimeZone, Window: s.Policy().Window,
		Gone: s.ArchivedAt != nil || s.Trigger == recurrence.External}
	switch {
	case s.Paused && s.PausedUntil != nil:
		t.From = *s.PausedUntil
	case s.Paused:
		t.Paused = true
	}
	return t
}
