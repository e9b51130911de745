package scoring

import (
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// sample is one usable reading; times are Unix milliseconds.
type sample struct {
	at        int64
	value     float64
	uncertain bool
}

// channel is one signal after cleaning.
type channel struct {
	signal  asset.Signal
	sides   []side
	samples []sample // ascending, unique times
	refused []sample // finite values of bad quality, as delivered
	badAt   []int64  // times of bad readings and of those that are no numbers
	wildAt  []int64  // times of implausible readings
	period  int64    // expected time between samples, ms
	trust   SignalTrust
	counter bool
}

// recentCount is how many of the latest readings speak for "now" when the
// scale of a signal is judged.
const recentCount = 24

// implausibleSpans is how many times the width between a signal's limits a
// value may lie outside them before it cannot be a measurement.
const implausibleSpans = 10

// clean sorts and filters the readings of one series: nothing after AsOf,
// nothing before the window, nothing bad, not finite, repeated or physically
// impossible. Every refusal is counted.
func clean(s asset.Series, in AssetInput, windowDays float64) channel {
	c := channel{signal: s.Signal, sides: sidesOf(s.Signal)}
	c.trust = SignalTrust{Signal: s.Signal.Metric, Reasons: []Reason{}}
	end := in.AsOf.UnixMilli()
	c.samples = c.admit(s.Readings, end, end-int64(windowDays*dayMillis))
	c.samples = inOrder(c.samples, &c.trust.Rows)
	c.period = samplePeriod(s.Signal.Period, c.samples, in.HoursUntil)
	c.checkUnit()
	c.dropImplausible()
	rows := &c.trust.Rows
	rows.Used = len(c.samples)
	for _, x := range c.samples {
		if x.uncertain {
			rows.Uncertain++
		}
	}
	return c
}

const (
	hourMillis = 60 * 60 * 1000
	dayMillis  = 24 * hourMillis
)

// admit sorts the readings into usable and refused. Values of bad readings
// are kept aside: they may still show that the source changed its unit.
func (c *channel) admit(readings []asset.Reading, end, start int64) []sample {
	rows := &c.trust.Rows
	out := make([]sample, 0, len(readings))
	for _, r := range readings {
		at := r.Time.UnixMilli()
		switch {
		case at > end:
			rows.Future++
		case at < start:
			rows.Older++
		case !finite(r.Value):
			rows.NotFinite++
			c.badAt = append(c.badAt, at)
		case r.Quality != asset.Good && r.Quality != asset.Uncertain:
			rows.Bad++
			c.badAt = append(c.badAt, at)
			if usable(r.Value) {
				c.refused = append(c.refused, sample{at: at, value: r.Value})
			}
		case !usable(r.Value):
			rows.Implausible++
			c.wildAt = append(c.wildAt, at)
		default:
			out = append(out, sample{at: at, value: r.Value, uncertain: r.Quality == asset.Uncertain})
		}
	}
	return out
}

// inOrder sorts by time and keeps the last delivered of equal times, which is
// how historians correct a value.
func inOrder(in []sample, rows *RowCounts) []sample {
	for i := 1; i < len(in); i++ {
		if in[i].at < in[i-1].at {
			rows.OutOfOrder++
		}
	}
	if rows.OutOfOrder > 0 {
		slices.SortStableFunc(in, func(a, b sample) int {
			switch {
			case a.at < b.at:
				return -1
			case a.at > b.at:
				return 1
			}
			return 0
		})
	}
	out := in[:0]
	for i, x := range in {
		if i+1 < len(in) && in[i+1].at == x.at {
			rows.Duplicate++
			continue
		}
		out = append(out, x)
	}
	return out
}

// samplePeriod is how often the signal arrives: the declared period, or the
// median of the latest intervals where that is longer or nothing is declared.
// A history stored at a coarser step than the live feed is not stale. Means of
// hours, those before hoursUntil, are asked when nothing else is there; they
// tell of slow signals only, by the hours that are missing.
func samplePeriod(declared time.Duration, in []sample, hoursUntil time.Time) int64 {
	const fallback = 30 * 60 * 1000
	var measured, hours []float64
	for i := max(len(in)-recentCount, 1); i < len(in); i++ {
		gap := in[i].at - in[i-1].at
		switch {
		case in[i-1].at >= hoursUntil.UnixMilli():
			measured = append(measured, float64(gap))
		case gap >= 2*hourMillis:
			hours = append(hours, float64(gap))
		default:
			hours = append(hours, 0)
		}
	}
	if len(measured) == 0 {
		measured = hours
	}
	if len(measured) == 0 && declared <= 0 {
		return fallback
	}
	return max(declared.Milliseconds(), int64(median(measured)), 1)
}

// dropImplausible removes values far outside everything the signal's limits
// allow for; without limits, values far outside the bulk of the data.
func (c *channel) dropImplausible() {
	if len(c.samples) == 0 || c.trust.has(CodeWrongUnit) {
		return
	}
	lo, hi, ok := span(c.signal)
	reach := implausibleSpans * (hi - lo)
	if !ok {
		m, spread := centre(c.values())
		lo, hi, reach = m, m, 50*max(spread, 1e-9*math.Abs(m))
		if spread == 0 {
			return
		}
	}
	kept := c.samples[:0]
	for _, x := range c.samples {
		if x.value < lo-reach || x.value > hi+reach {
			c.trust.Rows.Implausible++
			c.wildAt = append(c.wildAt, x.at)
			continue
		}
		kept = append(kept, x)
	}
	c.samples = kept
}

func (c *channel) values() []float64 {
	out := make([]float64, len(c.samples))
	for i, x := range c.samples {
		out[i] = x.value
	}
	return out
}

// recent returns the values of the last readings.
func (c *channel) recent() []float64 {
	tail := channel{samples: c.samples[max(len(c.samples)-recentCount, 0):]}
	return tail.values()
}

// median returns the middle value and reorders nothing; 0 for no values.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return s[n/2-1]/2 + s[n/2]/2
}

// centre returns the median and the spread of the bulk of v as a standard
// deviation (1.4826 × median absolute deviation).
func centre(v []float64) (mid, sd float64) {
	mid = median(v)
	dev := make([]float64, len(v))
	for i, x := range v {
		dev[i] = math.Abs(x - mid)
	}
	return mid, 1.4826 * median(dev)
}
