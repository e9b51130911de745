package db_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
)

// rollUp fills every stale hour of a signal.
func rollUp(t *testing.T, d *db.DB, tenant uuid.UUID, signals []int64, limit int) (filled int) {
	t.Helper()
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) (err error) {
		filled, err = db.RollUp(ctx, tx, tenant, signals, limit)
		return err
	}))
	return filled
}

func hours(t *testing.T, d *db.DB, tenant uuid.UUID, signal int64, from, to time.Time) (all []asset.Reading) {
	t.Helper()
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		series, err := db.ReadHours(ctx, tx, tenant, []int64{signal}, from, to)
		for _, r := range series[signal] {
			all = append(all, asUTC(r))
		}
		return err
	}))
	return all
}

func bandsOf(t *testing.T, d *db.DB, tenant uuid.UUID, signal int64, from, to time.Time, step time.Duration) (all []db.Band) {
	t.Helper()
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		bands, err := db.ReadBands(ctx, tx, tenant, []int64{signal}, from, to, step)
		for _, b := range bands[signal] {
			all = append(all, inUTC(b))
		}
		return err
	}))
	return all
}

func TestHoursAreRolledUpAndTouchedAgain(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	at := func(minute int, value float64, quality asset.Quality) db.Row {
		return db.Row{SignalID: signal, Time: day.Add(time.Duration(minute) * time.Minute), Value: value, Quality: quality}
	}
	batch := []db.Row{at(0, 1, asset.Good), at(10, 3, asset.Uncertain), at(20, 100, asset.Bad), at(30, math.NaN(), asset.Good),
		at(40, math.MaxFloat64, asset.Good), at(45, -math.MaxFloat64, asset.Good), at(60, 7, asset.Good), at(130, 9, asset.Bad)}
	write(t, d, tenant, batch...)
	require.Empty(t, hours(t, d, tenant, signal, day, day.Add(3*time.Hour)), "nothing before the roll-up")
	require.Equal(t, 2, rollUp(t, d, tenant, []int64{signal}, 2))
	require.Equal(t, 1, rollUp(t, d, tenant, []int64{signal}, 100))
	require.Zero(t, rollUp(t, d, tenant, []int64{signal}, 100))
	got := hours(t, d, tenant, signal, day, day.Add(3*time.Hour))
	require.Len(t, got, 3)
	require.Equal(t, asset.Reading{Time: day, Value: 2, Quality: asset.Uncertain}, got[0])
	require.Equal(t, asset.Reading{Time: day.Add(time.Hour), Value: 7}, got[1])
	require.Equal(t, asset.Bad, got[2].Quality)
	require.True(t, math.IsNaN(got[2].Value))

	write(t, d, tenant, batch...)
	require.Zero(t, rollUp(t, d, tenant, nil, 100), "a resent batch touches nothing")
	write(t, d, tenant, at(70, 9, asset.Good)) // late
	require.Equal(t, 1, rollUp(t, d, tenant, nil, 100))
	require.InDelta(t, 8, hours(t, d, tenant, signal, day.Add(time.Hour), day.Add(2*time.Hour))[0].Value, 0)
	require.Equal(t, 0, rollUp(t, d, beta, []int64{signal}, 100), "hours of another tenant")
}

func TestTheRunningHourWaits(t *testing.T) {
	t.Parallel()
	d, tenant, signal, _ := oneSignal(t)
	now := time.Now().UTC()
	write(t, d, tenant, db.Row{SignalID: signal, Time: now, Value: 1})
	require.Zero(t, rollUp(t, d, tenant, []int64{signal}, 10))
	bands := bandsOf(t, d, tenant, signal, now.Add(-time.Hour), now.Add(time.Minute), 2*time.Hour)
	require.Len(t, bands, 1, "the running hour is drawn from the samples")
	require.InDelta(t, 1, bands[0].Min, 0)
}

