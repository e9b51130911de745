package web

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

// decisionTime is how much working time approvers have before a plan is
// escalated.
const decisionTime = 8 * time.Hour

// maxNote bounds notes and comments, in letters, as their columns do.
const maxNote = 2000

// decisionNeeds is the capability behind each kind of decision.
var decisionNeeds = map[string]access.Capability{
	workflows.Endorsed: access.EndorsePlan, workflows.Objected: access.EndorsePlan,
	workflows.Approved: access.ApprovePlan, workflows.Returned: access.ApprovePlan,
}

// proposePlan puts a scenario forward for approval. A run has at most one plan
// under way; after a return the next proposal is a new version of it.
func (s *Server) proposePlan(w http.ResponseWriter, r *http.Request) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	note := strings.TrimSpace(r.PostFormValue("note"))
	if utf8.RuneCountInString(note) > maxNote {
		return fault.New(fault.Invalid, "field.long")
	}
	var id uuid.UUID
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		id, err = s.recordPlan(ctx, tx, q, r, tenant, run, note)
		return err
	})
	if err != nil {
		return err
	}
	toast := "plans.proposed"
	if err := s.Workflows.StartApproval(r.Context(), access.From(r.Context()).TenantID, id); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "plans.queued"
	}
	return s.redirect(w, r, "/plans/"+id.String(), toast)
}

// recordPlan inserts the plan with its audit entry.
func (s *Server) recordPlan(ctx context.Context, tx pgx.Tx, q *db.Queries, r *http.Request, tenant, run uuid.UUID, note string) (uuid.UUID, error) {
	who := access.From(ctx)
	origin, err := q.LockRunForProposal(ctx, tx, tenant, run)
	if err != nil {
		return uuid.Nil, err
	}
	if origin.State != "done" {
		return uuid.Nil, fault.New(fault.Conflict, "plans.run_open")
	}
	scenario, err := q.ScenarioOfRun(ctx, tx, tenant, run, r.PostFormValue("scenario"))
	if err != nil {
		return uuid.Nil, err
	}
	earlier, err := q.PlansOfRun(ctx, tx, tenant, run)
	if err != nil {
		return uuid.Nil, err
	}
	plan := db.ProposePlanParams{TenantID: tenant, RunID: run, ScenarioID: scenario.ID, Version: 1, LaunchedBy: origin.RequestedBy, ProposedBy: who.UserID, Note: note}
	for _, x := range earlier {
		if x.State == "proposed" || x.State == "approved" || x.State == "released" {
			return uuid.Nil, fault.New(fault.Conflict, "plans.under_way")
		}
	}
	if len(earlier) > 0 {
		plan.Version, plan.PreviousID = earlier[0].Version+1, &earlier[0].ID
	}
	days, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return uuid.Nil, err
	}
	if plan.DueAt, err = days.AddWorkingHours(time.Now(), decisionTime); err != nil {
		return uuid.Nil, err
	}
	id, err := q.ProposePlan(ctx, tx, plan)
	if err != nil {
		return uuid.Nil, err
	}
	return id, s.audit(ctx, tx, r, tenant, db.Entry{Action: "plan.proposed", ObjectType: "plan", ObjectID: id.String(),
		After: map[string]any{"run": run, "scenario": r.PostFormValue("scenario"), "version": plan.Version, "total_cost": scenario.TotalCost,
			"due_at": plan.DueAt.UTC().Format(time.RFC3339), "note": note}})
}

// decidePlan sends a decision to the approval and shows what became of it. The
// workflow answers with the real outcome and writes row and audit itself.
func (s *Server) decidePlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	kind := r.PostFormValue("kind")
	needs, known := decisionNeeds[kind]
	if !known {
		return fault.New(fault.Invalid, "plans.error.kind")
	}
	if !who.Can(needs) {
		return fault.New(fault.Forbidden, "error.403.text").With("capability", string(needs))
	}
	p := s.render.Page(r)
	form := decisionForm{ID: r.PostFormValue("decision"), Comment: strings.TrimSpace(r.PostFormValue("comment"))}
	if _, err := uuid.Parse(form.ID); err != nil {
		form.ID = uuid.NewString()
	}
	switch {
	case form.Comment == "" && (kind == workflows.Returned || kind == workflows.Objected):
		form.CommentError = p.T("plans.error.comment")
		return s.planPage(w, r, http.StatusUnprocessableEntity, form)
	case utf8.RuneCountInString(form.Comment) > maxNote:
		form.CommentError = p.T("field.long")
		return s.planPage(w, r, http.StatusUnprocessableEntity, form)
	}
	// A plan of another tenant must not reach the workflow at all.
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.PlanDetail(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.Workflows.Decide(r.Context(), who.TenantID, id, form.ID, workflows.Decision{ActorID: who.UserID, Service: who.Service, Kind: kind, Comment: form.Comment})
	if err != nil {
		return s.refusedDecision(w, r, p, form, err)
	}
	return s.redirect(w, r, "/plans/"+id.String(), "plans.toast."+kind)
}

// refusedDecision shows the page again with the reason, the comment kept.
// Trying again with the same form is safe.
func (s *Server) refusedDecision(w http.ResponseWriter, r *http.Request, p Page, form decisionForm, err error) error {
	code := fault.CodeOf(err)
	if code == fault.Internal || code == fault.NotFound {
		return err
	}
	s.Log.WarnContext(r.Context(), "decision refused", "error", err)
	form.Error = s.message(p, err)
	return s.planPage(w, r, statusOf[code], form)
}

// releasePlan asks for the work orders of an approved plan: the request is
// written first, then the workflow is started.
func (s *Server) releasePlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plan, err := q.PlanDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		n, err := q.RequestPlanRelease(ctx, tx, access.From(ctx).UserID, tenant, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "plans.not_releasable")
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "plan.release_requested", ObjectType: "plan", ObjectID: id.String(),
			Before: map[string]any{"state": plan.Plan.State}, After: map[string]any{"state": plan.Plan.State, "release_requested": true}})
	})
	if err != nil {
		return err
	}
	toast := "plans.releasing"
	if err := s.Workflows.StartRelease(r.Context(), access.From(r.Context()).TenantID, id); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "plans.release_queued"
	}
	return s.redirect(w, r, "/plans/"+id.String(), toast)
}
