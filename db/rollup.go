package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// pickStale locks closed hours that are to be filled. An hour that a writer
// holds is skipped: it will be stale again when the writer commits. The lock is
// a statement of its own, so that the next one sees everything that writers
// who held it before have stored; later writers wait and mark the hour anew.
const pickStale = `
SELECT h.signal_id, h.hour, s.period_seconds FROM telemetry.signal_hours h
JOIN telemetry.signals s ON s.tenant_id = h.tenant_id AND s.id = h.signal_id
WHERE h.tenant_id = $1 AND h.stale AND h.hour <= $2 AND ($3::bigint[] IS NULL OR h.signal_id = ANY ($3))
ORDER BY h.signal_id, h.hour LIMIT $4
FOR UPDATE OF h SKIP LOCKED`

// RollUp fills at most limit stale hours of a tenant from the historian, of
// the named signals only when signals is not nil, and returns how many. With
// the hours of fast signals it fills their minutes. The hour that is still
// running is left for later, and for a while after its end, so that whoever
// wrote to it while it ran has committed. It may run beside writers and other
// roll-ups: an hour touched meanwhile stays or becomes stale again. The same
// samples always give the same hours.
func RollUp(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, limit int) (int, error) {
	var runs hourRuns
	rows, err := tx.Query(ctx, pickStale, tenant, time.Now().Add(-time.Hour-settling), signals, limit)
	if err != nil {
		return 0, fmt.Errorf("pick stale hours: %w", err)
	}
	var signal int64
	var hour time.Time
	var period int
	_, err = pgx.ForEachRow(rows, []any{&signal, &hour, &period}, func() error {
		runs.add(signal, hour.UTC(), time.Duration(period)*time.Second)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("pick stale hours: %w", err)
	}
	for _, g := range runs.groups() {
		if err := g.fill(ctx, tx, tenant, runs.fast); err != nil {
			return 0, fmt.Errorf("fill hours: %w", err)
		}
	}
	return runs.hours, nil
}

// markDay makes the hours of one day known. Those that are known already stay
// as they are.
const markDay = `
INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour)
SELECT DISTINCT $1::uuid, t.signal_id, date_bin('1 hour', t.ts, 'epoch') AS hour
FROM telemetry.asset_timeseries t
WHERE t.tenant_id = $1 AND t.ts >= $2 AND t.ts < $3
ORDER BY t.signal_id, hour
ON CONFLICT DO NOTHING`

// MarkHistory marks hours of readings that were stored before there were
// roll-ups, day by day from today back to the oldest reading the historian
// takes, and goes on where the last call stopped. It ends after the day in
// which at least enough hours were marked, and reports whether it is through.
func MarkHistory(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, enough int) (marked int, through bool, err error) {
	q := New()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	from, err := q.RollUpProgress(ctx, tx, tenant, today.AddDate(0, 0, 1))
	if err != nil {
		return 0, false, fmt.Errorf("read progress: %w", err)
	}
	oldest, start := today.Add(-maxReadingAge), from
	for from.After(oldest) && marked < enough {
		day := from.AddDate(0, 0, -1)
		done, err := tx.Exec(ctx, markDay, tenant, day, from)
		if err != nil {
			return marked, false, fmt.Errorf("mark hours of %s: %w", day.Format(time.DateOnly), err)
		}
		marked, from = marked+int(done.RowsAffected()), day
	}
	if !from.Equal(start) {
		if err := q.MoveRollUpProgress(ctx, tx, tenant, from); err != nil {
			return marked, false, fmt.Errorf("store progress: %w", err)
		}
	}
	return marked, !from.After(oldest), nil
}
