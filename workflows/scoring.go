package workflows

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// scoreBatch is the number of assets per activity and scoreParallel the number
// of activities of one sweep in flight: small enough to share two cores.
const (
	scoreBatch    = 50
	scoreParallel = 2
)

// ScoringSweep scores every asset of a tenant as of one moment and raises or
// clears alerts. Scores are keyed by asset and moment, so a repeated batch
// changes nothing.
func ScoringSweep(ctx workflow.Context, in SweepInput) (SweepResult, error) {
	var a *activities.Scoring
	asOf := in.AsOf
	if asOf.IsZero() {
		asOf = workflow.Now(ctx).UTC().Truncate(time.Second)
	}
	info := workflow.GetInfo(ctx)
	sweep := activities.Sweep{
		TenantID: in.TenantID, AsOf: asOf, WorkflowID: info.WorkflowExecution.ID,
		SweepID: uuid.NewSHA1(in.TenantID, []byte(info.WorkflowExecution.ID+"/"+info.WorkflowExecution.RunID)),
	}
	var start activities.SweepStart
	if err := workflow.ExecuteActivity(record(ctx, "start sweep"), a.StartSweep, sweep).Get(ctx, &start); err != nil {
		return SweepResult{}, err
	}
	totals, scoreErr := scoreBatches(ctx, sweep, start)
	if scoreErr == nil {
		err := workflow.ExecuteActivity(record(ctx, "finish sweep"), a.FinishSweep, sweep, totals).Get(ctx, nil)
		return SweepResult{SweepID: sweep.SweepID, Assets: totals.Scored, Greyed: totals.Greyed, Alerts: totals.Alerts}, err
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.ExecuteActivity(record(cleanup, "fail sweep"), a.FailSweep, sweep, totals).Get(cleanup, nil); err != nil {
		workflow.GetLogger(ctx).Error("sweep not closed", "error", err)
	}
	return SweepResult{SweepID: sweep.SweepID, Assets: totals.Scored}, scoreErr
}

// scoreBatches runs the batches, a few at a time, and adds up what they did.
// After the first failure no further batch starts.
func scoreBatches(ctx workflow.Context, sweep activities.Sweep, start activities.SweepStart) (activities.BatchResult, error) {
	var a *activities.Scoring
	var totals activities.BatchResult
	var failed error
	free := workflow.NewSemaphore(ctx, scoreParallel)
	done := workflow.NewWaitGroup(ctx)
	for from := 0; from < len(start.Assets) && failed == nil; from += scoreBatch {
		if err := free.Acquire(ctx, 1); err != nil {
			failed = err
			break
		}
		if failed != nil {
			free.Release(1)
			break
		}
		assets := start.Assets[from:min(from+scoreBatch, len(start.Assets))]
		summary := fmt.Sprintf("score assets %d to %d", from+1, from+len(assets))
		done.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer done.Done()
			defer free.Release(1)
			var result activities.BatchResult
			batch := activities.Batch{Sweep: sweep, ModelID: start.ModelID, Assets: assets}
			if err := workflow.ExecuteActivity(score(ctx, summary), a.ScoreBatch, batch).Get(ctx, &result); err != nil {
				failed = err
				return
			}
			totals = totals.Add(result)
		})
	}
	done.Wait(ctx)
	return totals, failed
}
