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

// rig is an asset of its own with signals whose readings a test makes up: four
// signals that follow a daily load, one reading every half hour.
type rig struct {
	*plantFixture
	asset   uuid.UUID
	signals []db.Signal
	now     time.Time
}

const (
	rigPeriod = 30 * time.Minute
	rigDays   = 40
)

// newRig adds an asset with the given normal bands (mean ± a quarter of it,
// warning and alarm further out) to the plant.
func newRig(t *testing.T) *rig {
	t.Helper()
	f := newPlant(t)
	r := &rig{plantFixture: f, now: time.Now().UTC().Truncate(time.Minute)}
	r.asset = f.id(`INSERT INTO core.assets (tenant_id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id, age_days, weibull_beta, weibull_eta_days)
		SELECT tenant_id, site_id, unit_id, 'RIG-1', 'RIG-1', 'RIG-1', 'rig-1', 'RIG', 'B', skill_id, 300, 2, 3000 FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1 RETURNING id`, f.tenant)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		for _, metric := range []string{"vibration", "bearing_temperature", "discharge_pressure", "motor_current"} {
			low, high, warn, alarm := 75.0, 125.0, 150.0, 200.0
			_, err := q.UpsertSignal(ctx, tx, db.UpsertSignalParams{TenantID: f.tenant, AssetID: r.asset, Metric: metric, NameAr: metric, NameEn: metric,
				Unit: "mm/s", NormalLow: &low, NormalHigh: &high, Warn: &warn, Alarm: &alarm, Sense: "hi", PeriodSeconds: int32(rigPeriod.Seconds())})
			if err != nil {
				return err
			}
		}
		signals, err := q.ListSignals(ctx, tx, f.tenant, []uuid.UUID{r.asset})
		r.signals = signals
		return err
	})
	return r
}

// change turns a healthy reading of a signal into that of a faulty one; false
// leaves it out. back is how long before now it was taken.
type change func(signal int, back time.Duration, v float64) (value float64, quality asset.Quality, ok bool)

// healthy leaves readings as they are.
func healthy(_ int, _ time.Duration, v float64) (float64, asset.Quality, bool) {
	return v, asset.Good, true
}

// measure writes the history of the rig up to now.
func (r *rig) measure(with change) {
	r.t.Helper()
	random := rand.New(rand.NewPCG(7, 9))
	var rows []db.Row
	for back := rigDays * 24 * time.Hour; back >= 0; back -= rigPeriod {
		at := r.now.Add(-back)
		load := 3 * math.Sin(2*math.Pi*float64(at.Unix()%86_400)/86_400)
		for i, s := range r.signals {
			v := 100 + load*(1+0.2*float64(i)) + 1.5*random.NormFloat64()
			if value, quality, ok := with(i, back, v); ok {
				rows = append(rows, db.Row{SignalID: s.ID, Time: at, Value: value, Quality: quality})
			}
		}
	}
	r.write(rows...)
}

func (r *rig) write(rows ...db.Row) {
	r.t.Helper()
	r.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := db.WriteReadings(ctx, tx, r.tenant, rows)
		return err
	})
}

// score runs a sweep of the rig alone and returns its score.
func (r *rig) score(asOf time.Time) (scoring.AssetScore, BatchResult) {
	r.t.Helper()
	batch, _ := r.sweep(asOf)
	batch.Assets = []uuid.UUID{r.asset}
	var result BatchResult
	r.do(&result, r.set.Scoring.ScoreBatch, batch)
	require.Empty(r.t, result.Failures)
	return r.stored(batch.AsOf), result
}

func (r *rig) stored(asOf time.Time) (score scoring.AssetScore) {
	r.t.Helper()
	var detail json.RawMessage
	r.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT detail FROM ai.asset_scores WHERE tenant_id = $1 AND asset_id = $2 AND as_of = $3`, r.tenant, r.asset, asOf).Scan(&detail)
	})
	require.NoError(r.t, json.Unmarshal(detail, &score))
	return score
}

func (r *rig) alerts(kind string) int {
	r.t.Helper()
	return r.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND asset_id = $2 AND kind = $3 AND closed_at IS NULL`, r.tenant, r.asset, kind)
}

// rowsOf is one healthy reading of every signal.
func rowsOf(r *rig, at time.Time) []db.Row {
	rows := make([]db.Row, 0, len(r.signals))
	for _, s := range r.signals {
		rows = append(rows, db.Row{SignalID: s.ID, Time: at, Value: 100})
	}
	return rows
}
