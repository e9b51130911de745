package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

// readSignals is how many signals are read at once.
const readSignals = 5000

// history stores 30 days of rolled-up hours in the order in which roll-ups
// come, their newest samples minute by minute, and the latest values.
func (h *historian) history(s *source, rows int64) {
	h.Helper()
	hour := s.at.Truncate(time.Hour)
	for day := 30; day >= 0; day-- {
		h.exec(`INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour, mean_value, min_value, max_value, m2, last_value, first_at, last_at, samples, stale)
			SELECT $1, n, h, 50 + random(), 40, 60, 200, 50, h, h + interval '59 minutes', 60, false
			FROM generate_series($2::timestamptz - interval '24 hours', $2::timestamptz - interval '1 hour', interval '1 hour') h, generate_series($3::bigint, $4::bigint) n`,
			s.tenant, hour.AddDate(0, 0, -day), s.first, s.first+s.size-1)
	}
	h.exec(`INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id)
		SELECT $2::timestamptz - m * interval '1 minute', random() * 100, $1, n FROM generate_series($3::bigint, 0, -1) m, generate_series($4::bigint, $5::bigint) n`,
		s.tenant, s.at, rows/s.size, s.first, s.first+s.size-1)
	h.exec(`INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour) SELECT $1, n, $2 FROM generate_series($3::bigint, $4::bigint) n`, s.tenant, hour, s.first, s.first+s.size-1)
	h.exec(`INSERT INTO telemetry.signal_latest (tenant_id, signal_id, ts, value, quality) SELECT $1, n, $2, 50, 0 FROM generate_series($3::bigint, $4::bigint) n`,
		s.tenant, s.at, s.first, s.first+s.size-1)
	h.exec(`VACUUM (ANALYZE)`)
}

// BenchmarkHistorianReads measures what pages and the API read: latest values
// and statistics of 5,000 signals, a chart of 30 days, eight hours of samples. The
// times are those of the calls in an open transaction, decoding included.
func BenchmarkHistorianReads(b *testing.B) {
	h := newHistorian(b)
	s := h.source(1, readSignals, 60, time.Now().UTC().Truncate(time.Minute))
	h.exec(`SELECT telemetry.ensure_partitions(current_date - 32, current_date + 1)`)
	h.history(s, presentRows(b))
	ids := make([]int64, readSignals)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	spent := map[string][]time.Duration{}
	n := 0
	for b.Loop() {
		n++
		err := h.d.InTenant(b.Context(), s.tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			timed := func(name string, work func() error) {
				began := time.Now()
				require.NoError(b, work())
				spent[name] = append(spent[name], time.Since(began))
			}
			signal, err := q.GetSignal(ctx, tx, s.tenant, int64(n*37%readSignals+1))
			require.NoError(b, err)
			timed("latest", func() error {
				rows, err := q.APILatest(ctx, tx, s.tenant, 0, readSignals)
				require.Equal(b, readSignals, len(rows))
				return err
			})
			timed("chart", func() error {
				c, err := db.ReadChart(ctx, tx, signal, s.at.AddDate(0, 0, -30), s.at, 500)
				require.Greater(b, len(c.Bands), 480)
				return err
			})
			timed("statistics", func() error {
				end := s.at.Truncate(time.Hour)
				all, err := db.ReadStatistics(ctx, tx, s.tenant, ids, end.AddDate(0, 0, -1), end)
				require.Equal(b, readSignals, len(all))
				return err
			})
			timed("samples", func() error {
				all, err := db.ReadSeries(ctx, tx, s.tenant, []int64{signal.ID}, s.at.Add(-8*time.Hour), s.at)
				require.Equal(b, 480, len(all[signal.ID]))
				return err
			})
			return nil
		})
		require.NoError(b, err)
	}
	for name, of := range spent {
		b.ReportMetric(float64(quantile(of, 0.5).Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(quantile(of, 0.95).Microseconds())/1000, name+"-p95-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkHistorianBytes measures the space of one day of 200 signals by the
// minute, as rows in the order of arrival and packed, for values to two
// decimals at full seconds and for values of full precision at odd
// microseconds; and how fast a day is packed and rolled up.
func BenchmarkHistorianBytes(b *testing.B) {
	h := newHistorian(b)
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -5)
	const value, odd = `round((50 + 20 * sin(m / 90.0 + n) + random())::numeric, 2)`, `50 + 20 * sin(m / 90.0 + n) + random()`
	for range b.N {
		packed := 0.0
		for i, form := range []struct{ name, value, shift string }{{"plain", value, "interval '0'"}, {"odd", odd, "random() * interval '59 seconds'"}} {
			s := h.source(int64(1+1000*i), 200, 60, day)
			at := day.AddDate(0, 0, i)
			h.exec(`INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id)
				SELECT $2::timestamptz + m * interval '1 minute' + `+form.shift+`, `+form.value+`, $1, n FROM generate_series(0, 1439) m, generate_series($3::bigint, $4::bigint) n`,
				s.tenant, at, s.first, s.first+s.size-1)
			part := "ts_part.asset_timeseries_" + at.Format("20060102")
			b.ReportMetric(h.number(`SELECT pg_total_relation_size($1::text::regclass)::float8 / 288000`, part), form.name+"-open-B/row")
			h.exec(`INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour) SELECT $1, n, $2::timestamptz + m * interval '1 hour'
				FROM generate_series(0, 23) m, generate_series($3::bigint, $4::bigint) n`, s.tenant, at, s.first, s.first+s.size-1)
			began := time.Now()
			h.rollUp(s)
			b.ReportMetric(288_000/time.Since(began).Seconds(), form.name+"-rolled-up/s")
			began = time.Now()
			n, err := h.d.PackDay(b.Context(), s.tenant, at, func(int64) {})
			require.NoError(b, err)
			require.EqualValues(b, 288_000, n)
			b.ReportMetric(float64(n)/time.Since(began).Seconds(), form.name+"-packed/s")
			bytes := h.number(`SELECT pg_total_relation_size('telemetry.signal_days')::float8`)
			b.ReportMetric((bytes-packed)/288_000, form.name+"-packed-B/row")
			packed = bytes
		}
	}
	b.ReportMetric(0, "ns/op")
}

// rollUp fills all stale hours.
func (h *historian) rollUp(s *source) {
	for filled := 1; filled > 0; {
		require.NoError(h, h.d.InTenant(h.Context(), s.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
			filled, err = db.RollUp(ctx, tx, s.tenant, nil, 10_000)
			return err
		}))
	}
}
