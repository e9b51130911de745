package db_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

func write(t *testing.T, d *db.DB, tenant uuid.UUID, rows ...db.Row) db.Written {
	t.Helper()
	var written db.Written
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
		written, err = db.WriteReadings(ctx, tx, tenant, rows)
		return err
	}))
	return written
}

func read(t *testing.T, d *db.DB, tenant uuid.UUID, signal int64, from, to time.Time) []asset.Reading {
	t.Helper()
	var series map[int64][]asset.Reading
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
		series, err = db.ReadSeries(ctx, tx, tenant, []int64{signal}, from, to)
		return err
	}))
	return series[signal]
}

func latest(t *testing.T, d *db.DB, tenant uuid.UUID) db.ListSignalsWithLatestRow {
	t.Helper()
	var rows []db.ListSignalsWithLatestRow
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListSignalsWithLatest(ctx, tx, tenant, tenant)
		return err
	}))
	require.Len(t, rows, 1)
	return rows[0]
}

// oneSignal opens a database with the fixture tenant and an empty historian
// before today.
func oneSignal(t *testing.T) (*db.DB, uuid.UUID, int64, time.Time) {
	t.Helper()
	d, conn := twoTenants(t)
	_, err := conn.Exec(t.Context(), `DELETE FROM telemetry.signal_latest`)
	require.NoError(t, err)
	return d, alpha, alphaSignal, time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)
}

func TestWriteReadingsIsIdempotent(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	var batch []db.Row
	for n := range 25_000 { // three statements, four partitions
		batch = append(batch, db.Row{SignalID: signal, Time: day.Add(time.Duration(n*10) * time.Second), Value: float64(n), Quality: asset.Good})
	}
	batch[0], batch[24_999] = batch[24_999], batch[0] // order does not matter
	require.Equal(t, db.Written{New: 25_000}, write(t, d, tenant, batch...))
	require.Equal(t, db.Written{}, write(t, d, tenant, batch...))
	batch[7].Value = -1
	require.Equal(t, db.Written{}, write(t, d, tenant, batch[:10]...), "what was stored first stays")
	stored := read(t, d, tenant, signal, day, day.AddDate(0, 0, 9))
	require.Len(t, stored, 25_000)
	require.Equal(t, asset.Reading{Time: day.Add(70 * time.Second), Value: 7, Quality: asset.Good}, asUTC(stored[7]))
	require.InDelta(t, 24_999, *latest(t, d, tenant).LatestValue, 0)
}

func asUTC(r asset.Reading) asset.Reading {
	r.Time = r.Time.UTC()
	return r
}

func inUTC(b db.Band) db.Band {
	b.Start, b.FirstAt, b.LastAt = b.Start.UTC(), b.FirstAt.UTC(), b.LastAt.UTC()
	return b
}

func TestLatestNeverMovesBack(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	require.Nil(t, latest(t, d, tenant).LatestValue)
	write(t, d, tenant, db.Row{SignalID: signal, Time: day.Add(time.Hour), Value: 2}, db.Row{SignalID: signal, Time: day.Add(2 * time.Hour), Value: 3})
	write(t, d, tenant, db.Row{SignalID: signal, Time: day, Value: 1}) // a late sample
	require.InDelta(t, 3, *latest(t, d, tenant).LatestValue, 0)
}

func TestReadingsOutsideTheWindowAreCounted(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	now := time.Now()
	require.Equal(t, db.Written{New: 3, Rejected: 2}, write(t, d, tenant,
		db.Row{SignalID: signal, Time: now.Add(-401 * 24 * time.Hour)},
		db.Row{SignalID: signal, Time: now.Add(-399 * 24 * time.Hour)},
		db.Row{SignalID: signal, Time: day},
		db.Row{SignalID: signal, Time: now.Add(50 * time.Minute)},
		db.Row{SignalID: signal, Time: now.Add(70 * time.Minute)},
	))
	require.Equal(t, db.Written{Rejected: 1}, write(t, d, tenant, db.Row{SignalID: signal}))
	require.Equal(t, db.Written{}, write(t, d, tenant))
}

func TestValuesThatAreNotFiniteDoNotPoison(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	for n, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 5} {
		require.EqualValues(t, 1, write(t, d, tenant, db.Row{SignalID: signal, Time: day.Add(time.Duration(n) * time.Second), Value: v}).New)
	}
	got := read(t, d, tenant, signal, day, day.Add(time.Hour))
	require.Len(t, got, 1)
	require.InDelta(t, 5, got[0].Value, 0)
	require.Equal(t, asset.Good, got[0].Quality)
}

func TestUnknownSignalFailsTheBatch(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := db.WriteReadings(ctx, tx, tenant, []db.Row{{SignalID: signal, Time: day}, {SignalID: 7, Time: day}})
		return err
	})
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Empty(t, read(t, d, tenant, signal, day, day.Add(time.Hour)))
}

func TestBandsOfSamples(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	at := func(minute int, value float64, quality asset.Quality) db.Row {
		return db.Row{SignalID: signal, Time: day.Add(time.Duration(minute) * time.Minute), Value: value, Quality: quality}
	}
	write(t, d, tenant, at(0, 1, asset.Good), at(10, 3, asset.Uncertain), at(20, 100, asset.Bad), at(60, 7, asset.Good), at(120, 9, asset.Bad))
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		bands, err := db.ReadMinMax(ctx, tx, tenant, []int64{signal}, day, day.Add(3*time.Hour), time.Hour)
		require.NoError(t, err)
		require.Len(t, bands[signal], 2)
		b := bands[signal][0]
		require.Equal(t, db.Band{Start: day, Min: 1, Mean: 2, Max: 3, Count: 2, Quality: asset.Uncertain, FirstAt: day, LastAt: day.Add(10 * time.Minute)}, inUTC(b))
		_, err = db.ReadMinMax(ctx, tx, tenant, []int64{signal}, day, day.Add(time.Hour), time.Microsecond)
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
		return nil
	}))
}

// Writers that need the same new partitions at once wait for one another and
// do not deadlock.
func TestConcurrentWritersShareNewPartitions(t *testing.T) {
	t.Parallel()
	d, _, _, day := oneSignal(t)
	var writers errgroup.Group
	for n := range 8 {
		tenant, signal := alpha, int64(alphaSignal)
		if n%2 == 1 {
			tenant, signal = beta, betaSignal
		}
		writers.Go(func() error {
			return d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
				_, err := db.WriteReadings(ctx, tx, tenant, []db.Row{
					{SignalID: signal, Time: day.AddDate(0, 0, n%5).Add(time.Duration(n) * time.Second)},
					{SignalID: signal, Time: day.AddDate(0, 0, (n+2)%5).Add(time.Duration(n) * time.Second)},
				})
				return err
			})
		})
	}
	require.NoError(t, writers.Wait())
}
