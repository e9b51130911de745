package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// planDiff sets a plan beside the version before it; a first version has no
// difference.
type planDiff struct {
	ID, Previous, Title string
	Version, Before     int
	Difference          *differenceView
	Held, HeldBefore    []heldRow
}

// showPlanDiff shows what a version changed: terms of the cost, decisions, and
// the jobs that are not carried out.
func (s *Server) showPlanDiff(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "plans.diff.title")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	now, err := s.loadVersion(r, id)
	if err != nil {
		return err
	}
	v := planDiff{ID: id.String(), Title: now.plan.Title, Version: int(now.plan.Plan.Version), Held: heldRows(p, now)}
	if previous := now.plan.Plan.PreviousID; previous != nil {
		before, err := s.loadVersion(r, *previous)
		if err != nil {
			return err
		}
		if before.solved.run.Problem != now.solved.run.Problem {
			return fault.New(fault.Conflict, "plans.diff.incomparable")
		}
		v.Previous, v.Before = previous.String(), int(before.plan.Plan.Version)
		v.Difference, v.HeldBefore = newDifferenceView(p, before.solved, now.solved, now.book), heldRows(p, before)
	}
	p.Crumbs = []Crumb{{Href: "/plans", Label: p.T("plans.title")}, {Href: "/plans/" + v.ID, Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "plans/diff", p)
	return nil
}

// loadVersion reads one version of a plan for a comparison.
func (s *Server) loadVersion(r *http.Request, id uuid.UUID) (planRows, error) {
	var x planRows
	var run db.OptimizationRun
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.plan, err = q.PlanDetail(ctx, tx, tenant, id); err != nil {
			return err
		}
		if run, err = q.LoadRun(ctx, tx, tenant, x.plan.Plan.RunID); err != nil {
			return err
		}
		if x.lines, err = q.ListPlanLines(ctx, tx, &id, tenant, x.plan.Plan.ScenarioID); err != nil {
			return err
		}
		x.book, err = loadPlantBook(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return x, err
	}
	x.solved, err = newSolvedPlan(run, x.plan.OptimizationScenario)
	return x, err
}
