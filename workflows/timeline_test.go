package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/testkit"
)

// told is a workflow that does everything a timeline shows: an activity that
// fails twice, a wait, a child, an update, and an activity that fails for good.
func told(ctx workflow.Context, fail bool) error {
	decided := false
	err := workflow.SetUpdateHandler(ctx, UpdateDecide, func(workflow.Context, Decision) error { decided = true; return nil })
	if err != nil {
		return err
	}
	tries := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second, Summary: "solve cheapest",
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond, BackoffCoefficient: 1}})
	if err := workflow.ExecuteActivity(tries, "Flaky", 3).Get(ctx, nil); err != nil {
		return err
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID + "/child"})
	if err := workflow.ExecuteChildWorkflow(child, toldChild).Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, 20*time.Millisecond); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return decided }); err != nil {
		return err
	}
	if !fail {
		return nil
	}
	return workflow.ExecuteActivity(tries, "Refuse").Get(ctx, nil)
}

func toldChild(workflow.Context) error { return nil }

// teller runs the workflow above on a real Temporal server.
func teller(t *testing.T) (*Client, string) {
	t.Helper()
	address, namespace := testkit.Temporal(t)
	c, err := Dial(t.Context(), ClientOptions{Address: address, Namespace: namespace, PayloadKey: testKey})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	attempts := map[string]int{}
	w := worker.New(c.temporal, "told", worker.Options{MaxConcurrentActivityExecutionSize: 1, Interceptors: []interceptor.WorkerInterceptor{&activities.Faults{}}})
	w.RegisterWorkflow(told)
	w.RegisterWorkflow(toldChild)
	w.RegisterActivityWithOptions(func(context.Context) error {
		return fault.New(fault.Conflict, KeyRunEnded).With("secret", "plant name")
	}, activity.RegisterOptions{Name: "Refuse"})
	w.RegisterActivityWithOptions(func(ctx context.Context, good int) error {
		id := activity.GetInfo(ctx).WorkflowExecution.ID
		if attempts[id]++; attempts[id] < good {
			return fault.New(fault.Unavailable, KeyUnavailable)
		}
		return nil
	}, activity.RegisterOptions{Name: "Flaky"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return c, "told/" + uuid.NewString()
}

func TestTimelineTellsAttemptsWaitsAndFailures(t *testing.T) {
	t.Parallel()
	c, id := teller(t)
	ctx := t.Context()
	run, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: "told"}, told, true)
	require.NoError(t, err)
	actor := uuid.New()
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: UpdateDecide, UpdateID: "one",
		WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{Decision{ActorID: actor, Kind: Approved, Comment: "private words"}}})
	require.NoError(t, err)
	require.NoError(t, handle.Get(ctx, nil))
	require.Error(t, run.Get(ctx, nil))

	told, err := c.Timeline(ctx, id)
	require.NoError(t, err)
	require.False(t, told.Open)
	require.False(t, told.Cut)
	step := func(kind StepKind, name string) Step {
		for _, s := range told.Steps {
			if s.Kind == kind && (name == "" || s.Name == name) {
				return s
			}
		}
		require.Fail(t, "no such step", "%s %s in %+v", kind, name, told.Steps)
		return Step{}
	}
	flaky := step(StepActivity, "Flaky")
	require.Equal(t, 3, flaky.Attempts)
	require.Equal(t, StateDone, flaky.State)
	require.Equal(t, KeyUnavailable, flaky.Cause.Key, "why the attempt before failed")
	require.False(t, flaky.Ended.Before(*flaky.Started))
	require.Equal(t, 20*time.Millisecond, step(StepTimer, "").Wait)
	require.Equal(t, StateDone, step(StepTimer, "").State)
	require.Equal(t, StateDone, step(StepChild, "toldChild").State)
	update := step(StepUpdate, UpdateDecide)
	require.Equal(t, actor, *update.Actor)
	require.Equal(t, Approved, update.Detail)
	refused := step(StepActivity, "Refuse")
	require.Equal(t, StateFailed, refused.State)
	require.Equal(t, 1, refused.Attempts, "a refusal is not repeated")
	require.Equal(t, KeyRunEnded, refused.Cause.Key)
	require.Equal(t, StateFailed, step(StepEnd, "").State)
	require.NotContains(t, fmt.Sprintf("%+v", told.Steps), "private words", "comments are read from their rows")
}

func TestTimelineOfAnActivityThatIsTriedAgain(t *testing.T) {
	t.Parallel()
	c, _ := teller(t)
	ctx := t.Context()
	id := "tried/" + uuid.NewString()
	stuck := func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Hour}})
		return workflow.ExecuteActivity(ctx, "Flaky", 1000).Get(ctx, nil)
	}
	w := worker.New(c.temporal, "stuck", worker.Options{DisableRegistrationAliasing: true, Interceptors: []interceptor.WorkerInterceptor{&activities.Faults{}}})
	w.RegisterWorkflowWithOptions(stuck, workflow.RegisterOptions{Name: "stuck"})
	w.RegisterActivityWithOptions(func(context.Context, int) error { return fault.New(fault.Unavailable, KeyUnavailable) }, activity.RegisterOptions{Name: "Flaky"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	_, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: "stuck"}, "stuck")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		told, err := c.Timeline(ctx, id)
		if err != nil || len(told.Steps) < 2 || told.Steps[1].NextAttempt == nil {
			return false
		}
		s := told.Steps[1]
		return told.Open && s.State == StateWaiting && s.Ended == nil && s.Attempts == 1 && s.Cause.Key == KeyUnavailable && time.Until(*s.NextAttempt) > 50*time.Minute
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, c.temporal.TerminateWorkflow(ctx, id, "", "test"))
}

func TestTimelineOfWhatTemporalDoesNotKnow(t *testing.T) {
	t.Parallel()
	c, _ := teller(t)
	_, err := c.Timeline(t.Context(), OptimizationID(uuid.New(), uuid.New()))
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	away, err := Dial(t.Context(), ClientOptions{Address: "127.0.0.1:1", PayloadKey: testKey})
	require.NoError(t, err)
	defer away.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = away.Timeline(ctx, "any")
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
}
