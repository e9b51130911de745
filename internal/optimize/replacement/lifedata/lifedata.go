// Package lifedata estimates what the theory of replacement starts from:
// trends of repairable systems, cumulative repairs, survival without a model,
// and Weibull lives known only to intervals. Times may be in any unit as long
// as it is the same everywhere. Formulas follow the NIST/SEMATECH e-Handbook
// of Statistical Methods, chapter 8, and Meeker and Escobar, Statistical
// Methods for Reliability Data (1998).
package lifedata

import (
	"errors"
	"math"
	"slices"
)

// Errors of the estimates.
var (
	ErrTooFew     = errors.New("too few failures to estimate from")
	ErrNoTime     = errors.New("a time is not a positive finite number")
	ErrOrder      = errors.New("an interval ends before it starts")
	ErrNoEstimate = errors.New("no finite estimate fits the data")
)

// positive reports whether every number is positive and finite.
func positive(lists ...[]float64) bool {
	for _, list := range lists {
		for _, v := range list {
			if !(v > 0) || math.IsInf(v, 1) {
				return false
			}
		}
	}
	return true
}

// Step is one step of a step function: from Time on it has Value.
type Step struct {
	Time  float64
	Value float64
}

// At returns the value of a step function at t, before its first step start.
func At(steps []Step, start, t float64) float64 {
	for _, s := range steps {
		if s.Time > t {
			break
		}
		start = s.Value
	}
	return start
}

// KaplanMeier returns the product-limit estimate of survival at each failure
// time; lives censored at the time of a failure were still at risk.
func KaplanMeier(failures, censored []float64) ([]Step, error) {
	if len(failures) == 0 {
		return nil, ErrTooFew
	}
	if !positive(failures, censored) {
		return nil, ErrNoTime
	}
	failed, all := slices.Sorted(slices.Values(failures)), slices.Concat(failures, censored)
	slices.Sort(all)
	var out []Step
	survival := 1.0
	for k := 0; k < len(failed); {
		t := failed[k]
		deaths := 0
		for ; k < len(failed) && failed[k] == t; k++ {
			deaths++
		}
		before, _ := slices.BinarySearch(all, t)
		survival *= 1 - float64(deaths)/float64(len(all)-before)
		out = append(out, Step{t, survival})
	}
	return out, nil
}

// MeanCumulative returns Nelson's mean cumulative number of repairs per
// system at each repair. Each system is its repair times followed by the end
// of its observation; a system that ends with a repair was still at risk then.
func MeanCumulative(systems [][]float64) ([]Step, error) {
	var ends, repairs []float64
	for _, s := range systems {
		if len(s) == 0 {
			return nil, ErrTooFew
		}
		if !positive(s) {
			return nil, ErrNoTime
		}
		sorted := slices.Sorted(slices.Values(s))
		ends = append(ends, sorted[len(sorted)-1])
		repairs = append(repairs, sorted[:len(sorted)-1]...)
	}
	if len(repairs) == 0 {
		return nil, ErrTooFew
	}
	slices.Sort(ends)
	slices.Sort(repairs)
	var out []Step
	mean := 0.0
	for _, t := range repairs {
		gone, _ := slices.BinarySearch(ends, t)
		mean += 1 / float64(len(ends)-gone)
		if n := len(out); n > 0 && out[n-1].Time == t {
			out[n-1].Value = mean
			continue
		}
		out = append(out, Step{t, mean})
	}
	return out, nil
}
