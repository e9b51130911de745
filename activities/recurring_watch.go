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
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
)

// How much a round of the watch notes at most of one schedule, and how often
// the watermark of one without missed due times moves.
const (
	missedAtOnce = 200
	watchStep    = time.Hour
)

// Watched counts what a round found.
type Watched struct {
	Missed, Started, Resumed, Settled int
}

// WatchSchedules compares what was due with what was started, for every tenant.
// It raises the alarm over what is missing and makes up for it where the policy
// of the schedule says so, ends pauses whose time has come, closes firings
// whose run has ended, and tells the workflow engine again when to start.
func (a *Upkeep) WatchSchedules(ctx context.Context) (Watched, error) {
	var found Watched
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil {
		return found, err
	}
	var failed []error
	for _, t := range tenants {
		activity.RecordHeartbeat(ctx, t.Code)
		if err := a.watchTenant(ctx, t.ID, &found); err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	return found, errors.Join(failed...)
}

func (a *Upkeep) watchTenant(ctx context.Context, tenant uuid.UUID, found *Watched) error {
	age := recentlyMade.Seconds()
	if time.Now().Minute() == int(tenant[0])%60 { // all of them once an hour
		age = 0
	}
	failed := []error{ensureTriggers(ctx, a.deps, tenant, age)}
	var all []db.Schedule
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		all, err = q.ListActiveSchedules(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return errors.Join(append(failed, fmt.Errorf("list schedules: %w", err))...)
	}
	for _, s := range all {
		if err := a.watch(ctx, s, found); err != nil {
			failed = append(failed, fmt.Errorf("schedule %s: %w", s.ID, err))
		}
	}
	if len(all) > 0 {
		failed = append(failed, a.settleFirings(ctx, tenant, found))
	}
	return errors.Join(failed...)
}

// ensureTriggers tells the workflow engine when to start the schedules that
// were changed within the last ageSeconds, zero for all. One that it does not
// take keeps none of the others from it.
func ensureTriggers(ctx context.Context, d Deps, tenant uuid.UUID, ageSeconds float64) error {
	var all []db.Schedule
	err := d.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		all, err = q.ListTriggers(ctx, tx, tenant, ageSeconds)
		return err
	})
	if err != nil {
		return fmt.Errorf("list schedules: %w", err)
	}
	var failed []error
	for _, s := range all {
		if err := d.Starter.EnsureRecurring(ctx, s.StartTrigger()); err != nil {
			failed = append(failed, fmt.Errorf("ensure schedule %s: %w", s.ID, err))
		}
	}
	return errors.Join(failed...)
}

