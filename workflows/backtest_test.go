package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
)

// A replay that cannot be done is told in the row, with the reason.
func TestFailedBacktestSaysWhy(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(30 * time.Second)
	acts := &activities.Backtest{}
	env.RegisterActivity(acts)
	detail := activities.ErrorDetail{Code: "invalid", Key: activities.KeyNoAssets}
	env.OnActivity(acts.ReplayDecisions, mock.Anything, mock.Anything).
		Return(temporal.NewNonRetryableApplicationError("no assets", activities.TypeInvalid, nil, detail))
	var closed activities.FailedBacktest
	env.OnActivity(acts.FailBacktest, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.FailedBacktest) error {
		closed = in
		return nil
	})
	in := BacktestInput{TenantID: uuid.New(), BacktestID: uuid.New()}
	env.ExecuteWorkflow(DecisionBacktest, in)
	require.Error(t, env.GetWorkflowError())
	require.Equal(t, activities.BacktestRef{TenantID: in.TenantID, BacktestID: in.BacktestID}, closed.BacktestRef)
	require.Equal(t, activities.KeyNoAssets, closed.Cause.Key)
}

// TestBacktestSurvivesItsWorker stops the worker in the middle of a replay.
func TestBacktestSurvivesItsWorker(t *testing.T) {
	p := newPlatform(t)
	to := time.Now().UTC().Truncate(24 * time.Hour)
	var id uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		id, err = q.AddBacktest(ctx, tx, db.AddBacktestParams{TenantID: p.tenant, RequestedBy: p.people["tenant_admin"], FromDay: to.AddDate(0, 0, -360), ToDay: to, StepDays: 7, HorizonDays: 30, Seed: 1})
		return err
	})
	require.NoError(t, p.client.StartBacktest(t.Context(), p.tenant, id))
	state := func(want string) func() bool {
		return func() bool {
			return p.count(`SELECT count(*) FROM optimization.backtests WHERE tenant_id = $1 AND id = $2 AND (state = $3 OR progress > 0.1 AND $3 = 'begun')`, p.tenant, id, want) == 1
		}
	}
	p.eventually(state("begun"), "the replay is under way")
	p.halt()
	p.work()
	p.eventually(state("done"), "the replay survives the worker")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'backtest.finished'`, p.tenant))
	p.record("backtest", BacktestID(p.tenant, id))
}
