package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

// Decided is the outcome of a decision.
type Decided struct {
	State string `json:"state"`
}

// Proposal puts a scenario of a run forward.
type Proposal struct {
	Preset     string      `json:"preset" doc:"Scenario of the run"`
	Note       string      `json:"note,omitempty" maxLength:"2000"`
	LeaveOut   []uuid.UUID `json:"leave_out,omitempty" maxItems:"2000" doc:"Recommendations that are not to be carried out"`
	LeftReason string      `json:"left_reason,omitempty" maxLength:"500" doc:"Why; required with leave_out"`
	Follows    *uuid.UUID  `json:"follows,omitempty" doc:"Returned or expired plan that this one is the next version of"`
}

// DecisionInput is a decision on a plan.
type DecisionInput struct {
	Kind          string      `json:"kind" enum:"endorsed,objected,approved,returned"`
	Comment       string      `json:"comment,omitempty" maxLength:"2000"`
	DecisionID    uuid.UUID   `json:"decision_id,omitempty" doc:"The same id is taken once"`
	Withheld      []uuid.UUID `json:"withheld,omitempty" maxItems:"2000" doc:"Recommendations that an approval holds back"`
	HoldReason    string      `json:"hold_reason,omitempty" maxLength:"500" doc:"Why; required with withheld"`
	ContentSHA256 string      `json:"content_sha256,omitempty" maxLength:"64" doc:"Hash of the plan that was looked at; another one is a conflict. Required to approve or endorse a plan that has one"`
}

// approvals adds what people do about plans: none of these capabilities has a
// scope, so no service account ever holds one.
func (a *API) approvals() {
	propose := route(http.MethodPost, "/runs/{id}/plan", "propose-plan", "Put a scenario of a finished run forward; people only", "Plans")
	propose.DefaultStatus, propose.Errors = http.StatusCreated, []int{http.StatusConflict}
	add(a, access.ProposePlan, propose, a.proposePlan)
	add(a, access.ViewResults, route(http.MethodGet, "/plans/waiting", "list-waiting-plans", "Plans that wait for the caller, the most urgent first", "Plans"), a.listWaitingPlans)
	decide := route(http.MethodPost, "/plans/{id}/decision", "decide-plan", "Endorse, object, approve or return, also in place of another; people only", "Plans")
	decide.Errors = []int{http.StatusConflict, http.StatusServiceUnavailable}
	add(a, access.ViewResults, decide, a.decidePlan)
	add(a, access.ViewResults, route(http.MethodGet, "/scenarios/{id}/comments", "list-comments", "What people said of a scenario, oldest first", "Plans"), a.listComments)
	comment := route(http.MethodPost, "/scenarios/{id}/comments", "add-comment", "Comment a scenario or one of its recommendations; people only", "Plans")
	comment.DefaultStatus = http.StatusCreated
	add(a, access.CommentPlans, comment, a.addComment)
	a.delegations()
}

// act is a change that the caller makes in a transaction.
func act(ctx context.Context, tx pgx.Tx, q *db.Queries, who access.Principal) approvals.Act {
	return approvals.Act{Tx: tx, Q: q, Origin: origin(ctx), Who: who}
}

