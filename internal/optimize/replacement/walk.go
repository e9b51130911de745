package replacement

import (
	"math"
	"slices"
)

// The eight-point and the three-point Gauss-Legendre rule on [−1, 1].
var (
	wide = [][2]float64{
		{-0.9602898564975363, 0.1012285362903763}, {-0.7966664774136267, 0.2223810344533745},
		{-0.5255324099163290, 0.3137066458778873}, {-0.1834346424956498, 0.3626837833783620},
		{0.1834346424956498, 0.3626837833783620}, {0.5255324099163290, 0.3137066458778873},
		{0.7966664774136267, 0.2223810344533745}, {0.9602898564975363, 0.1012285362903763},
	}
	narrow = [][2]float64{{-0.7745966692414834, 5. / 9}, {0, 8. / 9}, {0.7745966692414834, 5. / 9}}
)

const (
	// stretch is the longest panel relative to the age it starts from, for
	// shapes up to 6 and less above; within it the wide rule is exact to the
	// last digits.
	stretch      = 0.5
	gentleShape  = 6
	panelHazard  = 1.0 // most cumulative hazard within one panel
	narrowHazard = 0.05
	narrowWidth  = 0.02 // relative to the age: the narrow rule is as exact
	// seedHazard is the cumulative hazard that a new item meets in the first,
	// closed panel, which takes the survival as quadratic in the hazard.
	seedHazard = 1e-5
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
	// OnFailure, when set, hears of the failures in the order of time: mass is
	// the probability of one near u.
	OnFailure func(u, mass float64)
	modes     []Mode
	base      float64 // cumulative hazard at the start
	hazard    float64 // cumulative hazard met since
	stretch   float64
}

// NewWalk starts a walk of an item of a given age.
func NewWalk(modes []Mode, age float64) *Walk {
	age = max(age, 0)
	w := &Walk{Age: age, Failed: make([]float64, len(modes)), modes: modes, base: cumulative(modes, age), stretch: stretch}
	for _, m := range modes {
		w.stretch = min(w.stretch, stretch*gentleShape/m.Beta)
	}
	return w
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
func (w *Walk) Survival() float64 { return math.Exp(-w.hazard) }

// To walks on to x; going back is not possible and does nothing.
func (w *Walk) To(x float64) {
	for w.X < x {
		if w.hazard > certain {
			w.X = x
			break
		}
		if w.Age+w.X == 0 {
			w.seed(x, seedHazard)
			continue
		}
		next := min(x, w.X+w.stretch*(w.Age+w.X))
		ahead := w.met(next)
		for ahead-w.hazard > panelHazard {
			next = (w.X + next) / 2
			ahead = w.met(next)
		}
		w.panel(next, ahead)
	}
	if len(w.modes) == 1 { // exact, where a sum would be merely close
		w.Failed[0] = -math.Expm1(-w.hazard)
	}
}

// seed takes the first step of a new item, at most to x and so short that the
// cumulative hazard in it is at most hazard and that only the first two orders
// of it count: with H_k ∝ x^β_k, the item lives x·(1 − Σ
// H_k/(β_k + 1)) and mode k fails with H_k − Σ H_j·H_k·β_k/(β_j + β_k).
func (w *Walk) seed(x, hazard float64) {
	for _, m := range w.modes {
		x = min(x, m.Eta*math.Pow(hazard/(m.Evidence*float64(len(w.modes))), 1/m.Beta))
	}
	alive, failed := 1.0, 0.0
	for k, m := range w.modes {
		_, h := m.at(x)
		alive -= h / (m.Beta + 1)
		second := 0.0
		for _, o := range w.modes {
			_, other := o.at(x)
			second += other * m.Beta / (o.Beta + m.Beta)
		}
		w.Failed[k] = h * (1 - second)
		failed += w.Failed[k]
	}
	w.Life, w.X, w.hazard = x*alive, x, w.met(x)
	if w.OnFailure != nil {
		w.OnFailure(x/2, failed)
	}
}

// panel integrates to x, by which the hazard ahead is met.
func (w *Walk) panel(x, ahead float64) {
	half, mid := (x-w.X)/2, (x+w.X)/2
	rule := wide
	if x-w.X < narrowWidth*(w.Age+w.X) && ahead-w.hazard < narrowHazard {
		rule = narrow
	}
	for _, node := range rule {
		w.sample(mid+half*node[0], half*node[1])
	}
	w.X, w.hazard = x, ahead
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
	mass := 0.0
	for k, h := range hazards {
		w.Failed[k] += s * h
		mass += s * h
	}
	if w.OnFailure != nil {
		w.OnFailure(u, mass)
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
