package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

func (s *Server) releaseRoutes() []route {
	return []route{
		{http.MethodGet, "/plans/{id}/release", access.ReleasePlan, s.showReleasePlan},
		{http.MethodPost, "/plans/{id}/release", access.ReleasePlan, s.releasePlan},
		{http.MethodGet, "/releases/{id}", access.ViewResults, s.showRelease},
		{http.MethodGet, "/releases/{id}/status", access.ViewResults, s.showReleaseStatus},
		{http.MethodPost, "/releases/{id}/resolve", access.ReleasePlan, s.resolveRelease},
		{http.MethodPost, "/releases/{id}/reconcile", access.ReleasePlan, s.reconcileRelease},
	}
}

// releasePlan asks for the work orders of an approved plan: the request is
// written first, then the workflow is started.
func (s *Server) releasePlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	ask := approvals.Release{Plan: id}
	if text := r.PostFormValue("integration_id"); text != "" {
		target, err := uuid.Parse(text)
		if err != nil {
			return fault.New(fault.Invalid, approvals.KeyNoTarget)
		}
		ask.Integration = &target
	}
	var release uuid.UUID
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) (err error) {
		release, err = ask.Record(ctx, approvals.Act{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(ctx)})
		return err
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
	if ask.Integration != nil {
		return s.redirect(w, r, "/releases/"+release.String(), toast)
	}
	return s.redirect(w, r, "/plans/"+id.String(), toast)
}

// resolveForm is what a person decides about a stuck release, as it was filled
// in. ID makes a repeated sending harmless.
type resolveForm struct{ ID, Reason, Error, ReasonError string }

// resolveRelease sends a decision to a stuck release and shows what became of
// it. The workflow writes events and audit entry itself.
func (s *Server) resolveRelease(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	choice := r.PostFormValue("choice")
	form := resolveForm{ID: r.PostFormValue("decision"), Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	if _, err := uuid.Parse(form.ID); err != nil {
		form.ID = uuid.NewString()
	}
	switch {
	case choice != workflows.Retry && choice != workflows.Skip && choice != workflows.Undo:
		return fault.New(fault.Invalid, workflows.KeyBadResolution)
	case form.Reason == "" && choice != workflows.Retry:
		form.ReasonError = p.T("releases.reason.needed")
		return s.releasePage(w, r, http.StatusUnprocessableEntity, form)
	case utf8.RuneCountInString(form.Reason) > approvals.MaxReason:
		form.ReasonError = p.T("field.long")
		return s.releasePage(w, r, http.StatusUnprocessableEntity, form)
	}
	// A release of another tenant must not reach the workflow at all.
	var found db.Release
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		found, err = q.GetRelease(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	_, err = s.Workflows.ResolveRelease(r.Context(), who.TenantID, found.PlanID, form.ID, workflows.Resolution{ActorID: who.UserID, Service: who.Service, Choice: choice, Reason: form.Reason})
	if err != nil {
		code := fault.CodeOf(err)
		if code == fault.Internal || code == fault.NotFound {
			return err
		}
		s.Log.WarnContext(r.Context(), "decision on release refused", "error", err)
		form.Error = s.message(p, err)
		return s.releasePage(w, r, statusOf[code], form)
	}
	return s.redirect(w, r, "/releases/"+id.String(), "releases.toast."+choice)
}

// reconcileRelease compares the tenant's work orders with their maintenance
// systems now.
func (s *Server) reconcileRelease(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		found, err := q.GetRelease(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "release.reconcile_requested", ObjectType: "plan", ObjectID: found.PlanID.String(),
			After: map[string]any{"release": id}})
	})
	if err != nil {
		return err
	}
	if err := s.Workflows.ReconcileNow(r.Context(), access.From(r.Context()).TenantID); err != nil {
		return err
	}
	return s.redirect(w, r, "/releases/"+id.String(), "releases.toast.reconcile")
}

// releaseOf is the id of the release of a plan, empty before one is asked for.
func releaseOf(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, plan uuid.UUID) (string, error) {
	found, err := q.ReleaseOfPlan(ctx, tx, tenant, plan)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return found.ID.String(), err
}
