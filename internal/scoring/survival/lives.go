package survival

import "math"

// Lives is what is known of a population, times in one unit. Weights count
// lives that share a time; nil means one each.
type Lives struct {
	Failures        []float64 // lives that ended, exactly
	FailureWeights  []float64
	Censored        []float64 // lives that had not ended when last seen
	CensoredWeights []float64
	Intervals       []Bracket
}

// Bracket says that Weight lives ended after After and by Until. After 0 is
// left censoring, Until +Inf right censoring; Weight 0 means one.
type Bracket struct {
	After, Until, Weight float64
}

// maxWeight is more lives than any population has; beyond it the sum of the
// likelihood would lose the others by rounding.
const maxWeight = 1e9

// sample holds lives in units of the largest one, which keeps their powers in
// (0, 1] whatever the unit.
type sample struct {
	unit     float64
	spans    []span
	exact    float64 // weight of exact failures
	failures float64 // weight of exact and bracketed failures
	lives    float64 // total weight
	start    point   // an exponential life with as many failures per exposure
}

func newSample(l Lives) (sample, error) {
	var s sample
	for _, list := range []struct {
		times, weights []float64
		exact          bool
	}{{l.Failures, l.FailureWeights, true}, {l.Censored, l.CensoredWeights, false}} {
		if list.weights != nil && len(list.weights) != len(list.times) {
			return sample{}, ErrWeight
		}
		for i, t := range list.times {
			d := span{after: t, until: t, exact: list.exact, weight: 1}
			if list.weights != nil {
				d.weight = list.weights[i]
			}
			if !list.exact {
				d.until = math.Inf(1)
			}
			if err := s.add(d, t); err != nil {
				return sample{}, err
			}
		}
	}
	for _, b := range l.Intervals {
		if err := s.addBracket(b); err != nil {
			return sample{}, err
		}
	}
	if s.failures == 0 {
		return sample{}, ErrNoFailures
	}
	s.scale()
	return s, nil
}

func (s *sample) addBracket(b Bracket) error {
	if b.Weight == 0 {
		b.Weight = 1
	}
	if !(b.After >= 0) || math.IsNaN(b.Until) {
		return ErrNotPositive
	}
	if b.Until <= b.After {
		return ErrInterval
	}
	last := b.Until
	if math.IsInf(last, 1) {
		if last = b.After; last == 0 {
			return nil // seen at no time: no information
		}
	}
	return s.add(span{after: b.After, until: b.Until, weight: b.Weight}, last)
}

// add takes one span in, still in plain time; last is its latest finite time.
func (s *sample) add(d span, last float64) error {
	if !(last > 0) || math.IsInf(last, 0) {
		return ErrNotPositive
	}
	if !(d.weight > 0) || d.weight > maxWeight {
		return ErrWeight
	}
	s.unit = max(s.unit, last)
	s.lives += d.weight
	if !math.IsInf(d.until, 1) {
		s.failures += d.weight
	}
	if d.exact {
		s.exact += d.weight
	}
	s.spans = append(s.spans, d)
	return nil
}

// scale goes over to logarithms in units of the largest life.
func (s *sample) scale() {
	exposure := 0.0
	for i := range s.spans {
		d := &s.spans[i]
		after, until := d.after/s.unit, d.until/s.unit
		if math.IsInf(until, 1) {
			exposure += d.weight * after
		} else {
			exposure += d.weight * (after + until) / 2
		}
		d.after, d.until = math.Log(after), math.Log(until)
	}
	s.start = point{math.Log(exposure / s.failures), 1}
}
