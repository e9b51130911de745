package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/schedule"
)

// ScheduleInput is recurring work as asked for. Times are read in time_zone;
// request is what the runs of kind optimization ask for.
type ScheduleInput struct {
	Name           string                 `json:"name" minLength:"1" maxLength:"120"`
	Kind           string                 `json:"kind" enum:"optimization,sweep,report"`
	Trigger        string                 `json:"trigger,omitempty" required:"false" enum:"internal,external" default:"internal" doc:"external: a scheduler of your own asks for the runs and names the schedule"`
	Request        json.RawMessage        `json:"request,omitempty" doc:"problem, start (same_day, next_day, next_week), days, time_limit_seconds, objective and constraints"`
	Cron           string                 `json:"cron" minLength:"9" maxLength:"200" doc:"Minute, hour, day of month, month, day of week"`
	TimeZone       string                 `json:"time_zone" maxLength:"64" example:"Asia/Riyadh"`
	Exclusions     []recurrence.Exclusion `json:"exclusions,omitempty" maxItems:"40" doc:"Each a holiday, a period or days"`
	Overlap        string                 `json:"overlap,omitempty" required:"false" enum:"skip,buffer_one,allow_all" default:"skip"`
	CatchUpMinutes int                    `json:"catch_up_minutes,omitempty" required:"false" minimum:"1" maximum:"10080" default:"360"`
	PauseOnFailure bool                   `json:"pause_on_failure,omitempty" required:"false"`
	OwnerID        *uuid.UUID             `json:"owner_id,omitempty" doc:"You unless given"`
	AccountID      uuid.UUID              `json:"account_id" doc:"Service account in whose name it runs"`
	TokenID        *uuid.UUID             `json:"token_id,omitempty"`
}

// Schedule is recurring work with its next due times.
type Schedule struct {
	ID             uuid.UUID       `json:"id"`
	Name           string          `json:"name"`
	Kind           string          `json:"kind"`
	Trigger        string          `json:"trigger"`
	Request        json.RawMessage `json:"request"`
	Cron           string          `json:"cron"`
	TimeZone       string          `json:"time_zone"`
	Exclusions     json.RawMessage `json:"exclusions"`
	Overlap        string          `json:"overlap"`
	CatchUpMinutes int32           `json:"catch_up_minutes"`
	PauseOnFailure bool            `json:"pause_on_failure"`
	Paused         bool            `json:"paused"`
	PausedUntil    *time.Time      `json:"paused_until,omitempty"`
	PauseNote      string          `json:"pause_note,omitempty"`
	OwnerID        uuid.UUID       `json:"owner_id"`
	AccountID      uuid.UUID       `json:"account_id"`
	TokenID        *uuid.UUID      `json:"token_id,omitempty"`
	Failures       int32           `json:"failures" doc:"In a row"`
	LastDue        *time.Time      `json:"last_due,omitempty"`
	LastState      string          `json:"last_state,omitempty" doc:"started, done, failed, skipped or missed"`
	Next           []time.Time     `json:"next" doc:"The next five due times"`
}

func (a *API) schedules() {
	const tag = "Schedules"
	add(a, access.ViewResults, route(http.MethodGet, "/schedules", "list-schedules", "List recurring work", tag), a.listSchedules)
	add(a, access.ViewResults, route(http.MethodGet, "/schedules/{id}", "get-schedule", "One schedule", tag), a.getSchedule)
	add(a, access.ManageSchedules, route(http.MethodPost, "/schedules", "create-schedule", "Make a schedule", tag), a.createSchedule)
	add(a, access.ManageSchedules, route(http.MethodPut, "/schedules/{id}", "update-schedule", "Change a schedule", tag), a.updateSchedule)
	add(a, access.ManageSchedules, route(http.MethodPost, "/schedules/{id}/pause", "pause-schedule", "Let a schedule rest", tag), a.pauseSchedule)
	add(a, access.ManageSchedules, route(http.MethodPost, "/schedules/{id}/resume", "resume-schedule", "End the pause of a schedule", tag), a.resumeSchedule)
	add(a, access.ManageSchedules, route(http.MethodPost, "/schedules/{id}/trigger", "trigger-schedule", "Start a schedule now", tag), a.triggerSchedule)
}

// draft states the input in the terms that the rules check.
func (in ScheduleInput) draft(who access.Principal) (schedule.Draft, error) {
	d := schedule.Draft{Name: in.Name, Trigger: in.Trigger, Kind: in.Kind, Cron: in.Cron, Zone: in.TimeZone, Exclusions: in.Exclusions, Overlap: in.Overlap,
		WindowMinutes: in.CatchUpMinutes, PauseOnFailure: in.PauseOnFailure, Owner: who.UserID, Account: in.AccountID, Token: in.TokenID}
	if in.OwnerID != nil {
		d.Owner = *in.OwnerID
	}
	if len(in.Request) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(in.Request, &d.Request); err != nil {
		return d, fault.Wrap(fault.Invalid, "runs.request_malformed", fmt.Errorf("read request: %w", err))
	}
	return d, nil
}

