package workflows

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
)

// UpdateResolve says how a stuck release goes on.
const UpdateResolve = "resolve"

// What a person may decide about a stuck release.
const (
	Retry = activities.ResolveRetry
	Skip  = activities.ResolveSkip
	Undo  = activities.ResolveUndo
)

// Message keys of the refusals of a decision about a release.
const (
	KeyReleaseNotStuck = activities.KeyReleaseNotStuck
	KeyBadResolution   = activities.KeyBadResolution
)

// Resolution is the argument of UpdateResolve.
type Resolution struct {
	ActorID uuid.UUID
	Service bool // came in as a service account: never accepted
	Choice  string
	Reason  string
}

// DryRun is what a release would do, line by line.
type DryRun = activities.DryRun

// DryRunLine is what one line would become.
type DryRunLine = activities.DryRunLine

// releaseOptions start a release: an open one is joined. One that has ended may
// run again, because a release that was undone may be asked for anew, and the
// rows of any other leave nothing to do.
func releaseOptions(tenant, plan uuid.UUID) client.StartWorkflowOptions {
	options := startOptions(tenant, ReleaseID(tenant, plan))
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return options
}

// StartRelease starts the release of an approved plan whose row says who asked
// for it. Starting it again creates nothing twice.
func (c *Client) StartRelease(ctx context.Context, tenant, plan uuid.UUID) error {
	return c.execute(ctx, tenant, releaseOptions(tenant, plan), Release, ReleaseInput{TenantID: tenant, PlanID: plan})
}

// ResolveRelease puts a person's decision to a stuck release and returns its
// state afterwards: running or undoing. A release whose workflow is gone is
// started again by it. The update id makes a repeated request harmless.
// Refusals are faults: forbidden, conflict (releases.not_stuck), invalid, or
// unavailable.
func (c *Client) ResolveRelease(ctx context.Context, tenant, plan uuid.UUID, updateID string, r Resolution) (string, error) {
	ctx, cancel := context.WithTimeout(withTenant(ctx, tenant), decideLimit)
	defer cancel()
	start := c.temporal.NewWithStartWorkflowOperation(releaseOptions(tenant, plan), Release, ReleaseInput{TenantID: tenant, PlanID: plan})
	handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: ReleaseID(tenant, plan), UpdateName: UpdateResolve, UpdateID: updateID,
			WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{r},
		},
	})
	var state string
	if err == nil {
		err = handle.Get(ctx, &state)
	}
	if hasType(err, ErrInvalid) {
		return state, fault.Wrap(fault.Invalid, KeyBadResolution, err)
	}
	return state, asFault(err)
}

// PreviewRelease says what the release of a plan to an integration would do. It
// waits for the maintenance system, up to previewWait.
func (c *Client) PreviewRelease(ctx context.Context, tenant, plan, integration uuid.UUID) (DryRun, error) {
	in := DryRunInput{TenantID: tenant, PlanID: plan, IntegrationID: integration}
	ctx, cancel := context.WithTimeout(withTenant(ctx, tenant), previewWait)
	defer cancel()
	options := startOptions(tenant, DryRunID(in))
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	options.WorkflowExecutionTimeout = previewWait
	var result DryRun
	run, err := c.temporal.ExecuteWorkflow(ctx, options, ReleasePreview, in)
	if err == nil {
		err = run.Get(ctx, &result)
	}
	if err != nil {
		return result, fmt.Errorf("preview release: %w", asFault(err))
	}
	return result, nil
}

// ReconcileNow compares a tenant's work orders with its maintenance systems
// now. A comparison that was asked for this way and still runs is joined.
func (c *Client) ReconcileNow(ctx context.Context, tenant uuid.UUID) error {
	options := startOptions(tenant, ReconcileID(tenant)+"/now")
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return c.execute(ctx, tenant, options, ReconcileOrders, ReconcileInput{TenantID: tenant})
}
