package deferral

import "math"

// The verifier recomputes C(d) by integrating over the logarithm of the age
// with adaptive Simpson, searches the optimal age by golden section, and
// follows the relative value of an imperfectly restored asset forward in time.
// It shares no code with the solver.

// referee prices one action.
type referee struct {
	a         *Action
	logEta    []float64
	width     float64 // of a logarithm of age in which the hazards are smooth
	rate, due float64 // g in SAR per day, optimal age in days
}

func newReferee(a *Action) referee {
	r := referee{a: a, width: .2}
	for _, m := range a.Modes {
		r.width = math.Min(r.width, .05/m.Weibull.Beta)
		r.logEta = append(r.logEta, math.Log(m.Weibull.Eta))
	}
	return r.settle()
}

// hazards returns, at the age whose logarithm is s, the cumulative hazard and
// the hazard of failures, weighed by what each costs beyond the planned job
// and unweighed.
func (r referee) hazards(s float64, healthy bool) (met, lost, all float64) {
	x := math.Exp(s)
	for k, m := range r.a.Modes {
		factor := m.Evidence
		if factor == 0 || healthy {
			factor = 1
		}
		h := factor * math.Exp(m.Weibull.Beta*(s-r.logEta[k]))
		met += h
		lost += (m.FailureCost - r.a.PlannedCost) * h * m.Weibull.Beta / x
		all += h * m.Weibull.Beta / x
	}
	return met, lost, all
}

// earliest is the logarithm of an age before which nothing fails: a new asset
// is alive until then.
func (r referee) earliest() float64 {
	least := math.Inf(1)
	for _, m := range r.a.Modes {
		least = math.Min(least, math.Log(m.Weibull.Eta)-45/m.Weibull.Beta)
	}
	return least
}

// span returns, for an asset that was alive at the age with cumulative hazard
// base, the expected time alive and the expected excess cost of failures
// between two logarithms of age. Spans in which much hazard is met are halved
// first, so that Simpson's rule sees where the asset dies.
func (r referee) span(base, from, to float64, healthy bool) (alive, lost float64) {
	before, _, _ := r.hazards(from, healthy)
	after, _, _ := r.hazards(to, healthy)
	if before-base > 45 {
		return 0, 0
	}
	if mid := (from + to) / 2; after-before > 2 && mid > from && mid < to {
		alive, lost = r.span(base, from, mid, healthy)
		more, extra := r.span(base, mid, to, healthy)
		return alive + more, lost + extra
	}
	alive = simpson(func(s float64) float64 {
		met, _, _ := r.hazards(s, healthy)
		return math.Exp(base - met + s)
	}, from, to)
	lost = simpson(func(s float64) float64 {
		met, extra, _ := r.hazards(s, healthy)
		return math.Exp(base-met+s) * extra
	}, from, to)
	return alive, lost
}

// settle finds the optimal age and its rate: the best of a grid over
// the logarithm, then golden section around it.
func (r referee) settle() referee {
	type knot struct{ s, alive, lost float64 }
	knots := []knot{{s: r.earliest(), alive: math.Exp(r.earliest())}}
	for {
		k := knots[len(knots)-1]
		met, extra, _ := r.hazards(k.s, true)
		if met > 45 && (k.alive*extra > r.a.PlannedCost+k.lost || k.s > math.Log(1e12)+math.Log(1e7)) {
			break
		}
		next := knot{s: k.s + .5, alive: k.alive, lost: k.lost}
		if met > 1e-6 {
			next.s = k.s + .1
		}
		if met < 100 {
			alive, lost := r.span(0, k.s, next.s, true)
			next.alive, next.lost = k.alive+alive, k.lost+lost
		}
		knots = append(knots, next)
	}
	rate := func(k knot) float64 { return (r.a.PlannedCost + k.lost) / k.alive }
	best := len(knots) - 1
	for i := 1; i < len(knots); i++ {
		if rate(knots[i]) < rate(knots[best])*(1-1e-13) {
			best = i
		}
	}
	r.rate, r.due = rate(knots[best]), math.Inf(1)
	if best == len(knots)-1 {
		return r
	}
	left := knots[best-1]
	at := func(s float64) float64 {
		alive, lost := r.span(0, left.s, s, true)
		return rate(knot{s, left.alive + alive, left.lost + lost})
	}
	s := golden(at, left.s, knots[best+1].s)
	r.rate, r.due = at(s), math.Exp(s)
	return r
}

// costs returns the parts of C(d) for d = 0 … n−1.
func (r referee) costs(n int) []Terms {
	a, base, from := r.a, 0.0, r.earliest()
	alive, lost := math.Exp(from), 0.0
	if a.AgeDays > 0 {
		from, alive = math.Log(a.AgeDays), 0
		base, _, _ = r.hazards(from, false)
	}
	out := make([]Terms, n)
	for d := range out {
		if d == 0 {
			out[d] = Terms{Work: a.PlannedCost}
			continue
		}
		to := math.Log(a.AgeDays + float64(d))
		more, extra := r.span(base, from, to, false)
		alive, lost, from = alive+more, lost+extra, to
		out[d] = Terms{Work: a.PlannedCost, Failure: lost, Life: -r.rate * alive}
	}
	if a.Restoration != nil && *a.Restoration < 1 {
		r.addLeft(out, base)
	}
	return out
}

// left is the virtual age after the job u days from now.
func (r referee) left(u float64) float64 {
	keep := 1 - *r.a.Restoration
	if r.a.Kijima == 1 {
		return r.a.RepairedAgeDays + keep*(r.a.AgeDays+u-r.a.RepairedAgeDays)
	}
	return keep * (r.a.AgeDays + u)
}

