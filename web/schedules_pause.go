package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/schedule"
)

// backfillMost is the number of due times that one request makes up for.
const backfillMost = 31

// Ends of a pause that the form offers.
const (
	untilResumed = "open"
	untilDay     = "day"
)

// pauseForm is a pause as typed.
type pauseForm struct {
	Mode, Day, Note string
	Errors          map[string]string
}

// pauseSchedule lets a schedule rest: until somebody resumes it, until a day,
// or until a feast of the tenant's calendar is over.
func (s *Server) pauseSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := pauseForm{Mode: r.PostFormValue("mode"), Day: strings.TrimSpace(r.PostFormValue("day")), Note: strings.TrimSpace(r.PostFormValue("note"))}
	var row db.Schedule
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		until, err := f.until(ctx, tx, tenant, time.Now())
		if err != nil {
			return err
		}
		row, err = scheduleEditor(r, tx, q).Pause(ctx, id, f.Note, until)
		return err
	})
	var invalid *schedule.Invalid
	if errors.As(err, &invalid) {
		p := s.render.Page(r)
		f.Errors = scheduleErrors(p, invalid)
		return s.schedulePage(w, r, http.StatusUnprocessableEntity, id, f, backfillForm{})
	}
	if err != nil {
		return err
	}
	if err := s.tellEngine(r.Context(), row); err != nil {
		return err
	}
	return s.redirect(w, r, "/schedules/"+id.String(), "schedules.paused")
}

// until is when the pause ends, nil when a person ends it.
func (f pauseForm) until(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, now time.Time) (*time.Time, error) {
	if f.Mode == untilResumed || f.Mode == "" {
		return nil, nil
	}
	calendar, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	if f.Mode == untilDay {
		day, err := time.ParseInLocation(time.DateOnly, f.Day, calendar.Location())
		if err != nil {
			return nil, &schedule.Invalid{Fields: map[string]schedule.Problem{"until": {Key: schedule.KeyUntil}}}
		}
		return &day, nil
	}
	end, ok := recurrence.AfterHoliday(calendar, f.Mode, now)
	if !ok {
		return nil, &schedule.Invalid{Fields: map[string]schedule.Problem{"until": {Key: schedule.KeyUntil}}}
	}
	return &end, nil
}

// backfillForm is a period whose missed due times are to be made up for.
type backfillForm struct{ From, To, Err string }

// backfillSchedule starts every due time of a period that was missed, skipped
// or failed, one after the other, in the name of who asks, and says how many
// were done before.
func (s *Server) backfillSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := backfillForm{From: strings.TrimSpace(r.PostFormValue("from")), To: strings.TrimSpace(r.PostFormValue("to"))}
	var starts []recurrence.Firing
	var known int
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.GetSchedule(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if !schedule.All(access.From(ctx)) {
			return fault.New(fault.Forbidden, schedule.KeyOwnOnly)
		}
		if row.Trigger == recurrence.External {
			return fault.New(fault.Conflict, schedule.KeyExternal)
		}
		if starts, known, err = f.missing(ctx, tx, q, row); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "schedule.backfilled", ObjectType: "schedule", ObjectID: id.String(),
			After: map[string]any{"from": f.From, "to": f.To, "due_times": len(starts), "done_before": known}})
	})
	var wrong *fault.Error
	if errors.As(err, &wrong) && wrong.Code == fault.Invalid {
		f.Err = s.render.Page(r).T(wrong.Key, "Max", backfillMost)
		return s.schedulePage(w, r, http.StatusUnprocessableEntity, id, pauseForm{}, f)
	}
	if err != nil {
		return err
	}
	for _, x := range starts {
		if err := s.Workflows.StartRecurring(r.Context(), x); err != nil {
			return err
		}
	}
	p := s.render.Page(r)
	said := p.N("schedules.backfill.begun", len(starts))
	if known > 0 {
		said += p.T("alerts.separator") + p.N("schedules.backfill.known", known)
	}
	return s.redirectSaying(w, r, "/schedules/"+id.String(), said)
}

// missing are the due times of the period that did not end well, and how many
// did or are under way.
func (f backfillForm) missing(ctx context.Context, tx pgx.Tx, q *db.Queries, row db.Schedule) ([]recurrence.Firing, int, error) {
	rule, err := db.RuleOf(ctx, tx, row)
	if err != nil {
		return nil, 0, err
	}
	from, err := time.ParseInLocation(time.DateOnly, f.From, rule.Location())
	to, toErr := time.ParseInLocation(time.DateOnly, f.To, rule.Location())
	if err != nil || toErr != nil || to.Before(from) {
		return nil, 0, fault.New(fault.Invalid, "schedules.backfill.period")
	}
	until := to.AddDate(0, 0, 1).Add(-time.Second)
	if now := time.Now(); until.After(now) {
		until = now
	}
	due := rule.Between(from.Add(-time.Second), until, backfillMost+1)
	if len(due) > backfillMost {
		return nil, 0, fault.New(fault.Invalid, "schedules.backfill.many")
	}
	known, err := q.ListDueFirings(ctx, tx, db.ListDueFiringsParams{TenantID: row.TenantID, ScheduleID: row.ID, Since: from.Add(-time.Second),
		Causes: []string{recurrence.Due, recurrence.CatchUp, recurrence.Backfill}})
	if err != nil {
		return nil, 0, err
	}
	by := access.From(ctx).UserID
	well := map[int64]bool{}
	for _, x := range known {
		if x.State == recurrence.Done || x.State == recurrence.Started {
			well[x.DueAt.Unix()] = true
		}
	}
	var out []recurrence.Firing
	for _, t := range due {
		if !well[t.Unix()] {
			out = append(out, recurrence.Firing{TenantID: row.TenantID, ScheduleID: row.ID, DueAt: t, Cause: recurrence.Backfill, By: &by})
		}
	}
	if len(out) == 0 {
		return nil, 0, fault.New(fault.Invalid, "schedules.backfill.none")
	}
	return out, len(due) - len(out), nil
}