// Whatever is stale, bands from hours equal bands from samples.
func TestBandsFromHoursEqualBandsFromSamples(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	random := rand.New(rand.NewPCG(1, 2))
	var rows []db.Row
	for m := 0; m < 4*24*60; m += 7 {
		rows = append(rows, db.Row{SignalID: signal, Time: day.Add(time.Duration(m) * time.Minute), Value: random.NormFloat64(), Quality: asset.Quality(random.IntN(3))})
	}
	write(t, d, tenant, rows[:600]...)
	rollUp(t, d, tenant, nil, 1000)
	write(t, d, tenant, rows[590:]...)
	for _, step := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour} {
		var want []db.Band
		inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
			bands, err := db.ReadMinMax(ctx, tx, tenant, []int64{signal}, day, day.AddDate(0, 0, 4), step)
			require.NoError(t, err)
			want = bands[signal]
		})
		got := bandsOf(t, d, tenant, signal, day.Add(time.Minute), day.AddDate(0, 0, 4), step)
		require.Len(t, got, len(want), step)
		for i := range want {
			want[i] = inUTC(want[i])
			require.InDelta(t, want[i].Mean, got[i].Mean, 1e-12)
			want[i].Mean = got[i].Mean
		}
		require.Equal(t, want, got, step)
	}
}

// Writers and roll-ups at the same time lose no sample.
func TestRollUpBesideWriters(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	var work errgroup.Group
	const writers, each = 4, 60
	for w := range writers {
		work.Go(func() error {
			for n := range each {
				at := day.Add(time.Duration(n%3) * time.Hour).Add(time.Duration(n*writers+w) * time.Second)
				err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
					_, err := db.WriteReadings(ctx, tx, tenant, []db.Row{{SignalID: signal, Time: at, Value: 1}})
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 2 {
		work.Go(func() error {
			for range each {
				err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
					_, err := db.RollUp(ctx, tx, tenant, nil, 100)
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, work.Wait())
	rollUp(t, d, tenant, nil, 100)
	total := int64(0)
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
		const sql = `SELECT sum(samples) FROM telemetry.signal_hours WHERE tenant_id = $1 AND hour >= $2 AND NOT stale`
		require.NoError(t, tx.QueryRow(ctx, sql, tenant, day).Scan(&total))
	})
	require.EqualValues(t, writers*each, total)
}

func TestHistoryBeforeRollUpsIsMarked(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	_, err := conn.Exec(t.Context(), `DELETE FROM telemetry.rollup_progress; DELETE FROM telemetry.signal_hours`)
	require.NoError(t, err)
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20)
	var rows []db.Row
	for h := range 5 * 24 {
		rows = append(rows, db.Row{SignalID: alphaSignal, Time: day.Add(time.Duration(h) * time.Hour), Value: 1})
	}
	write(t, d, alpha, rows...)
	_, err = conn.Exec(t.Context(), `DELETE FROM telemetry.signal_hours`)
	require.NoError(t, err)
	mark := func() (marked int, through bool) {
		inTenant(t, d, alpha, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
			marked, through, err = db.MarkHistory(ctx, tx, alpha, 30)
			require.NoError(t, err)
		})
		return marked, through
	}
	total, rounds := 0, 0
	for through := false; !through; rounds++ {
		var n int
		n, through = mark()
		require.LessOrEqual(t, n, 30+24, "bounded")
		total += n
	}
	require.Equal(t, 5*24+1, total, "with the one of today")
	require.Greater(t, rounds, 2)
	n, through := mark()
	require.Zero(t, n)
	require.True(t, through)
	require.Equal(t, 5*24, len(hoursAfter(t, d, day)))
}

func hoursAfter(t *testing.T, d *db.DB, day time.Time) []asset.Reading {
	t.Helper()
	rollUp(t, d, alpha, nil, 1000)
	return hours(t, d, alpha, alphaSignal, day, day.AddDate(0, 0, 6))
}