// watch looks after one schedule. What it starts itself has the same workflow
// id as the start by the engine, so that a due time is never started twice. The
// starts are read from what is noted, so that one that fails, or is lost with
// the worker, is made in the next round.
func (a *Upkeep) watch(ctx context.Context, s db.Schedule, found *Watched) error {
	var starts []recurrence.Firing
	var again *recurrence.Trigger
	missed, resumed := 0, 0
	err := a.deps.DB.InTenant(ctx, s.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		var err error
		if s, err = q.LockSchedule(ctx, tx, s.TenantID, s.ID); err != nil || s.ArchivedAt != nil {
			return err
		}
		now := time.Now().UTC()
		if s.Paused && !s.PausedAt(now) {
			resumed = 1
			if s, err = resumeSchedule(ctx, tx, q, s); err != nil {
				return err
			}
			trigger := s.StartTrigger()
			again = &trigger
		}
		if s.Paused {
			return nil
		}
		w := &watching{tx: tx, q: q, s: s, now: now}
		rule, err := db.RuleOf(ctx, tx, s)
		if err != nil {
			return err
		}
		if missed, err = w.look(ctx, rule); err != nil {
			return err
		}
		starts, err = w.starts(ctx, rule)
		if missed > 0 {
			trigger := s.StartTrigger() // what was missed may have been forgotten
			again = &trigger
		}
		return err
	})
	if err != nil {
		return err
	}
	found.Missed += missed
	found.Resumed += resumed
	var failed []error
	if again != nil && s.Trigger == recurrence.Internal {
		failed = append(failed, a.deps.Starter.EnsureRecurring(ctx, *again))
	}
	for _, f := range starts {
		err := a.deps.Starter.StartRecurring(ctx, f)
		if err == nil {
			found.Started++
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// resumeSchedule ends a pause whose time has come.
func resumeSchedule(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule) (db.Schedule, error) {
	until := *s.PausedUntil
	resumed, err := q.ResumeSchedule(ctx, tx, until.Add(-time.Second), s.TenantID, s.ID)
	if err != nil {
		return s, fmt.Errorf("resume schedule: %w", err)
	}
	return resumed, db.AppendAudit(ctx, tx, db.Entry{TenantID: s.TenantID, Actor: db.SystemActor(recurringActor), Action: "schedule.resumed",
		ObjectType: "schedule", ObjectID: s.ID.String(), Before: map[string]any{"paused": true, "paused_until": until}, After: map[string]any{"paused": false}})
}

// watching is one look at a schedule.
type watching struct {
	tx  pgx.Tx
	q   *db.Queries
	s   db.Schedule
	now time.Time
}

// look notes due times that nobody started and returns how many it found.
// Schedules of outside schedulers have until the end of their window.
func (w *watching) look(ctx context.Context, rule *recurrence.Rule) (int, error) {
	external, cause := w.s.Trigger == recurrence.External, recurrence.Due
	if external {
		cause = recurrence.Outside
	}
	until := w.now.Add(-patienceWith(w.s))
	expected := rule.Between(w.s.WatchedFrom, until, missedAtOnce)
	missing, err := w.missing(ctx, expected, causesOf(cause))
	if err != nil {
		return 0, err
	}
	for _, due := range missing {
		key := KeyFiringMissed
		if !external && w.s.Policy().Judge(rule, due, w.now) == recurrence.TooLate {
			key = KeyFiringLate
		}
		_, err := w.q.AddFiring(ctx, w.tx, db.AddFiringParams{TenantID: w.s.TenantID, ScheduleID: w.s.ID, DueAt: due, Cause: cause, State: recurrence.Missed, ErrorKey: key})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return 0, fmt.Errorf("note missed due time: %w", err)
		}
	}
	if len(missing) > 0 {
		if err := raiseMissed(ctx, w.tx, w.q, w.s, rule, missing[len(missing)-1], w.now); err != nil {
			return 0, err
		}
	}
	if len(expected) > 0 || until.Sub(w.s.WatchedFrom) > watchStep {
		if _, err := w.q.SetScheduleWatched(ctx, w.tx, until, w.s.TenantID, w.s.ID); err != nil {
			return 0, fmt.Errorf("move watermark: %w", err)
		}
	}
	return len(missing), nil
}

// starts are the due times within the catch-up window that are noted as missed
// and that no workflow has taken up. Which of them run is decided when they
// are claimed.
func (w *watching) starts(ctx context.Context, rule *recurrence.Rule) ([]recurrence.Firing, error) {
	if w.s.Trigger == recurrence.External {
		return nil, nil
	}
	due, err := w.q.ListFiringsToMakeUp(ctx, w.tx, db.ListFiringsToMakeUpParams{TenantID: w.s.TenantID, ScheduleID: w.s.ID, ErrorKey: KeyFiringMissed,
		Since: w.now.Add(-w.s.Policy().Window), PageSize: missedAtOnce})
	if err != nil {
		return nil, fmt.Errorf("list firings to make up for: %w", err)
	}
	var out []recurrence.Firing
	for _, t := range due {
		if rule.Due(t) { // the rule may have changed since
			out = append(out, recurrence.Firing{TenantID: w.s.TenantID, ScheduleID: w.s.ID, DueAt: t.UTC(), Cause: recurrence.Due})
		}
	}
	return out, nil
}

// missing are the expected due times of which nothing is noted.
func (w *watching) missing(ctx context.Context, expected []time.Time, causes []string) ([]time.Time, error) {
	if len(expected) == 0 {
		return nil, nil
	}
	rows, err := w.q.ListDueFirings(ctx, w.tx, db.ListDueFiringsParams{TenantID: w.s.TenantID, ScheduleID: w.s.ID,
		Since: expected[0].Add(-time.Second), Causes: causes})
	if err != nil {
		return nil, fmt.Errorf("list firings: %w", err)
	}
	known := map[int64]bool{}
	for _, x := range rows {
		known[x.DueAt.Unix()] = true
	}
	var out []time.Time
	for _, t := range expected {
		if !known[t.Unix()] {
			out = append(out, t.UTC())
		}
	}
	return out, nil
}

// settleFirings closes firings whose run has ended and that no workflow will
// close: those of outside schedulers, and those whose workflow is gone.
func (a *Upkeep) settleFirings(ctx context.Context, tenant uuid.UUID, found *Watched) error {
	var ended []db.ListSettledFiringsRow
	var stale []db.ListStaleFiringsRow
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if ended, err = q.ListSettledFirings(ctx, tx, tenant); err != nil {
			return err
		}
		stale, err = q.ListStaleFirings(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return fmt.Errorf("list open firings: %w", err)
	}
	ends := &Recurring{deps: a.deps}
	var failed []error
	settle := func(firing uuid.UUID, in EndInput) {
		in.FiringRef = FiringRef{TenantID: tenant, FiringID: firing}
		if err := ends.EndFiring(ctx, in); err != nil {
			failed = append(failed, fmt.Errorf("settle firing %s: %w", firing, err))
			return
		}
		found.Settled++
	}
	for _, x := range ended {
		in := EndInput{State: recurrence.Done, Cause: causeOf(x.RunState, x.ErrorKey, x.ErrorDetail)}
		if x.RunState != RunDone {
			in.State = recurrence.Failed
		}
		settle(x.ID, in)
	}
	for _, x := range stale {
		alive, err := a.deps.Starter.Running(ctx, x.WorkflowID)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("look for workflow of firing %s: %w", x.ID, err))
		case !alive:
			settle(x.ID, EndInput{State: recurrence.Failed, Cause: ErrorDetail{Code: fault.Internal, Key: KeyWorkflowGone}})
		}
	}
	return errors.Join(failed...)
}
