package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

// Model is a version of a model of the registry.
type Model struct {
	ID          uuid.UUID       `json:"id"`
	Kind        string          `json:"kind" doc:"Family and, after a colon, the class of equipment"`
	Version     string          `json:"version"`
	State       string          `json:"state" doc:"candidate, active or retired"`
	Decision    string          `json:"decision,omitempty" doc:"How a candidate left that state: promoted, kept or rolled_back"`
	TrainedFrom *time.Time      `json:"trained_from,omitempty"`
	TrainedTo   *time.Time      `json:"trained_to,omitempty"`
	Features    json.RawMessage `json:"features"`
	Parameters  json.RawMessage `json:"parameters"`
	Metrics     json.RawMessage `json:"metrics" doc:"Figures on held-out data, of the model and of what it was compared with"`
	Protocol    string          `json:"protocol" doc:"How the figures were measured"`
	ComparedTo  *uuid.UUID      `json:"compared_with,omitempty"`
	DecidedAt   *time.Time      `json:"decided_at,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
}

// Training is one training of a kind of model.
type Training struct {
	ID          uuid.UUID       `json:"id"`
	Kind        string          `json:"kind"`
	Reason      string          `json:"reason" doc:"schedule, drift or manual"`
	State       string          `json:"state" doc:"running, done or failed"`
	Outcome     string          `json:"outcome,omitempty" doc:"promoted, kept or too_little_data"`
	CandidateID *uuid.UUID      `json:"candidate_id,omitempty"`
	Detail      json.RawMessage `json:"detail"`
	StartedAt   time.Time       `json:"started_at"`
	FinishedAt  *time.Time      `json:"finished_at,omitempty"`
}

// DriftCheck is one look at how far a model's inputs and errors have moved.
type DriftCheck struct {
	ModelID       uuid.UUID       `json:"model_id"`
	CheckedAt     time.Time       `json:"checked_at"`
	InputDrift    float64         `json:"input_drift" doc:"1 at the limit"`
	ResidualDrift float64         `json:"residual_drift" doc:"1 at the limit"`
	Alarm         bool            `json:"alarm"`
	Detail        json.RawMessage `json:"detail"`
}

// Sweep is one pass of the AI service over the assets of the tenant.
type Sweep struct {
	ID            uuid.UUID       `json:"id"`
	AsOf          time.Time       `json:"as_of" doc:"Time the scores hold for"`
	State         string          `json:"state" doc:"running, done or failed"`
	AssetsTotal   int32           `json:"assets_total"`
	AssetsScored  int32           `json:"assets_scored"`
	AssetsSkipped int32           `json:"assets_skipped" doc:"Assets without anything new"`
	AssetsGreyed  int32           `json:"assets_greyed" doc:"Scored by age alone, because their data is not trusted"`
	RowsRejected  int64           `json:"rows_rejected" doc:"Readings of the last hours that were refused"`
	Detail        json.RawMessage `json:"detail" doc:"The signals with most refused readings, by reason, and assets that could not be scored"`
	StartedAt     time.Time       `json:"started_at"`
	FinishedAt    *time.Time      `json:"finished_at,omitempty"`
}

// mostListed bounds lists of trainings, checks and sweeps.
const mostListed = 200

func (a *API) models() {
	add(a, access.ViewResults, route(http.MethodGet, "/models", "list-models", "List models, those in service first within a kind", "Models"), a.listModels)
	add(a, access.ViewResults, route(http.MethodGet, "/models/{id}", "get-model", "One model with its figures and their protocol", "Models"), a.getModel)
	add(a, access.ViewResults, route(http.MethodGet, "/models/{id}/drift", "list-drift-checks", "Drift checks of a model, newest first", "Models"), a.listDrift)
	add(a, access.ViewResults, route(http.MethodGet, "/trainings", "list-trainings", "List trainings, newest first", "Models"), a.listTrainings)
	add(a, access.ViewResults, route(http.MethodGet, "/sweeps", "list-sweeps", "List scoring sweeps, newest first", "Models"), a.listSweeps)
	train := route(http.MethodPost, "/trainings", "train-model", "Train a candidate of a kind", "Models")
	train.DefaultStatus = http.StatusAccepted
	promote := route(http.MethodPost, "/models/{id}/promote", "promote-model", "Put a model into service", "Models")
	rollBack := route(http.MethodPost, "/models/{id}/roll-back", "roll-back-model", "Put the model that served before back into service", "Models")
	train.Errors, promote.Errors, rollBack.Errors = []int{http.StatusConflict}, []int{http.StatusConflict}, []int{http.StatusConflict}
	add(a, access.ManageModels, train, a.trainModel)
	add(a, access.ManageModels, promote, a.promoteModel)
	add(a, access.ManageModels, rollBack, a.rollBackModel)
}

func (a *API) listModels(ctx context.Context, who access.Principal, in *struct {
	Kind string `query:"kind" maxLength:"120"`
}) (*answer[List[Model]], error) {
	out := List[Model]{Items: []Model{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListModels(ctx, tx, who.TenantID, in.Kind)
		for _, m := range rows {
			out.Items = append(out.Items, Model{ID: m.ID, Kind: m.Kind, Version: m.Version, State: m.State, Decision: m.Decision, TrainedFrom: m.TrainedFrom, TrainedTo: m.TrainedTo,
				Features: m.Features, Parameters: m.Parameters, Metrics: m.Metrics, Protocol: m.Protocol, ComparedTo: m.ComparedWith, DecidedAt: m.DecidedAt, CreatedAt: m.CreatedAt})
		}
		return err
	})
	return reply(out), err
}

// model reads one model.
func (a *API) model(ctx context.Context, tenant, id uuid.UUID) (Model, error) {
	var out Model
	err := a.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		m, err := q.GetModel(ctx, tx, tenant, id)
		out = Model{ID: m.ID, Kind: m.Kind, Version: m.Version, State: m.State, Decision: m.Decision, TrainedFrom: m.TrainedFrom, TrainedTo: m.TrainedTo,
			Features: m.Features, Parameters: m.Parameters, Metrics: m.Metrics, Protocol: m.Protocol, ComparedTo: m.ComparedWith, DecidedAt: m.DecidedAt, CreatedAt: m.CreatedAt}
		return err
	})
	return out, err
}

func (a *API) getModel(ctx context.Context, who access.Principal, in *ByID) (*answer[Model], error) {
	out, err := a.model(ctx, who.TenantID, in.ID)
	return reply(out), err
}

func (a *API) listDrift(ctx context.Context, who access.Principal, in *ByID) (*answer[List[DriftCheck]], error) {
	out := List[DriftCheck]{Items: []DriftCheck{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetModel(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err := q.ListDriftChecks(ctx, tx, who.TenantID, &in.ID, mostListed)
		for _, c := range rows {
			out.Items = append(out.Items, DriftCheck{c.ModelID, c.CheckedAt, c.InputDrift, c.ResidualDrift, c.Alarm, c.Detail})
		}
		return err
	})
	return reply(out), err
}

func (a *API) listTrainings(ctx context.Context, who access.Principal, in *struct {
	Kind string `query:"kind" maxLength:"120"`
}) (*answer[List[Training]], error) {
	out := List[Training]{Items: []Training{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListTrainings(ctx, tx, who.TenantID, in.Kind, mostListed)
		for _, t := range rows {
			out.Items = append(out.Items, Training{t.ID, t.Kind, t.Reason, t.State, t.Outcome, t.CandidateID, t.Detail, t.StartedAt, t.FinishedAt})
		}
		return err
	})
	return reply(out), err
}

func (a *API) listSweeps(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[Sweep]], error) {
	out := List[Sweep]{Items: []Sweep{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListSweeps(ctx, tx, who.TenantID, mostListed)
		for _, s := range rows {
			out.Items = append(out.Items, Sweep{s.ID, s.AsOf, s.State, s.AssetsTotal, s.AssetsScored, s.AssetsSkipped, s.AssetsGreyed, s.RowsRejected, s.Detail, s.StartedAt, s.FinishedAt})
		}
		return err
	})
	return reply(out), err
}

// trainModel opens a training. When its workflow cannot be started now, upkeep
// starts it later.
func (a *API) trainModel(ctx context.Context, who access.Principal, in *struct {
	Body struct {
		Kind string `json:"kind" minLength:"1" maxLength:"120" doc:"anomaly, or rul: and a class of equipment"`
	}
}) (*answer[Training], error) {
	run, by := uuid.New(), registrar(ctx)
	var out Training
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		open := db.OpenTrainingParams{TenantID: who.TenantID, ID: run, Kind: in.Body.Kind, Reason: registry.ByHand, WorkflowID: workflows.TrainingID(who.TenantID, run), RequestedBy: by.ID}
		if err := registry.Request(ctx, tx, q, open, by); err != nil {
			return err
		}
		t, err := q.LoadTraining(ctx, tx, who.TenantID, run)
		out = Training{t.ID, t.Kind, t.Reason, t.State, t.Outcome, t.CandidateID, t.Detail, t.StartedAt, t.FinishedAt}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.StartTraining(ctx, who.TenantID, run); err != nil && fault.CodeOf(err) != fault.Unavailable {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) promoteModel(ctx context.Context, who access.Principal, in *ByID) (*answer[Model], error) {
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return registry.Promote(ctx, tx, q, who.TenantID, in.ID, registrar(ctx))
	})
	if err != nil {
		return nil, err
	}
	return a.getModel(ctx, who, in)
}

func (a *API) rollBackModel(ctx context.Context, who access.Principal, in *ByID) (*answer[Model], error) {
	var earlier uuid.UUID
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		earlier, err = registry.RollBack(ctx, tx, q, who.TenantID, in.ID, registrar(ctx))
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.getModel(ctx, who, &ByID{ID: earlier})
}

// registrar is who stands behind the request of a context, for the registry.
func registrar(ctx context.Context) registry.Actor {
	o := origin(ctx)
	return registry.Actor{Actor: o.Actor, RemoteAddr: o.RemoteAddr, RequestID: o.RequestID}
}
