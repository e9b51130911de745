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
)

// The people and the plan of the approval tests.
var (
	testTenant = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000001")
	testPlan   = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000002")
	launcher   = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000003")
	proposer   = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000004")
	approver   = uuid.MustParse("0a0a0a0a-0000-4000-8000-000000000005")
)

// answerTo collects the answers to one update.
type answerTo struct {
	rejected  error // by the validator
	err       error // by the handler
	state     PlanState
	completed int
}

func (a *answerTo) Accept()          {}
func (a *answerTo) Reject(err error) { a.rejected = err }
func (a *answerTo) Complete(result any, err error) {
	a.completed++
	a.err = err
	if s, ok := result.(PlanState); ok {
		a.state = s
	}
}

// approvalEnv is a test environment of PlanApproval with a plan of which people
// are reminded after four hours, which is due in eight and expires after twenty
// days, on which recorded decisions answer as the database would.
type approvalEnv struct {
	*testsuite.TestWorkflowEnvironment
	view                                   activities.ApprovalView // what the database says
	last                                   activities.DecisionInput
	recorded, reminded, escalated, expired int
	away                                   int // attempts to record that fail because the database is away
}

func newApprovalEnv(t *testing.T, change ...func(*activities.ApprovalView)) *approvalEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := &approvalEnv{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	env.SetTestTimeout(30 * time.Second)
	start := env.Now()
	env.view = activities.ApprovalView{
		State: "proposed", LaunchedBy: launcher, ProposedBy: proposer, ProposedAt: start, RemindAt: start.Add(4 * time.Hour),
		DueAt: start.Add(8 * time.Hour), ExpireAt: start.Add(testExpiry),
	}
	for _, c := range change {
		c(&env.view)
	}
	var a *activities.Approval
	env.RegisterActivity(a)
	env.OnActivity(a.LoadApproval, mock.Anything, mock.Anything).Return(func(context.Context, activities.PlanRef) (activities.ApprovalView, error) {
		return env.view, nil
	}).Maybe()
	env.OnActivity(a.RecordDecision, mock.Anything, mock.Anything).After(time.Second).Return(
		func(_ context.Context, in activities.DecisionInput) (activities.Recorded, error) {
			if env.away > 0 {
				env.away--
				return activities.Recorded{}, errors.New("the database is away")
			}
			env.recorded++
			env.last = in
			if in.Kind == Approved || in.Kind == Returned {
				env.view.State = in.Kind
			}
			env.view.Decisions = env.recorded
			return activities.Recorded{State: env.view.State, Decisions: env.recorded}, nil
		}).Maybe()
	env.OnActivity(a.RemindApproval, mock.Anything, mock.Anything).Return(func(context.Context, activities.PlanRef) error {
		env.reminded++
		env.view.Reminded = true
		return nil
	}).Maybe()
	env.OnActivity(a.EscalateApproval, mock.Anything, mock.Anything).Return(func(context.Context, activities.PlanRef) error {
		env.escalated++
		env.view.Escalated = true
		return nil
	}).Maybe()
	env.OnActivity(a.ExpireApproval, mock.Anything, mock.Anything).Return(func(context.Context, activities.PlanRef) (activities.Recorded, error) {
		env.expired++
		return activities.Recorded{State: "expired"}, nil
	}).Maybe()
	return env
}

// testExpiry is how long the plan of the tests waits at most.
const testExpiry = 20 * 24 * time.Hour

func (e *approvalEnv) decideAfter(d time.Duration, updateID string, decision Decision) *answerTo {
	answer := &answerTo{}
	e.RegisterDelayedCallback(func() { e.UpdateWorkflow(UpdateDecide, updateID, answer, decision) }, d)
	return answer
}

func (e *approvalEnv) run(t *testing.T) PlanState {
	t.Helper()
	e.ExecuteWorkflow(PlanApproval, ApprovalInput{TenantID: testTenant, PlanID: testPlan})
	require.True(t, e.IsWorkflowCompleted())
	require.NoError(t, e.GetWorkflowError())
	var state PlanState
	require.NoError(t, e.GetWorkflowResult(&state))
	return state
}

func requireType(t *testing.T, want string, err error) {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, want, app.Type())
}

func TestApprovalInTimeNeitherEscalatesNorExpires(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	endorsed := env.decideAfter(time.Hour, "e", Decision{ActorID: launcher, Kind: Endorsed})
	approved := env.decideAfter(7*time.Hour, "a", Decision{ActorID: approver, Kind: Approved})
	require.Equal(t, PlanState{State: "approved", Seq: 2}, env.run(t))
	require.NoError(t, endorsed.rejected)
	require.Equal(t, PlanState{State: "proposed", Seq: 1}, endorsed.state)
	require.Equal(t, PlanState{State: "approved", Seq: 2}, approved.state)
	require.Equal(t, 1, env.reminded)
	require.Zero(t, env.escalated)
	require.Zero(t, env.expired)
}

