package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// usableSample keeps bad samples, and values beyond anything measured whose
// sums would leave the range of float8, out of means and ranges.
const usableSample = `t.quality < 2 AND abs(t.value) <= 1e15`

// pickStale locks closed hours that are to be filled. An hour that a writer
// holds is skipped: it will be stale again when the writer commits. The lock is
// a statement of its own, so that the next one sees everything that writers
// who held it before have stored; later writers wait and mark the hour anew.
const pickStale = `
SELECT signal_id, hour FROM telemetry.signal_hours
WHERE tenant_id = $1 AND stale AND hour <= $2 AND ($3::bigint[] IS NULL OR signal_id = ANY ($3))
ORDER BY signal_id, hour LIMIT $4
FOR UPDATE SKIP LOCKED`

// fillHours computes locked hours from runs of consecutive hours of one
// signal. $5 and $6 bound all runs, so that planning looks at few partitions.
// An hour without a usable sample keeps no value and is bad.
const fillHours = `
UPDATE telemetry.signal_hours h
SET mean_value = a.mean_value, min_value = a.min_value, max_value = a.max_value, samples = a.samples, quality = a.quality, stale = false
FROM unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[]) AS r (signal_id, starts, ends)
CROSS JOIN LATERAL (
  SELECT b.hour, avg(t.value) FILTER (WHERE ` + usableSample + `) AS mean_value,
    min(t.value) FILTER (WHERE ` + usableSample + `) AS min_value, max(t.value) FILTER (WHERE ` + usableSample + `) AS max_value,
    (count(*) FILTER (WHERE ` + usableSample + `))::int AS samples, coalesce(max(t.quality) FILTER (WHERE ` + usableSample + `), 2) AS quality
  FROM generate_series(r.starts, r.ends - interval '1 hour', interval '1 hour') AS b (hour)
  LEFT JOIN (
    SELECT date_bin('1 hour', s.ts, 'epoch') AS hour, s.value, s.quality
    FROM telemetry.asset_timeseries s
    WHERE s.tenant_id = $1 AND s.signal_id = r.signal_id AND s.ts >= r.starts AND s.ts < r.ends AND s.ts >= $5 AND s.ts < $6
  ) t ON t.hour = b.hour
  GROUP BY b.hour
) a
WHERE h.tenant_id = $1 AND h.signal_id = r.signal_id AND h.hour = a.hour`

// hourRuns are runs of consecutive hours, one per element.
type hourRuns struct {
	signals      []int64
	starts, ends []time.Time
	first, last  time.Time
	hours        int
}

// add appends an hour; hours come by signal and in ascending time.
func (r *hourRuns) add(signal int64, hour time.Time) {
	end := hour.Add(time.Hour)
	if r.hours == 0 || hour.Before(r.first) {
		r.first = hour
	}
	if end.After(r.last) {
		r.last = end
	}
	r.hours++
	if n := len(r.signals) - 1; n >= 0 && r.signals[n] == signal && r.ends[n].Equal(hour) {
		r.ends[n] = end
		return
	}
	r.signals, r.starts, r.ends = append(r.signals, signal), append(r.starts, hour), append(r.ends, end)
}

// RollUp fills at most limit stale hours of a tenant from the historian, of
// the named signals only when signals is not nil, and returns how many. The
// hour that is still running is left for later. It may run beside writers and
// other roll-ups: an hour touched meanwhile stays or becomes stale again. The
// same samples always give the same hours.
func RollUp(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, limit int) (int, error) {
	closed := time.Now().UTC().Add(-time.Hour)
	rows, err := tx.Query(ctx, pickStale, tenant, closed, signals, limit)
	if err != nil {
		return 0, fmt.Errorf("pick stale hours: %w", err)
	}
	var runs hourRuns
	var signal int64
	var hour time.Time
	_, err = pgx.ForEachRow(rows, []any{&signal, &hour}, func() error {
		runs.add(signal, hour)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("pick stale hours: %w", err)
	}
	if runs.hours == 0 {
		return 0, nil
	}
	if _, err := tx.Exec(ctx, fillHours, tenant, runs.signals, runs.starts, runs.ends, runs.first, runs.last); err != nil {
		return 0, fmt.Errorf("fill hours: %w", err)
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
