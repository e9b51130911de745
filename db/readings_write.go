package db

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/optria-iq/optria/internal/asset"
)

// The statements of one sorted batch. Array parameters keep each of them one
// round trip; sqlc cannot type unnest with several arguments, hence the SQL in
// Go. insertFresh is for rows newer than all that is stored of their signals;
// insertAny leaves out what is stored already, at nearly twice the cost.
// moveLatest moves the latest value of every signal forward, never back, and
// refuses signals that do not exist. markHours has hours rolled up (again);
// taking the lock of one that is stale already makes a roll-up at work on it
// come again.
const (
	insertFresh = `
INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id, quality)
SELECT u.ts, u.value, $1, u.signal_id, u.quality
FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::smallint[]) AS u (signal_id, ts, value, quality)`

	insertAny = insertFresh + ` ON CONFLICT DO NOTHING`

	moveLatest = `
INSERT INTO telemetry.signal_latest AS l (tenant_id, signal_id, ts, value, quality)
SELECT $1, u.signal_id, u.ts, u.value, u.quality
FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::smallint[]) AS u (signal_id, ts, value, quality)
ON CONFLICT (tenant_id, signal_id) DO UPDATE SET ts = excluded.ts, value = excluded.value, quality = excluded.quality
WHERE excluded.ts > l.ts`

	markHours = `
INSERT INTO telemetry.signal_hours AS h (tenant_id, signal_id, hour)
SELECT $1, u.signal_id, u.hour FROM unnest($2::bigint[], $3::timestamptz[]) AS u (signal_id, hour)
ON CONFLICT (tenant_id, signal_id, hour) DO UPDATE SET stale = true WHERE NOT h.stale`
)

// writer stores sorted batches of one tenant.
type writer struct {
	tenant uuid.UUID
	now    time.Time
	latest map[int64]time.Time // time of the newest sample of a signal, before the batch
}

// columns are rows as array parameters.
type columns struct {
	signals   []int64
	times     []time.Time
	values    []*float64
	qualities []int16
}

func newColumns(n int) columns {
	return columns{make([]int64, 0, n), make([]time.Time, 0, n), make([]*float64, 0, n), make([]int16, 0, n)}
}

// add appends a row. A value that is not finite becomes NULL and bad.
func (c *columns) add(r *Row) {
	value, quality := &r.Value, r.Quality
	if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
		value, quality = nil, asset.Bad
	}
	c.signals, c.times = append(c.signals, r.SignalID), append(c.times, r.Time)
	c.values, c.qualities = append(c.values, value), append(c.qualities, int16(quality))
}

func (c *columns) args(tenant uuid.UUID) []any {
	return []any{tenant, c.signals, c.times, c.values, c.qualities}
}

// write stores a chunk of sorted rows and returns how many were new.
func (w *writer) write(ctx context.Context, tx pgx.Tx, rows []Row) (int64, error) {
	stored, err := w.insert(ctx, tx, rows)
	if err != nil || stored == 0 {
		return 0, err
	}
	newest := newColumns(len(w.latest))
	var after pgx.Batch
	for i := range rows {
		last := i+1 == len(rows) || rows[i+1].SignalID != rows[i].SignalID
		if before, known := w.latest[rows[i].SignalID]; last && (!known || rows[i].Time.After(before)) {
			newest.add(&rows[i])
		}
	}
	if len(newest.signals) > 0 {
		after.Queue(moveLatest, newest.args(w.tenant)...)
	}
	if signals, hours := w.touched(rows); len(signals) > 0 {
		after.Queue(markHours, w.tenant, signals, hours)
	}
	if after.Len() > 0 {
		if err := tx.SendBatch(ctx, &after).Close(); err != nil {
			return 0, err
		}
	}
	return stored, nil
}

// insert stores the rows: those newer than all that was known of their signal
// plainly, the others past what is stored already.
func (w *writer) insert(ctx context.Context, tx pgx.Tx, rows []Row) (int64, error) {
	fresh, other := newColumns(len(rows)), newColumns(0)
	for i := range rows {
		if before, known := w.latest[rows[i].SignalID]; known && !rows[i].Time.After(before) {
			other.add(&rows[i])
		} else {
			fresh.add(&rows[i])
		}
	}
	stored, err := w.insertFresh(ctx, tx, &fresh)
	if err != nil || len(other.signals) == 0 {
		return stored, err
	}
	done, err := tx.Exec(ctx, insertAny, other.args(w.tenant)...)
	return stored + done.RowsAffected(), err
}

// insertFresh stores rows that were new a moment ago. When another writer has
// stored some of them meanwhile, the others are stored past them.
func (w *writer) insertFresh(ctx context.Context, tx pgx.Tx, fresh *columns) (int64, error) {
	if len(fresh.signals) == 0 {
		return 0, nil
	}
	var done pgconn.CommandTag
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		done, err = tx.Exec(ctx, insertFresh, fresh.args(w.tenant)...)
		return err
	})
	var known *pgconn.PgError
	if errors.As(err, &known) && known.Code == "23505" {
		done, err = tx.Exec(ctx, insertAny, fresh.args(w.tenant)...)
	}
	return done.RowsAffected(), err
}

// touched returns the distinct signals and hours of sorted rows that have to
// be marked as stale, in order. A running hour from which the signal has a
// sample is marked, and no roll-up takes it before it has settled.
func (w *writer) touched(rows []Row) (signals []int64, hours []time.Time) {
	running := w.now.Add(-time.Hour)
	var signal int64
	var hour time.Time
	for i := range rows {
		of := rows[i].Time.UTC().Truncate(time.Hour)
		if i > 0 && signal == rows[i].SignalID && hour.Equal(of) {
			continue
		}
		signal, hour = rows[i].SignalID, of
		before, known := w.latest[signal]
		if known && hour.After(running) && before.UTC().Truncate(time.Hour).Equal(hour) {
			continue
		}
		signals, hours = append(signals, signal), append(hours, hour)
	}
	return signals, hours
}
