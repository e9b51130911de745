package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// hourSeries reads rolled-up hours, those of bad samples only as bad and
// without a value.
const hourSeries = `
SELECT signal_id, hour, coalesce(mean_value, 'NaN'), quality
FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND (samples > 0 OR NOT stale)
ORDER BY signal_id, hour`

// ReadHours returns the hourly means of signals in [from, to), by signal id
// and in ascending time, stamped with the start of their hour. An hour of bad
// samples only is a bad reading that is not a number; an hour that was not
// rolled up yet is absent, so call RollUp first where that matters.
func ReadHours(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (map[int64][]asset.Reading, error) {
	return readReadings(ctx, tx, hourSeries, tenant, signals, from, to)
}

// readReadings runs a query for signal id, time, value and quality, ordered by
// signal and time.
func readReadings(ctx context.Context, tx pgx.Tx, sql string, args ...any) (map[int64][]asset.Reading, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	series := map[int64][]asset.Reading{}
	var id int64
	var r asset.Reading
	_, err = pgx.ForEachRow(rows, []any{&id, &r.Time, &r.Value, &r.Quality}, func() error {
		series[id] = append(series[id], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	return series, nil
}
