package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/recurrence"
)

// earlyCall is how long before its due time an outside scheduler may call.
const earlyCall = 5 * time.Minute

// markSchedule notes that a run answers a due time of an outside scheduler: the
// newest one that the call can be meant for, or a call beside the due times.
func markSchedule(ctx context.Context, tx pgx.Tx, q *db.Queries, who access.Principal, name string, run uuid.UUID) error {
	s, err := q.FindSchedule(ctx, tx, who.TenantID, name)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return refuseSchedule(ctx, "schedules.error.unknown", name)
	case err != nil:
		return fmt.Errorf("find schedule: %w", err)
	case s.Trigger != recurrence.External:
		return refuseSchedule(ctx, "schedules.error.not_external", s.Name)
	case s.AccountID != who.UserID:
		return refuseSchedule(ctx, "schedules.error.not_account", s.Name)
	}
	if s, err = q.LockSchedule(ctx, tx, s.TenantID, s.ID); err != nil {
		return fmt.Errorf("lock schedule: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	due, known, err := answeredTime(ctx, tx, q, s, now)
	if err != nil {
		return err
	}
	if known != nil {
		_, err = q.TakeFiring(ctx, tx, db.TakeFiringParams{TenantID: s.TenantID, ID: known.ID, Cause: recurrence.Outside, RunID: &run, StartedAt: &now})
	} else {
		_, err = q.AddFiring(ctx, tx, db.AddFiringParams{TenantID: s.TenantID, ScheduleID: s.ID, DueAt: due, Cause: recurrence.Outside,
			State: recurrence.Started, RunID: &run, StartedAt: &now})
	}
	if err != nil {
		return fmt.Errorf("note call of scheduler: %w", err)
	}
	if _, err := q.MarkScheduledRun(ctx, tx, db.MarkScheduledRunParams{TenantID: s.TenantID, ID: run, ScheduleID: s.ID, DueAt: due}); err != nil {
		return fmt.Errorf("mark run: %w", err)
	}
	return nil
}

// answeredTime is the due time that a call answers, with what was noted of it
// when it was taken for missed. A due time that was answered before is not
// answered again: the call then stands by itself.
func answeredTime(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, now time.Time) (time.Time, *db.ScheduleFiring, error) {
	rule, err := db.RuleOf(ctx, tx, s)
	if err != nil {
		return now, nil, err
	}
	window := s.Policy().Window
	due := rule.Between(now.Add(-2*window), now.Add(earlyCall), 1)
	if len(due) == 0 {
		return now, nil, nil
	}
	row, err := q.FindFiring(ctx, tx, db.FindFiringParams{TenantID: s.TenantID, ScheduleID: s.ID, DueAt: due[0], Causes: []string{recurrence.Outside}})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return due[0].UTC(), nil, nil
	case err != nil:
		return now, nil, fmt.Errorf("look for firing: %w", err)
	case row.State == recurrence.Missed:
		return due[0].UTC(), &row, nil
	}
	return now, nil, nil
}

func refuseSchedule(ctx context.Context, key, name string) error {
	return invalid(ctx, map[string]string{"schedule": localizer(ctx).T(key, "Name", name)})
}
