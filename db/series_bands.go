package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// hourBands and minuteBands give the parts of bands: start, least, mean,
// greatest, count, worst quality and when the first and last samples were
// taken; summaries from outside the historian do not say, so their own bounds
// stand in. freshFrom is the first hour that is not known by minutes, or not at
// all: from there on the samples tell.
const (
	hourBands = `
SELECT signal_id, date_bin($5, hour, $3) AS bucket, min(min_value), sum(mean_value * samples) / sum(samples), max(max_value), sum(samples)::bigint, max(quality),
  min(coalesce(first_at, hour)), max(coalesce(last_at, hour + interval '1 hour'))
FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND NOT stale AND samples > 0
GROUP BY signal_id, bucket
ORDER BY signal_id, bucket`

	minuteBands = `
SELECT signal_id, date_bin($5, minute, $3) AS bucket, min(min_value), sum(mean_value * samples) / sum(samples), max(max_value), sum(samples)::bigint, max(quality),
  min(first_at), max(last_at)
FROM telemetry.signal_minutes
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND minute >= $3 AND minute < $4 AND samples > 0
GROUP BY signal_id, bucket
ORDER BY signal_id, bucket`

	freshFrom = `
SELECT min(hour) FROM telemetry.signal_hours
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND hour >= $3 AND hour < $4 AND (stale OR NOT by_minute)`
)

// ReadBands returns the bands of signals from from to to, by signal id and in
// ascending time. Steps of an hour and more are made of whole hours: the range
// is widened to full hours, and an hour belongs to the step in which it
// starts. Whole minutes are made of minutes as far as these are kept. Finer
// steps, and hours that wait for their roll-up, are read from the samples. All
// count the same samples, so that zooming in shows the same peaks.
func ReadBands(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, step time.Duration) (map[int64][]Band, error) {
	switch {
	case step >= time.Hour:
		return readHourBands(ctx, tx, tenant, signals, from.UTC().Truncate(time.Hour), to, step)
	case step%time.Minute == 0 && from.Equal(from.Truncate(time.Minute)):
		return readMinuteBands(ctx, tx, tenant, signals, from, to, step)
	}
	return ReadMinMax(ctx, tx, tenant, signals, from, to, step)
}

func readHourBands(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, step time.Duration) (map[int64][]Band, error) {
	bands, err := scanBands(ctx, tx, hourBands, tenant, signals, from, to, step)
	if err != nil {
		return nil, err
	}
	stale, err := readStale(ctx, tx, tenant, signals, from, to)
	if err != nil {
		return nil, err
	}
	samples, err := stale.samples(ctx, tx, tenant, to)
	if err != nil {
		return nil, err
	}
	fresh := bandsOf(samples, from, time.Hour)
	for _, hours := range fresh {
		for i := range hours {
			hours[i].Start = stepStart(hours[i].Start, from, step)
		}
	}
	return joinBands(bands, fresh), nil
}

func readMinuteBands(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, step time.Duration) (map[int64][]Band, error) {
	var fresh *time.Time
	if err := tx.QueryRow(ctx, freshFrom, tenant, signals, from.Add(-time.Hour), to).Scan(&fresh); err != nil {
		return nil, fmt.Errorf("look for hours without minutes: %w", err)
	}
	if fresh != nil && !fresh.After(from) {
		return ReadMinMax(ctx, tx, tenant, signals, from, to, step)
	}
	edge := to
	if fresh != nil {
		edge = *fresh
	}
	bands, err := scanBands(ctx, tx, minuteBands, tenant, signals, from, edge, step)
	if err != nil || !edge.Before(to) {
		return bands, err
	}
	rest, err := sampleBands(ctx, tx, tenant, signals, edge, to, from, step)
	if err != nil {
		return nil, err
	}
	return joinBands(bands, rest), nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func scanBands(ctx context.Context, tx pgx.Tx, sql string, args ...any) (map[int64][]Band, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	bands := map[int64][]Band{}
	var id int64
	var b Band
	_, err = pgx.ForEachRow(rows, []any{&id, &b.Start, &b.Min, &b.Mean, &b.Max, &b.Count, &b.Quality, &b.FirstAt, &b.LastAt}, func() error {
		bands[id] = append(bands[id], b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	return bands, nil
}

// joinBands adds the bands of more to those of bands; of the same start they
// become one.
func joinBands(bands, more map[int64][]Band) map[int64][]Band {
	for id, of := range more {
		bands[id] = mergeBands(bands[id], of)
	}
	return bands
}

// mergeBands joins two ascending lists; bands of the same start become one.
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
		y.Mean = (y.Mean*float64(y.Count) + x.Mean*float64(x.Count)) / float64(y.Count+x.Count)
		y.Min, y.Max, y.Count, y.Quality = min(y.Min, x.Min), max(y.Max, x.Max), y.Count+x.Count, max(y.Quality, x.Quality)
		y.FirstAt = minTime(y.FirstAt, x.FirstAt)
		if x.LastAt.After(y.LastAt) {
			y.LastAt = x.LastAt
		}
	}
	return out
}
