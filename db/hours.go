package db

import (
	"context"
	"fmt"
	"slices"
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

// everySeries reads samples as stored, those without a value as not a number.
const everySeries = `
SELECT signal_id, ts, coalesce(value, 'NaN'), quality
FROM telemetry.asset_timeseries
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND ts >= $3 AND ts < $4
ORDER BY signal_id, ts`

// ReadSamples returns every sample of signals in [from, to), by signal id and
// in ascending time. Unlike ReadSeries it keeps samples without a value, as
// readings that are not a number, for those who count what was refused.
func ReadSamples(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (map[int64][]asset.Reading, error) {
	return readReadings(ctx, tx, everySeries, tenant, signals, from, to)
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

// hourBands and staleBands give the parts of bands: start, least, sum,
// greatest, count and worst quality. Hours that are stale are read from the
// historian instead; the bounds spare the planner most partitions.
const (
	hourBands = `
SELECT signal_id, date_bin($5, hour, $3) AS bucket, min(min_value), sum(mean_value * samples), max(max_value), sum(samples)::bigint, max(quality)
FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND NOT stale AND samples > 0
GROUP BY signal_id, bucket
ORDER BY signal_id, bucket`

	staleSpan = `
SELECT min(hour), max(hour) + interval '1 hour' FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND stale`

	staleBands = `
SELECT h.signal_id, date_bin($5, h.hour, $6) AS bucket, min(t.value), sum(t.value), max(t.value), count(*), max(t.quality)
FROM telemetry.signal_hours h
JOIN telemetry.asset_timeseries t ON t.tenant_id = h.tenant_id AND t.signal_id = h.signal_id AND t.ts >= h.hour AND t.ts < h.hour + interval '1 hour'
WHERE h.tenant_id = $1 AND h.signal_id = ANY ($2) AND h.hour >= $3 AND h.hour < $4 AND h.stale AND t.ts >= $3 AND t.ts < $4 AND ` + usableSample + `
GROUP BY h.signal_id, bucket
ORDER BY h.signal_id, bucket`
)

// ReadBands returns the bands of signals from from to to, by signal id and in
// ascending time. Steps of an hour and more are made of whole hours: the range
// is widened to full hours, and an hour belongs to the step in which it
// starts. Finer steps are read from the samples, as by ReadMinMax. Both count
// the same samples, so that zooming in shows the same peaks.
func ReadBands(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, step time.Duration) (map[int64][]Band, error) {
	if step < time.Hour {
		return ReadMinMax(ctx, tx, tenant, signals, from, to, step)
	}
	from = from.UTC().Truncate(time.Hour)
	bands, err := scanBands(ctx, tx, hourBands, tenant, signals, from, to, step)
	if err != nil {
		return nil, err
	}
	var first, last *time.Time
	if err := tx.QueryRow(ctx, staleSpan, tenant, signals, from, to).Scan(&first, &last); err != nil {
		return nil, fmt.Errorf("look for stale hours: %w", err)
	}
	if first != nil {
		fresh, err := scanBands(ctx, tx, staleBands, tenant, signals, *first, *last, step, from)
		if err != nil {
			return nil, err
		}
		for id, more := range fresh {
			bands[id] = mergeBands(bands[id], more)
		}
	}
	for _, of := range bands {
		for i := range of {
			of[i].Mean /= float64(of[i].Count)
		}
	}
	return bands, nil
}

// scanBands reads bands; what their Mean holds is the query's affair.
func scanBands(ctx context.Context, tx pgx.Tx, sql string, args ...any) (map[int64][]Band, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	bands := map[int64][]Band{}
	var id int64
	var b Band
	_, err = pgx.ForEachRow(rows, []any{&id, &b.Start, &b.Min, &b.Mean, &b.Max, &b.Count, &b.Quality}, func() error {
		bands[id] = append(bands[id], b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	return bands, nil
}

// mergeBands joins two ascending lists of sums; bands of the same start become
// one.
func mergeBands(a, b []Band) []Band {
	all := append(slices.Clone(a), b...)
	slices.SortStableFunc(all, func(x, y Band) int { return x.Start.Compare(y.Start) })
	out := all[:0]
	for _, x := range all {
		n := len(out) - 1
		if n < 0 || !out[n].Start.Equal(x.Start) {
			out = append(out, x)
			continue
		}
		y := &out[n]
		y.Min, y.Max, y.Mean = min(y.Min, x.Min), max(y.Max, x.Max), y.Mean+x.Mean
		y.Count, y.Quality = y.Count+x.Count, max(y.Quality, x.Quality)
	}
	return out
}
