package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/activities"
)

// sagaEnv is a test environment of a release whose activities say what the test
// wants: a release of two lines, of which the first cannot be written until a
// person says to leave it out.
type sagaEnv struct {
	*testsuite.TestWorkflowEnvironment
	scope    activities.ReleaseScope // what the rows say when it starts
	clear    []int32                 // what the rows say is to clear after the decision
	away     int                     // attempts to record a decision that fail because the database is away
	calls    []string
	resolved int
}

func newSagaEnv(t *testing.T) *sagaEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := &sagaEnv{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), scope: activities.ReleaseScope{State: activities.ReleaseRunning, Todo: []int32{1, 2}, Clear: []int32{}}, clear: []int32{1}}
	env.SetTestTimeout(30 * time.Second)
	var a *activities.Release
	env.RegisterActivity(a)
	env.OnActivity(a.PrepareRelease, mock.Anything, mock.Anything).Return(func(context.Context, activities.PlanRef) (activities.ReleaseScope, error) {
		return env.scope, nil
	})
	env.OnActivity(a.WriteLine, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.LineInput) error {
		if in.Line == 1 {
			return errors.New("refused")
		}
		env.calls = append(env.calls, "write")
		return nil
	}).Maybe()
	env.OnActivity(a.FailLine, mock.Anything, mock.Anything, mock.Anything).After(20 * time.Second).Return(func(context.Context, activities.LineInput, activities.ErrorDetail) error {
		env.calls = append(env.calls, "stop")
		return nil
	}).Maybe()
	env.OnActivity(a.ResolveRelease, mock.Anything, mock.Anything).Return(func(context.Context, activities.Resolution) (activities.ReleaseScope, error) {
		if env.away > 0 {
			env.away--
			return activities.ReleaseScope{}, errors.New("the database is away")
		}
		env.resolved++
		env.calls = append(env.calls, "resolve")
		return activities.ReleaseScope{State: activities.ReleaseRunning, Todo: []int32{2}, Clear: env.clear}, nil
	}).Maybe()
	env.OnActivity(a.ClearSkipped, mock.Anything, mock.Anything).Return(func(context.Context, activities.LineInput) error {
		env.calls = append(env.calls, "clear")
		return nil
	}).Maybe()
	env.OnActivity(a.FinishRelease, mock.Anything, mock.Anything).Return(activities.FinishedRelease{Created: 1}, nil).Maybe()
	return env
}

func (e *sagaEnv) skipAfter(d time.Duration, updateID string) *answerTo {
	answer := &answerTo{}
	e.RegisterDelayedCallback(func() {
		e.UpdateWorkflow(UpdateResolve, updateID, answer, Resolution{ActorID: approver, Choice: Skip, Reason: "not this year"})
	}, d)
	return answer
}

func (e *sagaEnv) run() {
	e.ExecuteWorkflow(Release, ReleaseInput{TenantID: testTenant, PlanID: testPlan})
}

// ended requires that the release came to its end.
func (e *sagaEnv) ended(t *testing.T) {
	t.Helper()
	require.True(t, e.IsWorkflowCompleted())
	require.NoError(t, e.GetWorkflowError())
	var result ReleaseResult
	require.NoError(t, e.GetWorkflowResult(&result))
	require.Equal(t, ReleaseResult{Created: 1, State: activities.ReleaseDone}, result)
}

// A decision that is recorded while the worker or the database is then away for
// long still lets the release go on.
func TestResolutionOutlivesALongOutage(t *testing.T) {
	t.Parallel()
	env := newSagaEnv(t)
	env.away = 9
	first := env.skipAfter(5*time.Hour, "same")
	again := env.skipAfter(6*time.Hour, "same")
	env.run()
	env.ended(t)
	require.NoError(t, first.err)
	require.NoError(t, again.err)
	require.Equal(t, 1, env.resolved)
}

// People are told when the rows say that the release is stuck, which may be
// before the workflow hears of it: a decision waits for that.
func TestResolutionWaitsUntilTheStopIsKnown(t *testing.T) {
	t.Parallel()
	env := newSagaEnv(t)
	decided := env.skipAfter(40*time.Second, "early") // the attempts take 31 seconds, the report of the stop 20
	env.run()
	env.ended(t)
	require.NoError(t, decided.err)
	require.Equal(t, []string{"stop", "resolve", "clear", "write"}, env.calls)
}

// A release that starts anew after a line was left out, or whose history was
// recorded before the rows said what is to clear, still clears it.
func TestAReleaseClearsWhatItDoesNotRemember(t *testing.T) {
	t.Parallel()
	anew := newSagaEnv(t)
	anew.scope.Todo, anew.scope.Clear = []int32{2}, []int32{1}
	anew.run()
	anew.ended(t)
	require.Equal(t, []string{"clear", "write"}, anew.calls)

	before := newSagaEnv(t)
	before.clear = nil
	before.skipAfter(5*time.Hour, "before")
	before.run()
	before.ended(t)
	require.Equal(t, []string{"stop", "resolve", "clear", "write"}, before.calls)
}

// A release that was undone before it began, or that nobody may carry out, ends
// without a step.
func TestAReleaseThatIsUndoneEndsAtOnce(t *testing.T) {
	t.Parallel()
	env := newSagaEnv(t)
	env.scope = activities.ReleaseScope{State: activities.ReleaseUndone}
	env.run()
	require.NoError(t, env.GetWorkflowError())
	var result ReleaseResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, ReleaseResult{State: activities.ReleaseUndone}, result)
	require.Empty(t, env.calls)
}
