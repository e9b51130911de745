package activities

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// TestPlantedFaults plants one fault in the first signal of a healthy asset,
// lets it be scored twice, and looks whether it is found, or the signal
// refused, with the signal named and one alert at most.
func TestPlantedFaults(t *testing.T) {
	const days = 24 * time.Hour
	first := func(change func(back time.Duration, v float64) (float64, bool)) change {
		return func(i int, back time.Duration, v float64) (float64, asset.Quality, bool) {
			if i != 0 {
				return v, asset.Good, true
			}
			v, ok := change(back, v)
			return v, asset.Good, ok
		}
	}
	noise := rand.New(rand.NewPCG(3, 4))
	found := map[string]change{
		"drift": first(func(back time.Duration, v float64) (float64, bool) { return v + 3*max(0, 10-back.Hours()/24), true }),
		"step": first(func(back time.Duration, v float64) (float64, bool) {
			return v + map[bool]float64{true: 25}[back < 2*days], true
		}),
		"noise": first(func(back time.Duration, v float64) (float64, bool) {
			return v + map[bool]float64{true: 30 * noise.NormFloat64()}[back < 4*days], true
		}),
	}
	for name, fault := range found {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.measure(fault)
			s, _ := r.score(r.now.Add(time.Minute))
			require.True(t, s.Trusted)
			require.True(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
			require.Equal(t, "vibration", s.Anomaly.Contributors[0].Signal, "%+v", s.Anomaly)
			require.Equal(t, 1, r.alerts(AlertAnomaly))
			_, again := r.score(r.now.Add(2 * time.Minute))
			require.Zero(t, again.Alerts)
			require.Equal(t, 1, r.alerts(AlertAnomaly))
		})
	}
	refused := map[scoring.Code]change{
		scoring.CodeStuck: first(func(back time.Duration, v float64) (float64, bool) {
			return map[bool]float64{true: 101.5, false: v}[back < 4*days], true
		}),
		scoring.CodeStale: first(func(back time.Duration, v float64) (float64, bool) { return v, back > days }),
		scoring.CodeWrongUnit: first(func(back time.Duration, v float64) (float64, bool) {
			return map[bool]float64{true: v / 25.4, false: v}[back < 4*days], true
		}),
	}
	for code, fault := range refused {
		t.Run(string(code), func(t *testing.T) {
			r := newRig(t)
			r.measure(fault)
			s, _ := r.score(r.now.Add(time.Minute))
			require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
			require.False(t, s.Trust.Signals[0].OK)
			require.Equal(t, "vibration", s.Trust.Signals[0].Signal)
			require.Contains(t, codesOf(s.Trust.Signals[0].Reasons), string(code))
			require.Equal(t, 3, s.Trust.Usable)
			require.Zero(t, r.alerts(AlertAnomaly))
		})
	}
}

func TestLostAssetIsGreyed(t *testing.T) {
	r := newRig(t)
	r.measure(func(_ int, back time.Duration, v float64) (float64, asset.Quality, bool) {
		return v, asset.Good, back > 48*time.Hour
	})
	s, result := r.score(r.now)
	require.False(t, s.Trusted)
	require.Equal(t, 1, result.Greyed)
	require.Equal(t, 1, r.alerts(AlertDataTrust))
	detail := `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND asset_id = $2 AND kind = 'data_trust' AND detail -> 'signals' ? 'vibration'`
	require.Equal(t, 1, r.count(detail, r.tenant, r.asset), "the alert names the signals")
	r.write(rowsOf(r, r.now)...)
	_, _ = r.score(r.now.Add(time.Second))
	require.Zero(t, r.alerts(AlertDataTrust), "the data came back")
}

