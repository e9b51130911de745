package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// showRun prints the monitor of one run.
func (s *Server) showRun(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "runs.title")
	if err != nil {
		return err
	}
	v, err := s.runMonitor(r, p)
	if err != nil {
		return err
	}
	p.Title = v.Title
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Label: v.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "runs/monitor", p)
	return nil
}

// runStatus answers the poll of the monitor. Once the run has ended the
// fragment carries no trigger any more, which ends the polling.
func (s *Server) runStatus(w http.ResponseWriter, r *http.Request) error {
	p := s.render.Page(r)
	v, err := s.runMonitor(r, p)
	if err != nil {
		return err
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "runs/monitor", "run-status", p)
	return nil
}

// runMonitor reads what the monitor shows.
func (s *Server) runMonitor(r *http.Request, p Page) (runView, error) {
	id, err := pathUUID(r, "id")
	if err != nil {
		return runView{}, err
	}
	var x monitorRows
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.run, err = q.RunDetail(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.progress, err = q.RunProgress(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.events, err = q.RunTimeline(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.scenarios, err = q.RunScenarios(ctx, tx, tenant, id); err != nil || x.run.State != "failed" && x.run.BasedOn == nil {
			return err
		}
		if x.book, err = loadPlantBook(ctx, tx, q, tenant); err != nil || x.run.BasedOn == nil {
			return err
		}
		base, err := q.ScenarioWithRun(ctx, tx, tenant, *x.run.BasedOn)
		x.base = &base
		return err
	})
	if err != nil {
		return runView{}, err
	}
	v := newRunView(p, x)
	if x.base != nil {
		if v.WhatIf, err = newWhatIfNote(p, x); err != nil {
			return v, err
		}
	}
	who := access.From(r.Context())
	v.CanRun = mayRun(who, x.run.Problem)
	v.CanRecur = v.CanRun && who.Can(access.ManageSchedules) && x.run.BasedOn == nil
	if who.Can(access.ViewHistory) {
		v.History = "/runs/" + id.String() + "/history"
	}
	return v, nil
}

// stopRun ends the search and keeps the best plans.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request) error {
	return s.endRun(w, r, "run.stop_requested", "runs.stopped", s.Workflows.StopOptimization)
}

// cancelRun gives the run up; nothing of it is saved.
func (s *Server) cancelRun(w http.ResponseWriter, r *http.Request) error {
	return s.endRun(w, r, "run.cancel_requested", "runs.cancelled", s.Workflows.CancelOptimization)
}

// endRun records who asked for the end of a run before it asks the workflow,
// so that the request is in the audit log even when the workflow is away.
func (s *Server) endRun(w http.ResponseWriter, r *http.Request, action, toast string, end func(ctx context.Context, tenant, run uuid.UUID) error) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		run, err := q.RunDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if !mayRun(who, run.Problem) {
			return fault.New(fault.Forbidden, "error.403.text")
		}
		if run.State != "requested" && run.State != "running" {
			return fault.New(fault.Conflict, "runs.ended")
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: action, ObjectType: "run", ObjectID: id.String(),
			Before: map[string]any{"state": run.State, "stage": run.Stage}})
	})
	if err != nil {
		return err
	}
	if err := end(r.Context(), who.TenantID, id); err != nil {
		return err
	}
	return s.redirect(w, r, "/runs/"+id.String(), toast)
}
