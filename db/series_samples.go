package db

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// packedSamples and openSamples give the samples of signals as arrays, a tenth
// of the cost of a row each: whole packed days, and the rows from the first day
// on that is not packed or has got readings since. All signals are read in one
// pass, because their rows lie side by side.
const (
	packedSamples = `
SELECT signal_id, day, steps, readings, qualities FROM telemetry.signal_days
WHERE tenant_id = $1 AND signal_id = ANY ($2) AND day >= $3 AND day <= $4
ORDER BY signal_id, day`

	openSamples = `
SELECT t.signal_id, array_agg(t.ts), array_agg(coalesce(t.value, 'NaN')), array_agg(t.quality) FROM telemetry.asset_timeseries t
WHERE t.tenant_id = $1 AND t.signal_id = ANY ($2) AND t.ts >= $3 AND t.ts < $4 AND t.ts >= (
  SELECT min(d) AT TIME ZONE 'UTC' FROM generate_series($5::timestamp, $6::timestamp, interval '1 day') d
  WHERE NOT EXISTS (SELECT FROM telemetry.historian_days p
    WHERE p.tenant_id = $1 AND p.day = d::date AND p.packed_at IS NOT NULL AND NOT p.late))
GROUP BY t.signal_id`
)

// readSamples returns every sample of signals in [from, to), by signal id and
// in ascending time; one without a value is not a number. It is the only
// reader of samples: packed days and rows become one series here, and of two
// samples at the same time the packed one, which came first, stays.
func readSamples(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (map[int64][]asset.Reading, error) {
	all := make(map[int64][]asset.Reading, len(signals))
	if !from.Before(to) {
		return all, nil
	}
	first, last := dayOf(from), dayOf(to.Add(-time.Microsecond))
	batch := &pgx.Batch{}
	batch.Queue(packedSamples, tenant, signals, first, last)
	batch.Queue(openSamples, tenant, signals, from, to, first, last)
	results := tx.SendBatch(ctx, batch)
	err := scanPacked(results, all, from, to)
	if err == nil {
		err = scanOpen(results, all)
	}
	if err := errors.Join(err, results.Close()); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return all, nil
}

// dayOf is the start of the UTC day of a moment.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func scanPacked(results pgx.BatchResults, to map[int64][]asset.Reading, from, until time.Time) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var id int64
	var day packedDay
	_, err = pgx.ForEachRow(rows, []any{&id, &day.start, &day.steps, &day.values, &day.qualities}, func() error {
		to[id] = day.appendTo(to[id], from, until)
		return nil
	})
	return err
}

func scanOpen(results pgx.BatchResults, to map[int64][]asset.Reading) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var id int64
	var at []time.Time
	var values []float64
	var qualities []int16
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &values, &qualities}, func() error {
		open := make([]asset.Reading, len(at))
		for i := range at {
			open[i] = asset.Reading{Time: at[i], Value: values[i], Quality: asset.Quality(qualities[i])}
		}
		if !slices.IsSortedFunc(open, byTime) {
			slices.SortFunc(open, byTime)
		}
		to[id] = mergeSamples(to[id], open)
		return nil
	})
	return err
}

func byTime(a, b asset.Reading) int { return a.Time.Compare(b.Time) }

// mergeSamples joins two ascending lists; of two samples at the same time that
// of the first list stays.
func mergeSamples(first, second []asset.Reading) []asset.Reading {
	if len(first) == 0 || len(second) == 0 || first[len(first)-1].Time.Before(second[0].Time) {
		if len(first) == 0 {
			return second
		}
		return append(first, second...)
	}
	out := make([]asset.Reading, 0, len(first)+len(second))
	i := 0
	for _, s := range second {
		for i < len(first) && first[i].Time.Before(s.Time) {
			out, i = append(out, first[i]), i+1
		}
		if i == len(first) || !first[i].Time.Equal(s.Time) {
			out = append(out, s)
		}
	}
	return append(out, first[i:]...)
}

// packedDay is one row of telemetry.signal_days.
type packedDay struct {
	start     time.Time
	steps     []int64 // microseconds since the sample before, of the first since the start of the day
	values    []float64
	qualities []int16 // nil when all samples are good
}

// appendTo appends the samples in [from, until) to readings.
func (d *packedDay) appendTo(readings []asset.Reading, from, until time.Time) []asset.Reading {
	readings = slices.Grow(readings, len(d.steps))
	at := d.start.UTC()
	for i, step := range d.steps {
		at = at.Add(time.Duration(step) * time.Microsecond)
		if at.Before(from) || !at.Before(until) {
			continue
		}
		r := asset.Reading{Time: at, Value: d.values[i]}
		if d.qualities != nil {
			r.Quality = asset.Quality(d.qualities[i])
		}
		readings = append(readings, r)
	}
	return readings
}

// packDay packs the samples of one day of one signal, which ascend.
func packDay(start time.Time, readings []asset.Reading) packedDay {
	d := packedDay{start: start, steps: make([]int64, len(readings)), values: make([]float64, len(readings))}
	before := start
	for i, r := range readings {
		d.steps[i], d.values[i] = r.Time.Sub(before).Microseconds(), r.Value
		before = r.Time
		if r.Quality != asset.Good && d.qualities == nil {
			d.qualities = make([]int16, len(readings))
		}
		if r.Quality != asset.Good {
			d.qualities[i] = int16(r.Quality)
		}
	}
	return d
}

// usable reports whether a sample counts in means and ranges: not bad, and not
// beyond anything measured, whose sums would leave the range of float64.
func usable(r asset.Reading) bool {
	return r.Quality < asset.Bad && math.Abs(r.Value) <= greatestUsable
}

// greatestUsable is the size above which a value is no measurement.
const greatestUsable = 1e15
