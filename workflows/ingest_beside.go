package workflows

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// fillTurns is how many turns a run of Backfill takes before another one goes
// on with a fresh history.
const fillTurns = 200

// BackfillID is the workflow id of the filling of an integration's gaps. There
// is one at a time.
func BackfillID(tenant, integration uuid.UUID) string {
	return fmt.Sprintf("backfill/%s/%s", tenant, integration)
}

// DiscoveryID is the workflow id of the listing of a source's tree.
func DiscoveryID(tenant, integration uuid.UUID) string {
	return fmt.Sprintf("discovery/%s/%s", tenant, integration)
}

// Backfill fills the open gaps of an integration from the archive of its
// source, while Ingest reads what is new. It takes turns, so that a long gap of
// one tenant does not hold up the others, and ends when no gap is open.
func Backfill(ctx workflow.Context, in IngestInput) (int64, error) {
	var a *activities.Ingest
	target := activities.IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}
	written := int64(0)
	for range fillTurns {
		var filled activities.FillResult
		if err := workflow.ExecuteActivity(poll(ctx, "fill gaps"), a.FillGaps, target).Get(ctx, &filled); err != nil {
			return written, err
		}
		written += filled.Written
		if !filled.More {
			return written, nil
		}
		if filled.Wait > 0 {
			if err := workflow.Sleep(ctx, filled.Wait); err != nil {
				return written, err
			}
		}
	}
	return written, workflow.NewContinueAsNewError(ctx, Backfill, in)
}

// Discovery lists the tree of a source.
func Discovery(ctx workflow.Context, in IngestInput) (activities.DiscoverResult, error) {
	var a *activities.Ingest
	var found activities.DiscoverResult
	target := activities.IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}
	err := workflow.ExecuteActivity(list(ctx, "list tree"), a.DiscoverTags, target).Get(ctx, &found)
	return found, err
}

// StartBackfill fills the open gaps of an integration. A filling that runs goes
// on and takes new gaps up by itself.
func (c *Client) StartBackfill(ctx context.Context, tenant, integration uuid.UUID) error {
	return c.beside(ctx, BackfillID(tenant, integration), Backfill, IngestInput{TenantID: tenant, IntegrationID: integration})
}

// Discover lists the tree of an integration's source. A listing that runs is
// not joined by a second.
func (c *Client) Discover(ctx context.Context, tenant, integration uuid.UUID) error {
	return c.beside(ctx, DiscoveryID(tenant, integration), Discovery, IngestInput{TenantID: tenant, IntegrationID: integration})
}

// beside starts work that may be repeated once it has ended.
func (c *Client) beside(ctx context.Context, id string, wf any, in IngestInput) error {
	options := startOptions(in.TenantID, id)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return c.execute(ctx, in.TenantID, options, wf, in)
}
