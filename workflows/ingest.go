package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// Ingest polls one integration once. A schedule starts it every minute; the
// watermark in the database says where the last poll ended, so a lost run
// loses no readings. A poll that fails for good is written to the row of the
// integration and ends this workflow well: the plant's trouble is not ours.
func Ingest(ctx workflow.Context, in IngestInput) (IngestResult, error) {
	var a *activities.Ingest
	target := activities.IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}
	started := workflow.Now(ctx)

	var polled activities.PollResult
	err := workflow.ExecuteActivity(poll(ctx, "poll"), a.PollIntegration, target).Get(ctx, &polled)
	if err == nil {
		return IngestResult{Written: polled.Written, Rejected: polled.Rejected, Status: polled.Status}, nil
	}
	if ctx.Err() != nil {
		return IngestResult{}, err
	}
	failure := activities.PollFailure{IntegrationRef: target, StartedAt: started, Cause: activities.DetailOf(err)}
	err = workflow.ExecuteActivity(record(ctx, "record failed poll"), a.RecordPollFailure, failure).Get(ctx, nil)
	return IngestResult{Status: activities.SyncFailed}, err
}
