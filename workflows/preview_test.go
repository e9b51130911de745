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
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
)

// TestPreviewEdit previews a shorter life on a real server, twice, and one of
// an asset that does not exist.
func TestPreviewEdit(t *testing.T) {
	p := newPlatform(t)
	asset := p.asset()
	age := 3000.0
	in := PreviewInput{TenantID: p.tenant, AssetID: asset, At: time.Now().UTC().Truncate(time.Second),
		Change: reliability.Change{Life: &reliability.Life{Beta: 3, EtaDays: 300, AgeDays: &age}}}
	first, err := p.client.previewAt(t.Context(), in)
	require.NoError(t, err)
	require.NotNil(t, first.Plans)
	require.True(t, first.Plans.OwnAfter.Do)
	require.Greater(t, first.After.P30, first.Before.P30)
	again, err := p.client.previewAt(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same question has the same answer")
	require.Zero(t, p.count(`SELECT count(*) FROM ai.asset_scores WHERE tenant_id = $1`, p.tenant), "a preview stores nothing")
	require.Zero(t, p.count(`SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1`, p.tenant))

	_, err = p.client.PreviewEdit(t.Context(), p.tenant, uuid.New(), in.Change)
	p.refused(err, fault.NotFound, activities.KeyNoAssets)
	id, err := PreviewID(in)
	require.NoError(t, err)
	p.record("preview", id)
}

// asset is an asset of the plant.
func (p *platform) asset() uuid.UUID {
	p.t.Helper()
	var id uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT id FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1`, p.tenant).Scan(&id)
	})
	return id
}

func TestPreviewRepeatsOnce(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(30 * time.Second)
	var a *activities.Preview
	env.RegisterActivity(a)
	attempts := 0
	env.OnActivity(a.ScoreEdit, mock.Anything, mock.Anything).Return(func(context.Context, activities.EditInput) (activities.ScoredEdit, error) {
		attempts++
		return activities.ScoredEdit{}, temporal.NewApplicationError("database away", activities.TypeUnavailable)
	})
	env.ExecuteWorkflow(EditPreview, PreviewInput{TenantID: testTenant, AssetID: testRun})
	require.Error(t, env.GetWorkflowError())
	require.Equal(t, 2, attempts, "a person waits: one repetition and no more")
}
