package change

import (
	"fmt"
	"math"
	"slices"
)

// TailConfig sets a Tail test; a zero field takes its default.
type TailConfig struct {
	Trend       float64 // EWMA weight of the level, default 0.05
	History     int     // residuals remembered, default 1000
	Peaks       float64 // share of them that make up the tail, default 0.05
	Probability float64 // of a reading at which an alarm is raised, default 0.001
	Rest        int     // readings after an alarm without another, default 0
}

func (c TailConfig) filled() TailConfig {
	if c.Trend == 0 {
		c.Trend = 0.05
	}
	if c.History == 0 {
		c.History = 1000
	}
	if c.Peaks == 0 {
		c.Peaks = 0.05
	}
	if c.Probability == 0 {
		c.Probability = 1e-3
	}
	return c
}

// Tail judges how improbable a reading is by the signal's own past: the
// residual from a robust running level, against the largest remembered
// residuals with a generalised Pareto tail fitted to them (peaks over
// threshold; Siffer et al., Anomaly Detection in Streams with Extreme Value
// Theory, 2017; moments after Hosking and Wallis, 1987).
type Tail struct {
	config  TailConfig
	started bool
	level   float64
	recent  []float64 // absolute residuals in order of arrival
	sorted  []float64 // the same, ascending
	quiet   int       // readings left of the rest
	Ignored int       // readings that were not finite
}

// leastHistory is the number of residuals below which nothing is judged.
const leastHistory = 50

// NewTail returns a test without a past.
func NewTail(c TailConfig) (*Tail, error) {
	c = c.filled()
	if !(c.Trend > 0 && c.Trend <= 1) || c.History < leastHistory || !(c.Peaks > 0 && c.Peaks < 1) || !(c.Probability > 0 && c.Probability < 1) || c.Rest < 0 {
		return nil, fmt.Errorf("tail test: trend %v, history %d, peaks %v, probability %v, rest %d: want shares inside (0, 1), a history of %d or more", c.Trend, c.History, c.Peaks, c.Probability, c.Rest, leastHistory)
	}
	return &Tail{config: c}, nil
}

// Next takes a reading and returns the negative decimal logarithm of its tail
// probability over that of the configured one, and whether to raise an alarm:
// above 1 and not at rest after another. It is 0 while the past is too short.
func (t *Tail) Next(x float64) (score float64, alarm bool) {
	if !measured(x) {
		t.Ignored++
		return 0, false
	}
	if !t.started {
		t.level, t.started = x, true
	}
	residual := x - t.level
	size := math.Abs(residual)
	if len(t.sorted) >= leastHistory {
		score = math.Log10(t.probability(size)) / math.Log10(t.config.Probability)
	}
	// A wild reading moves the level no more than the largest usual one.
	bound := math.Inf(1)
	if len(t.sorted) >= leastHistory {
		bound = t.sorted[int(float64(len(t.sorted))*(1-t.config.Peaks))]
	}
	t.level += t.config.Trend * min(max(residual, -bound), bound)
	t.remember(size)
	t.quiet = max(t.quiet-1, 0)
	if alarm = score > 1 && t.quiet == 0; alarm {
		t.quiet = t.config.Rest
	}
	return score, alarm
}

// probability is the share of residuals expected at or beyond size.
func (t *Tail) probability(size float64) float64 {
	n := len(t.sorted)
	first := min(int(float64(n)*(1-t.config.Peaks)), n-1)
	threshold := t.sorted[first]
	if size <= threshold {
		i, _ := slices.BinarySearch(t.sorted, size)
		return float64(n-i) / float64(n+1)
	}
	mean, square := 0.0, 0.0
	peaks := t.sorted[first:]
	for _, v := range peaks {
		mean += (v - threshold) / float64(len(peaks))
	}
	for _, v := range peaks {
		square += (v - threshold - mean) * (v - threshold - mean) / float64(len(peaks))
	}
	return max(float64(len(peaks))/float64(n+1)*survivor(size-threshold, mean, square), 1e-30)
}

// survivor is the probability that an excess of a generalised Pareto
// distribution with this mean and variance is greater than x.
func survivor(x, mean, variance float64) float64 {
	if !(mean > 0) {
		return 0
	}
	ratio := 1.0
	if variance > 0 {
		ratio = mean * mean / variance
	}
	// A bounded tail (negative shape) would call everything past the largest
	// residual impossible; it is taken for an exponential one.
	shape := max((1-ratio)/2, 0)
	if shape < 1e-6 {
		return math.Exp(-x / mean)
	}
	scale := mean * (1 - shape)
	return math.Pow(1+shape*x/scale, -1/shape)
}

// wildest is how many times the largest remembered residual another may be
// remembered as: one wild reading must not make the next one look usual.
const wildest = 1.2

// remember adds a residual and forgets the oldest beyond the history.
func (t *Tail) remember(size float64) {
	if n := len(t.sorted); n >= leastHistory && t.sorted[n-1] > 0 {
		size = min(size, wildest*t.sorted[n-1])
	}
	t.recent = append(t.recent, size)
	i, _ := slices.BinarySearch(t.sorted, size)
	t.sorted = slices.Insert(t.sorted, i, size)
	if len(t.recent) > t.config.History {
		i, _ := slices.BinarySearch(t.sorted, t.recent[0])
		t.sorted = slices.Delete(t.sorted, i, i+1)
		t.recent = t.recent[1:]
	}
}
