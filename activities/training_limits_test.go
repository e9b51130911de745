package activities

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// Limits are calibrated on what engineers judged, dated from the oldest
// case, and kept back when those in service do as well.
func TestLimitsAreCalibratedOnVerdicts(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	r.exec(`UPDATE core.assets SET archived_at = now() WHERE tenant_id = $1 AND id <> $2`, r.tenant, r.asset)
	for i := range learning.LeastLabels {
		verdict := map[bool]string{true: "confirmed", false: "false"}[i%4 == 0]
		at := r.now.AddDate(0, 0, -1-i)
		alert := r.id(`INSERT INTO core.alerts (tenant_id, asset_id, kind, severity, dedupe_key, raised_at, last_seen_at, closed_at)
			VALUES ($1, $2, 'anomaly', 3, $3::timestamptz::text, $3, $3, $3) RETURNING id`, r.tenant, r.asset, at)
		r.exec(`INSERT INTO ai.labels (tenant_id, alert_id, asset_id, verdict, episode_from, episode_to, detail, given_by, given_at)
			VALUES ($1, $2, $3, $4, $5::timestamptz - interval '12 hours', $5, '{}', $6, $5)`, r.tenant, alert, r.asset, verdict, at, r.people["reliability_engineer"])
	}
	ref := r.newTraining(learning.KindAnomaly)
	var step TrainingStep
	r.do(&step, r.set.Training.TrainCandidate, ref)
	require.False(t, step.Closed)
	r.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		m, err := q.LoadModel(ctx, tx, r.tenant, step.CandidateID)
		require.NoError(t, err)
		require.Equal(t, m.TrainedTo.Add(-(quietLookBack-1)*learning.NormalSpan), *m.TrainedFrom, "the oldest quiet week")
		require.WithinDuration(t, time.Now(), *m.TrainedTo, time.Minute)
		var report learning.LimitsReport
		require.NoError(t, json.Unmarshal(m.Metrics, &report))
		require.Equal(t, learning.LeastLabels, report.Chosen.Confirmed+report.Chosen.Rejected+report.Candidate.Confirmed+report.Candidate.Rejected)
		require.Equal(t, report.Active.Rejected, report.Candidate.Rejected)
		return nil
	})
	made := TrainingCase{ref, step.CandidateID}
	r.do(&step, r.set.Training.EvaluateCandidate, made)
	r.do(&step, r.set.Training.DecideTraining, made)
	require.Equal(t, OutcomeKept, step.Outcome, "a healthy asset tells no limits apart")
	r.intact()
}
