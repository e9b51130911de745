package approvals

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of the faults of asking for a release.
const (
	KeyNotReleasable = "plans.not_releasable"
	KeyNoTarget      = "releases.no_target"
)

// Release asks for the work orders of an approved plan, in a maintenance system
// as well when an integration is named.
type Release struct {
	Plan        uuid.UUID
	Integration *uuid.UUID
}

// Targets lists the active integrations of a tenant that take orders.
func Targets(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) ([]db.ListWriteTargetsRow, error) {
	var kinds []string
	for _, s := range connector.Specs() {
		if s.WritesOrders {
			kinds = append(kinds, s.Kind)
		}
	}
	return q.ListWriteTargets(ctx, tx, tenant, kinds)
}

// Record writes the request with its audit entry and returns the id of the
// release. The workflow is started after the transaction. Refusals are faults.
func (r Release) Record(ctx context.Context, a Act) (uuid.UUID, error) {
	tenant := a.Who.TenantID
	plan, err := a.Q.LockPlan(ctx, a.Tx, tenant, r.Plan)
	if err != nil {
		return uuid.Nil, err
	}
	if r.Integration != nil {
		targets, err := Targets(ctx, a.Tx, a.Q, tenant)
		if err != nil {
			return uuid.Nil, err
		}
		known := false
		for _, t := range targets {
			known = known || t.ID == *r.Integration
		}
		if !known {
			return uuid.Nil, fault.New(fault.Invalid, KeyNoTarget)
		}
	}
	n, err := a.Q.RequestPlanRelease(ctx, a.Tx, a.Who.UserID, tenant, r.Plan)
	if err != nil {
		return uuid.Nil, err
	}
	if n == 0 {
		return uuid.Nil, fault.New(fault.Conflict, KeyNotReleasable)
	}
	id, err := db.StartRelease(ctx, a.Tx, plan, a.Who.UserID, r.Integration)
	if err != nil {
		return uuid.Nil, err
	}
	return id, a.Origin.Audit(ctx, a.Tx, db.Entry{Action: "plan.release_requested", ObjectType: "plan", ObjectID: r.Plan.String(),
		Before: map[string]any{"state": plan.State},
		After:  map[string]any{"state": plan.State, "release_requested": true, "release": id, "integration": r.Integration}})
}