func TestApprovalBeforeTheReminderRemindsNobody(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	env.decideAfter(3*time.Hour, "a", Decision{ActorID: approver, Kind: Approved})
	require.Equal(t, "approved", env.run(t).State)
	require.Zero(t, env.reminded)
}

func TestApprovalWithoutReminder(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t, func(v *activities.ApprovalView) { v.RemindAt = time.Time{} })
	require.Equal(t, "expired", env.run(t).State)
	require.Zero(t, env.reminded)
	require.Equal(t, 1, env.escalated)
}

// The rules of a tenant may change while a plan waits: each moment is looked up
// again when it comes.
func TestApprovalFollowsRulesThatChange(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	start := env.Now()
	env.RegisterDelayedCallback(func() {
		env.view.RemindAt, env.view.ExpireAt = start.Add(6*time.Hour), start.Add(40*24*time.Hour)
	}, time.Hour)
	env.RegisterDelayedCallback(func() { require.Zero(t, env.reminded) }, 5*time.Hour)
	env.RegisterDelayedCallback(func() { require.Equal(t, 1, env.reminded) }, 7*time.Hour)
	require.Equal(t, "expired", env.run(t).State)
	require.Equal(t, 40*24*time.Hour, env.Now().Sub(start))
	require.Equal(t, 1, env.reminded)
	require.Equal(t, 1, env.escalated)
}

// An approval that began before tenants had rules keeps its thirty days.
func TestApprovalOfBeforeKeepsItsDeadlines(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	env.OnGetVersion(approvalDeadlines, workflow.DefaultVersion, workflow.Version(approvalDeadlinesVersion)).Return(workflow.DefaultVersion)
	start := env.Now()
	require.Equal(t, "expired", env.run(t).State)
	require.Zero(t, env.reminded)
	require.Equal(t, 1, env.escalated)
	require.Equal(t, approvalLife, env.Now().Sub(start))
}

func TestDecisionCarriesWhatWasSeenAndHeldBack(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	held := []uuid.UUID{testPlan}
	env.decideAfter(time.Hour, "a", Decision{ActorID: approver, Kind: Approved, Withheld: held, HoldReason: "spares late", ContentSHA256: []byte("hash")})
	require.Equal(t, "approved", env.run(t).State)
	require.Equal(t, held, env.last.Withheld)
	require.Equal(t, "spares late", env.last.HoldReason)
	require.Equal(t, []byte("hash"), env.last.ContentSHA256)
}

func TestApprovalEscalatesOnceAndCanStillBeDecided(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	env.decideAfter(10*24*time.Hour, "r", Decision{ActorID: approver, Kind: Returned, Comment: "crew on leave"})
	require.Equal(t, "returned", env.run(t).State)
	require.Equal(t, 1, env.escalated)
	require.Zero(t, env.expired)
}

func TestApprovalExpiresWhenTheRulesSay(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	start := env.Now()
	require.Equal(t, "expired", env.run(t).State)
	require.Equal(t, 1, env.escalated)
	require.Equal(t, 1, env.expired)
	require.Equal(t, testExpiry, env.Now().Sub(start))
}

func TestApprovalDoesNotEscalateTwiceAfterARestart(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t, func(v *activities.ApprovalView) { v.Escalated = true })
	require.Equal(t, "expired", env.run(t).State)
	require.Zero(t, env.escalated)
}

func TestApprovalOfADecidedPlanEndsAtOnce(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t, func(v *activities.ApprovalView) { v.State, v.Decisions = "approved", 3 })
	start := env.Now()
	require.Equal(t, PlanState{State: "approved", Seq: 3}, env.run(t))
	require.Equal(t, start, env.Now())
}

