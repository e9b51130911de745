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
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

// ReleaseRequest says where a plan is released to.
type ReleaseRequest struct {
	IntegrationID *uuid.UUID `json:"integration_id,omitempty" doc:"An active integration that takes orders; without it only work orders of the product are made"`
}

// Release is the release of a plan with its lines.
type Release struct {
	ID            uuid.UUID     `json:"id"`
	PlanID        uuid.UUID     `json:"plan_id"`
	IntegrationID *uuid.UUID    `json:"integration_id,omitempty"`
	State         string        `json:"state" enum:"running,stuck,undoing,done,undone"`
	RequestedBy   uuid.UUID     `json:"requested_by"`
	RequestedAt   time.Time     `json:"requested_at"`
	FinishedAt    *time.Time    `json:"finished_at,omitempty"`
	ReconciledAt  *time.Time    `json:"reconciled_at,omitempty"`
	Lines         []ReleaseLine `json:"lines"`
}

// ReleaseLine is one line of a release.
type ReleaseLine struct {
	Line             int32      `json:"line"`
	RecommendationID uuid.UUID  `json:"recommendation_id"`
	AssetID          uuid.UUID  `json:"asset_id"`
	Tag              string     `json:"tag"`
	Action           string     `json:"action" enum:"create,move,keep,none,conflict"`
	State            string     `json:"state" enum:"waiting,writing,written,failed,skipped,undone,undo_failed"`
	IdempotencyKey   string     `json:"idempotency_key"`
	ExternalID       string     `json:"external_id,omitempty"`
	WorkOrderID      *uuid.UUID `json:"work_order_id,omitempty"`
	PlannedStart     time.Time  `json:"planned_start"`
	PlannedEnd       time.Time  `json:"planned_end"`
	Attempts         int32      `json:"attempts"`
	Reason           string     `json:"reason,omitempty"`
	ErrorKey         string     `json:"error_key,omitempty"`
}

// ResolveInput is a person's decision about a stuck release.
type ResolveInput struct {
	DecisionID uuid.UUID `json:"decision_id,omitempty" doc:"Makes a repeated request harmless"`
	Choice     string    `json:"choice" enum:"retry,skip,undo"`
	Reason     string    `json:"reason,omitempty" maxLength:"500" doc:"Needed for skip and undo"`
}

// ReleaseState is the state of a release after a request.
type ReleaseState struct {
	ID    uuid.UUID `json:"id"`
	State string    `json:"state"`
}

// DryRunLine says what one line would become in the maintenance system.
type DryRunLine struct {
	RecommendationID uuid.UUID  `json:"recommendation_id"`
	AssetID          uuid.UUID  `json:"asset_id"`
	Tag              string     `json:"tag"`
	Action           string     `json:"action" enum:"create,move,keep,conflict"`
	Conflict         string     `json:"conflict,omitempty" doc:"Message key of what is in the way"`
	ExternalAssetID  string     `json:"external_asset_id,omitempty"`
	ExternalID       string     `json:"external_id,omitempty" doc:"Order to move or to keep"`
	PlannedStart     time.Time  `json:"planned_start"`
	PlannedEnd       time.Time  `json:"planned_end"`
	FormerStart      *time.Time `json:"former_start,omitempty"`
	FormerEnd        *time.Time `json:"former_end,omitempty"`
	Live             bool       `json:"live" doc:"The system was asked just now; else the last reading counts"`
}

// mostLines bounds the lines of one answer.
const mostLines = 2000

// releases adds the release of plans. The capability behind the changes has no
// scope, so no service account ever holds it.
func (a *API) releases() {
	start := route(http.MethodPost, "/plans/{id}/release", "release-plan", "Release an approved plan to work orders; people only", "Plans")
	start.DefaultStatus, start.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.ReleasePlan, start, a.releasePlan)
	run := route(http.MethodGet, "/plans/{id}/release-preview", "preview-release", "What the release to an integration would do; nothing is written", "Plans")
	run.Errors = []int{http.StatusServiceUnavailable}
	add(a, access.ReleasePlan, run, a.previewRelease)
	add(a, access.ViewResults, route(http.MethodGet, "/releases/{id}", "get-release", "One release with its lines", "Plans"), a.getRelease)
	resolve := route(http.MethodPost, "/releases/{id}/resolve", "resolve-release", "Retry, skip or undo a stuck release; people only", "Plans")
	resolve.Errors = []int{http.StatusConflict, http.StatusServiceUnavailable}
	add(a, access.ReleasePlan, resolve, a.resolveRelease)
}

