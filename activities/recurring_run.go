package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/runs"
)

// FiringRef names a firing, and the person who asked for it.
type FiringRef struct {
	TenantID uuid.UUID
	FiringID uuid.UUID
	By       *uuid.UUID `json:",omitempty"`
}

// PrepareFiring checks that the account and the owner of the schedule, and who
// asked for it now, may still do its work and records the run that it asks for,
// once. It returns nil for work without a run.
func (a *Recurring) PrepareFiring(ctx context.Context, ref FiringRef) (uuid.UUID, error) {
	var run uuid.UUID
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		f, err := q.LockFiring(ctx, tx, ref.TenantID, ref.FiringID)
		if err != nil {
			return fmt.Errorf("lock firing: %w", err)
		}
		s, err := q.GetSchedule(ctx, tx, ref.TenantID, f.ScheduleID)
		if err != nil {
			return fmt.Errorf("load schedule: %w", err)
		}
		by, err := requester(ctx, tx, q, s, ref.By)
		if err != nil || s.Kind != recurrence.KindOptimization {
			return err
		}
		if f.RunID != nil {
			run = *f.RunID
			return nil
		}
		run, err = requestScheduled(ctx, tx, q, s, f, by)
		return err
	})
	if err != nil {
		return run, fmt.Errorf("prepare firing: %w", err)
	}
	return run, nil
}

// asked is who a run is recorded for, and who acts in the audit log.
type asked struct {
	id    uuid.UUID
	actor db.Actor
}

// requester is the service account for what is due, and the person for what a
// person asks for: whoever starts a run may not approve its plan.
func requester(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, person *uuid.UUID) (asked, error) {
	need, err := neededFor(s)
	if err != nil {
		return asked{}, err
	}
	if err := checkAccounts(ctx, tx, q, s, need); err != nil || person == nil {
		return asked{id: s.AccountID, actor: db.SystemActor(recurringActor)}, err
	}
	actor, err := permitted(ctx, tx, q, s.TenantID, *person, need)
	if fault.CodeOf(err) == fault.Forbidden {
		err = fault.Wrap(fault.Forbidden, KeyAskerNotAble, err)
	}
	return asked{id: *person, actor: actor}, err
}

// neededFor is the capability that the work of a schedule takes.
func neededFor(s db.Schedule) (access.Capability, error) {
	if s.Kind != recurrence.KindOptimization {
		return access.ManageSchedules, nil
	}
	request, err := requestOf(s)
	if err != nil {
		return "", err
	}
	return capabilityOf(request.Problem)
}

// checkAccounts refuses work of a service account that was switched off, and of
// an owner who left or may not do the work any more.
func checkAccounts(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, need access.Capability) error {
	account, err := q.GetUser(ctx, tx, s.TenantID, s.AccountID)
	if err != nil {
		return fmt.Errorf("load account: %w", err)
	}
	if !account.IsActive || account.ArchivedAt != nil || !slices.Contains(account.Roles, string(access.ServiceAccount)) {
		return fault.New(fault.Forbidden, KeyAccountOff).With("Account", account.Username)
	}
	owner, err := q.GetUser(ctx, tx, s.TenantID, s.OwnerID)
	if err != nil {
		return fmt.Errorf("load owner: %w", err)
	}
	if !owner.IsActive || owner.ArchivedAt != nil {
		return fault.New(fault.Forbidden, KeyOwnerOff)
	}
	if !slices.ContainsFunc(owner.Roles, func(r string) bool { return access.Allows(access.Role(r), need) }) {
		return fault.New(fault.Forbidden, KeyOwnerNotAble)
	}
	return nil
}

func capabilityOf(problem string) (access.Capability, error) {
	need, known := runs.CapabilityOf(problem)
	if !known {
		return need, fault.New(fault.Invalid, KeyProblem).With("problem", problem)
	}
	return need, nil
}

func requestOf(s db.Schedule) (recurrence.Request, error) {
	var request recurrence.Request
	if err := json.Unmarshal(s.Request, &request); err != nil {
		return request, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read request of schedule: %w", err))
	}
	return request, nil
}

// attemptOf names one try of a firing: a backfill may be tried again.
func attemptOf(f db.ScheduleFiring) string {
	if f.StartedAt == nil {
		return f.ID.String()
	}
	return fmt.Sprintf("%s/%d", f.ID, f.StartedAt.UnixMicro())
}

