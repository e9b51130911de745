package scoring

import (
	"math"
	"slices"
)

// binMillis is the width of a bin of the frame: two hours keep a 90-day
// history of any sampling rate at 1080 rows, far finer than degradations move.
const binMillis = 2 * 60 * 60 * 1000

// holdMillis is how long the last value stands in for a missing one; slow
// signals are held for stalePeriods of their own period.
const holdMillis = 6 * 60 * 60 * 1000

// frame is the usable signals of an asset side by side: one row per bin in
// which all of them are known.
type frame struct {
	channels []int // positions in Assessment.channels
	rows     [][]float64
	ends     []int64 // end of each row's bin, ms
}

// newFrame aligns the usable signals. A signal that covers less than half of
// the history is left out rather than cutting the others short; counters have
// no steady level to compare with and are judged by their rate instead.
func newFrame(channels []channel) frame {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, c := range channels {
		if c.comparable() {
			first = min(first, floorDiv(c.samples[0].at, binMillis))
			last = max(last, floorDiv(c.samples[len(c.samples)-1].at, binMillis))
		}
	}
	if first > last {
		return frame{}
	}
	f := frame{}
	var columns [][]float64
	for i, c := range channels {
		if !c.comparable() {
			continue
		}
		column := c.column(first, int(last-first+1))
		if known(column)*2 >= len(column) {
			f.channels = append(f.channels, i)
			columns = append(columns, column)
		}
	}
	if len(columns) == 0 {
		return frame{}
	}
	f.fill(columns, first)
	return f
}

func (c *channel) comparable() bool { return c.trust.OK && !c.counter && len(c.samples) > 0 }

// fill turns columns into rows, skipping bins with a gap.
func (f *frame) fill(columns [][]float64, first int64) {
	for b := range columns[0] {
		row := make([]float64, len(columns))
		whole := true
		for j, column := range columns {
			row[j] = column[b]
			whole = whole && !math.IsNaN(column[b])
		}
		if whole {
			f.rows = append(f.rows, row)
			f.ends = append(f.ends, (first+int64(b)+1)*binMillis)
		}
	}
}

// column returns the median of each bin, held over short gaps, NaN elsewhere.
func (c *channel) column(first int64, bins int) []float64 {
	out := make([]float64, bins)
	hold := max(int64(holdMillis), stalePeriods*c.period)
	next, previous, seen := 0, 0.0, int64(math.MinInt64)
	var in []float64
	for b := range out {
		end := (first + int64(b) + 1) * binMillis
		in = in[:0]
		for next < len(c.samples) && c.samples[next].at < end {
			in = append(in, c.samples[next].value)
			seen = c.samples[next].at
			next++
		}
		switch {
		case len(in) > 0:
			slices.Sort(in)
			previous = (in[(len(in)-1)/2] + in[len(in)/2]) / 2
			out[b] = previous
		case seen != math.MinInt64 && end-seen <= hold:
			out[b] = previous
		default:
			out[b] = math.NaN()
		}
	}
	return out
}

func known(column []float64) (n int) {
	for _, v := range column {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// level is what the signal reads now: the median of the last day, at least of
// the last three readings, so that a spike does not move it.
func (c *channel) level() float64 {
	n := len(c.samples)
	from := n
	for from > 0 && (n-from < 3 || c.samples[from-1].at > c.samples[n-1].at-dayMillis) {
		from--
	}
	values := make([]float64, 0, n-from)
	for _, x := range c.samples[from:] {
		values = append(values, x.value)
	}
	return median(values)
}
