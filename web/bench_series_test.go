package web_test

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// BenchmarkYearSeries answers the timeline of one signal with a year of minute
// data (525,600 rows, as ingest writes them and rolls them up) and a year of
// scores every quarter of an hour (35,040 rows), for every range of the page,
// from the client to the last byte.
func BenchmarkYearSeries(b *testing.B) {
	f := newFixture(b)
	const code = "ARAMCO_DEMO"
	tenant := f.scored(code, 2)
	a, ok := f.tenant(code).Asset("RML-P-401A")
	require.True(b, ok)
	signal := f.signal(tenant, a.ID, "vib")
	f.yearOfMinutes(code, signal)
	f.yearOfScores(code, a.ID)
	client := f.as(code, access.Viewer)
	path := "/assets/" + a.ID.String() + "/series.json?signal=" + strconv.FormatInt(signal, 10) + "&range="
	for _, span := range []string{"24h", "7d", "30d", "90d", "1y"} {
		b.Run(span, func(b *testing.B) { f.benchPage(b, client, path+span) })
	}
	b.Run("page", func(b *testing.B) { f.benchPage(b, client, "/assets/"+a.ID.String()+"?range=1y") })
	status, _ := f.get(client, path+"1y")
	require.Equal(b, http.StatusOK, status)
}

// yearOfMinutes writes a reading every minute of the last year and rolls the
// hours up.
func (f *fixture) yearOfMinutes(code string, signal int64) {
	f.Helper()
	const batch = 20_000
	now := time.Now().UTC().Truncate(time.Minute)
	begin := now.AddDate(0, 0, -365)
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		_, err := q.EnsurePartitions(ctx, tx, begin, now.AddDate(0, 0, 1))
		return err
	})
	for from := 0; from < 365*24*60; from += batch {
		rows := make([]db.Row, 0, batch)
		for i := from; i < min(from+batch, 365*24*60); i++ {
			rows = append(rows, db.Row{SignalID: signal, Time: begin.Add(time.Duration(i) * time.Minute), Value: 2 + math.Sin(float64(i)/720) + float64(i%7)/10})
		}
		f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
			_, err := db.WriteReadings(ctx, tx, t, rows)
			return err
		})
	}
	for filled := 1; filled > 0; {
		f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) (err error) {
			filled, err = db.RollUp(ctx, tx, t, []int64{signal}, 2000)
			return err
		})
	}
}

// yearOfScores repeats the newest score of an asset every quarter of an hour of
// the last year, a tenth of them in spells of anomaly.
func (f *fixture) yearOfScores(code string, id uuid.UUID) {
	f.Helper()
	const quarters, batch = 365 * 24 * 4, 2000
	for from := 1; from <= quarters; from += batch {
		f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
			_, err := tx.Exec(ctx, `INSERT INTO ai.asset_scores (tenant_id, asset_id, as_of, anomaly_flag, anomaly_score, sweep_id, model_id, health_score,
				failure_probability_7, failure_probability_30, failure_probability_90, failure_probability_30_lo, failure_probability_30_hi, rul_days, rul_lo_days,
				rul_hi_days, evidence_factor, production_risk_sar, production_risk_lo_sar, production_risk_hi_sar, production_risk_index, risk_level, coverage,
				trusted, confidence, detail)
				SELECT tenant_id, asset_id, as_of - make_interval(mins => 15 * n), n % 1000 < 100, 0.5 + (n % 1000 < 100)::int, sweep_id, model_id, health_score,
				failure_probability_7, failure_probability_30, failure_probability_90, failure_probability_30_lo, failure_probability_30_hi, rul_days, rul_lo_days,
				rul_hi_days, evidence_factor, production_risk_sar, production_risk_lo_sar, production_risk_hi_sar, production_risk_index, risk_level, coverage,
				trusted, confidence, detail
				FROM ai.asset_scores JOIN ai.asset_score_latest USING (tenant_id, asset_id, as_of), generate_series($3::int, $4::int) n
				WHERE tenant_id = $1 AND asset_id = $2 ON CONFLICT DO NOTHING`, t, id, from, min(from+batch-1, quarters))
			return err
		})
	}
}
