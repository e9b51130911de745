package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Plan is a scenario put forward for approval.
type Plan struct {
	ID             uuid.UUID      `json:"id"`
	RunID          uuid.UUID      `json:"run_id"`
	ScenarioID     uuid.UUID      `json:"scenario_id"`
	Title          string         `json:"title"`
	Preset         string         `json:"preset"`
	Version        int32          `json:"version"`
	State          string         `json:"state" doc:"proposed, approved, returned, released, expired or superseded"`
	EndorsedAt     *time.Time     `json:"endorsed_at,omitempty" doc:"When the technical endorsement that stands was given"`
	ContentSHA256  string         `json:"content_sha256,omitempty" doc:"Hash of what is decided on, in hexadecimal; approvals and endorsements carry it"`
	TotalCost      float64        `json:"total_cost"`
	ActionsPlanned int32          `json:"actions_planned"`
	LaunchedBy     uuid.UUID      `json:"launched_by"`
	ProposedBy     uuid.UUID      `json:"proposed_by"`
	Note           string         `json:"note,omitempty"`
	ProposedAt     time.Time      `json:"proposed_at"`
	DueAt          time.Time      `json:"due_at"`
	DecidedAt      *time.Time     `json:"decided_at,omitempty"`
	ReleasedAt     *time.Time     `json:"released_at,omitempty"`
	PreviousID     *uuid.UUID     `json:"previous_id,omitempty" doc:"The returned or expired plan that this one follows"`
	Decisions      []PlanDecision `json:"decisions,omitempty"`
	Withheld       []WithheldLine `json:"withheld,omitempty" doc:"Jobs of the plan that are not carried out"`
}

// WithheldLine is a job that the proposer left out or the approver held back.
type WithheldLine struct {
	RecommendationID uuid.UUID `json:"recommendation_id"`
	Stage            string    `json:"stage" doc:"proposal or approval"`
	Reason           string    `json:"reason"`
	ActorID          uuid.UUID `json:"actor_id"`
	At               time.Time `json:"at"`
}

// PlanDecision is one word spoken on a plan.
type PlanDecision struct {
	Kind       string     `json:"kind"`
	ActorID    uuid.UUID  `json:"actor_id"`
	OnBehalfOf *uuid.UUID `json:"on_behalf_of,omitempty" doc:"The person in whose place it was spoken"`
	Comment    string     `json:"comment,omitempty"`
	At         time.Time  `json:"at"`
}

func (a *API) plans() {
	add(a, access.ViewResults, route(http.MethodGet, "/plans", "list-plans", "List plans, newest first", "Plans"), a.listPlans)
	add(a, access.ViewResults, route(http.MethodGet, "/plans/{id}", "get-plan", "One plan with its decisions", "Plans"), a.getPlan)
	a.approvals()
}

func showPlan(x db.APIPlansRow) Plan {
	return Plan{ID: x.ID, RunID: x.RunID, ScenarioID: x.ScenarioID, Title: x.Title, Preset: x.Preset, Version: x.Version, State: x.State,
		TotalCost: x.TotalCost, ActionsPlanned: x.ActionsPlanned, LaunchedBy: x.LaunchedBy, ProposedBy: x.ProposedBy, Note: x.Note,
		ProposedAt: x.ProposedAt, DueAt: x.DueAt, DecidedAt: x.DecidedAt, ReleasedAt: x.ReleasedAt,
		EndorsedAt: x.EndorsedAt, ContentSHA256: hex.EncodeToString(x.ContentSha256), PreviousID: x.PreviousID}
}

func (a *API) listPlans(ctx context.Context, who access.Principal, in *struct {
	Paging
	State string `query:"state" enum:"proposed,approved,returned,released,expired,superseded"`
}) (*answer[List[Plan]], error) {
	at, id, err := in.before(ctx)
	if err != nil {
		return nil, err
	}
	var rows []db.APIPlansRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.APIPlans(ctx, tx, db.APIPlansParams{TenantID: who.TenantID, State: in.State, BeforeAt: at, BeforeID: id, PageSize: in.Limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(page(rows, in.Limit, showPlan, func(x db.APIPlansRow) string {
		return cursorOf(x.ProposedAt.Format(time.RFC3339Nano), x.ID.String())
	})), nil
}

// plan reads one plan with its decisions.
func (a *API) plan(ctx context.Context, tenant, id uuid.UUID) (Plan, error) {
	var out Plan
	err := a.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.APIPlans(ctx, tx, db.APIPlansParams{TenantID: tenant, Ids: []uuid.UUID{id}, PageSize: 1})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fault.New(fault.NotFound, "api.not_found")
		}
		out = showPlan(rows[0])
		decisions, err := q.PlanDecisionsPage(ctx, tx, tenant, id)
		for _, d := range decisions {
			out.Decisions = append(out.Decisions, PlanDecision{d.Kind, d.ActorID, d.OnBehalfOf, d.Comment, d.DecidedAt})
		}
		if err != nil {
			return err
		}
		held, err := q.ListWithheld(ctx, tx, tenant, id)
		for _, w := range held {
			out.Withheld = append(out.Withheld, WithheldLine{w.RecommendationID, w.Stage, w.Reason, w.ActorID, w.WithheldAt})
		}
		return err
	})
	return out, err
}

func (a *API) getPlan(ctx context.Context, who access.Principal, in *ByID) (*answer[Plan], error) {
	out, err := a.plan(ctx, who.TenantID, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}
