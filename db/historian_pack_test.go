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
	"github.com/optria-iq/optria/internal/fault"
)

func packDay(t *testing.T, d *db.DB, tenant uuid.UUID, day time.Time) int64 {
	t.Helper()
	n, err := d.PackDay(t.Context(), tenant, day, func(int64) {})
	require.NoError(t, err)
	return n
}

// toPack lists the days from day on that wait to be packed.
func toPack(t *testing.T, d *db.DB, tenant uuid.UUID, day time.Time) (days []time.Time) {
	t.Helper()
	inTenant(t, d, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
		all, err := db.DaysToPack(ctx, tx, tenant)
		require.NoError(t, err)
		for _, x := range all {
			if !x.Before(day) {
				days = append(days, x)
			}
		}
	})
	return days
}

// emptyRows takes the rows of a day away, as detaching their partition does.
func emptyRows(t *testing.T, conn *pgx.Conn, day time.Time) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `DELETE FROM telemetry.asset_timeseries WHERE ts >= $1 AND ts < $2`, day, day.AddDate(0, 0, 1))
	require.NoError(t, err)
}

// irregular are samples of one day with every quality, at microseconds.
func irregular(signal int64, day time.Time, n int) []db.Row {
	random := rand.New(rand.NewPCG(7, 7))
	rows := make([]db.Row, n)
	for i := range rows {
		at := day.Add(time.Duration(i) * (24 * time.Hour / time.Duration(n))).Add(time.Duration(random.IntN(1_000_000)) * time.Microsecond)
		rows[i] = db.Row{SignalID: signal, Time: at, Value: random.NormFloat64() * 1e6, Quality: asset.Quality(random.IntN(3))}
	}
	rows[n/2].Value = math.NaN()
	return rows
}

func TestPackedDaysReadAsTheirRows(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)
	rows := irregular(alphaSignal, day, 2000)
	next := irregular(alphaSignal, day.AddDate(0, 0, 1), 50)
	write(t, d, alpha, rows[:1500]...)
	write(t, d, alpha, next...)
	write(t, d, beta, db.Row{SignalID: betaSignal, Time: day, Value: 1})
	from, to := day.Add(30*time.Minute), day.AddDate(0, 0, 2)
	open := local(read(t, d, alpha, alphaSignal, from, to))
	require.Len(t, toPack(t, d, alpha, day), 2)
	require.EqualValues(t, 1500, packDay(t, d, alpha, day))
	require.Len(t, toPack(t, d, alpha, day), 1)
	require.Equal(t, open, local(read(t, d, alpha, alphaSignal, from, to)), "packed, with the rows still there")
	emptyRows(t, conn, day)
	require.Equal(t, open, local(read(t, d, alpha, alphaSignal, from, to)), "packed, without the rows")
	require.Empty(t, read(t, d, beta, betaSignal, day, to), "the other tenant's day is not packed")

	rows[3].Value = -1                 // sent again, what was stored first stays
	write(t, d, alpha, rows[:2000]...) // 500 late ones
	require.Len(t, toPack(t, d, alpha, day), 2)
	both := read(t, d, alpha, alphaSignal, day, to)
	require.EqualValues(t, 2000, packDay(t, d, alpha, day))
	emptyRows(t, conn, day)
	require.Equal(t, local(both), local(read(t, d, alpha, alphaSignal, day, to)))
	require.EqualValues(t, 2000, packDay(t, d, alpha, day), "again without change")
}

// local brings times to one location, so that readings can be compared.
func local(all []asset.Reading) []asset.Reading {
	for i := range all {
		all[i].Time = all[i].Time.Local()
	}
	return all
}

// Roll-ups, bands and scores of a packed day equal those of its rows, also
// after a late sample.
func TestRollUpsOfPackedDays(t *testing.T) {
	t.Parallel()
	d, conn := twoTenants(t)
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)
	rows := irregular(alphaSignal, day, 500)
	write(t, d, alpha, rows[:499]...)
	packDay(t, d, alpha, day)
	emptyRows(t, conn, day)
	write(t, d, alpha, rows[499])
	stale := bandsOf(t, d, alpha, alphaSignal, day, day.AddDate(0, 0, 1), 2*time.Hour)
	rollUp(t, d, alpha, nil, 1000)
	rolled := bandsOf(t, d, alpha, alphaSignal, day, day.AddDate(0, 0, 1), 2*time.Hour)
	var count int64
	for i := range rolled {
		require.InDelta(t, stale[i].Mean, rolled[i].Mean, 1e-6)
		rolled[i].Mean = stale[i].Mean
		count += rolled[i].Count
	}
	require.Equal(t, stale, rolled)
	usable := int64(0)
	for _, r := range rows {
		if r.Quality != asset.Bad && !math.IsNaN(r.Value) {
			usable++
		}
	}
	require.Equal(t, usable, count)
	inTenant(t, d, alpha, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
		history, err := db.ReadHistory(ctx, tx, alpha, []db.Stretch{{SignalID: alphaSignal, Since: day}}, day.Add(12*time.Hour), day.AddDate(0, 0, 1))
		require.NoError(t, err)
		require.Greater(t, len(history[alphaSignal]), 250)
	})
}

func TestOnlyClosedDaysArePacked(t *testing.T) {
	t.Parallel()
	d, tenant, _, _ := oneSignal(t)
	for days := range 3 {
		_, err := d.PackDay(t.Context(), tenant, time.Now().AddDate(0, 0, -days), func(int64) {})
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
	}
	require.Zero(t, packDay(t, d, tenant, time.Now().AddDate(0, 0, -3)))
}

// Late writers and packing at the same time lose no sample.
func TestPackingBesideLateWriters(t *testing.T) {
	t.Parallel()
	d, tenant, signal, day := oneSignal(t)
	const writers, each = 3, 40
	var work errgroup.Group
	for w := range writers {
		work.Go(func() error {
			for n := range each {
				err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
					_, err := db.WriteReadings(ctx, tx, tenant, []db.Row{{SignalID: signal, Time: day.Add(time.Duration(n*writers+w) * time.Second), Value: 1}})
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	work.Go(func() error {
		for range 20 {
			if _, err := d.PackDay(t.Context(), tenant, day, func(int64) {}); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, work.Wait())
	require.Len(t, read(t, d, tenant, signal, day, day.AddDate(0, 0, 1)), writers*each)
	require.EqualValues(t, writers*each, packDay(t, d, tenant, day))
}
