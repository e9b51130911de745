package replacement

import (
	"math"
	"slices"
)

// Optimum is a policy of least long-run cost. Age is +Inf when a planned job
// never pays.
type Optimum struct {
	Age  float64
	Rate float64 // money per unit of time
}

// farthest is how many scales out a replacement age is looked for; beyond it
// the item fails first for certain.
const farthest = 1e12

// Optimal returns the optimal age replacement of a new item: a planned job at
// age τ, or at the failure before, minimising
//
//	rate(τ) = (planned + Σ (cost − planned)·F_k(τ)) / E[min(T, τ)]
//
// whose derivative has the sign of E[min(T, τ)]·r(τ) − planned − Σ (cost −
// planned)·F_k(τ) with r the excess cost of failures per unit of time. Every
// place where the sign turns to plus is a candidate, and so is never.
// The planned cost must be above 0 and modes must not be empty.
func Optimal(planned float64, modes []Mode) Optimum {
	modes = Renewed(modes)
	scale := 0.0
	for _, m := range modes {
		scale = max(scale, m.Eta)
	}
	best := Optimum{Age: math.Inf(1), Rate: math.Inf(1)}
	if slices.ContainsFunc(modes, func(m Mode) bool { return m.Beta > 1 && m.Cost > planned }) {
		best = earliest(planned, modes, farthest*scale)
	}
	// With a hazard that only rises there is one turn, and it is the best.
	if !math.IsInf(best.Age, 1) && rising(planned, modes) {
		return best
	}
	never := NewWalk(modes, 0)
	never.To(farthest * scale)
	if rate := (planned + never.Lost(planned)) / never.Life; rate < best.Rate*(1-tie) {
		return Optimum{Age: math.Inf(1), Rate: rate}
	}
	return best
}

// rising reports whether the excess cost of failures per unit of time never
// falls with age.
func rising(planned float64, modes []Mode) bool {
	return !slices.ContainsFunc(modes, func(m Mode) bool { return m.Beta < 1 || m.Cost < planned })
}

// tie is the relative difference of two rates that counts as none.
const tie = 1e-12

// earliest looks at every age up to a limit at which the rate stops falling,
// and returns the best; of equals the first.
func earliest(planned float64, modes []Mode, limit float64) Optimum {
	best := Optimum{Age: math.Inf(1), Rate: math.Inf(1)}
	once := rising(planned, modes)
	w := NewWalk(modes, 0)
	dearest := planned
	for _, m := range modes {
		dearest = max(dearest, m.Cost)
	}
	w.seed(limit, min(seedHazard, 1e-3*planned/dearest)) // well before the first turn
	for last := slope(w, planned); w.X < limit; {
		left := w.fork()
		w.To(w.X * (1 + w.stretch))
		now := slope(w, planned)
		if last < 0 && now >= 0 {
			if o := turn(left, w.X, planned); o.Rate < best.Rate*(1-tie) {
				best = o
			}
			if once {
				break
			}
		}
		last = now
	}
	return best
}

// slope has the sign of the derivative of the rate at the end of a walk.
func slope(w *Walk, planned float64) float64 {
	return w.Life*excess(w.modes, planned, w.X) - planned - w.Lost(planned)
}

// turn finds where the slope passes zero between a walk and hi, by the
// Illinois variant of false position, with a bisection every third step, down
// to the last digits.
func turn(left *Walk, hi, planned float64) Optimum {
	at := func(x float64) (float64, *Walk) {
		w := left.fork()
		w.To(x)
		return slope(w, planned), w
	}
	lo := left.X
	flo, _ := at(lo)
	fhi, end := at(hi)
	side := 0
	for k := 1; hi-lo > 1e-13*hi && fhi != 0; k++ {
		x := (lo*fhi - hi*flo) / (fhi - flo)
		if k%3 == 0 || !(x > lo && x < hi) {
			x = (lo + hi) / 2
		}
		f, w := at(x)
		end = w
		switch {
		case f == 0:
			lo, hi = x, x
		case f < 0:
			lo, flo = x, f
			if side < 0 {
				fhi /= 2
			}
			side = -1
		default:
			hi, fhi = x, f
			if side > 0 {
				flo /= 2
			}
			side = 1
		}
		if math.Abs(f) <= 1e-15*planned {
			break
		}
	}
	return Optimum{Age: end.X, Rate: (planned + end.Lost(planned)) / end.Life}
}

// Overhaul returns the optimal interval between overhauls when failures in
// between are mended without changing the hazard (Barlow and Hunter 1960):
// minimising (repair·(t/η)^β + overhaul)/t over t. It is never for β ≤ 1; the
// rate is then 0 for β < 1, the limit for t → ∞, and repair/η for β = 1.
func Overhaul(beta, eta, repair, overhaul float64) Optimum {
	switch {
	case beta < 1:
		return Optimum{Age: math.Inf(1)}
	case beta == 1:
		return Optimum{Age: math.Inf(1), Rate: repair / eta}
	}
	t := eta * math.Pow(overhaul/(repair*(beta-1)), 1/beta)
	return Optimum{Age: t, Rate: (repair*math.Pow(t/eta, beta) + overhaul) / t}
}

// Rest follows a healthy item along its age and says what its present cycle
// still costs under the optimal age replacement, relative to a new item.
type Rest struct {
	walk    *Walk
	last    float64 // age after which nothing changes
	rate    float64
	planned float64
}

// Spent is the cumulative hazard after which the value of a healthy item is
// taken as constant: one in twenty thousand gets that far.
const Spent = 10.0

// NewRest starts at age 0. The modes count without their evidence.
func NewRest(planned float64, modes []Mode, o Optimum) *Rest {
	healthy := Renewed(modes)
	spent := math.Inf(1)
	for _, m := range healthy { // the first mode alone, then halve the way back
		spent = min(spent, m.Eta*math.Pow(Spent, 1/m.Beta))
	}
	lo, hi := 0.0, spent
	for range 100 {
		if mid := (lo + hi) / 2; cumulative(healthy, mid) < Spent {
			lo = mid
		} else {
			hi = mid
		}
	}
	return &Rest{walk: NewWalk(healthy, 0), last: min(o.Age, hi), rate: o.Rate, planned: planned}
}

// At returns the relative value of a healthy item of age v, which must not
// fall from one call to the next:
//
//	h(v) = planned + (rate·E[min(T, v)] − planned − Σ (cost − planned)·F_k(v)) / S(v)
//
// It is 0 when new and the planned cost from the optimal age on, where the job
// is due at once.
func (r *Rest) At(v float64) float64 {
	r.walk.To(min(v, r.last))
	return r.planned + (r.rate*r.walk.Life-r.planned-r.walk.Lost(r.planned))/r.walk.Survival()
}
