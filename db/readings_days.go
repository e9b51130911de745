package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// missingDays are the days that have no partition. The look-up spares the
	// lock that creating partitions takes.
	missingDays = `
SELECT d FROM unnest($1::date[]) AS d
WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'ts_part' AND c.relname = 'asset_timeseries_' || to_char(d, 'YYYYMMDD'))
ORDER BY d`

	latestTimes = `SELECT signal_id, ts FROM telemetry.signal_latest WHERE tenant_id = $1 AND signal_id = ANY ($2)`

	// shareDays and markLate note that closed days got readings. Writers share
	// the lock of a day; packing begins with it alone.
	shareDays = `SELECT pg_advisory_xact_lock_shared(` + dayLock + `) FROM unnest($2::date[]) AS d`

	markLate = `
INSERT INTO telemetry.historian_days (tenant_id, day, late)
SELECT $1, d, true FROM unnest($2::date[]) AS d
WHERE NOT EXISTS (SELECT FROM telemetry.historian_days h WHERE h.tenant_id = $1 AND h.day = d AND h.late)
ON CONFLICT (tenant_id, day) DO UPDATE SET late = true`

	// dayLock is the advisory lock of day d of the tenant $1.
	dayLock = `hashtextextended($1::uuid::text || d, 727302)`
)

// Days of the historian count as closed, so that readings for them are late,
// after closedDays, and are packed after packedDays. The day between leaves
// time to transactions that wrote while the day was open.
const (
	closedDays = 2
	packedDays = 3
)

// prepare creates missing partitions, marks closed days as late and learns
// what is known of the signals. The rows lie in a bounded window, so there are
// few days.
func (w *writer) prepare(ctx context.Context, tx pgx.Tx, rows []Row) error {
	days, signals := daysAndSignals(rows)
	batch := &pgx.Batch{}
	batch.Queue(missingDays, days)
	batch.Queue(latestTimes, w.tenant, signals)
	results := tx.SendBatch(ctx, batch)
	missing, err := collect(results, pgx.RowTo[time.Time])
	if err == nil {
		err = w.learn(results, len(signals))
	}
	if err := errors.Join(err, results.Close()); err != nil {
		return fmt.Errorf("look for partitions and latest values: %w", err)
	}
	q := New()
	for _, day := range missing {
		if _, err := q.EnsurePartitions(ctx, tx, day, day); err != nil {
			return fmt.Errorf("create partition: %w", err)
		}
	}
	return w.markLate(ctx, tx, days)
}

func (w *writer) learn(results pgx.BatchResults, signals int) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	w.latest = make(map[int64]time.Time, signals)
	var id int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error {
		w.latest[id] = at
		return nil
	})
	return err
}

func (w *writer) markLate(ctx context.Context, tx pgx.Tx, days []time.Time) error {
	open := dayOf(w.now).AddDate(0, 0, -closedDays)
	days = slices.DeleteFunc(days, func(d time.Time) bool { return d.After(open) })
	if len(days) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	batch.Queue(shareDays, w.tenant, days)
	batch.Queue(markLate, w.tenant, days)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("mark late days: %w", err)
	}
	return nil
}

// daysAndSignals returns the distinct UTC days and signals of sorted rows, both
// ascending.
func daysAndSignals(rows []Row) (days []time.Time, signals []int64) {
	seen := map[time.Time]bool{}
	for i := range rows {
		if day := dayOf(rows[i].Time); !seen[day] {
			seen[day] = true
			days = append(days, day)
		}
		if i == 0 || rows[i-1].SignalID != rows[i].SignalID {
			signals = append(signals, rows[i].SignalID)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return days, signals
}

func collect[T any](results pgx.BatchResults, row pgx.RowToFunc[T]) ([]T, error) {
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}
