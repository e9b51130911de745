package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
)

var (
	testTraining  = TrainingInput{TenantID: uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000001"), RunID: testRun, Kind: "rul:ROT", Reason: "manual"}
	testCandidate = uuid.MustParse("0a0a0a0a-0000-4000-8000-00000000000c")
)

// trainingEnv is a test environment of ModelTraining and ModelUpkeep.
type trainingEnv struct {
	*testsuite.TestWorkflowEnvironment
	acts   *activities.Training
	failed []activities.FailedTraining
	steps  []string
}

func newTrainingEnv(t *testing.T) *trainingEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := &trainingEnv{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	env.SetTestTimeout(30 * time.Second)
	env.RegisterActivity(env.acts)
	env.RegisterWorkflow(ModelTraining)
	env.OnActivity(env.acts.BeginTraining, mock.Anything, mock.Anything).Return(activities.TrainingStep{}, nil).Maybe()
	env.OnActivity(env.acts.EvaluateCandidate, mock.Anything, mock.Anything).Return(func(context.Context, activities.TrainingCase) (activities.TrainingStep, error) {
		env.steps = append(env.steps, "evaluate")
		return activities.TrainingStep{CandidateID: testCandidate}, nil
	}).Maybe()
	env.OnActivity(env.acts.DecideTraining, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.TrainingCase) (activities.TrainingStep, error) {
		env.steps = append(env.steps, "decide")
		return activities.TrainingStep{CandidateID: in.CandidateID, Outcome: "promoted", Closed: true}, nil
	}).Maybe()
	env.OnActivity(env.acts.FailTraining, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.FailedTraining) error {
		env.failed = append(env.failed, in)
		return nil
	}).Maybe()
	return env
}

// trains mocks the step that learns.
func (e *trainingEnv) trains(step activities.TrainingStep, err error) {
	e.OnActivity(e.acts.TrainCandidate, mock.Anything, mock.Anything).Return(step, err)
}

func TestTrainingTakesItsSteps(t *testing.T) {
	t.Parallel()
	env := newTrainingEnv(t)
	env.trains(activities.TrainingStep{CandidateID: testCandidate}, nil)
	env.ExecuteWorkflow(ModelTraining, testTraining)
	require.NoError(t, env.GetWorkflowError())
	var result TrainingResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, TrainingResult{Outcome: "promoted", CandidateID: testCandidate}, result)
	require.Equal(t, []string{"evaluate", "decide"}, env.steps)
	require.Empty(t, env.failed)
}

func TestTrainingWithTooLittleDataEndsWell(t *testing.T) {
	t.Parallel()
	env := newTrainingEnv(t)
	env.trains(activities.TrainingStep{Outcome: "too_little_data", Closed: true}, nil)
	env.ExecuteWorkflow(ModelTraining, testTraining)
	require.NoError(t, env.GetWorkflowError())
	require.Empty(t, env.steps)
	require.Empty(t, env.failed)
}

func TestFailedTrainingIsClosed(t *testing.T) {
	t.Parallel()
	env := newTrainingEnv(t)
	env.trains(activities.TrainingStep{}, temporal.NewNonRetryableApplicationError("bad rows", "Invalid", nil, activities.ErrorDetail{Code: "invalid", Key: "models.unknown_kind"}))
	env.ExecuteWorkflow(ModelTraining, testTraining)
	require.Error(t, env.GetWorkflowError())
	require.Len(t, env.failed, 1)
	require.Equal(t, "models.unknown_kind", env.failed[0].Cause.Key)
}

func TestCancelledTrainingIsClosed(t *testing.T) {
	t.Parallel()
	env := newTrainingEnv(t)
	env.OnActivity(env.acts.TrainCandidate, mock.Anything, mock.Anything).Return(activities.TrainingStep{CandidateID: testCandidate}, nil).After(time.Hour)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	env.ExecuteWorkflow(ModelTraining, testTraining)
	require.Error(t, env.GetWorkflowError())
	require.Len(t, env.failed, 1)
	require.Equal(t, activities.KeyTrainingCancelled, env.failed[0].Cause.Key)
}

func TestUpkeepOfModelsGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	env := newTrainingEnv(t)
	sick, well := uuid.New(), uuid.New()
	env.OnActivity(env.acts.ListActiveModels, mock.Anything, mock.Anything).Return([]uuid.UUID{sick, well}, nil)
	var checked []uuid.UUID
	env.OnActivity(env.acts.CheckDrift, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.ModelCheck) error {
		if in.ModelID == sick {
			return temporal.NewNonRetryableApplicationError("damaged", "Internal", errors.New("checksum"))
		}
		checked = append(checked, in.ModelID)
		return nil
	})
	env.OnActivity(env.acts.ListDueTrainings, mock.Anything, mock.Anything).Return([]activities.DueTraining{{Kind: "rul:ROT", Reason: "drift"}, {Kind: "anomaly", Reason: "schedule"}}, nil)
	var asked []TrainingInput
	env.OnWorkflow(ModelTraining, mock.Anything, mock.Anything).Return(func(_ workflow.Context, in TrainingInput) (TrainingResult, error) {
		asked = append(asked, in)
		if in.Kind == "rul:ROT" {
			return TrainingResult{}, errors.New("no")
		}
		return TrainingResult{Outcome: "kept"}, nil
	})
	env.ExecuteWorkflow(ModelUpkeep, RegistryInput{TenantID: testTraining.TenantID})
	require.ErrorContains(t, env.GetWorkflowError(), "damaged")
	require.Equal(t, []uuid.UUID{well}, checked)
	require.Len(t, asked, 2)
	require.Equal(t, "drift", asked[0].Reason)
	require.NotEqual(t, asked[0].RunID, asked[1].RunID)
}

// TestModelsAreTrainedAndWatched lets the schedule of a fresh tenant train its
// first model, stops the worker in the middle, and checks drift afterwards.
func TestModelsAreTrainedAndWatched(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	require.NoError(t, p.client.EnsureTenantSchedules(ctx, p.tenant, nil))
	running := func() bool {
		return p.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND kind = 'rul:ROT' AND state = 'running'`, p.tenant) == 1
	}
	p.eventually(running, "a new schedule trains at once")
	p.halt()
	p.work()
	promoted := func() bool {
		return p.count(`SELECT count(*) FROM ai.models WHERE tenant_id = $1 AND kind = 'rul:ROT' AND state = 'active'`, p.tenant) == 1
	}
	p.eventually(promoted, "the training survives the worker")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM ai.models WHERE tenant_id = $1 AND kind = 'rul:ROT'`, p.tenant))
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'model.promoted'`, p.tenant))
	var run uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT id FROM ai.training_runs WHERE tenant_id = $1 AND kind = 'rul:ROT'`, p.tenant).Scan(&run)
	})
	require.NoError(t, p.client.StartTraining(ctx, p.tenant, run), "starting a finished training changes nothing")
	ended := func() bool {
		return p.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND state = 'running'`, p.tenant) == 0
	}
	p.eventually(ended, "every training ends")
	p.record("training", TrainingID(p.tenant, run))
	checks := func() int { return p.count(`SELECT count(*) FROM ai.drift_checks WHERE tenant_id = $1`, p.tenant) }
	p.eventually(func() bool { return checks() == 1 }, "what came into service is looked at")

	require.NoError(t, p.client.temporal.ScheduleClient().GetHandle(ctx, RegistryID(p.tenant)).Trigger(ctx, triggerNow))
	p.eventually(func() bool { return checks() == 2 }, "the model in service is checked every round")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND kind = 'rul:ROT'`, p.tenant), "not due again")
	report, err := p.db.VerifyAudit(ctx, p.tenant)
	require.NoError(t, err)
	require.True(t, report.Intact)
	p.recordPrefix("models", RegistryID(p.tenant))
}
