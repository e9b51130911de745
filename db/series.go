package db

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// ReadSeries returns the samples of signals in [from, to) as stored, by signal
// id and in ascending time. Samples without a value are left out: they have
// nothing to show and engines must not see them. Signals without readings are
// absent from the map.
func ReadSeries(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time) (map[int64][]asset.Reading, error) {
	all, err := readSamples(ctx, tx, tenant, signals, from, to)
	if err != nil {
		return nil, err
	}
	for id, samples := range all {
		kept := samples[:0]
		for _, r := range samples {
			if !math.IsNaN(r.Value) {
				kept = append(kept, r)
			}
		}
		if all[id] = kept; len(kept) == 0 {
			delete(all, id)
		}
	}
	return all, nil
}

// Band is one step of a signal for charts: the range, the mean and the number
// of its usable samples, the worst quality among them, and when the first and
// the last of them were taken.
type Band struct {
	Start   time.Time
	Min     float64
	Mean    float64
	Max     float64
	Count   int64
	Quality asset.Quality
	FirstAt time.Time
	LastAt  time.Time
}

// ReadMinMax returns the bands of signals in [from, to) from their samples, by
// signal id and in ascending time, so that a chart shows peaks that a mean
// would hide. Steps are aligned to from; those without a usable sample are
// absent.
func ReadMinMax(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to time.Time, step time.Duration) (map[int64][]Band, error) {
	return sampleBands(ctx, tx, tenant, signals, from, to, from, step)
}

// sampleBands is ReadMinMax with steps aligned to origin.
func sampleBands(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, signals []int64, from, to, origin time.Time, step time.Duration) (map[int64][]Band, error) {
	if step < time.Millisecond {
		return nil, fault.New(fault.Invalid, "db.bucket_too_short")
	}
	all, err := readSamples(ctx, tx, tenant, signals, from, to)
	if err != nil {
		return nil, err
	}
	return bandsOf(all, origin, step), nil
}

// bandsOf makes bands of ascending samples, in steps aligned to origin.
func bandsOf(all map[int64][]asset.Reading, origin time.Time, step time.Duration) map[int64][]Band {
	bands := make(map[int64][]Band, len(all))
	for id, samples := range all {
		starts, summaries := momentsBy(samples, origin, step)
		for i, m := range summaries {
			if m.Count > 0 {
				bands[id] = append(bands[id], Band{starts[i], m.Min, m.Mean, m.Max, m.Count, m.Quality, m.FirstAt, m.LastAt})
			}
		}
	}
	return bands
}
