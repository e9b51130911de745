package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// ReleaseResult says how many work orders a release created and how many open
// ones of older plans it cancelled because the asset got a new one.
type ReleaseResult struct {
	Created, Cancelled int
}

// Release turns an approved plan into work orders, one per recommendation to
// act. The activity is one transaction keyed by recommendation, so starting
// the release twice creates nothing twice.
func Release(ctx workflow.Context, in ReleaseInput) (ReleaseResult, error) {
	var a *activities.Release
	plan := activities.PlanRef{TenantID: in.TenantID, PlanID: in.PlanID}
	var created activities.WorkOrdersResult
	err := workflow.ExecuteActivity(record(ctx, "create work orders"), a.CreateWorkOrders, plan).Get(ctx, &created)
	return ReleaseResult{Created: created.Created, Cancelled: created.Cancelled}, err
}
