package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// gapPeriods is how many periods of a signal may pass without a usable sample
// before that is a gap.
const gapPeriods = 3

// Gap is a stretch of a window in which a signal gave no usable sample: from
// the last one before it to the first one after it, or to the window's edge.
type Gap struct {
	From, To time.Time
}

// Chart is a window of one signal reduced to a number of bands. Steps without
// a usable sample are absent; Gaps say where a line must break.
type Chart struct {
	From, To time.Time
	Step     time.Duration
	Bands    []Band
	Gaps     []Gap
}

// ReadChart reduces [from, to) of a signal to at most points bands. Windows
// whose step is an hour or more are made of whole hours.
func ReadChart(ctx context.Context, tx pgx.Tx, signal Signal, from, to time.Time, points int) (Chart, error) {
	c := Chart{From: from.UTC(), To: to.UTC(), Step: chartStep(to.Sub(from), points)}
	if c.Step >= time.Hour {
		c.From = c.From.Truncate(time.Hour)
	} else {
		c.From = c.From.Truncate(c.Step)
	}
	all, err := ReadBands(ctx, tx, signal.TenantID, []int64{signal.ID}, c.From, c.To, c.Step)
	if err != nil {
		return c, err
	}
	c.Bands = all[signal.ID]
	end := minTime(c.To, time.Now().UTC())
	c.Gaps = gaps(c.Bands, c.From, end, gapPeriods*time.Duration(signal.PeriodSeconds)*time.Second)
	return c, nil
}

// chartStep is the width of a band: whole seconds below a minute and whole
// minutes below an hour, so that roll-ups serve.
func chartStep(span time.Duration, points int) time.Duration {
	step := (span + time.Duration(points) - 1) / time.Duration(points)
	whole := time.Second
	if step > time.Minute && step <= time.Hour {
		whole = time.Minute
	}
	return max((step+whole-1)/whole*whole, time.Second)
}

// gaps finds what is longer than allowed between the samples of bands, and
// before and after them.
func gaps(bands []Band, from, to time.Time, allowed time.Duration) []Gap {
	var found []Gap
	last := from
	look := func(until time.Time) {
		if until.Sub(last) > allowed {
			found = append(found, Gap{last.UTC(), until.UTC()})
		}
	}
	for _, b := range bands {
		look(b.FirstAt)
		last = b.LastAt
	}
	look(to)
	return found
}

// longestLook is how much of a window is read at once in search of samples.
const longestLook = 32 * 24 * time.Hour

// ReadPage returns up to limit samples of a signal in [from, to) as stored, in
// ascending time, those without a value as not a number, and where the next
// page begins: nil when there is nothing more.
func ReadPage(ctx context.Context, tx pgx.Tx, signal Signal, from, to time.Time, limit int) (page []asset.Reading, next *time.Time, err error) {
	look := min(max(time.Duration(limit)*time.Duration(signal.PeriodSeconds)*time.Second, time.Minute), longestLook)
	for from.Before(to) && len(page) <= limit {
		until := minTime(from.Add(look), to)
		all, err := readSamples(ctx, tx, signal.TenantID, []int64{signal.ID}, from, until)
		if err != nil {
			return nil, nil, err
		}
		if len(all[signal.ID]) == 0 {
			look = min(2*look, longestLook)
		}
		page, from = append(page, all[signal.ID]...), until
	}
	if len(page) > limit {
		at := page[limit].Time.UTC()
		return page[:limit], &at, nil
	}
	return page, nil, nil
}

// statistics gives the parts of the summaries of signals as arrays, signal by
// signal along the key: gathering them by one group over all would not fit the
// memory of a query.
const statistics = `
SELECT u.id, h.* FROM unnest($2::bigint[]) AS u (id) CROSS JOIN LATERAL (
  SELECT array_agg(samples), array_agg(coalesce(mean_value, 'NaN')), array_agg(coalesce(m2, 'NaN')), coalesce(min(min_value), 'NaN'), coalesce(max(max_value), 'NaN'),
    sum(bad)::bigint, coalesce(max(quality) FILTER (WHERE samples > 0), 0)
  FROM telemetry.signal_hours
  WHERE tenant_id = $1 AND signal_id = u.id AND hour >= $3 AND hour < $4 AND NOT stale
  HAVING count(*) > 0
) h`

// ReadStatistics summarises signals over the whole hours that begin in
// [from, to), by signal id: hours as rolled up, those that wait for it from
// their samples. Times of first and last samples are not filled in. Signals
// without a sample are absent.
func ReadStatistics(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (map[int64]Moments, error) {
	rows, err := tx.Query(ctx, statistics, tenant, signals, from, to)
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	all := make(map[int64]Moments, len(signals))
	var id int64
	var counts []int32
	var means, spreads []float64
	var whole Moments
	_, err = pgx.ForEachRow(rows, []any{&id, &counts, &means, &spreads, &whole.Min, &whole.Max, &whole.Bad, &whole.Quality}, func() error {
		m := Moments{Bad: whole.Bad}
		for i, n := range counts {
			if n > 0 {
				m.merge(Moments{Count: int64(n), Mean: means[i], M2: spreads[i], Min: whole.Min, Max: whole.Max, Quality: whole.Quality})
			}
		}
		all[id] = m
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	stale, err := readStale(ctx, tx, tenant, signals, from, to)
	if err != nil {
		return nil, err
	}
	samples, err := stale.samples(ctx, tx, tenant, to.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	for id, of := range samples {
		m := all[id]
		var fresh Moments
		for _, r := range of {
			fresh.add(r)
		}
		m.merge(fresh)
		all[id] = m
	}
	return all, nil
}

// LastSettled is the end of the last hour that roll-ups have taken, or take
// next.
func LastSettled(now time.Time) time.Time { return now.Add(-settling).UTC().Truncate(time.Hour) }
