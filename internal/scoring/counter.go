package scoring

import (
	"math"
	"time"
)

// counterSamples is the least number of readings to recognise a counter by.
const counterSamples = 50

// isCounter recognises running hours, starts and the like: values that never
// fall, over enough readings that a degradation with noise would have.
func (c *channel) isCounter() bool {
	if len(c.samples) < counterSamples {
		return false
	}
	rises := 0
	for i := 1; i < len(c.samples); i++ {
		d := c.samples[i].value - c.samples[i-1].value
		if d < 0 {
			return false
		}
		if d > 0 {
			rises++
		}
	}
	return rises >= counterSamples/5
}

// counterLine is a counter's own early rate: its value is expected to go on
// growing as it did in the first part of the history.
type counterLine struct {
	at    int64
	value float64
	slope float64 // per ms
	noise float64 // largest departure while learning
}

// line fits the early rate through the ends of the learning period.
func (c *channel) line() counterLine {
	n := max(int(float64(len(c.samples))*baselineShare), 2)
	first, last := c.samples[0], c.samples[n-1]
	l := counterLine{at: first.at, value: first.value}
	l.slope = (last.value - first.value) / float64(last.at-first.at)
	for _, x := range c.samples[:n] {
		l.noise = max(l.noise, math.Abs(x.value-l.expected(x.at)))
	}
	return l
}

func (l counterLine) expected(at int64) float64 { return l.value + l.slope*float64(at-l.at) }

// index is how far a value has run ahead of the line, over what matters: a
// share of the way left to the warning limit, and more than the unevenness
// seen while learning. Running behind is no anomaly.
func (l counterLine) index(x sample, sides []side, materiality float64) float64 {
	reach := 3 * l.noise
	for _, s := range sides {
		left := s.warn - l.expected(x.at)
		if s.dir > 0 {
			reach = max(reach, materiality*max(left, s.warn-s.edge))
		}
	}
	ahead := x.value - l.expected(x.at)
	if ahead <= 0 || reach <= 0 {
		return 0
	}
	return ahead / reach
}

// compareCounter adds to s what a counter's own early rate says about it.
func (a *Assessment) compareCounter(s *standing) {
	c := s.channel
	l := c.line()
	last := c.samples[len(c.samples)-1]
	s.actual, s.expected = last.value, l.expected(last.at)
	s.index = l.index(last, c.sides, a.set.AnomalyMateriality)
	s.noise = l.noise
	if s.index <= anomalyEdge {
		return
	}
	s.ahead = true
	s.since = time.UnixMilli(last.at).UTC()
	for i := len(c.samples) - 1; i >= 0 && l.index(c.samples[i], c.sides, a.set.AnomalyMateriality) > anomalyEdge; i-- {
		s.since = time.UnixMilli(c.samples[i].at).UTC()
	}
}