func (a *API) listSchedules(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[Schedule]], error) {
	out := List[Schedule]{Items: []Schedule{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		out.Items, err = shownSchedules(ctx, tx, q, who.TenantID, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	return reply(out), nil
}

func (a *API) getSchedule(ctx context.Context, who access.Principal, in *ByID) (*answer[Schedule], error) {
	var out Schedule
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		out, err = shownSchedule(ctx, tx, q, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// shownSchedule is one schedule as the transaction sees it.
func shownSchedule(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (Schedule, error) {
	all, err := shownSchedules(ctx, tx, q, tenant, &id)
	if err != nil {
		return Schedule{}, err
	}
	if len(all) == 0 {
		return Schedule{}, fault.New(fault.NotFound, "api.not_found")
	}
	return all[0], nil
}

// shownSchedules are all schedules of a tenant, or one, each with its next five
// due times; none in a pause without an end.
func shownSchedules(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, id *uuid.UUID) ([]Schedule, error) {
	const shown = 5
	rows, err := q.ListSchedules(ctx, tx, tenant, id)
	if err != nil {
		return nil, err
	}
	days, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	out := []Schedule{}
	for _, x := range rows {
		s := x.Schedule
		next, err := s.Coming(days, time.Now(), shown)
		if err != nil {
			return nil, err
		}
		out = append(out, Schedule{ID: s.ID, Name: s.Name, Kind: s.Kind, Trigger: s.Trigger, Request: s.Request, Cron: s.Cron, TimeZone: s.TimeZone, Exclusions: s.Exclusions,
			Overlap: s.Overlap, CatchUpMinutes: s.CatchUpMinutes, PauseOnFailure: s.PauseOnFailure, Paused: s.Paused, PausedUntil: s.PausedUntil, PauseNote: s.PauseNote,
			OwnerID: s.OwnerID, AccountID: s.AccountID, TokenID: s.TokenID, Failures: s.Failures, LastDue: x.LastDue, LastState: x.LastState,
			Next: append([]time.Time{}, next...)})
	}
	return out, nil
}

// changeSchedule makes one change of a schedule and tells the workflow engine.
// The answer is what the change wrote.
func (a *API) changeSchedule(ctx context.Context, who access.Principal, change func(ctx context.Context, e schedule.Editor) (db.Schedule, error)) (*answer[Schedule], error) {
	var row db.Schedule
	var out Schedule
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if row, err = change(ctx, schedule.Editor{Tx: tx, Q: q, Origin: origin(ctx), Who: who, Now: time.Now()}); err != nil {
			return err
		}
		out, err = shownSchedule(ctx, tx, q, who.TenantID, row.ID)
		return err
	})
	var refused *schedule.Invalid
	if errors.As(err, &refused) {
		texts := map[string]string{}
		for field, problem := range refused.Fields {
			texts[field] = localizer(ctx).T(problem.Key, problem.Args...)
		}
		return nil, invalid(ctx, texts)
	}
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.EnsureRecurring(ctx, row.StartTrigger()); err != nil && fault.CodeOf(err) != fault.Unavailable {
		return nil, err // upkeep tells an engine that is away
	}
	return reply(out), nil
}

func (a *API) createSchedule(ctx context.Context, who access.Principal, in *struct{ Body ScheduleInput }) (*answer[Schedule], error) {
	d, err := in.Body.draft(who)
	if err != nil {
		return nil, err
	}
	return a.changeSchedule(ctx, who, func(ctx context.Context, e schedule.Editor) (db.Schedule, error) { return e.Create(ctx, uuid.New(), d) })
}

func (a *API) updateSchedule(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body ScheduleInput
}) (*answer[Schedule], error) {
	d, err := in.Body.draft(who)
	if err != nil {
		return nil, err
	}
	return a.changeSchedule(ctx, who, func(ctx context.Context, e schedule.Editor) (db.Schedule, error) { return e.Update(ctx, in.ID, d) })
}

func (a *API) pauseSchedule(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body struct {
		Note  string     `json:"note,omitempty" required:"false" maxLength:"500"`
		Until *time.Time `json:"until,omitempty" doc:"Resumes at this moment; until somebody resumes it without"`
	}
}) (*answer[Schedule], error) {
	return a.changeSchedule(ctx, who, func(ctx context.Context, e schedule.Editor) (db.Schedule, error) {
		return e.Pause(ctx, in.ID, in.Body.Note, in.Body.Until)
	})
}

func (a *API) resumeSchedule(ctx context.Context, who access.Principal, in *ByID) (*answer[Schedule], error) {
	return a.changeSchedule(ctx, who, func(ctx context.Context, e schedule.Editor) (db.Schedule, error) { return e.Resume(ctx, in.ID) })
}

// triggerSchedule starts a schedule beside its due times, in the name of who
// asks.
func (a *API) triggerSchedule(ctx context.Context, who access.Principal, in *ByID) (*answer[Schedule], error) {
	var firing recurrence.Firing
	var out Schedule
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if firing, err = (schedule.Editor{Tx: tx, Q: q, Origin: origin(ctx), Who: who, Now: time.Now()}).Trigger(ctx, in.ID); err != nil {
			return err
		}
		out, err = shownSchedule(ctx, tx, q, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.StartRecurring(ctx, firing); err != nil {
		return nil, err
	}
	return reply(out), nil
}
