package workflows

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// solveParallel is the number of scenarios of one run searched at a time.
const solveParallel = 2

// OptimizationResult says how a run ended.
type OptimizationResult struct {
	State     string // done, failed or cancelled
	Scenarios int
}

// optimization is the state of one run.
type optimization struct {
	run    activities.RunRef
	closed bool
}

// Optimization takes a requested run through its stages: load the request,
// refresh the scores, build and solve the problem once per preset, verify and
// save. Everything of size stays in the row of the run; payloads carry ids.
//
// Update "stop" ends the search and keeps the best plans. Cancelling the
// workflow gives the run up; nothing is saved. Any failure is written to the
// row with the key of its message.
func Optimization(ctx workflow.Context, in OptimizationInput) (OptimizationResult, error) {
	o := &optimization{run: activities.RunRef{TenantID: in.TenantID, RunID: in.RunID}}
	if err := o.listen(ctx); err != nil {
		return OptimizationResult{}, err
	}
	result, err := o.steps(ctx)
	o.closed = true
	if err != nil {
		result = o.giveUp(ctx, err)
		if result.State == activities.RunCancelled {
			err = ctx.Err()
		}
	}
	settled, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if waitErr := workflow.Await(settled, func() bool { return workflow.AllHandlersFinished(settled) }); waitErr != nil {
		return result, waitErr
	}
	return result, err
}

// listen accepts update "stop" while the run is open. The flag goes to the
// row, where the searching activities look every second.
func (o *optimization) listen(ctx workflow.Context) error {
	stop := func(ctx workflow.Context) error {
		var a *activities.Optimization
		err := workflow.ExecuteActivity(answer(ctx, "stop"), a.RequestStop, o.run).Get(ctx, nil)
		return plainError(err)
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateStop, stop, workflow.UpdateHandlerOptions{
		Description: "stop searching and keep the best plans",
		Validator: func(workflow.Context) error {
			if o.closed {
				return temporal.NewApplicationError("the run has ended", ErrAlreadyDecided)
			}
			return nil
		},
	})
}

func (o *optimization) steps(ctx workflow.Context) (OptimizationResult, error) {
	var a *activities.Optimization
	var begun activities.BegunRun
	info := workflow.GetInfo(ctx).WorkflowExecution
	begin := activities.BeginInput{RunRef: o.run, WorkflowID: info.ID, WorkflowRunID: info.RunID}
	if err := workflow.ExecuteActivity(record(ctx, "load request"), a.BeginRun, begin).Get(ctx, &begun); err != nil {
		return OptimizationResult{}, err
	}
	if begun.Final {
		return OptimizationResult{State: begun.State}, nil
	}
	if begun.ScoresDue {
		if err := o.refreshScores(ctx); err != nil {
			return OptimizationResult{}, err
		}
	}
	var problem activities.LoadedProblem
	if err := workflow.ExecuteActivity(record(ctx, "build problem"), a.LoadProblem, o.run).Get(ctx, &problem); err != nil {
		return OptimizationResult{}, err
	}
	if err := o.solveAll(ctx, problem); err != nil {
		return OptimizationResult{}, err
	}
	if err := workflow.ExecuteActivity(record(ctx, "verify plans"), a.VerifyPlans, o.run).Get(ctx, nil); err != nil {
		return OptimizationResult{}, err
	}
	var saved activities.SavedScenarios
	err := workflow.ExecuteActivity(record(ctx, "save scenarios"), a.SaveScenarios, o.run).Get(ctx, &saved)
	return OptimizationResult{State: activities.RunDone, Scenarios: saved.Scenarios}, err
}

// refreshScores runs a sweep first when the newest one is old. A sweep that
// fails does not fail the run: assets whose score is not trusted are planned
// by age, and say so.
func (o *optimization) refreshScores(ctx workflow.Context) error {
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: fmt.Sprintf("%s/run/%s", SweepID(o.run.TenantID), o.run.RunID), TaskQueue: QueueControl,
		WorkflowExecutionTimeout: 10 * time.Minute, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		TypedSearchAttributes: tenantAttributes(o.run.TenantID), Priority: tenantPriority(o.run.TenantID),
	})
	err := workflow.ExecuteChildWorkflow(child, ScoringSweep, SweepInput{TenantID: o.run.TenantID}).Get(ctx, nil)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("scores not refreshed", "error", err)
	}
	return nil
}

// solveAll searches every preset, a few at a time, and returns the first
// failure after the others have ended.
func (o *optimization) solveAll(ctx workflow.Context, problem activities.LoadedProblem) error {
	var a *activities.Optimization
	var failed error
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	free := workflow.NewSemaphore(ctx, solveParallel)
	done := workflow.NewWaitGroup(ctx)
	for i, preset := range problem.Presets {
		done.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer done.Done()
			if err := free.Acquire(ctx, 1); err != nil {
				failed = errors.Join(failed, err)
				return
			}
			defer free.Release(1)
			job := activities.SolveInput{RunRef: o.run, Preset: preset, Primary: i == 0, Sharing: min(solveParallel, len(problem.Presets))}
			err := workflow.ExecuteActivity(solve(ctx, problem.Limit, "solve "+preset), a.SolvePlan, job).Get(ctx, nil)
			if err != nil && failed == nil {
				failed = err
				cancel()
			}
		})
	}
	done.Wait(ctx)
	return failed
}

// giveUp closes the row of a run that failed or was cancelled. It works in a
// context of its own, because the one of the workflow may be cancelled.
func (o *optimization) giveUp(ctx workflow.Context, cause error) OptimizationResult {
	var a *activities.Optimization
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	closing := activities.CloseInput{RunRef: o.run, State: activities.RunFailed, Cause: activities.DetailOf(cause)}
	if errors.Is(ctx.Err(), workflow.ErrCanceled) {
		closing.State, closing.Cause = activities.RunCancelled, activities.ErrorDetail{}
	}
	if err := workflow.ExecuteActivity(record(cleanup, "close run"), a.CloseRun, closing).Get(cleanup, nil); err != nil {
		workflow.GetLogger(ctx).Error("run not closed", "error", err)
	}
	return OptimizationResult{State: closing.State}
}
