package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/recurrence"
)

// Recurring takes the due times of schedules from their start to their end.
type Recurring struct{ deps Deps }

// recurringActor acts in the audit log where nobody asked.
const recurringActor = "schedule"

// Message keys of why a due time was not started, and of what stands in its way.
const (
	KeyFiringOverlap = "schedules.firing.overlap"       // the last one still runs
	KeyFiringJoined  = "schedules.firing.joined"        // a newer due time stands for it
	KeyFiringLate    = "schedules.firing.late"          // older than the catch-up window
	KeyFiringMissed  = "schedules.firing.missed_reason" // nobody started it
	KeyAccountOff    = "schedules.account_off"
	KeyOwnerOff      = "schedules.owner_off"
	KeyOwnerNotAble  = "schedules.owner_not_able"
	KeyAskerNotAble  = "schedules.asker_not_able"
	KeyBadRequest    = "schedules.request_refused"
)

// Claim is the answer to the start of a due time: go on with the firing, wait
// for its turn, or leave it.
type Claim struct {
	Go, Wait bool
	FiringID uuid.UUID
	Kind     string // of the work
}

// ClaimInput names the due time and the workflow that takes it up.
type ClaimInput struct {
	recurrence.Firing
	WorkflowID string
}

// causesOf are the causes under which a due time counts as one: it is started
// on time or late, but once.
func causesOf(cause string) []string {
	if cause == recurrence.Due || cause == recurrence.CatchUp {
		return []string{recurrence.Due, recurrence.CatchUp}
	}
	return []string{cause}
}

// ClaimFiring decides under the lock of the schedule what becomes of a due time
// and notes it. The same workflow asking again gets the same answer; a due time
// that another one took is left alone.
func (a *Recurring) ClaimFiring(ctx context.Context, in ClaimInput) (Claim, error) {
	var claim Claim
	in.DueAt = in.DueAt.UTC().Truncate(time.Second)
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		s, err := q.LockSchedule(ctx, tx, in.TenantID, in.ScheduleID)
		if err != nil {
			return err
		}
		if s.ArchivedAt != nil {
			return nil
		}
		c := &claiming{tx: tx, q: q, s: s, in: in, now: time.Now().UTC()}
		claim, err = c.settle(ctx)
		claim.Kind = s.Kind
		return err
	})
	if err != nil {
		return claim, fmt.Errorf("claim due time: %w", err)
	}
	return claim, nil
}

// claiming is one decision about a due time.
type claiming struct {
	tx    pgx.Tx
	q     *db.Queries
	s     db.Schedule
	in    ClaimInput
	now   time.Time
	known *db.ScheduleFiring // what was noted of the due time before
}

func (c *claiming) settle(ctx context.Context) (Claim, error) {
	row, err := c.q.FindFiring(ctx, c.tx, db.FindFiringParams{TenantID: c.in.TenantID, ScheduleID: c.in.ScheduleID, DueAt: c.in.DueAt, Causes: causesOf(c.in.Cause)})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return Claim{}, fmt.Errorf("look for firing: %w", err)
	default:
		c.known = &row
		if row.State == recurrence.Started && row.StartedAt != nil {
			return Claim{Go: row.WorkflowID == c.in.WorkflowID, FiringID: row.ID}, nil
		}
		if !c.open() {
			return Claim{}, nil
		}
	}
	waiting := c.known != nil && c.known.State == recurrence.Started
	if !waiting && c.in.Cause == recurrence.Due {
		on, err := c.due(ctx)
		if err != nil || !on {
			return Claim{}, err
		}
	}
	return c.queue(ctx)
}

// open reports whether what was noted of the due time leaves something to do:
// it waits or was missed, or a person wants one that did not end well again.
func (c *claiming) open() bool {
	switch c.known.State {
	case recurrence.Started, recurrence.Missed:
		return true
	case recurrence.Failed, recurrence.Skipped:
		return c.in.Cause == recurrence.Backfill
	}
	return false
}

// due reports whether a due time is to be started, and notes why when it is not.
func (c *claiming) due(ctx context.Context) (bool, error) {
	rule, err := db.RuleOf(ctx, c.tx, c.s)
	if err != nil {
		return false, err
	}
	if c.s.PausedAt(c.in.DueAt) || !rule.Due(c.in.DueAt) {
		return false, nil
	}
	switch c.s.Policy().Judge(rule, c.in.DueAt, c.now) {
	case recurrence.TooLate:
		if err := c.close(ctx, recurrence.Missed, KeyFiringLate); err != nil {
			return false, err
		}
		return false, raiseMissed(ctx, c.tx, c.q, c.s, rule, c.in.DueAt, c.now)
	case recurrence.Joined:
		return false, c.close(ctx, recurrence.Skipped, KeyFiringJoined)
	}
	if c.now.Sub(c.in.DueAt) > recurrence.Grace {
		c.in.Cause = recurrence.CatchUp
		return true, raiseMissed(ctx, c.tx, c.q, c.s, rule, c.in.DueAt, c.now)
	}
	return true, nil
}

