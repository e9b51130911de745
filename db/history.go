package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// Stretch is a part of one signal's history: from Since on.
type Stretch struct {
	SignalID int64
	Since    time.Time
}

// hourHistory and sampleHistory give one row per signal with its times, values
// and qualities as arrays: a tenth of the cost of a row each when many signals
// are read. The inner order is that of the key, so that nothing is sorted.
const (
	hourHistory = `
SELECT s.id, h.at, h.value, h.quality
FROM unnest($2::bigint[], $3::timestamptz[]) AS s (id, since)
CROSS JOIN LATERAL (
  SELECT array_agg(o.hour) AS at, array_agg(o.mean_value) AS value, array_agg(o.quality) AS quality FROM (
    SELECT x.hour, x.mean_value, x.quality FROM telemetry.signal_hours x
    WHERE x.tenant_id = $1 AND x.signal_id = s.id AND x.hour >= s.since AND x.hour < $4 AND x.samples > 0 ORDER BY x.hour
  ) o
) h
WHERE h.at IS NOT NULL`

	sampleHistory = `
SELECT o.signal_id, array_agg(o.ts), array_agg(o.value), array_agg(o.quality) FROM (
  SELECT t.signal_id, t.ts, coalesce(t.value, 'NaN') AS value, t.quality FROM telemetry.asset_timeseries t
  WHERE t.tenant_id = $1 AND t.signal_id = ANY ($2) AND t.ts >= $3 AND t.ts <= $4 ORDER BY t.signal_id, t.ts
) o
GROUP BY o.signal_id`
)

// ReadHistory returns what a score looks back on, by signal id and in
// ascending time: hourly means from each stretch's beginning up to recent,
// which must be a full hour, then every sample up to and including to. Samples
// without a value are not a number; hours of bad samples only are absent. Call
// RollUp first where hours may be stale.
func ReadHistory(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, of []Stretch, recent, to time.Time) (map[int64][]asset.Reading, error) {
	ids, since := make([]int64, len(of)), make([]time.Time, len(of))
	for i, s := range of {
		ids[i], since[i] = s.SignalID, s.Since
	}
	history := make(map[int64][]asset.Reading, len(of))
	if err := readArrays(ctx, tx, history, hourHistory, tenant, ids, since, recent); err != nil {
		return nil, fmt.Errorf("read hours: %w", err)
	}
	if err := readArrays(ctx, tx, history, sampleHistory, tenant, ids, recent, to); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return history, nil
}

// readArrays appends readings that come as arrays of one signal per row.
func readArrays(ctx context.Context, tx pgx.Tx, to map[int64][]asset.Reading, sql string, args ...any) error {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var id int64
	var at []time.Time
	var values []float64
	var qualities []int16
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &values, &qualities}, func() error {
		readings := to[id]
		if readings == nil {
			readings = make([]asset.Reading, 0, len(at)+130) // room for two hours of minutes
		}
		for i := range at {
			readings = append(readings, asset.Reading{Time: at[i], Value: values[i], Quality: asset.Quality(qualities[i])})
		}
		to[id] = readings
		return nil
	})
	return err
}