// Hostile readings of one signal change nothing for the others, and the sweep
// counts and names them.
func TestHostileReadingsAreCountedAndNamed(t *testing.T) {
	r := newRig(t)
	hostile := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e9, -1e9, 1e300, math.MaxFloat64, -math.MaxFloat64}
	n := 0
	r.measure(func(i int, back time.Duration, v float64) (float64, asset.Quality, bool) {
		if i == 1 && back < 36*time.Hour && (back/rigPeriod)%3 == 0 {
			n++
			return hostile[n%len(hostile)], asset.Good, true
		}
		return v, asset.Good, true
	})
	at := r.now.Add(-20 * time.Minute)
	r.write(db.Row{SignalID: r.signals[2].ID, Time: at, Value: 100}, db.Row{SignalID: r.signals[2].ID, Time: at, Value: 1e9}, // the first stays
		db.Row{SignalID: r.signals[2].ID, Time: at.Add(-5 * time.Minute), Value: 101}, // backwards
		db.Row{SignalID: r.signals[3].ID, Time: at, Value: 99, Quality: asset.Bad})
	batch, start := r.sweep(r.now)
	var result BatchResult
	batch.Assets = start.Assets
	r.do(&result, r.set.Scoring.ScoreBatch, batch)
	require.Equal(t, len(start.Assets), result.Scored, "nobody is held up")
	require.Zero(t, result.Failed)
	s := r.stored(batch.AsOf)
	require.True(t, s.Trusted)
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
	for _, v := range []float64{s.Health.Value, s.Failure.P30.Value, s.RUL.Value, s.Risk.Value, s.Anomaly.Value} {
		require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
	}
	require.GreaterOrEqual(t, result.Rejected, int64(3))
	r.do(nil, r.set.Scoring.FinishSweep, batch.Sweep, result)
	var text json.RawMessage
	r.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT detail FROM ai.scoring_sweeps WHERE tenant_id = $1 AND id = $2`, r.tenant, batch.SweepID).Scan(&text)
	})
	var detail db.SweepDetail
	require.NoError(t, json.Unmarshal(text, &detail))
	named := map[string]db.SweepRejected{}
	for _, x := range detail.Rejected {
		if x.Tag == "RIG-1" {
			named[x.Metric] = x
		}
	}
	require.Positive(t, named["bearing_temperature"].NotFinite+named["bearing_temperature"].Absurd)
	require.Equal(t, 1, named["motor_current"].Bad)
	require.NotContains(t, named, "vibration")
}

// What comes after a moment, and what is learned after it, changes no score of
// that moment.
func TestLaterDataChangesNoEarlierScore(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	asOf := r.now.Add(-5 * 24 * time.Hour)
	before, _ := r.score(asOf)
	_, _ = r.score(r.now) // learns a baseline
	require.Equal(t, 1, r.count(`SELECT count(*) FROM ai.asset_baselines WHERE tenant_id = $1 AND asset_id = $2 AND state = 'active'`, r.tenant, r.asset))
	var rows []db.Row
	for _, s := range r.signals {
		for m := range 60 {
			rows = append(rows, db.Row{SignalID: s.ID, Time: asOf.Add(time.Duration(m+1) * 37 * time.Minute), Value: 190})
		}
	}
	r.write(rows...)
	r.exec(`INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by) VALUES ($1, $2, $3, 10, 'failure')`, r.tenant, r.asset, r.now)
	r.exec(`INSERT INTO core.asset_inspections (tenant_id, asset_id, inspected_at, grade) VALUES ($1, $2, $3, 0)`, r.tenant, r.asset, r.now)
	after, _ := r.score(asOf)
	require.Equal(t, before, after)
}

// A sweep scores what has something new, and nothing else.
func TestSweepsAreIncremental(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	batch, start := r.sweep(r.now)
	r.do(nil, r.set.Scoring.ScoreBatch, batch)
	next := func() []uuid.UUID {
		_, start := r.sweep(r.now)
		return start.Assets
	}
	r.exec(`UPDATE ai.asset_score_latest SET due_at = now() + interval '1 hour' WHERE tenant_id = $1`, r.tenant)
	require.Empty(t, next(), "nothing new")
	require.Equal(t, len(start.Assets), r.count(`SELECT assets_skipped FROM ai.scoring_sweeps WHERE tenant_id = $1 ORDER BY started_at DESC LIMIT 1`, r.tenant))
	r.write(db.Row{SignalID: r.signals[0].ID, Time: r.now.Add(time.Minute), Value: 100})
	require.Equal(t, []uuid.UUID{r.asset}, next(), "one reading")
	_, _ = r.score(r.now.Add(2 * time.Minute))
	r.exec(`UPDATE ai.asset_score_latest SET due_at = now() + interval '1 hour' WHERE tenant_id = $1`, r.tenant)
	require.Empty(t, next())
	r.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.TouchScores(ctx, tx, r.tenant, []uuid.UUID{r.asset})
	})
	require.Equal(t, []uuid.UUID{r.asset}, next(), "touched")
}

// The score is due again when its next signal goes stale, and a change made
// while it was being computed is not lost.
func TestScoresFallDue(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	_, _ = r.score(r.now)
	due := func() (at time.Time) {
		r.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return tx.QueryRow(ctx, `SELECT due_at FROM ai.asset_score_latest WHERE tenant_id = $1 AND asset_id = $2`, r.tenant, r.asset).Scan(&at)
		})
		return at.UTC()
	}
	require.Equal(t, r.now.Add(3*rigPeriod+time.Second), due(), "three periods after the last reading")
	batch, _ := r.sweep(r.now.Add(time.Minute))
	batch.Assets = []uuid.UUID{r.asset}
	assets, err := r.set.Scoring.loadBatch(t.Context(), batch)
	require.NoError(t, err)
	r.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.TouchScores(ctx, tx, r.tenant, []uuid.UUID{r.asset})
	})
	touched := due()
	_, err = r.set.Scoring.saveBatch(t.Context(), batch, []outcome{scoreAsset(batch, assets[0])})
	require.NoError(t, err)
	require.Equal(t, touched, due())
}

// A failing asset is named and holds up no other.
func TestFailedAssetDoesNotPoisonTheBatch(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	r.exec(`UPDATE core.assets SET attributes = '{"cnaim": {"age": "old"}}' WHERE tenant_id = $1 AND id = $2`, r.tenant, r.asset)
	batch, start := r.sweep(r.now)
	var result BatchResult
	r.do(&result, r.set.Scoring.ScoreBatch, batch)
	require.Equal(t, len(start.Assets)-1, result.Scored)
	require.Equal(t, 1, result.Failed)
	require.Equal(t, r.asset, result.Failures[0].AssetID)
	r.do(nil, r.set.Scoring.FinishSweep, batch.Sweep, result)
	require.Equal(t, 1, r.count(`SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1 AND detail #>> '{failed,0,tag}' = 'RIG-1' AND detail ->> 'failures' = '1'`, r.tenant))
}

