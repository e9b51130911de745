package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
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
	TotalCost      float64        `json:"total_cost"`
	ActionsPlanned int32          `json:"actions_planned"`
	LaunchedBy     uuid.UUID      `json:"launched_by"`
	ProposedBy     uuid.UUID      `json:"proposed_by"`
	Note           string         `json:"note,omitempty"`
	ProposedAt     time.Time      `json:"proposed_at"`
	DueAt          time.Time      `json:"due_at"`
	DecidedAt      *time.Time     `json:"decided_at,omitempty"`
	ReleasedAt     *time.Time     `json:"released_at,omitempty"`
	Decisions      []PlanDecision `json:"decisions,omitempty"`
}

// PlanDecision is one word spoken on a plan.
type PlanDecision struct {
	Kind    string    `json:"kind"`
	ActorID uuid.UUID `json:"actor_id"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// Decided is the outcome of a decision.
type Decided struct {
	State string `json:"state"`
}

// decisionNeeds is the capability behind each kind of decision. None of them
// has a scope, so no service account ever holds one.
var decisionNeeds = map[string]access.Capability{
	workflows.Endorsed: access.EndorsePlan, workflows.Objected: access.EndorsePlan,
	workflows.Approved: access.ApprovePlan, workflows.Returned: access.ApprovePlan,
}

func (a *API) plans() {
	add(a, access.ViewResults, route(http.MethodGet, "/plans", "list-plans", "List plans, newest first", "Plans"), a.listPlans)
	add(a, access.ViewResults, route(http.MethodGet, "/plans/{id}", "get-plan", "One plan with its decisions", "Plans"), a.getPlan)
	decide := route(http.MethodPost, "/plans/{id}/decision", "decide-plan", "Endorse, object, approve or return; people only", "Plans")
	decide.Errors = []int{http.StatusConflict, http.StatusServiceUnavailable}
	add(a, access.ViewResults, decide, a.decidePlan)
}

func showPlan(x db.APIPlansRow) Plan {
	return Plan{ID: x.ID, RunID: x.RunID, ScenarioID: x.ScenarioID, Title: x.Title, Preset: x.Preset, Version: x.Version, State: x.State,
		TotalCost: x.TotalCost, ActionsPlanned: x.ActionsPlanned, LaunchedBy: x.LaunchedBy, ProposedBy: x.ProposedBy, Note: x.Note,
		ProposedAt: x.ProposedAt, DueAt: x.DueAt, DecidedAt: x.DecidedAt, ReleasedAt: x.ReleasedAt}
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
		rows, err := q.APIPlans(ctx, tx, db.APIPlansParams{TenantID: tenant, ID: &id, PageSize: 1})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fault.New(fault.NotFound, "api.not_found")
		}
		out = showPlan(rows[0])
		decisions, err := q.PlanDecisionsPage(ctx, tx, tenant, id)
		for _, d := range decisions {
			out.Decisions = append(out.Decisions, PlanDecision{d.Kind, d.ActorID, d.Comment, d.DecidedAt})
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

// decidePlan sends a decision to the approval. A plan of another tenant never
// reaches the workflow, which writes row and audit entry itself.
func (a *API) decidePlan(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body struct {
		Kind       string    `json:"kind" enum:"endorsed,objected,approved,returned"`
		Comment    string    `json:"comment,omitempty" maxLength:"2000"`
		DecisionID uuid.UUID `json:"decision_id,omitempty" doc:"The same id is taken once"`
	}
}) (*answer[Decided], error) {
	needs := decisionNeeds[in.Body.Kind]
	switch {
	case who.Service:
		return nil, fault.New(fault.Forbidden, "api.decision_service")
	case !who.Can(needs):
		return nil, fault.New(fault.Forbidden, "api.forbidden").With("Capability", string(needs))
	}
	comment := strings.TrimSpace(in.Body.Comment)
	if comment == "" && (in.Body.Kind == workflows.Returned || in.Body.Kind == workflows.Objected) {
		return nil, invalidKeys(ctx, map[string]string{"comment": "api.decision_comment"})
	}
	if _, err := a.plan(ctx, who.TenantID, in.ID); err != nil {
		return nil, err
	}
	decision := in.Body.DecisionID
	if decision == uuid.Nil {
		decision = uuid.New()
	}
	state, err := a.Workflows.Decide(ctx, who.TenantID, in.ID, decision.String(), workflows.Decision{ActorID: who.UserID, Service: who.Service, Kind: in.Body.Kind, Comment: comment})
	if err != nil {
		return nil, err
	}
	return reply(Decided{state.State}), nil
}
