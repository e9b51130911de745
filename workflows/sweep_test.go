package workflows

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// A sweep of very many assets goes on as a new run of the same sweep, after
// the last asset of its page and with what was counted so far; a historian
// that is behind catches up first.
func TestLargeSweepGoesOnAsANewRun(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	var a *activities.Scoring
	page := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	env.OnActivity(a.StartSweep, mock.Anything, mock.Anything).Return(activities.SweepStart{Assets: page, More: true, Behind: true}, nil)
	env.OnActivity(a.RollUpHours, mock.Anything, testTenant).Return(7, nil).Once()
	env.OnActivity(a.ScoreBatch, mock.Anything, mock.Anything).Return(activities.BatchResult{Scored: 3}, nil)
	first := SweepInput{TenantID: testTenant, Totals: activities.BatchResult{Scored: 10}, SweepID: uuid.New(), AsOf: time.Now().UTC()}
	env.ExecuteWorkflow(ScoringSweep, first)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	env.AssertExpectations(t)
	var next SweepInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.Equal(t, first.SweepID, next.SweepID)
	require.True(t, first.AsOf.Equal(next.AsOf))
	require.Equal(t, page[2], next.After)
	require.Equal(t, 13, next.Totals.Scored)
	require.False(t, next.Every, "a sweep as of now stays incremental")
}

// A worker that goes away in the middle of a sweep changes neither its scores
// nor its record.
func TestSweepOutlivesItsWorker(t *testing.T) {
	p := newPlatform(t)
	at := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, p.client.StartSweepAsOf(t.Context(), p.tenant, at))
	sweeps := `SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1`
	p.eventually(func() bool { return p.count(sweeps, p.tenant) == 1 }, "sweep has begun")
	p.halt()
	p.work()
	p.eventually(func() bool { return p.count(sweeps+` AND state = 'done'`, p.tenant) == 1 }, "sweep ends")
	assets := p.count(`SELECT count(*) FROM core.assets WHERE tenant_id = $1 AND archived_at IS NULL`, p.tenant)
	require.Equal(t, assets, p.count(`SELECT count(*) FROM ai.asset_scores WHERE tenant_id = $1`, p.tenant))
	require.Equal(t, 1, p.count(sweeps, p.tenant))
	require.Equal(t, assets, p.count(`SELECT assets_scored FROM ai.scoring_sweeps WHERE tenant_id = $1`, p.tenant))
}
