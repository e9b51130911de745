package db

import (
	"math"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// Moments summarises samples of one signal. All but Bad speak of the samples
// that are usable: not bad, with a value, and not beyond anything measured. M2
// is the sum of the squared distances from the mean; not a number where the
// summary was stored before spreads were kept.
type Moments struct {
	Count          int64
	Mean, M2       float64
	Min, Max, Last float64
	FirstAt        time.Time
	LastAt         time.Time
	Bad            int64
	Quality        asset.Quality // worst among the usable ones
}

// add takes one more sample in (Welford 1962); samples come in ascending time.
func (m *Moments) add(r asset.Reading) {
	if !usable(r) {
		m.Bad++
		return
	}
	m.Count++
	if m.Count == 1 {
		m.Min, m.Max, m.FirstAt = r.Value, r.Value, r.Time
	}
	off := r.Value - m.Mean
	m.Mean += off / float64(m.Count)
	m.M2 += off * (r.Value - m.Mean)
	m.Min, m.Max, m.Last, m.LastAt = min(m.Min, r.Value), max(m.Max, r.Value), r.Value, r.Time
	m.Quality = max(m.Quality, r.Quality)
}

// merge joins another summary of the same signal (Chan, Golub and LeVeque
// 1979), which is exact for large values with a small spread, unlike sums of
// squares.
func (m *Moments) merge(o Moments) {
	bad := m.Bad + o.Bad
	switch {
	case o.Count == 0:
	case m.Count == 0:
		*m = o
	default:
		a, b := float64(m.Count), float64(o.Count)
		off := o.Mean - m.Mean
		m.Mean += off * b / (a + b)
		m.M2 += o.M2 + off*off*a*b/(a+b)
		m.Count += o.Count
		m.Min, m.Max, m.Quality = min(m.Min, o.Min), max(m.Max, o.Max), max(m.Quality, o.Quality)
		if o.FirstAt.Before(m.FirstAt) {
			m.FirstAt = o.FirstAt
		}
		if !o.LastAt.Before(m.LastAt) {
			m.Last, m.LastAt = o.Last, o.LastAt
		}
	}
	m.Bad = bad
}

// SD is the standard deviation of the sample, not a number for fewer than two
// samples or where the spread is not known.
func (m Moments) SD() float64 {
	if m.Count < 2 {
		return math.NaN()
	}
	return math.Sqrt(max(m.M2, 0) / float64(m.Count-1))
}

// momentsBy summarises ascending samples by steps of equal width that are
// aligned to origin; starts[i] begins the step of summaries[i]. Steps without a
// sample are absent.
func momentsBy(samples []asset.Reading, origin time.Time, step time.Duration) (starts []time.Time, summaries []Moments) {
	for _, r := range samples {
		start := stepStart(r.Time, origin, step)
		if n := len(starts); n == 0 || !starts[n-1].Equal(start) {
			starts, summaries = append(starts, start), append(summaries, Moments{})
		}
		summaries[len(summaries)-1].add(r)
	}
	return starts, summaries
}

// stepStart is the beginning of the step that a moment lies in.
func stepStart(t, origin time.Time, step time.Duration) time.Time {
	off := t.Sub(origin) % step
	if off < 0 {
		off += step
	}
	return t.Add(-off)
}
