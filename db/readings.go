package db

import (
	"cmp"
	"context"
	"fmt"
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

// settling is how long after the end of an hour roll-ups wait: whoever wrote to
// the hour while it was running has committed by then.
const settling = 5 * time.Minute

// WriteReadings stores readings of the tenant's signals. It is idempotent: the
// first value of a signal at a time stays. A signal the tenant does not have
// fails the whole batch. rows is left as it was. Call it once per transaction
// and near its end: new partitions are locked before rows, and a second call
// could turn that order round and deadlock with another writer.
func WriteReadings(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, rows []Row) (Written, error) {
	now := time.Now()
	accepted, rejected := acceptReadings(rows, now)
	result := Written{Rejected: rejected}
	if len(accepted) == 0 {
		return result, nil
	}
	accepted = inOrder(accepted)
	w := writer{tenant: tenant, now: now}
	if err := w.prepare(ctx, tx, accepted); err != nil {
		return Written{}, fmt.Errorf("prepare the historian: %w", err)
	}
	for chunk := range slices.Chunk(accepted, rowsPerInsert) {
		n, err := w.write(ctx, tx, chunk)
		if err != nil {
			return Written{}, fmt.Errorf("write readings: %w", err)
		}
		result.New += n
	}
	return result, nil
}

// inOrder sorts rows by signal and time, as keys and roll-ups lie, and keeps
// the first of several at the same time.
func inOrder(rows []Row) []Row {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.SignalID, b.SignalID), a.Time.Compare(b.Time))
	})
	return slices.CompactFunc(rows, func(a, b Row) bool { return a.SignalID == b.SignalID && a.Time.Equal(b.Time) })
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
		r.Time = r.Time.Truncate(time.Microsecond)
		accepted = append(accepted, r)
	}
	return accepted, rejected
}
