package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
)

var testRun = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000006")

// runEnv is a test environment of Optimization whose activities succeed unless
// a test says otherwise.
type runEnv struct {
	*testsuite.TestWorkflowEnvironment
	acts    *activities.Optimization
	solved  []string
	stopped int
	closed  []activities.CloseInput
}

func newRunEnv(t *testing.T, begun activities.BegunRun) *runEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := &runEnv{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	env.SetTestTimeout(30 * time.Second)
	env.RegisterActivity(env.acts)
	env.RegisterWorkflow(ScoringSweep)
	env.OnActivity(env.acts.BeginRun, mock.Anything, mock.Anything).Return(begun, nil).Maybe()
	env.OnActivity(env.acts.LoadProblem, mock.Anything, mock.Anything).Return(activities.LoadedProblem{
		Presets: []string{"cheapest", "balanced", "lowest_risk"}, Limit: 30 * time.Second,
	}, nil).Maybe()
	env.OnActivity(env.acts.VerifyPlans, mock.Anything, mock.Anything).Return(nil).Maybe()
	env.OnActivity(env.acts.SaveScenarios, mock.Anything, mock.Anything).Return(activities.SavedScenarios{Scenarios: 3}, nil).Maybe()
	env.OnActivity(env.acts.RequestStop, mock.Anything, mock.Anything).Return(func(context.Context, activities.RunRef) error { env.stopped++; return nil }).Maybe()
	env.OnActivity(env.acts.CloseRun, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.CloseInput) error {
		env.closed = append(env.closed, in)
		return nil
	}).Maybe()
	return env
}

func (e *runEnv) solvesWell() {
	e.OnActivity(e.acts.SolvePlan, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.SolveInput) error {
		e.solved = append(e.solved, in.Preset)
		return nil
	})
}

func (e *runEnv) execute() {
	e.ExecuteWorkflow(Optimization, OptimizationInput{TenantID: testTenant, RunID: testRun})
}

func TestRunSolvesEveryPreset(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running"})
	env.solvesWell()
	env.execute()
	require.NoError(t, env.GetWorkflowError())
	require.ElementsMatch(t, []string{"cheapest", "balanced", "lowest_risk"}, env.solved)
	var result OptimizationResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, OptimizationResult{State: "done", Scenarios: 3}, result)
	require.Empty(t, env.closed)
}

func TestRunThatHasEndedIsLeftAlone(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{Final: true, State: "done"})
	env.execute()
	require.NoError(t, env.GetWorkflowError())
	require.Empty(t, env.solved)
}

func TestFailedSweepDoesNotFailTheRun(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running", ScoresDue: true})
	env.solvesWell()
	env.OnWorkflow(ScoringSweep, mock.Anything, mock.Anything).Return(SweepResult{}, errors.New("no readings")).Once()
	env.execute()
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, env.solved, 3)
}

func TestTransientFailureIsRetried(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running"})
	attempts := 0
	env.OnActivity(env.acts.SolvePlan, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.SolveInput) error {
		if in.Preset != "cheapest" {
			return nil
		}
		if attempts++; attempts < 3 {
			return temporal.NewApplicationError("worker died", activities.TypeUnavailable)
		}
		return nil
	})
	env.execute()
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 3, attempts)
}

func TestFinalFailureClosesTheRun(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running"})
	attempts := 0
	env.OnActivity(env.acts.SolvePlan, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.SolveInput) error {
		if in.Preset != "cheapest" {
			return nil
		}
		attempts++
		detail := activities.ErrorDetail{Code: fault.Conflict, Key: "optimize.infeasible", Args: map[string]any{"conflicts": []any{"crew"}}}
		return temporal.NewApplicationErrorWithOptions("no plan fits", activities.TypeConflict, temporal.ApplicationErrorOptions{
			NonRetryable: true, Details: []any{detail},
		})
	})
	env.execute()
	requireType(t, activities.TypeConflict, env.GetWorkflowError())
	require.Equal(t, 1, attempts)
	require.Len(t, env.closed, 1)
	require.Equal(t, "failed", env.closed[0].State)
	require.Equal(t, "optimize.infeasible", env.closed[0].Cause.Key)
	require.Contains(t, env.closed[0].Cause.Args, "conflicts")
}

