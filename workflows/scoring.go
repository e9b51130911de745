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

// ScoringSweep scores the assets of a tenant that have something new as of one
// moment, or all of them as of a moment in the past, and raises or clears
// alerts. Scores are keyed by asset and moment, so a repeated batch changes
// nothing. When the historian is behind it catches up first. After a page of
// assets the sweep goes on as a new run with the same record.
func ScoringSweep(ctx workflow.Context, in SweepInput) (SweepResult, error) {
	var a *activities.Scoring
	sweep := sweepOf(ctx, in)
	var start activities.SweepStart
	if err := workflow.ExecuteActivity(record(ctx, "start sweep"), a.StartSweep, sweep).Get(ctx, &start); err != nil {
		return SweepResult{}, err
	}
	if start.Behind {
		var filled int
		if err := workflow.ExecuteActivity(score(ctx, "roll hours up"), a.RollUpHours, in.TenantID).Get(ctx, &filled); err != nil {
			workflow.GetLogger(ctx).Warn("historian is behind", "error", err) // every batch rolls up its own signals
		}
	}
	totals, scoreErr := scoreBatches(ctx, sweep, start)
	totals = in.Totals.Add(totals)
	if scoreErr == nil && start.More {
		next := SweepInput{
			TenantID: in.TenantID, AsOf: sweep.AsOf, Every: sweep.Every, SweepID: sweep.SweepID,
			After: start.Assets[len(start.Assets)-1], Totals: totals,
		}
		return SweepResult{}, workflow.NewContinueAsNewError(ctx, ScoringSweep, next)
	}
	if scoreErr == nil {
		err := workflow.ExecuteActivity(record(ctx, "finish sweep"), a.FinishSweep, sweep, totals).Get(ctx, nil)
		return resultOf(sweep, totals), err
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.ExecuteActivity(record(cleanup, "fail sweep"), a.FailSweep, sweep, totals).Get(cleanup, nil); err != nil {
		workflow.GetLogger(ctx).Error("sweep not closed", "error", err)
	}
	return resultOf(sweep, totals), scoreErr
}

// sweepOf is the sweep that an input asks for, or goes on with.
func sweepOf(ctx workflow.Context, in SweepInput) activities.Sweep {
	info := workflow.GetInfo(ctx).WorkflowExecution
	s := activities.Sweep{
		TenantID: in.TenantID, SweepID: in.SweepID, AsOf: in.AsOf, WorkflowID: info.ID,
		Every: in.Every || (in.SweepID == uuid.Nil && !in.AsOf.IsZero()), After: in.After,
	}
	if s.AsOf.IsZero() {
		s.AsOf = workflow.Now(ctx).UTC().Truncate(time.Second)
	}
	if s.SweepID == uuid.Nil {
		s.SweepID = uuid.NewSHA1(in.TenantID, []byte(info.ID+"/"+info.RunID))
	}
	return s
}

func resultOf(s activities.Sweep, totals activities.BatchResult) SweepResult {
	return SweepResult{SweepID: s.SweepID, Assets: totals.Scored, Greyed: totals.Greyed, Alerts: totals.Alerts, Failed: totals.Failed}
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
