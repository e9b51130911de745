package prognosis

import (
	"cmp"
	"math"
	"slices"
)

// Similar is a past life at the row where it was most like the present one.
type Similar struct {
	Unit     string  `json:"unit"`
	Left     float64 `json:"left"`     // cycles it then had left
	Distance float64 `json:"distance"` // root mean square over the signals, standard deviations
}

const (
	mostSimilar = 5
	quantum     = 1e-3 // resolution of a remembered state, standard deviations
	missing     = math.MinInt16
)

// pastLife remembers states of a training life, a few rows apart: the
// short-term mean of every described signal in quanta.
type pastLife struct {
	unit   string
	left   []float64 // cycles left at each state
	states []int16   // states × signals
}

// similar returns the past lives that came nearest to a state.
func (m *Model) similar(state []int16) []Similar {
	found := make([]Similar, 0, len(m.lives))
	for _, life := range m.lives {
		at, least := 0, math.Inf(1)
		for i := range life.left {
			if d := apart(state, life.states[i*len(state):(i+1)*len(state)]); d < least {
				at, least = i, d
			}
		}
		if !math.IsInf(least, 1) {
			found = append(found, Similar{Unit: life.unit, Left: life.left[at], Distance: math.Sqrt(least)})
		}
	}
	slices.SortStableFunc(found, func(a, b Similar) int { return cmp.Compare(a.Distance, b.Distance) })
	return found[:min(mostSimilar, len(found))]
}

// apart is the mean square difference of the signals that both states have, in
// standard deviations, +Inf when there is none.
func apart(a, b []int16) float64 {
	var sum, n int64
	for i := range a {
		if a[i] != missing && b[i] != missing {
			d := int64(a[i]) - int64(b[i])
			sum += d * d
			n++
		}
	}
	if n == 0 {
		return math.Inf(1)
	}
	return float64(sum) / float64(n) * quantum * quantum
}
