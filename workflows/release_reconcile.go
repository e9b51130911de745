package workflows

import (
	"fmt"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// ReconcileInput starts the nightly comparison of a tenant's work orders with
// its maintenance systems.
type ReconcileInput struct {
	TenantID uuid.UUID
}

// DryRunInput asks what the release of a plan to an integration would do.
type DryRunInput struct {
	TenantID      uuid.UUID
	PlanID        uuid.UUID
	IntegrationID uuid.UUID
}

// ReconcileID is the workflow id of a tenant's nightly reconciliation.
func ReconcileID(tenant uuid.UUID) string { return fmt.Sprintf("reconcile/%s", tenant) }

// DryRunID is the workflow id of a dry run. Asking again while it runs joins it.
func DryRunID(in DryRunInput) string {
	return fmt.Sprintf("release-preview/%s/%s/%s", in.TenantID, in.PlanID, in.IntegrationID)
}

// ReconcileOrders brings the open work orders of a tenant to where their twins
// in the maintenance systems are.
func ReconcileOrders(ctx workflow.Context, in ReconcileInput) (activities.Reconciled, error) {
	var a *activities.Release
	var result activities.Reconciled
	err := workflow.ExecuteActivity(list(ctx, "reconcile orders"), a.ReconcileOrders, in.TenantID).Get(ctx, &result)
	return result, err
}

// ReleasePreview says what a release would do. It changes nothing.
func ReleasePreview(ctx workflow.Context, in DryRunInput) (activities.DryRun, error) {
	var a *activities.Release
	var result activities.DryRun
	ask := activities.DryRunInput{PlanRef: activities.PlanRef{TenantID: in.TenantID, PlanID: in.PlanID}, IntegrationID: in.IntegrationID}
	err := workflow.ExecuteActivity(inquire(ctx, "dry run"), a.DryRun, ask).Get(ctx, &result)
	return result, err
}

func (in ReconcileInput) tenant() uuid.UUID { return in.TenantID }
func (in DryRunInput) tenant() uuid.UUID    { return in.TenantID }
