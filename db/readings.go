package db

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// Row is one reading on its way into the historian. A value that is not finite
// is stored as NULL with bad quality. The historian keeps microseconds.
type Row struct {
	SignalID int64
	Time     time.Time
	Value    float64
	Quality  asset.Quality
}

// Written counts what became of a batch of readings. Rows that were stored
// before are neither new nor rejected, so a resent batch gives New = 0.
type Written struct {
	New      int64 // rows the historian did not have
	Rejected int64 // rows older than 400 days or more than an hour ahead
}

// The window of acceptable timestamps and the size of one statement.
const (
	maxReadingAge   = 400 * 24 * time.Hour
	maxReadingAhead = time.Hour
	rowsPerInsert   = 10_000
)

// insertReadings stores one sorted batch, moves the latest value of every
// signal forward, never back, and marks the hours of the batch as stale unless
// nothing was new, so that a roll-up at work on them comes again. Array
// parameters keep it one round trip; sqlc cannot type unnest with several
// arguments, hence the SQL in Go.
const insertReadings = `
WITH batch AS (
  SELECT u.signal_id, u.ts, u.value, u.quality
  FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::smallint[]) AS u (signal_id, ts, value, quality)
), stored AS (
  INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id, quality)
  SELECT ts, value, $1, signal_id, quality FROM batch ORDER BY signal_id, ts
  ON CONFLICT DO NOTHING
  RETURNING signal_id, ts, value, quality
), newest AS (
  SELECT DISTINCT ON (signal_id) signal_id, ts, value, quality FROM stored ORDER BY signal_id, ts DESC
), latest AS (
  INSERT INTO telemetry.signal_latest AS l (tenant_id, signal_id, ts, value, quality)
  SELECT $1, signal_id, ts, value, quality FROM newest ORDER BY signal_id
  ON CONFLICT (tenant_id, signal_id) DO UPDATE SET ts = excluded.ts, value = excluded.value, quality = excluded.quality
  WHERE excluded.ts > l.ts
), touched AS (
  INSERT INTO telemetry.signal_hours AS h (tenant_id, signal_id, hour)
  SELECT $1, u.signal_id, u.hour FROM unnest($6::bigint[], $7::timestamptz[]) AS u (signal_id, hour)
  WHERE EXISTS (SELECT FROM stored)
  ON CONFLICT (tenant_id, signal_id, hour) DO UPDATE SET stale = true WHERE NOT h.stale
)
SELECT count(*) FROM stored`

// WriteReadings stores readings of the tenant's signals. It is idempotent: the
// first value of a signal at a time stays. A signal the tenant does not have
// fails the whole batch. rows is left as it was. Call it once per transaction:
// new partitions are locked before rows, and a second call could turn that
// order round and deadlock with another writer.
func WriteReadings(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, rows []Row) (Written, error) {
	accepted, rejected := acceptReadings(rows, time.Now())
	result := Written{Rejected: rejected}
	if len(accepted) == 0 {
		return result, nil
	}
	if err := ensureDays(ctx, tx, accepted); err != nil {
		return Written{}, err
	}
	slices.SortFunc(accepted, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.SignalID, b.SignalID), a.Time.Compare(b.Time))
	})
	for chunk := range slices.Chunk(accepted, rowsPerInsert) {
		n, err := insertChunk(ctx, tx, tenant, chunk)
		if err != nil {
			return Written{}, fmt.Errorf("write readings: %w", err)
		}
		result.New += n
	}
	return result, nil
}

// acceptReadings copies the rows whose time lies in the window and counts the
// others.
func acceptReadings(rows []Row, now time.Time) (accepted []Row, rejected int64) {
	oldest, newest := now.Add(-maxReadingAge), now.Add(maxReadingAhead)
	accepted = make([]Row, 0, len(rows))
	for _, r := range rows {
		if r.Time.Before(oldest) || r.Time.After(newest) {
			rejected++
			continue
		}
		accepted = append(accepted, r)
	}
	return accepted, rejected
}

// ensureDays has the partition of every day in rows created. The rows lie in a
// bounded window, so the loop over distinct days is short.
func ensureDays(ctx context.Context, tx pgx.Tx, rows []Row) error {
	missing, err := missingDays(ctx, tx, rows)
	if err != nil {
		return fmt.Errorf("look for partitions: %w", err)
	}
	q := New()
	for _, day := range missing {
		if _, err := q.EnsurePartitions(ctx, tx, day, day); err != nil {
			return fmt.Errorf("create partition: %w", err)
		}
	}
	return nil
}

// missingDays returns the UTC days of rows that have no partition yet. The
// look-up spares the lock that creating partitions takes.
func missingDays(ctx context.Context, tx pgx.Tx, rows []Row) ([]time.Time, error) {
	seen := map[time.Time]bool{}
	var days []time.Time
	for _, r := range rows {
		day := r.Time.UTC().Truncate(24 * time.Hour)
		if !seen[day] {
			seen[day] = true
			days = append(days, day)
		}
	}
	const sql = `SELECT d FROM unnest($1::date[]) AS d
		WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'ts_part' AND c.relname = 'asset_timeseries_' || to_char(d, 'YYYYMMDD'))
		ORDER BY d`
	found, err := tx.Query(ctx, sql, days)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[time.Time])
}

func insertChunk(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, rows []Row) (int64, error) {
	ids := make([]int64, len(rows))
	times := make([]time.Time, len(rows))
	values := make([]*float64, len(rows))
	qualities := make([]int16, len(rows))
	for i := range rows {
		r := &rows[i]
		ids[i], times[i], qualities[i] = r.SignalID, r.Time, int16(r.Quality)
		if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			qualities[i] = int16(asset.Bad)
			continue
		}
		values[i] = &r.Value
	}
	touched, hours := hoursOf(rows)
	var n int64
	err := tx.QueryRow(ctx, insertReadings, tenant, ids, times, values, qualities, touched, hours).Scan(&n)
	return n, err
}

// hoursOf returns the distinct signals and hours of sorted rows, in order.
func hoursOf(rows []Row) (signals []int64, hours []time.Time) {
	for i := range rows {
		hour := rows[i].Time.UTC().Truncate(time.Hour)
		if n := len(signals) - 1; n < 0 || signals[n] != rows[i].SignalID || !hours[n].Equal(hour) {
			signals, hours = append(signals, rows[i].SignalID), append(hours, hour)
		}
	}
	return signals, hours
}