// addLeft fills in R(d) − R(0): it cuts every day into steps of the logarithm
// of age, values the restored asset at each, last one first, and sums the
// density of failures times the value by Simpson's rule.
func (r referee) addLeft(out []Terms, base float64) {
	a := r.a
	from := r.earliest()
	if a.AgeDays > 0 {
		from = math.Log(a.AgeDays)
	}
	knots, ends := []float64{from}, make([]int, len(out))
	for d := 1; d < len(out); d++ {
		knots = r.cut(knots, base, math.Log(a.AgeDays+float64(d)))
		ends[d] = len(knots) - 1
	}
	values := r.values(knots)
	density := func(k int) float64 {
		met, _, all := r.hazards(knots[k], false)
		return math.Exp(base-met+knots[k]) * all * values[k]
	}
	failed := 0.0
	for d := 1; d < len(out); d++ {
		for k := ends[d-1]; k < ends[d]; k += 2 {
			failed += (knots[k+2] - knots[k]) / 6 * (density(k) + 4*density(k+1) + density(k+2))
		}
		met, _, _ := r.hazards(knots[ends[d]], false)
		out[d].Left = math.Exp(base-met)*values[ends[d]] + failed - values[0]
	}
}

// cut appends knots up to a logarithm of age, in pairs for Simpson's rule,
// close where much hazard is met by what is still alive.
func (r referee) cut(knots []float64, base, to float64) []float64 {
	from := knots[len(knots)-1]
	before, _, _ := r.hazards(from, false)
	after, _, _ := r.hazards(to, false)
	mid := (from + to) / 2
	if before-base < 45 && (to-from > r.width || after-before > .05) && mid > from && mid < to {
		return r.cut(r.cut(knots, base, mid), base, to)
	}
	return append(knots, mid, to)
}

// values follows healthy assets of the virtual ages that the knots lead to
// until their optimal age; each but the last goes on from the one after it.
func (r referee) values(knots []float64) []float64 {
	out := make([]float64, len(knots))
	next, above, last := math.Min(r.due, r.oldest()), r.a.PlannedCost, r.spent()
	for k := len(knots) - 1; k >= 0; k-- {
		u := math.Max(math.Exp(knots[k])-r.a.AgeDays, 0)
		if k == 0 {
			u = 0 // before the first knot nothing fails
		}
		v := math.Min(math.Max(r.left(u), newborn), last)
		if v >= r.due {
			out[k] = r.a.PlannedCost
			continue
		}
		total, from := r.a.PlannedCost, math.Log(v)
		base, _, _ := r.hazards(from, true)
		for to := from; from < math.Log(next); from = to {
			to = math.Min(from+.25, math.Log(next))
			alive, lost := r.span(base, from, to, true)
			total += lost - r.rate*alive
		}
		met, _, _ := r.hazards(math.Log(next), true)
		out[k] = total + math.Exp(base-met)*(above-r.a.PlannedCost)
		next, above = v, out[k]
	}
	return out
}

// spent is the age at which a healthy asset has met a cumulative hazard of 10,
// after which its value counts as constant.
func (r referee) spent() float64 {
	lo, hi := r.earliest(), math.Log(r.oldest())
	for hi-lo > 1e-14*math.Abs(hi) {
		mid := (lo + hi) / 2
		if mid <= lo || mid >= hi {
			break
		}
		if met, _, _ := r.hazards(mid, true); met < 10 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp(hi)
}

// newborn is an age in days that is as good as 0.
const newborn = 1e-12

// oldest is an age that no healthy asset reaches.
func (r referee) oldest() float64 {
	least := math.Inf(1)
	for _, m := range r.a.Modes {
		least = math.Min(least, m.Weibull.Eta*math.Pow(700, 1/m.Weibull.Beta))
	}
	return least
}

// leastPart is a part of a day or of a riyal that no sum of them notices.
const leastPart = 1e-13

// simpson integrates f adaptively, with Richardson's correction.
func simpson(f func(float64) float64, a, b float64) float64 {
	fa, fm, fb := f(a), f((a+b)/2), f(b)
	whole := (b - a) / 6 * (fa + 4*fm + fb)
	size := math.Abs(b-a) / 6 * (math.Abs(fa) + 4*math.Abs(fm) + math.Abs(fb))
	return halve(f, a, b, fa, fm, fb, whole, 1e-10*size+leastPart, 25)
}

func halve(f func(float64) float64, a, b, fa, fm, fb, whole, tolerance float64, depth int) float64 {
	m := (a + b) / 2
	fl, fr := f((a+m)/2), f((m+b)/2)
	left, right := (m-a)/6*(fa+4*fl+fm), (b-m)/6*(fm+4*fr+fb)
	diff := left + right - whole
	if math.Abs(diff) <= 15*tolerance || depth == 0 {
		return left + right + diff/15
	}
	return halve(f, a, m, fa, fl, fm, left, tolerance/2, depth-1) + halve(f, m, b, fm, fr, fb, right, tolerance/2, depth-1)
}

// golden returns where a function with one valley is least.
func golden(f func(float64) float64, lo, hi float64) float64 {
	ratio := (math.Sqrt(5) - 1) / 2
	a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	fa, fb := f(a), f(b)
	for hi-lo > 1e-8 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - ratio*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + ratio*(hi-lo)
			fb = f(b)
		}
	}
	return (lo + hi) / 2
}
