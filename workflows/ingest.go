package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// pollTurns is how many turns a poll that catches up takes in one run. Between
// two turns other tenants have theirs.
const pollTurns = 100

// Ingest reads one integration. A schedule starts it every minute unless it
// still runs; the watermark in the database says where reading ended, so a lost
// run loses no readings. A source that is polled is read until it has been
// caught up with; one that reports by itself is followed by an activity of
// hours, and then by a run that continues this one. A failure for good is
// written to the row of the integration and ends this workflow well: the
// plant's trouble is not ours.
//
// Runs of before there were turns and streams issue the same commands as one
// turn that leaves nothing, so no version has to be told.
func Ingest(ctx workflow.Context, in IngestInput) (IngestResult, error) {
	var a *activities.Ingest
	target := activities.IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}
	started := workflow.Now(ctx)

	var total IngestResult
	for turn := 1; ; turn++ {
		var polled activities.PollResult
		err := workflow.ExecuteActivity(poll(ctx, "poll"), a.PollIntegration, target).Get(ctx, &polled)
		if err != nil {
			return ingestFailed(ctx, target, started, err)
		}
		total = IngestResult{Written: total.Written + polled.Written, Rejected: total.Rejected + polled.Rejected, Status: polled.Status}
		if polled.Streams {
			return stream(ctx, in, total)
		}
		if !polled.More || turn >= pollTurns {
			return total, nil
		}
	}
}

// stream follows a source. Everything that the next run has to know is in the
// row of the integration.
func stream(ctx workflow.Context, in IngestInput, total IngestResult) (IngestResult, error) {
	var a *activities.Ingest
	target := activities.IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}
	started := workflow.Now(ctx)
	var streamed activities.StreamResult
	if err := workflow.ExecuteActivity(follow(ctx, "stream"), a.StreamIntegration, target).Get(ctx, &streamed); err != nil {
		return ingestFailed(ctx, target, started, err)
	}
	if streamed.Again {
		return total, workflow.NewContinueAsNewError(ctx, Ingest, in)
	}
	total.Written += streamed.Written
	total.Rejected += streamed.Rejected
	return total, nil
}

func ingestFailed(ctx workflow.Context, target activities.IntegrationRef, started time.Time, cause error) (IngestResult, error) {
	if ctx.Err() != nil {
		return IngestResult{}, cause
	}
	var a *activities.Ingest
	failure := activities.PollFailure{IntegrationRef: target, StartedAt: started, Cause: activities.DetailOf(cause)}
	err := workflow.ExecuteActivity(record(ctx, "record failed poll"), a.RecordPollFailure, failure).Get(ctx, nil)
	return IngestResult{Status: activities.SyncFailed}, err
}
