package demo

import (
	"iter"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector/simulate"
)

// History generates the readings that seeding stores: signal by signal, times
// ascending, from (inclusive) to (exclusive), as a connector would have
// delivered them by then. The slice is reused; copy what must outlive a step.
// A zero period means the period of seeded history.
func (t *Tenant) History(from, to, epoch time.Time, period time.Duration) iter.Seq2[*Signal, []asset.Reading] {
	return func(yield func(*Signal, []asset.Reading) bool) {
		var block []asset.Reading
		for _, a := range t.Assets {
			for _, s := range a.Signals {
				block = t.SignalHistory(block[:0], s, from, to, epoch, period)
				if !yield(s, block) {
					return
				}
			}
		}
	}
}

// SignalHistory appends the history of one signal to dst. It may run for
// several signals at the same time. Readings that a late feed would not have
// delivered by to are absent; readings in a wrong unit are Bad, because a
// value in an unknown unit cannot be trusted.
func (t *Tenant) SignalHistory(dst []asset.Reading, s *Signal, from, to, epoch time.Time, period time.Duration) []asset.Reading {
	in, ok := t.Integration(s.Integration)
	if !ok {
		return dst
	}
	epoch = epoch.UTC().Truncate(time.Second)
	generator := simulate.NewGenerator(s.point, t.seed(), epoch)
	fault := t.fault(in, epoch)
	if fault != nil && !slices.Contains(fault.Tags, s.ExternalTag) {
		fault = nil
	}
	end := to.Unix()
	if fault != nil && fault.Kind == simulate.FaultLateFeed {
		end -= fault.LagSeconds
	}
	if period == 0 {
		period = historyPeriod
	}
	// Samples stand on whole multiples of the signal's own period.
	own := int64(s.Period / time.Second)
	step := max(1, (int64(period/time.Second)+own-1)/own) * own
	first := (from.Unix() + step - 1) / step * step
	dst = slices.Grow(dst, max(0, int((end-first)/step)+1))
	for second := first; second < end; second += step {
		reading := asset.Reading{Time: time.Unix(second, 0).UTC(), Value: generator.AtUnix(second), Quality: asset.Good}
		if fault != nil && fault.Kind == simulate.FaultWrongUnit && second >= fault.StartUnix {
			reading.Value *= fault.Factor
			reading.Quality = asset.Bad
		}
		dst = append(dst, reading)
	}
	return dst
}
