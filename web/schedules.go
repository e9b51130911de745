package web

import (
	"context"
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

func (s *Server) scheduleRoutes() []route {
	return []route{
		{http.MethodGet, "/schedules", access.ViewResults, s.listSchedules},
		{http.MethodGet, "/schedules/new", access.ManageSchedules, s.newSchedule},
		{http.MethodPost, "/schedules/new", access.ManageSchedules, s.createSchedule},
		{http.MethodGet, "/schedules/{id}", access.ViewResults, s.showSchedule},
		{http.MethodGet, "/schedules/{id}/edit", access.ManageSchedules, s.editSchedule},
		{http.MethodPost, "/schedules/{id}/edit", access.ManageSchedules, s.saveSchedule},
		{http.MethodPost, "/schedules/{id}/run", access.ManageSchedules, s.triggerSchedule},
		{http.MethodPost, "/schedules/{id}/pause", access.ManageSchedules, s.pauseSchedule},
		{http.MethodPost, "/schedules/{id}/resume", access.ManageSchedules, s.resumeSchedule},
		{http.MethodPost, "/schedules/{id}/archive", access.ManageSchedules, s.archiveSchedule},
		{http.MethodPost, "/schedules/{id}/backfill", access.ManageGovernance, s.backfillSchedule},
		{http.MethodGet, "/reports", access.ViewResults, s.listReports},
		{http.MethodGet, "/reports/{id}", access.ViewResults, s.showReport},
	}
}

// scheduleList is the Data of schedules/list.
type scheduleList struct {
	Rows      []scheduleView
	CanManage bool
	Paused    int
	Reports   bool
}

// listSchedules shows what recurs, when it comes next and how the last went.
func (s *Server) listSchedules(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "schedules.title")
	if err != nil {
		return err
	}
	v := scheduleList{CanManage: access.From(r.Context()).Can(access.ManageSchedules)}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListSchedules(ctx, tx, tenant, nil)
		if err != nil {
			return err
		}
		days, err := db.TenantCalendar(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range rows {
			row, err := newScheduleView(p, x, days, time.Now())
			if err != nil {
				return err
			}
			if row.Paused {
				v.Paused++
			}
			v.Rows = append(v.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "schedules/list", p)
	return nil
}

// scheduleEditor lends the rules of schedules to a transaction.
func scheduleEditor(r *http.Request, tx pgx.Tx, q *db.Queries) schedule.Editor {
	return schedule.Editor{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(r.Context()), Now: time.Now()}
}

// changeSchedule makes one change, tells the workflow engine and leads back to
// the schedule. While the engine is away upkeep tells it later.
func (s *Server) changeSchedule(w http.ResponseWriter, r *http.Request, toast string, change func(ctx context.Context, e schedule.Editor, id uuid.UUID) (db.Schedule, error)) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var row db.Schedule
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) (err error) {
		row, err = change(ctx, scheduleEditor(r, tx, q), id)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.tellEngine(r.Context(), row); err != nil {
		return err
	}
	target := "/schedules/" + id.String()
	if row.ArchivedAt != nil {
		target = "/schedules"
	}
	return s.redirect(w, r, target, toast)
}

// tellEngine brings the workflow engine up to date with a schedule.
func (s *Server) tellEngine(ctx context.Context, row db.Schedule) error {
	err := s.Workflows.EnsureRecurring(ctx, row.StartTrigger())
	if fault.CodeOf(err) == fault.Unavailable {
		return nil
	}
	return err
}

func (s *Server) resumeSchedule(w http.ResponseWriter, r *http.Request) error {
	return s.changeSchedule(w, r, "schedules.resumed", func(ctx context.Context, e schedule.Editor, id uuid.UUID) (db.Schedule, error) {
		return e.Resume(ctx, id)
	})
}

func (s *Server) archiveSchedule(w http.ResponseWriter, r *http.Request) error {
	return s.changeSchedule(w, r, "schedules.archived", func(ctx context.Context, e schedule.Editor, id uuid.UUID) (db.Schedule, error) {
		return e.Archive(ctx, id)
	})
}

// triggerSchedule starts a schedule now, beside its due times.
func (s *Server) triggerSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var firing recurrence.Firing
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) (err error) {
		firing, err = scheduleEditor(r, tx, q).Trigger(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.Workflows.StartRecurring(r.Context(), firing); err != nil {
		return err
	}
	return s.redirect(w, r, "/schedules/"+id.String(), "schedules.triggered")
}