func (a *API) releasePlan(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body ReleaseRequest
}) (*answer[ReleaseState], error) {
	if who.Service {
		return nil, fault.New(fault.Forbidden, "api.decision_service")
	}
	var id uuid.UUID
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		id, err = approvals.Release{Plan: in.ID, Integration: in.Body.IntegrationID}.Record(ctx, act(ctx, tx, q, who))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.StartRelease(ctx, who.TenantID, in.ID); err != nil && fault.CodeOf(err) != fault.Unavailable {
		return nil, err // an engine that is away is caught up with by upkeep
	}
	return reply(ReleaseState{id, "running"}), nil
}

func (a *API) previewRelease(ctx context.Context, who access.Principal, in *struct {
	ByID
	IntegrationID uuid.UUID `query:"integration_id" required:"true"`
}) (*answer[List[DryRunLine]], error) {
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.PlanDetail(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	run, err := a.Workflows.PreviewRelease(ctx, who.TenantID, in.ID, in.IntegrationID)
	if err != nil {
		return nil, err
	}
	out := List[DryRunLine]{Items: []DryRunLine{}}
	for _, l := range run.Lines {
		line := DryRunLine{RecommendationID: l.Recommendation, AssetID: l.AssetID, Tag: l.Tag, Action: l.Action, Conflict: l.Fault, ExternalAssetID: l.TwinID,
			ExternalID: l.OrderID, PlannedStart: l.Start, PlannedEnd: l.End, Live: l.Live}
		if !l.FormerStart.IsZero() {
			line.FormerStart, line.FormerEnd = &l.FormerStart, &l.FormerEnd
		}
		out.Items = append(out.Items, line)
	}
	return reply(out), nil
}

func (a *API) getRelease(ctx context.Context, who access.Principal, in *ByID) (*answer[Release], error) {
	var out Release
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		r, err := q.GetRelease(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		out = Release{ID: r.ID, PlanID: r.PlanID, IntegrationID: r.IntegrationID, State: r.State, RequestedBy: r.RequestedBy, RequestedAt: r.RequestedAt,
			FinishedAt: r.FinishedAt, ReconciledAt: r.ReconciledAt, Lines: []ReleaseLine{}}
		lines, err := q.PageReleaseLines(ctx, tx, db.PageReleaseLinesParams{TenantID: who.TenantID, ReleaseID: r.ID, PageSize: mostLines})
		for _, x := range lines {
			l := x.ReleaseLine
			out.Lines = append(out.Lines, ReleaseLine{Line: l.Line, RecommendationID: l.RecommendationID, AssetID: l.AssetID, Tag: x.Tag, Action: l.Action, State: l.State,
				IdempotencyKey: l.IdempotencyKey, ExternalID: l.ExternalID, WorkOrderID: x.WorkOrderID, PlannedStart: l.PlannedStart, PlannedEnd: l.PlannedEnd,
				Attempts: l.Attempts, Reason: l.Reason, ErrorKey: l.ErrorKey})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// resolveRelease sends a decision to a stuck release. One of another tenant
// never reaches the workflow, which writes events and audit entry itself.
func (a *API) resolveRelease(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body ResolveInput
}) (*answer[ReleaseState], error) {
	reason := strings.TrimSpace(in.Body.Reason)
	switch {
	case who.Service:
		return nil, fault.New(fault.Forbidden, "api.decision_service")
	case reason == "" && in.Body.Choice != workflows.Retry:
		return nil, invalidKeys(ctx, map[string]string{"reason": "releases.reason.needed"})
	}
	var r db.Release
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		r, err = q.GetRelease(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	id := in.Body.DecisionID
	if id == uuid.Nil {
		id = uuid.New()
	}
	state, err := a.Workflows.ResolveRelease(ctx, who.TenantID, r.PlanID, id.String(), workflows.Resolution{ActorID: who.UserID, Service: who.Service, Choice: in.Body.Choice, Reason: reason})
	if err != nil {
		return nil, err
	}
	return reply(ReleaseState{in.ID, state}), nil
}
