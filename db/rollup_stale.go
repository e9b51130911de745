package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

const staleHours = `
SELECT signal_id, hour FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND stale
ORDER BY signal_id, hour`

// staleSet are hours that wait for their roll-up, by signal. They are read
// from the samples instead.
type staleSet struct {
	hours       map[int64]map[int64]bool // Unix seconds
	first, last time.Time                // bounds of all, last exclusive
}

// readStale finds the stale hours of signals in [from, to).
func readStale(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (staleSet, error) {
	s := staleSet{hours: map[int64]map[int64]bool{}}
	rows, err := tx.Query(ctx, staleHours, tenant, signals, from, to)
	if err != nil {
		return s, fmt.Errorf("look for stale hours: %w", err)
	}
	var id int64
	var hour time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &hour}, func() error {
		if s.hours[id] == nil {
			s.hours[id] = map[int64]bool{}
		}
		s.hours[id][hour.Unix()] = true
		if s.first.IsZero() || hour.Before(s.first) {
			s.first = hour
		}
		if end := hour.Add(time.Hour); end.After(s.last) {
			s.last = end
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("look for stale hours: %w", err)
	}
	return s, nil
}

// samples reads the samples of the stale hours that lie before until.
func (s staleSet) samples(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, until time.Time) (map[int64][]asset.Reading, error) {
	if len(s.hours) == 0 {
		return nil, nil
	}
	all, err := readSamples(ctx, tx, tenant, slices.Collect(maps.Keys(s.hours)), s.first, minTime(s.last, until))
	if err != nil {
		return nil, err
	}
	for id, of := range all {
		kept := of[:0]
		for _, r := range of {
			if s.hours[id][r.Time.Unix()/3600*3600] {
				kept = append(kept, r)
			}
		}
		all[id] = kept
	}
	return all, nil
}
