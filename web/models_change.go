package web

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

// registrar is the person behind a request, for the registry.
func registrar(r *http.Request) registry.Actor {
	return registry.Actor{Actor: db.ActorOf(access.From(r.Context())), RemoteAddr: remoteAddress(r), RequestID: middleware.GetReqID(r.Context())}
}

// trainModel asks for a training. The row comes first; when the workflow
// cannot be started now, upkeep starts it later.
func (s *Server) trainModel(w http.ResponseWriter, r *http.Request) error {
	tenant, run := access.From(r.Context()).TenantID, uuid.New()
	by := registrar(r)
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return registry.Request(ctx, tx, q, db.OpenTrainingParams{
			TenantID: tenant, ID: run, Kind: r.PostFormValue("kind"), Reason: registry.ByHand, WorkflowID: workflows.TrainingID(tenant, run), RequestedBy: by.ID,
		}, by)
	})
	if err != nil {
		return err
	}
	toast := "models.training.started"
	if err := s.Workflows.StartTraining(r.Context(), tenant, run); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "models.training.queued"
	}
	return s.redirect(w, r, "/models", toast)
}

// promoteModel puts a model into service by hand.
func (s *Server) promoteModel(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return registry.Promote(ctx, tx, q, tenant, id, registrar(r))
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/models/"+id.String(), "models.promoted")
}

// rollBackModel puts the model that served before back into service.
func (s *Server) rollBackModel(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	earlier := uuid.Nil
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		earlier, err = registry.RollBack(ctx, tx, q, tenant, id, registrar(r))
		return err
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/models/"+earlier.String(), "models.rolled_back")
}