func (a *API) proposePlan(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body Proposal
}) (*answer[Plan], error) {
	var id uuid.UUID
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		id, err = approvals.Proposal{Run: in.ID, Preset: in.Body.Preset, Note: in.Body.Note, Left: in.Body.LeaveOut, LeftReason: in.Body.LeftReason,
			Follows: in.Body.Follows}.Record(ctx, act(ctx, tx, q, who))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.StartApproval(ctx, who.TenantID, id); err != nil && fault.CodeOf(err) != fault.Unavailable {
		return nil, err // an engine that is away is caught up with by upkeep
	}
	out, err := a.plan(ctx, who.TenantID, id)
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) listWaitingPlans(ctx context.Context, who access.Principal, in *struct {
	Limit int32 `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Most plans to list"`
}) (*answer[List[Plan]], error) {
	out := List[Plan]{Items: []Plan{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		box, err := approvals.InboxOf(ctx, tx, who)
		if err != nil {
			return err
		}
		rows, err := q.PlanPage(ctx, tx, box.Page("", true, in.Limit, 0))
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(rows)) // the most urgent first
		for i, x := range rows {
			ids[i] = x.ID
		}
		plans, err := q.APIPlans(ctx, tx, db.APIPlansParams{TenantID: who.TenantID, Ids: ids, PageSize: in.Limit})
		if err != nil {
			return err
		}
		slices.SortFunc(plans, func(a, b db.APIPlansRow) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
		for _, p := range plans {
			out.Items = append(out.Items, showPlan(p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// decidePlan sends a decision to the approval. A plan of another tenant never
// reaches the workflow, which writes row and audit entry itself.
func (a *API) decidePlan(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body DecisionInput
}) (*answer[Decided], error) {
	if who.Service {
		return nil, fault.New(fault.Forbidden, "api.decision_service")
	}
	d := workflows.Decision{ActorID: who.UserID, Service: who.Service, Kind: in.Body.Kind, Comment: strings.TrimSpace(in.Body.Comment),
		Withheld: in.Body.Withheld, HoldReason: strings.TrimSpace(in.Body.HoldReason)}
	opinion := d.Kind == workflows.Endorsed || d.Kind == workflows.Objected
	switch {
	case opinion && !who.Can(access.EndorsePlan):
		return nil, fault.New(fault.Forbidden, "api.forbidden").With("Capability", string(access.EndorsePlan))
	case d.Comment == "" && (d.Kind == workflows.Returned || d.Kind == workflows.Objected):
		return nil, invalidKeys(ctx, map[string]string{"comment": "api.decision_comment"})
	}
	plan, err := a.decidable(ctx, who, in.ID, d.Kind)
	if err != nil {
		return nil, err
	}
	wrong := mistakesOf(d)
	if d.ContentSHA256, err = hex.DecodeString(in.Body.ContentSHA256); err != nil || ((d.Kind == workflows.Approved || d.Kind == workflows.Endorsed) && plan.ContentSha256 != nil && len(d.ContentSHA256) == 0) {
		wrong["content_sha256"] = "api.content_sha256"
	}
	if len(wrong) > 0 {
		return nil, invalidKeys(ctx, wrong)
	}
	id := in.Body.DecisionID
	if id == uuid.Nil {
		id = uuid.New()
	}
	state, err := a.Workflows.Decide(ctx, who.TenantID, in.ID, id.String(), d)
	if err != nil {
		return nil, err
	}
	return reply(Decided{state.State}), nil
}

// decidable reads a plan on which the caller may decide; who may not is refused
// before the workflow hears of it.
func (a *API) decidable(ctx context.Context, who access.Principal, id uuid.UUID, kind string) (db.Plan, error) {
	var plan db.Plan
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		detail, err := q.PlanDetail(ctx, tx, who.TenantID, id)
		if err != nil {
			return err
		}
		plan = detail.Plan
		standing, err := approvals.StandingOn(ctx, tx, plan, who)
		if err != nil {
			return err
		}
		return standing.Refusal(kind)
	})
	return plan, err
}

// mistakesOf names what the lines that a decision holds back lack, by field.
func mistakesOf(d workflows.Decision) map[string]string {
	wrong := map[string]string{}
	if len(d.Withheld) > 0 && d.Kind != workflows.Approved {
		wrong["withheld"] = "plans.error.hold_kind"
	}
	if len(d.Withheld) > 0 && d.HoldReason == "" {
		wrong["hold_reason"] = approvals.KeyHoldReason
	}
	return wrong
}

// Comment is what a person said of a scenario or of one of its
// recommendations.
type Comment struct {
	ID               uuid.UUID  `json:"id"`
	RecommendationID *uuid.UUID `json:"recommendation_id,omitempty"`
	AuthorID         uuid.UUID  `json:"author_id"`
	Body             string     `json:"body"`
	At               time.Time  `json:"at"`
}

func (a *API) listComments(ctx context.Context, who access.Principal, in *ByID) (*answer[List[Comment]], error) {
	out := List[Comment]{Items: []Comment{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.APIScenario(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err := q.ListPlanComments(ctx, tx, who.TenantID, in.ID)
		for _, x := range rows {
			out.Items = append(out.Items, Comment{x.ID, x.RecommendationID, x.AuthorID, x.Body, x.CreatedAt})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) addComment(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body struct {
		RecommendationID *uuid.UUID `json:"recommendation_id,omitempty" doc:"A recommendation of the scenario; without one the comment is on the whole"`
		Body             string     `json:"body" minLength:"1" maxLength:"2000"`
	}
}) (*answer[Comment], error) {
	out := Comment{RecommendationID: in.Body.RecommendationID, AuthorID: who.UserID, Body: strings.TrimSpace(in.Body.Body), At: time.Now().UTC()}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.APIScenario(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		out.ID, err = approvals.Comment{Scenario: in.ID, Recommendation: in.Body.RecommendationID, Body: in.Body.Body}.Record(ctx, act(ctx, tx, q, who))
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// ruled words the fields of a form that breaks the rules.
func ruled(ctx context.Context, err error) error {
	var wrong approvals.Mistakes
	if errors.As(err, &wrong) {
		return invalidKeys(ctx, wrong)
	}
	return err
}
