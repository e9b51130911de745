package activities

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// sweep starts a sweep of the plant, of every asset when the moment is past.
func (f *plantFixture) sweep(asOf time.Time) (Batch, SweepStart) {
	f.t.Helper()
	s := Sweep{TenantID: f.tenant, SweepID: uuid.New(), AsOf: asOf.UTC().Truncate(time.Second), WorkflowID: "w", Every: time.Since(asOf) > time.Hour}
	var start SweepStart
	f.do(&start, f.set.Scoring.StartSweep, s)
	return Batch{Sweep: s, ModelID: start.ModelID, Assets: start.Assets}, start
}

func TestRepeatedBatchChangesNothing(t *testing.T) {
	f := newPlant(t)
	batch, start := f.sweep(time.Now())
	require.NotEmpty(t, start.Assets)
	var first, again BatchResult
	f.do(&first, f.set.Scoring.ScoreBatch, batch)
	require.Equal(t, len(start.Assets), first.Scored)
	require.Less(t, first.Greyed, first.Scored, "the seeded history is fresh enough to trust")
	scores := f.count(`SELECT count(*) FROM ai.asset_scores WHERE tenant_id = $1`, f.tenant)
	alerts := f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1`, f.tenant)
	require.Equal(t, first.Alerts, alerts)
	f.do(&again, f.set.Scoring.ScoreBatch, batch)
	require.Equal(t, first.Scored, again.Scored)
	require.Zero(t, again.Alerts, "open alerts are moved, not raised again")
	require.Equal(t, scores, f.count(`SELECT count(*) FROM ai.asset_scores WHERE tenant_id = $1`, f.tenant))
	require.Equal(t, alerts, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1`, f.tenant))

	f.do(nil, f.set.Scoring.FinishSweep, batch.Sweep, first)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1 AND state = 'done' AND assets_scored = assets_total`, f.tenant))
	_, second := f.sweep(time.Now())
	require.Equal(t, start.ModelID, second.ModelID, "one model per version")
}

func TestOldScoresDoNotReplaceNewerOnes(t *testing.T) {
	f := newPlant(t)
	now, _ := f.sweep(time.Now())
	f.do(nil, f.set.Scoring.ScoreBatch, now)
	old, _ := f.sweep(time.Now().Add(-24 * time.Hour))
	f.do(nil, f.set.Scoring.ScoreBatch, old)
	require.Zero(t, f.count(`SELECT count(*) FROM ai.asset_score_latest WHERE tenant_id = $1 AND as_of < $2`, f.tenant, now.AsOf))
	require.Equal(t, 2*len(now.Assets), f.count(`SELECT count(*) FROM ai.asset_scores WHERE tenant_id = $1`, f.tenant))
}

func TestAlertsFollowTheScoreAndTheJudgement(t *testing.T) {
	f := newPlant(t)
	asset := f.id(`SELECT id FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1`, f.tenant)
	at := time.Now().UTC()
	settle := func(flag bool) (raised int) {
		var s scoring.AssetScore
		s.Trusted, s.Anomaly.Flag, s.Risk.Level = true, flag, 2
		f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			raised, err = settleAlerts(ctx, tx, q, f.tenant, at, alertsOf(asset, scoring.DefaultSettings(), s)...)
			return err
		})
		return raised
	}
	open := `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND closed_at IS NULL`
	require.Equal(t, 1, settle(true))
	require.Zero(t, settle(true))
	require.Equal(t, 1, f.count(open, f.tenant))
	require.Zero(t, settle(false))
	require.Zero(t, f.count(open, f.tenant), "gone: cleared")
	require.Equal(t, 1, settle(true), "back: news")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND closed_at IS NULL AND state = 'new' AND occurrences = 2`, f.tenant),
		"opened again, not raised beside the old one")
	f.exec(`UPDATE core.alerts SET state = 'expected', closed_at = now() WHERE tenant_id = $1 AND closed_at IS NULL`, f.tenant)
	require.Zero(t, settle(true), "judged expected: quiet for a day")
	at = at.Add(25 * time.Hour)
	require.Equal(t, 1, settle(true))
}
