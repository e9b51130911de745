package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/recurrence"
)

// failingAfter is the number of failures in a row that is told of.
const failingAfter = 2

// KeyPausedByFailure is the note of a pause that a failure brought about; pages
// translate it.
const KeyPausedByFailure = "schedules.paused.failure"

// EndInput ends a firing, well or with the cause of its failure.
type EndInput struct {
	FiringRef
	State             string // done or failed
	Cause             ErrorDetail
	SweepID, ReportID *uuid.UUID
}

// EndFiring closes a firing, counts failures, settles the alerts of its
// schedule, pauses it where that was asked for, and tells people of what they
// must know. A firing that has ended is left alone.
func (a *Recurring) EndFiring(ctx context.Context, in EndInput) error {
	var trigger *recurrence.Trigger
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		trigger, err = endFiring(ctx, tx, q, in)
		return err
	})
	if err != nil {
		return fmt.Errorf("end firing: %w", err)
	}
	if trigger == nil {
		return nil
	}
	return a.deps.Starter.EnsureRecurring(ctx, *trigger)
}

// endFiring returns what the workflow engine has to learn, if anything.
func endFiring(ctx context.Context, tx pgx.Tx, q *db.Queries, in EndInput) (*recurrence.Trigger, error) {
	f, err := q.LockFiring(ctx, tx, in.TenantID, in.FiringID)
	if err != nil {
		return nil, fmt.Errorf("lock firing: %w", err)
	}
	s, err := q.LockSchedule(ctx, tx, in.TenantID, f.ScheduleID)
	if err != nil {
		return nil, fmt.Errorf("lock schedule: %w", err)
	}
	detail, err := encodeArgs(in.Cause.Args)
	if err != nil {
		return nil, err
	}
	ended, err := q.EndFiring(ctx, tx, db.EndFiringParams{TenantID: in.TenantID, ID: in.FiringID, State: in.State, ErrorKey: in.Cause.Key,
		ErrorDetail: detail, SweepID: in.SweepID, ReportID: in.ReportID})
	if err != nil || ended == 0 {
		return nil, err
	}
	if in.State == recurrence.Done {
		return nil, firingSucceeded(ctx, tx, q, s, f)
	}
	return firingFailed(ctx, tx, q, s, f, in)
}

func firingSucceeded(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, f db.ScheduleFiring) error {
	if _, err := q.SetScheduleFailures(ctx, tx, 0, s.TenantID, s.ID); err != nil {
		return fmt.Errorf("note success: %w", err)
	}
	if _, err := settleAlerts(ctx, tx, q, s.TenantID, time.Now().UTC(), missedAlert(s, nil), failingAlert(s, nil)); err != nil {
		return err
	}
	if f.RunID == nil {
		return nil
	}
	return announceFinished(ctx, tx, q, s, f)
}

