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

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/manifest"
)

// TestRerunComesOutTheSame takes a run and its repetition through the real
// workers; the repetition is started twice.
func TestRerunComesOutTheSame(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	run := p.request(1)
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, run))
	p.eventually(func() bool { s := p.run(run).State; return s != "requested" && s != "running" }, "run ends")
	require.Equal(t, "done", p.run(run).State)
	again := uuid.New()
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RequestRerun(ctx, tx, db.RequestRerunParams{TenantID: p.tenant, ID: again, RunID: run, RequestedBy: p.run(run).RequestedBy})
		return err
	})
	for range 2 {
		require.NoError(t, p.client.StartRerun(ctx, p.tenant, again))
	}
	var row db.Rerun
	p.eventually(func() bool {
		p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			row, err = q.GetRerun(ctx, tx, p.tenant, again)
			return err
		})
		return row.State == "done" || row.State == "failed"
	}, "rerun ends")
	require.Equal(t, "done", row.State, row.ErrorKey)
	require.True(t, *row.Identical, "%s", row.Result)
	p.record("rerun", RerunID(p.tenant, again))
}

// TestFailedRerunSaysWhy: a repetition that cannot be made is closed with the
// reason.
func TestFailedRerunSaysWhy(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(30 * time.Second)
	acts := &activities.Rerun{}
	env.RegisterActivity(acts)
	detail := activities.ErrorDetail{Code: "conflict", Key: manifest.KeyChanged}
	env.OnActivity(acts.BeginRerun, mock.Anything, mock.Anything).
		Return(activities.BegunRerun{}, temporal.NewNonRetryableApplicationError("changed", activities.TypeConflict, errors.New("changed"), detail))
	var closed activities.FailedRerun
	env.OnActivity(acts.FailRerun, mock.Anything, mock.Anything).Return(nil).Run(func(args mock.Arguments) { closed = args.Get(1).(activities.FailedRerun) })
	in := RerunInput{TenantID: uuid.New(), RerunID: uuid.New()}
	env.ExecuteWorkflow(Rerun, in)
	require.Error(t, env.GetWorkflowError())
	require.Equal(t, manifest.KeyChanged, closed.Cause.Key)
	require.Equal(t, in.RerunID, closed.RerunID)
}