func TestValidatorRefuses(t *testing.T) {
	t.Parallel()
	long := make([]rune, maxComment+1)
	for i := range long {
		long[i] = 'ص'
	}
	for name, c := range map[string]struct {
		decision Decision
		want     string
	}{
		"approval by the launcher":    {Decision{ActorID: launcher, Kind: Approved}, ErrFourEyes},
		"approval by the proposer":    {Decision{ActorID: proposer, Kind: Approved}, ErrFourEyes},
		"a service account":           {Decision{ActorID: approver, Service: true, Kind: Approved}, ErrForbidden},
		"nobody":                      {Decision{Kind: Approved}, ErrInvalid},
		"an unknown kind":             {Decision{ActorID: approver, Kind: "blessed"}, ErrInvalid},
		"an objection without reason": {Decision{ActorID: approver, Kind: Objected}, ErrInvalid},
		"a return without reason":     {Decision{ActorID: approver, Kind: Returned}, ErrInvalid},
		"a return that holds back":    {Decision{ActorID: approver, Kind: Returned, Comment: "no", Withheld: []uuid.UUID{testPlan}, HoldReason: "no"}, ErrInvalid},
		"holding back for no reason":  {Decision{ActorID: approver, Kind: Approved, Withheld: []uuid.UUID{testPlan}}, ErrInvalid},
		"a comment that is too long":  {Decision{ActorID: approver, Kind: Approved, Comment: string(long)}, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newApprovalEnv(t)
			refused := env.decideAfter(time.Hour, "u", c.decision)
			require.Equal(t, "expired", env.run(t).State, "a refused decision leaves the plan waiting")
			requireType(t, c.want, refused.rejected)
			require.Zero(t, env.recorded)
		})
	}
}

func TestSecondDecisionIsRefused(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	first := env.decideAfter(time.Hour, "first", Decision{ActorID: approver, Kind: Approved})
	second := env.decideAfter(time.Hour, "second", Decision{ActorID: approver, Kind: Returned, Comment: "no"})
	require.Equal(t, PlanState{State: "approved", Seq: 1}, env.run(t))
	require.Equal(t, 1, first.completed)
	refusal := second.rejected
	if refusal == nil { // accepted while the first was being recorded
		refusal = second.err
	}
	requireType(t, ErrAlreadyDecided, refusal)
	require.Equal(t, 1, env.recorded)
}

func TestRepeatedUpdateGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	decision := Decision{ActorID: approver, Kind: Endorsed}
	first := env.decideAfter(time.Hour, "same", decision)
	again := env.decideAfter(2*time.Hour, "same", decision)
	require.Equal(t, "expired", env.run(t).State)
	require.Equal(t, 1, env.recorded)
	require.Equal(t, PlanState{State: "proposed", Seq: 1}, first.state)
	require.Equal(t, first.state, again.state)
}

// A decision whose row may have moved on is tried until its outcome is known,
// however long the database is away.
func TestDecisionOutlivesALongOutage(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	env.away = 9
	decided := env.decideAfter(time.Hour, "same", Decision{ActorID: approver, Kind: Approved})
	again := env.decideAfter(2*time.Hour, "same", Decision{ActorID: approver, Kind: Approved})
	require.Equal(t, PlanState{State: "approved", Seq: 1}, env.run(t))
	require.NoError(t, decided.err)
	require.Equal(t, PlanState{State: "approved", Seq: 1}, decided.state)
	require.NoError(t, again.err)
	require.Equal(t, 1, env.recorded)
}

func TestDatabaseHasTheLastWord(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	var a *activities.Approval
	env.RegisterActivity(a)
	env.OnActivity(a.LoadApproval, mock.Anything, mock.Anything).Return(activities.ApprovalView{
		State: "proposed", LaunchedBy: launcher, ProposedBy: proposer, ProposedAt: env.Now(), DueAt: env.Now().Add(time.Hour), ExpireAt: env.Now().Add(testExpiry), Escalated: true,
	}, nil)
	env.OnActivity(a.RecordDecision, mock.Anything, mock.Anything).Return(activities.Recorded{},
		temporal.NewApplicationErrorWithOptions("check four_eyes", activities.TypeFourEyes, temporal.ApplicationErrorOptions{NonRetryable: true})).Once()
	env.OnActivity(a.ExpireApproval, mock.Anything, mock.Anything).Return(activities.Recorded{State: "expired"}, nil)
	answer := &answerTo{}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateDecide, "u", answer, Decision{ActorID: approver, Kind: Approved})
	}, time.Hour)
	env.ExecuteWorkflow(PlanApproval, ApprovalInput{TenantID: testTenant, PlanID: testPlan})
	require.NoError(t, env.GetWorkflowError())
	requireType(t, ErrFourEyes, answer.err)
	env.AssertExpectations(t)
}

func TestLongHistoryContinuesAsNew(t *testing.T) {
	t.Parallel()
	env := newApprovalEnv(t)
	endorsed := env.decideAfter(time.Hour, "e", Decision{ActorID: launcher, Kind: Endorsed})
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, time.Hour+500*time.Millisecond)
	env.ExecuteWorkflow(PlanApproval, ApprovalInput{TenantID: testTenant, PlanID: testPlan})
	require.True(t, env.IsWorkflowCompleted())
	require.Equal(t, 1, endorsed.completed, "the decision in flight is answered first")
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(env.GetWorkflowError(), &again), "%v", env.GetWorkflowError())
}