// requestScheduled records the run of a firing.
func requestScheduled(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, f db.ScheduleFiring, by asked) (uuid.UUID, error) {
	checked, err := scheduledRequest(ctx, tx, s, f)
	if err != nil {
		return uuid.Nil, err
	}
	key := "schedule/" + attemptOf(f)
	id, err := q.RequestScheduledRun(ctx, tx, db.RequestScheduledRunParams{
		TenantID: s.TenantID, Problem: checked.Problem, Title: checked.Title, RequestedBy: by.id, IdempotencyKey: key,
		Objective: checked.Objective, Constraints: checked.Constraints, WindowStart: checked.Start,
		WindowDays: int32(checked.Days), TimeLimitSeconds: int32(checked.Limit), //nolint:gosec // both are checked
		ScheduleID: s.ID, DueAt: f.DueAt,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return q.RunOfKey(ctx, tx, s.TenantID, key, by.id)
	}
	if err != nil {
		return id, fmt.Errorf("request run: %w", err)
	}
	if _, err := q.SetFiringRun(ctx, tx, id, s.TenantID, f.ID); err != nil {
		return id, fmt.Errorf("note run: %w", err)
	}
	return id, db.AppendAudit(ctx, tx, db.Entry{
		TenantID: s.TenantID, Actor: by.actor, Action: "run.requested", ObjectType: "run", ObjectID: id.String(),
		After: map[string]any{"title": checked.Title, "problem": checked.Problem, "window_start": checked.Start.Format(time.DateOnly),
			"window_days": checked.Days, "objective": checked.Objective, "constraints": checked.Constraints, "channel": "schedule",
			"schedule_id": s.ID, "due_at": f.DueAt, "cause": f.Cause, "account_id": s.AccountID, "requested_by": by.id},
	})
}

// scheduledRequest checks the request of a schedule against what there is now.
func scheduledRequest(ctx context.Context, tx pgx.Tx, s db.Schedule, f db.ScheduleFiring) (runs.Checked, error) {
	request, err := requestOf(s)
	if err != nil {
		return runs.Checked{}, err
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return runs.Checked{}, fmt.Errorf("load time zone: %w", err)
	}
	now := time.Now()
	first, err := request.First(f.DueAt, now, zone)
	if err != nil {
		return runs.Checked{}, fault.Wrap(fault.Invalid, KeyRequest, err)
	}
	y, m, d := now.In(zone).Date()
	scope, err := db.RunScope(ctx, tx, s.TenantID, time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return runs.Checked{}, err
	}
	checked, wrong := request.For(first, s.Name+" · "+f.DueAt.In(zone).Format(time.DateOnly)).Check(scope)
	if len(wrong) > 0 {
		fields := make([]string, len(wrong))
		for i, w := range wrong {
			fields[i] = w.Field
		}
		return checked, fault.New(fault.Invalid, KeyBadRequest).With("Fields", strings.Join(fields, ", "))
	}
	return checked, nil
}

// RunOutcome is how far the run of a firing is.
type RunOutcome struct {
	Final bool
	State string
	Cause ErrorDetail
}

// ReadOutcome reads how far a run is.
func (a *Recurring) ReadOutcome(ctx context.Context, ref RunRef) (RunOutcome, error) {
	var out RunOutcome
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadRun(ctx, tx, ref.TenantID, ref.RunID)
		if err != nil {
			return err
		}
		out.State = run.State
		out.Final = run.State == RunDone || run.State == RunFailed || run.State == RunCancelled
		out.Cause = causeOf(run.State, run.ErrorKey, run.ErrorDetail)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("read run: %w", err)
	}
	return out, nil
}

// causeOf is the explanation of a run that did not end well.
func causeOf(state, key string, detail json.RawMessage) ErrorDetail {
	switch {
	case state == RunCancelled:
		return ErrorDetail{Code: fault.Conflict, Key: "schedules.run_cancelled"}
	case state != RunFailed:
		return ErrorDetail{}
	}
	out := ErrorDetail{Code: fault.Internal, Key: key}
	if json.Unmarshal(detail, &out.Args) != nil {
		out.Args = nil // the key alone explains it
	}
	return out
}