// queue applies the rule of overlap and starts the firing when it is its turn.
// What a person asks for runs at once; backfills go one after the other.
func (c *claiming) queue(ctx context.Context) (Claim, error) {
	open, err := c.q.CountOpenFirings(ctx, c.tx, db.CountOpenFiringsParams{TenantID: c.in.TenantID, ScheduleID: c.in.ScheduleID, DueAt: c.in.DueAt, Cause: c.rowCause()})
	if err != nil {
		return Claim{}, fmt.Errorf("count open firings: %w", err)
	}
	waiting := c.known != nil && c.known.State == recurrence.Started
	switch {
	case c.in.Cause == recurrence.Manual, c.s.Overlap == recurrence.AllowAll && c.in.Cause != recurrence.Backfill:
	case c.in.Cause == recurrence.Backfill:
		if open.Running > 0 || open.Earlier > 0 {
			return c.wait(ctx)
		}
	case c.s.Overlap == recurrence.Skip && open.Running+open.Waiting > 0,
		c.s.Overlap == recurrence.BufferOne && !waiting && open.Waiting > 0:
		return Claim{}, c.close(ctx, recurrence.Skipped, KeyFiringOverlap)
	case c.s.Overlap == recurrence.BufferOne && open.Running > 0:
		return c.wait(ctx)
	}
	return c.start(ctx)
}

// rowCause is the cause under which the due time is noted now.
func (c *claiming) rowCause() string {
	if c.known != nil {
		return c.known.Cause
	}
	return c.in.Cause
}

func (c *claiming) start(ctx context.Context) (Claim, error) {
	if c.known == nil {
		row, err := c.add(ctx, db.AddFiringParams{State: recurrence.Started, StartedAt: &c.now})
		return Claim{Go: true, FiringID: row.ID}, err
	}
	cause := c.in.Cause
	if c.known.Cause == recurrence.CatchUp {
		cause = recurrence.CatchUp
	}
	_, err := c.q.TakeFiring(ctx, c.tx, db.TakeFiringParams{TenantID: c.in.TenantID, ID: c.known.ID, Cause: cause, WorkflowID: c.in.WorkflowID, StartedAt: &c.now})
	if err != nil {
		return Claim{}, fmt.Errorf("start firing: %w", err)
	}
	return Claim{Go: true, FiringID: c.known.ID}, nil
}

func (c *claiming) wait(ctx context.Context) (Claim, error) {
	if c.known != nil && c.known.State == recurrence.Started {
		return Claim{Wait: true, FiringID: c.known.ID}, nil
	}
	if c.known != nil {
		_, err := c.q.TakeFiring(ctx, c.tx, db.TakeFiringParams{TenantID: c.in.TenantID, ID: c.known.ID, Cause: c.in.Cause, WorkflowID: c.in.WorkflowID})
		return Claim{Wait: true, FiringID: c.known.ID}, err
	}
	row, err := c.add(ctx, db.AddFiringParams{State: recurrence.Started})
	return Claim{Wait: true, FiringID: row.ID}, err
}

// close notes a due time that is not started.
func (c *claiming) close(ctx context.Context, state, key string) error {
	if c.known != nil {
		_, err := c.q.SetFiringState(ctx, c.tx, db.SetFiringStateParams{TenantID: c.in.TenantID, ID: c.known.ID, State: state, ErrorKey: key})
		if err != nil {
			return fmt.Errorf("close firing: %w", err)
		}
		return nil
	}
	_, err := c.add(ctx, db.AddFiringParams{State: state, FinishedAt: &c.now, ErrorKey: key})
	return err
}

func (c *claiming) add(ctx context.Context, p db.AddFiringParams) (db.ScheduleFiring, error) {
	p.TenantID, p.ScheduleID, p.DueAt, p.Cause, p.WorkflowID = c.in.TenantID, c.in.ScheduleID, c.in.DueAt, c.in.Cause, c.in.WorkflowID
	row, err := c.q.AddFiring(ctx, c.tx, p)
	if err != nil {
		return row, fmt.Errorf("note firing: %w", err)
	}
	return row, nil
}
