package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// rawSeries reads samples as stored. Bad samples without a value are left out:
// they have nothing to show and engines must not see them.
const rawSeries = `
SELECT signal_id, ts, value, quality
FROM telemetry.asset_timeseries
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND ts >= $3 AND ts < $4 AND value IS NOT NULL
ORDER BY signal_id, ts`

// meanSeries reads one reading per bucket: the mean of the samples that are not
// bad, with the worst quality seen among them. A bucket of bad samples only
// yields their mean as bad, so a dead sensor stays visible. Buckets are aligned
// to from and stamped with their start. Values beyond anything measured would
// overflow the sum and are left out.
const meanSeries = `
SELECT signal_id, date_bin($5, ts, $3) AS bucket,
  coalesce(avg(value) FILTER (WHERE quality < 2), avg(value)),
  coalesce(max(quality) FILTER (WHERE quality < 2), max(quality))
FROM telemetry.asset_timeseries
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND ts >= $3 AND ts < $4 AND abs(value) <= 1e15
GROUP BY signal_id, bucket
ORDER BY signal_id, bucket`

const minMaxSeries = `
SELECT signal_id, date_bin($5, ts, $3) AS bucket, min(value), avg(value), max(value), count(*), max(quality)
FROM telemetry.asset_timeseries
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND ts >= $3 AND ts < $4 AND abs(value) <= 1e15 AND quality < 2
GROUP BY signal_id, bucket
ORDER BY signal_id, bucket`

// ReadSeries returns the readings of signals in [from, to), by signal id and in
// ascending time. A bucket of zero gives every sample as stored; otherwise one
// mean per bucket. Signals without readings are absent from the map.
func ReadSeries(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, bucket time.Duration) (map[int64][]asset.Reading, error) {
	query, args := rawSeries, []any{tenant, signals, from, to}
	if bucket != 0 {
		if err := checkBucket(bucket); err != nil {
			return nil, err
		}
		query, args = meanSeries, append(args, bucket)
	}
	return readReadings(ctx, tx, query, args...)
}

// Band is one bucket of a signal for charts: the range, the mean and the number
// of its samples that are not bad, and the worst quality among them.
type Band struct {
	Start   time.Time
	Min     float64
	Mean    float64
	Max     float64
	Count   int64
	Quality asset.Quality
}

// ReadMinMax returns the bands of signals in [from, to), by signal id and in
// ascending time, so that a chart shows peaks that a mean would hide.
func ReadMinMax(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, bucket time.Duration) (map[int64][]Band, error) {
	if err := checkBucket(bucket); err != nil {
		return nil, err
	}
	return scanBands(ctx, tx, minMaxSeries, tenant, signals, from, to, bucket)
}

// checkBucket refuses buckets that date_bin would refuse.
func checkBucket(bucket time.Duration) error {
	if bucket < time.Millisecond {
		return fault.New(fault.Invalid, "db.bucket_too_short")
	}
	return nil
}