// One value that the database refuses loses one asset, not its batch.
func TestRefusedRowIsStoredAlone(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	batch, _ := r.sweep(r.now)
	assets, err := r.set.Scoring.loadBatch(t.Context(), batch)
	require.NoError(t, err)
	outcomes := make([]outcome, 0, len(assets))
	for i, a := range assets {
		outcomes = append(outcomes, scoreAsset(batch, a))
		if a.row.ID == r.asset {
			outcomes[i].row.HealthScore = 101
		}
	}
	result, err := r.set.Scoring.saveBatch(t.Context(), batch, outcomes)
	require.NoError(t, err)
	require.Equal(t, 1, result.Failed)
	require.Equal(t, len(assets)-1, result.Scored)
	require.Equal(t, r.asset, result.Failures[0].AssetID)
}

// The healthy state is learned once, kept through a drift, taught by a verdict
// and learned anew after a renewal.
func TestBaselineLivesWithItsAsset(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	_, _ = r.score(r.now)
	versions := func(state string) int {
		return r.count(`SELECT count(*) FROM ai.asset_baselines WHERE tenant_id = $1 AND asset_id = $2 AND state = $3`, r.tenant, r.asset, state)
	}
	require.Equal(t, 1, versions("active"))
	_, _ = r.score(r.now.Add(time.Minute))
	require.Equal(t, 1, versions("active"))
	require.Zero(t, versions("retired"), "learned once")

	alert := r.id(`INSERT INTO core.alerts (tenant_id, asset_id, kind, severity, dedupe_key, raised_at, last_seen_at)
		VALUES ($1, $2, 'anomaly', 3, 'judged', $3, $3) RETURNING id`, r.tenant, r.asset, r.now)
	r.exec(`INSERT INTO ai.labels (tenant_id, alert_id, asset_id, verdict, episode_from, episode_to, detail, given_by, given_at)
		VALUES ($1, $2, $3, 'expected', $4, $5, '{"admit": true}', $6, $5)`, r.tenant, alert, r.asset, r.now.Add(-72*time.Hour), r.now.Add(90*time.Second), r.people["reliability_engineer"])
	_, _ = r.score(r.now.Add(2 * time.Minute))
	require.Equal(t, 1, versions("retired"), "taught")
	_, _ = r.score(r.now.Add(3 * time.Minute))
	require.Equal(t, 1, versions("retired"), "taught once")
	require.Equal(t, 1, versions("active"))

	r.exec(`INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by) VALUES ($1, $2, $3, 300, 'preventive')`, r.tenant, r.asset, r.now.Add(200*time.Second))
	r.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RetireBaselines(ctx, tx, r.tenant, []uuid.UUID{r.asset})
		return err
	})
	s, _ := r.score(r.now.Add(4 * time.Minute))
	require.Zero(t, versions("active"), "too little is known of the renewed asset")
	require.False(t, s.Anomaly.Flag)
}

// Lives, inspections and the change of risk reach the score.
func TestKnowledgeReachesTheScore(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	first, _ := r.score(r.now.Add(-25 * time.Hour))
	for n := range 6 {
		r.exec(`INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by) VALUES ($1, $2, $3, 320, 'failure')`,
			r.tenant, r.asset, r.now.AddDate(-1, -n, 0))
	}
	r.exec(`INSERT INTO core.asset_inspections (tenant_id, asset_id, inspected_at, grade) VALUES ($1, $2, $3, 0.2)`, r.tenant, r.asset, r.now.Add(-time.Hour))
	second, _ := r.score(r.now)
	require.Less(t, second.Failure.Life.Eta, first.Failure.Life.Eta, "six early failures of the class")
	require.Greater(t, second.Failure.P30.Value, first.Failure.P30.Value)
	require.Equal(t, 1, r.count(`SELECT count(*) FROM ai.asset_score_latest WHERE tenant_id = $1 AND asset_id = $2
		AND abs(risk_index_change - $3) < 1e-9`, r.tenant, r.asset, second.Risk.Index.Value-first.Risk.Index.Value))
}
