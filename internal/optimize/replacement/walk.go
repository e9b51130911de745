package replacement

import (
	"math"
	"slices"
)

// The eight-point Gauss-Legendre rule on [−1, 1]: abscissas above 0 and their
// weights.
var (
	nodes   = [4]float64{0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363}
	weights = [4]float64{0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763}
)

const (
	// stretch is the longest panel relative to the age it starts from; within
	// it a power of the age is a polynomial to the last digit.
	stretch = 0.25
	// panelHazard is the most cumulative hazard within one panel.
	panelHazard = 1.0
	// seedHazard is the cumulative hazard that a new item meets in the first,
	// closed panel, which takes the survival as linear in the hazard.
	seedHazard = 1e-9
	// certain is the cumulative hazard after which nothing survives that would
	// change a sum in its last digit.
	certain = 45.0
)

// Walk integrates forward along the life of an item that is Age old at the
// start: how long it lives and how it fails within the next X.
type Walk struct {
	Age    float64
	X      float64
	Life   float64   // E[min(T, X)], T the remaining life
	Failed []float64 // P(the mode strikes first and within X), per mode
	modes  []Mode
	base   float64 // cumulative hazard at the start
}

// NewWalk starts a walk of an item of a given age.
func NewWalk(modes []Mode, age float64) *Walk {
	age = max(age, 0)
	return &Walk{Age: age, Failed: make([]float64, len(modes)), modes: modes, base: cumulative(modes, age)}
}

// fork returns an independent copy.
func (w *Walk) fork() *Walk {
	c := *w
	c.Failed = slices.Clone(w.Failed)
	return &c
}

// met returns the cumulative hazard met from the start to x.
func (w *Walk) met(x float64) float64 { return max(cumulative(w.modes, w.Age+x)-w.base, 0) }

// Survival returns P(T > X).
func (w *Walk) Survival() float64 { return math.Exp(-w.met(w.X)) }

// To walks on to x; going back is not possible and does nothing.
func (w *Walk) To(x float64) {
	for w.X < x {
		now := w.met(w.X)
		if now > certain {
			w.X = x
			break
		}
		if w.Age+w.X == 0 {
			w.seed(x)
			continue
		}
		next := min(x, w.X+stretch*(w.Age+w.X))
		for w.met(next)-now > panelHazard {
			next = (w.X + next) / 2
		}
		w.panel(next)
	}
	if len(w.modes) == 1 { // exact, where a sum would be merely close
		w.Failed[0] = -math.Expm1(-w.met(w.X))
	}
}

// seed takes the first step of a new item, so short that the hazard met in it
// hardly counts; the modes share the failures as they share the hazard.
func (w *Walk) seed(x float64) {
	for _, m := range w.modes {
		x = min(x, m.Eta*math.Pow(seedHazard/(m.Evidence*float64(len(w.modes))), 1/m.Beta))
	}
	total := w.met(x)
	for k, m := range w.modes {
		if _, h := m.at(x); total > 0 {
			w.Failed[k] += -math.Expm1(-total) * h / total
		}
	}
	w.Life += x
	w.X = x
}

// panel integrates to x by one Gauss-Legendre rule.
func (w *Walk) panel(x float64) {
	half, mid := (x-w.X)/2, (x+w.X)/2
	for i, node := range nodes {
		for _, side := range [2]float64{-node, node} {
			w.sample(mid+half*side, half*weights[i])
		}
	}
	w.X = x
}

// sample adds the integrands at u, weighted.
func (w *Walk) sample(u, weight float64) {
	total := -w.base
	var few [8]float64
	hazards := few[:0]
	for _, m := range w.modes {
		h, c := m.at(w.Age + u)
		total += c
		hazards = append(hazards, h)
	}
	s := math.Exp(-max(total, 0)) * weight
	w.Life += s
	for k, h := range hazards {
		w.Failed[k] += s * h
	}
}

// Lost returns Σ (cost − planned)·P(mode strikes first and within X): what
// failures cost beyond the planned job.
func (w *Walk) Lost(planned float64) float64 {
	sum := 0.0
	for k, m := range w.modes {
		sum += (m.Cost - planned) * w.Failed[k]
	}
	return sum
}
