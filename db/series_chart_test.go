package db_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
)

func chart(t *testing.T, d *db.DB, tenant uuid.UUID, signal int64, from, to time.Time, points int) (c db.Chart) {
	t.Helper()
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		of, err := q.GetSignal(ctx, tx, tenant, signal)
		require.NoError(t, err)
		c, err = db.ReadChart(ctx, tx, of, from, to, points)
		require.NoError(t, err)
	})
	for i := range c.Bands {
		c.Bands[i] = inUTC(c.Bands[i])
	}
	return c
}

// minutely are rows once a minute, the fixture's period, in [from, to).
func minutely(signal int64, from, to time.Time, value func(i int) float64) (rows []db.Row) {
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		rows = append(rows, db.Row{SignalID: signal, Time: at, Value: value(len(rows))})
	}
	return rows
}

// A chart keeps peaks and gaps, before and after the roll-up and packed.
func TestChartKeepsPeaksAndGaps(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	end := day.AddDate(0, 0, 2)
	one := func(i int) float64 { return float64(i % 2) }
	rows := minutely(signal, day.Add(time.Hour), day.Add(10*time.Hour), one)
	rows = append(rows, minutely(signal, day.Add(10*time.Hour+2*time.Minute), day.Add(20*time.Hour), one)...) // three periods are no gap
	rows = append(rows, minutely(signal, day.Add(23*time.Hour+30*time.Minute), end, one)...)
	rows[700].Value = 99
	write(t, d, tenant, rows...)
	gaps := []db.Gap{{From: day, To: day.Add(time.Hour)}, {From: day.Add(20*time.Hour - time.Minute), To: day.Add(23*time.Hour + 30*time.Minute)}}
	fine := chart(t, d, tenant, signal, day, end, 500)
	require.Equal(t, 6*time.Minute, fine.Step)
	require.Equal(t, gaps, fine.Gaps)
	before := chart(t, d, tenant, signal, day, end, 40)
	require.Equal(t, 72*time.Minute, before.Step)
	require.LessOrEqual(t, len(before.Bands), 40)
	require.Equal(t, gaps, before.Gaps)
	peak, count := 0.0, int64(0)
	for _, b := range before.Bands {
		peak, count = max(peak, b.Max), count+b.Count
	}
	require.InDelta(t, 99, peak, 0)
	require.EqualValues(t, len(rows), count)
	rollUp(t, d, tenant, nil, 1000)
	require.Equal(t, before, chart(t, d, tenant, signal, day, end, 40), "from roll-ups")
	packDay(t, d, tenant, day)
	require.Equal(t, fine, chart(t, d, tenant, signal, day, end, 500), "from a packed day")
	require.Empty(t, chart(t, d, tenant, signal, day, day.Add(time.Hour), 10).Bands)
	require.Len(t, chart(t, d, tenant, signal, day, day.Add(time.Hour), 10).Gaps, 1)
}

// Fast signals have minutes, which equal their samples, also after late ones.
func TestMinutesOfFastSignals(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	_, err := conn.Exec(t.Context(), `UPDATE telemetry.signals SET period_seconds = 1`)
	require.NoError(t, err)
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)
	var rows []db.Row
	for s := range 3 * 3600 {
		rows = append(rows, db.Row{SignalID: alphaSignal, Time: day.Add(time.Duration(s) * time.Second), Value: math.Sin(float64(s)), Quality: asset.Quality(s % 3)})
	}
	write(t, d, alpha, rows[:9000]...)
	rollUp(t, d, alpha, nil, 1000)
	var minutes int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM telemetry.signal_minutes WHERE minute >= $1 AND tenant_id = $2`, day, alpha).Scan(&minutes))
	require.Equal(t, 150, minutes)
	compare := func() {
		var want []db.Band
		inTenant(t, d, alpha, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
			bands, err := db.ReadMinMax(ctx, tx, alpha, []int64{alphaSignal}, day.Add(time.Minute), day.Add(3*time.Hour), 2*time.Minute)
			require.NoError(t, err)
			want = bands[alphaSignal]
		})
		got := bandsOf(t, d, alpha, alphaSignal, day.Add(time.Minute), day.Add(3*time.Hour), 2*time.Minute)
		require.Len(t, got, len(want))
		for i := range want {
			require.InDelta(t, want[i].Mean, got[i].Mean, 1e-12)
			got[i].Mean = want[i].Mean
			require.Equal(t, inUTC(want[i]), got[i])
		}
	}
	compare()
	write(t, d, alpha, rows...)
	compare()
	rollUp(t, d, alpha, nil, 1000)
	compare()
}

func TestStatisticsAreExact(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	rows := minutely(signal, day, day.Add(5*time.Hour), func(i int) float64 { return 1e8 + 0.01*float64(i%7) }) // sums of squares would give no spread
	rows[3].Quality, rows[4].Value = asset.Bad, math.NaN()
	write(t, d, tenant, rows...)
	var n, mean, m2 float64
	for i, r := range rows {
		if i == 3 || i == 4 {
			continue
		}
		n++
		off := r.Value - mean
		mean += off / n
		m2 += off * (r.Value - mean)
	}
	look := func() {
		t.Helper()
		inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
			all, err := db.ReadStatistics(ctx, tx, tenant, []int64{signal}, day, day.Add(5*time.Hour))
			require.NoError(t, err)
			m := all[signal]
			require.EqualValues(t, n, m.Count)
			require.EqualValues(t, 2, m.Bad)
			require.InDelta(t, mean, m.Mean, 1e-6)
			require.InDelta(t, math.Sqrt(m2/(n-1)), m.SD(), 1e-6)
			require.InDelta(t, 1e8, m.Min, 0)
			require.InDelta(t, 1e8+0.06, m.Max, 1e-6)
		})
	}
	look()
	rollUp(t, d, tenant, nil, 3)
	look()
	rollUp(t, d, tenant, nil, 3)
	look()
}

func TestPagesOfSamples(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	rows := minutely(signal, day, day.Add(100*time.Minute), func(i int) float64 { return float64(i) })
	rows = append(rows, minutely(signal, day.AddDate(0, 0, 5), day.AddDate(0, 0, 5).Add(17*time.Minute), func(i int) float64 { return float64(100 + i) })...)
	write(t, d, tenant, rows...)
	var values []float64
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) {
		of, err := q.GetSignal(ctx, tx, tenant, signal)
		require.NoError(t, err)
		from := day.AddDate(0, 0, -100)
		for pages := 0; ; pages++ {
			page, next, err := db.ReadPage(ctx, tx, of, from, day.AddDate(0, 0, 9), 13)
			require.NoError(t, err)
			for _, r := range page {
				values = append(values, r.Value)
			}
			if next == nil {
				require.Equal(t, 8, pages, "nine pages of 13")
				break
			}
			require.Len(t, page, 13)
			from = *next
		}
	})
	require.Len(t, values, len(rows))
	for i, v := range values {
		require.InDelta(t, i, v, 0)
	}
}