func firingFailed(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, f db.ScheduleFiring, in EndInput) (*recurrence.Trigger, error) {
	failures := s.Failures + 1
	if _, err := q.SetScheduleFailures(ctx, tx, failures, s.TenantID, s.ID); err != nil {
		return nil, fmt.Errorf("note failure: %w", err)
	}
	to, err := toldOf(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	notice := scheduleNotice{ScheduleID: s.ID, Name: s.Name, Kind: s.Kind, DueAt: f.DueAt, RunID: f.RunID, FiringID: &f.ID, Failures: int(failures), Reason: in.Cause.Key, ReasonArgs: in.Cause.Args}
	object := db.Announcement{TenantID: s.TenantID, Kind: "run.failed", ObjectType: "schedule", ObjectID: s.ID, Key: "run.failed/" + attemptOf(f), Payload: notice, To: to}
	if f.RunID != nil {
		object.ObjectType, object.ObjectID = "run", *f.RunID
	}
	if err := db.Announce(ctx, tx, object); err != nil {
		return nil, err
	}
	if failures >= failingAfter {
		if _, err := settleAlerts(ctx, tx, q, s.TenantID, time.Now().UTC(), failingAlert(s, map[string]any{
			"schedule_id": s.ID, "name": s.Name, "failures": failures, "due_at": f.DueAt, "error_key": in.Cause.Key, "error_detail": in.Cause.Args})); err != nil {
			return nil, err
		}
		if err := announceSchedule(ctx, tx, s, "schedule.failing", attemptOf(f), notice, to); err != nil {
			return nil, err
		}
	}
	if !s.PauseOnFailure || s.Paused {
		return nil, nil
	}
	paused, err := q.PauseSchedule(ctx, tx, db.PauseScheduleParams{TenantID: s.TenantID, ID: s.ID, PauseNote: KeyPausedByFailure})
	if err != nil {
		return nil, fmt.Errorf("pause schedule: %w", err)
	}
	if err := announceSchedule(ctx, tx, s, "schedule.paused", attemptOf(f), notice, to); err != nil {
		return nil, err
	}
	trigger := paused.StartTrigger()
	return &trigger, db.AppendAudit(ctx, tx, db.Entry{TenantID: s.TenantID, Actor: db.SystemActor(recurringActor), Action: "schedule.paused",
		ObjectType: "schedule", ObjectID: s.ID.String(), Before: map[string]any{"paused": false}, After: map[string]any{"paused": true, "error_key": in.Cause.Key}})
}

// toldOf are those who hear of a schedule: its owner and the administrators.
func toldOf(ctx context.Context, tx pgx.Tx, s db.Schedule) ([]uuid.UUID, error) {
	admins, err := db.Holders(ctx, tx, s.TenantID, access.ManageUsers)
	if err != nil {
		return nil, err
	}
	return append(admins, s.OwnerID), nil
}

// scheduleNotice is what an event of a schedule carries.
type scheduleNotice struct {
	ScheduleID uuid.UUID      `json:"schedule_id"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	DueAt      time.Time      `json:"due_at"`
	FirstDueAt *time.Time     `json:"first_due_at,omitempty"` // the oldest of several missed due times
	Missed     int            `json:"missed,omitempty"`
	Failures   int            `json:"failures,omitempty"`
	FiringID   *uuid.UUID     `json:"firing_id,omitempty"`
	RunID      *uuid.UUID     `json:"run_id,omitempty"`
	Reason     string         `json:"reason,omitempty"`      // message key
	ReasonArgs map[string]any `json:"reason_args,omitempty"` // what the message speaks of
}

func announceSchedule(ctx context.Context, tx pgx.Tx, s db.Schedule, kind, key string, notice scheduleNotice, to []uuid.UUID) error {
	return db.Announce(ctx, tx, db.Announcement{TenantID: s.TenantID, Kind: kind, ObjectType: "schedule", ObjectID: s.ID,
		Key: kind + "/" + s.ID.String() + "/" + key, Payload: notice, To: to})
}

// missedAlert holds with a detail and is gone without one.
func missedAlert(s db.Schedule, detail map[string]any) alert {
	return alert{kind: AlertScheduleMissed, about: s.ID, holds: detail != nil, severity: 4, detail: detail}
}

func failingAlert(s db.Schedule, detail map[string]any) alert {
	return alert{kind: AlertScheduleFailing, about: s.ID, holds: detail != nil, severity: 4, detail: detail}
}

// patienceWith is how long after its due time nobody is told that a start is
// missing: outside schedulers have until the end of their window.
func patienceWith(s db.Schedule) time.Duration {
	if s.Trigger == recurrence.External {
		return s.Policy().Window
	}
	return recurrence.Grace
}

// raiseMissed raises the alarm that a due time was not started in time. It
// names the schedule and counts the due times since the last one that was
// started. The newest due time is told of once.
func raiseMissed(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, rule *recurrence.Rule, due, now time.Time) error {
	from, err := q.LastStarted(ctx, tx, s.TenantID, s.ID, due)
	if err != nil {
		return fmt.Errorf("look for last start: %w", err)
	}
	if from.Before(s.UpdatedAt) {
		from = s.UpdatedAt
	}
	const most = 1000
	missed := rule.Between(from, now.Add(-patienceWith(s)), most)
	if len(missed) == 0 {
		missed = []time.Time{due}
	}
	first, last := missed[0].UTC(), missed[len(missed)-1].UTC()
	_, err = settleAlerts(ctx, tx, q, s.TenantID, now, missedAlert(s, map[string]any{
		"schedule_id": s.ID, "name": s.Name, "missed": len(missed), "first_due": first, "last_due": last}))
	if err != nil {
		return err
	}
	to, err := toldOf(ctx, tx, s)
	if err != nil {
		return err
	}
	return announceSchedule(ctx, tx, s, "schedule.missed", last.Format(time.RFC3339),
		scheduleNotice{ScheduleID: s.ID, Name: s.Name, Kind: s.Kind, DueAt: last, FirstDueAt: &first, Missed: len(missed)}, to)
}
