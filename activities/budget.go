package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
)

// budgetOf are the options of one search of a run: counted work for the time
// limit that was asked for, so that the search can be repeated, and a clock
// that only cuts a machine far slower than the reference. The same limit,
// seed, threads and prices give the same search.
func budgetOf(limit time.Duration, seed int64, threads int, prices bool) optimize.Options {
	o := optimize.Options{Work: limit, TimeLimit: 10*limit + 5*time.Minute, Seed: seed, Threads: threads, Prices: prices}
	if prices {
		o.Work = limit * 5 / 3 // the engine keeps two fifths for the prices
	}
	return o
}

// searched finds a plan and says what ended the search, as the run and its
// repetitions do alike: the clock is around the search alone.
func searched(ctx context.Context, problem optimize.Problem, input json.RawMessage, o optimize.Options, report func(optimize.Progress)) (optimize.Result, manifest.Ended, error) {
	began := time.Now()
	result, err := problem.Solve(ctx, input, o, report)
	return result, endOf(ctx, began, o, result.Certificate), err
}

// endOf says what ended a search. One that took most of the time on the clock
// counts as cut, because one of its parts may have been.
func endOf(searching context.Context, started time.Time, o optimize.Options, c optimize.Certificate) manifest.Ended {
	switch {
	case searching.Err() != nil:
		return manifest.EndedStopped
	case c.Status == optimize.StatusTimeLimit || time.Since(started) > o.TimeLimit*3/4:
		return manifest.EndedClock
	case c.BoundKnown && c.Gap <= o.WithDefaults().RelGap:
		return manifest.EndedGap
	}
	return manifest.EndedBudget
}