func TestCancelledRunIsClosedOutsideTheCancelledContext(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running"})
	env.OnActivity(env.acts.SolvePlan, mock.Anything, mock.Anything).After(time.Hour).Return(nil)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	env.execute()
	require.True(t, temporal.IsCanceledError(env.GetWorkflowError()), "%v", env.GetWorkflowError())
	require.Len(t, env.closed, 1)
	require.Equal(t, "cancelled", env.closed[0].State)
	require.Empty(t, env.closed[0].Cause.Key)
}

func TestStopWhileSearchingIsPassedOn(t *testing.T) {
	t.Parallel()
	env := newRunEnv(t, activities.BegunRun{State: "running"})
	env.OnActivity(env.acts.SolvePlan, mock.Anything, mock.Anything).After(time.Hour).Return(nil)
	first, second := &answerTo{}, &answerTo{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateStop, "s1", first) }, time.Minute)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateStop, "s2", second) }, 2*time.Minute)
	env.execute()
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 1, first.completed)
	require.Equal(t, 1, second.completed)
	require.Equal(t, 2, env.stopped)
}

func TestStopAfterTheEndIsRefused(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	late := &answerTo{}
	o := &optimization{closed: true, run: activities.RunRef{TenantID: testTenant, RunID: testRun}}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateStop, "late", late) }, time.Second)
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		if err := o.listen(ctx); err != nil {
			return err
		}
		return workflow.Sleep(ctx, time.Minute)
	})
	require.NoError(t, env.GetWorkflowError())
	requireType(t, ErrAlreadyDecided, late.rejected)
}

func TestSweepInBatchesAndFailure(t *testing.T) {
	t.Parallel()
	assets := make([]uuid.UUID, 120)
	for i := range assets {
		assets[i] = uuid.NewSHA1(testTenant, []byte{byte(i)})
	}
	for name, c := range map[string]struct {
		fail  bool
		ended string
	}{"all scored": {false, "FinishSweep"}, "one batch fails": {true, "FailSweep"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			var a *activities.Scoring
			env.RegisterActivity(a)
			env.OnActivity(a.StartSweep, mock.Anything, mock.Anything).Return(activities.SweepStart{Assets: assets}, nil)
			scored := 0
			env.OnActivity(a.ScoreBatch, mock.Anything, mock.Anything).Return(func(_ context.Context, b activities.Batch) (activities.BatchResult, error) {
				if c.fail && b.Assets[0] == assets[50] {
					return activities.BatchResult{}, temporal.NewNonRetryableApplicationError("bad row", activities.TypeInvalid, nil)
				}
				scored += len(b.Assets)
				return activities.BatchResult{Scored: len(b.Assets), Greyed: 1}, nil
			})
			env.OnActivity(c.ended, mock.Anything, mock.Anything, mock.Anything).Return(nil).Once()
			env.ExecuteWorkflow(ScoringSweep, SweepInput{TenantID: testTenant})
			env.AssertExpectations(t)
			if c.fail {
				requireType(t, activities.TypeInvalid, env.GetWorkflowError())
				return
			}
			var result SweepResult
			require.NoError(t, env.GetWorkflowResult(&result))
			require.Equal(t, 120, result.Assets)
			require.Equal(t, 3, result.Greyed)
			require.Equal(t, 120, scored)
		})
	}
}

func TestFailedPollIsRecordedAndNotFatal(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	var a *activities.Ingest
	env.RegisterActivity(a)
	detail := activities.ErrorDetail{Code: fault.Unavailable, Key: "connector.fault.unreachable"}
	env.OnActivity(a.PollIntegration, mock.Anything, mock.Anything).Return(activities.PollResult{},
		temporal.NewApplicationErrorWithOptions("no route", activities.TypeUnavailable, temporal.ApplicationErrorOptions{Details: []any{detail}})).Times(2)
	env.OnActivity(a.RecordPollFailure, mock.Anything, mock.MatchedBy(func(f activities.PollFailure) bool {
		return f.Cause.Key == detail.Key && f.Cause.Code == fault.Unavailable
	})).Return(nil).Once()
	env.ExecuteWorkflow(Ingest, IngestInput{TenantID: testTenant, IntegrationID: testPlan})
	require.NoError(t, env.GetWorkflowError())
	var result IngestResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, "failed", result.Status)
	env.AssertExpectations(t)
}
