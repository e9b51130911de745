package maintenance

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/optria-iq/optria/internal/asset"
)

// The expected cost of starting a job on day t follows age replacement
// (Barlow and Proschan) for an asset of effective age a whose hazard carries
// the evidence multiplier m:
//
//	C(t) = Cp + F(t)·(Cf − Cp) + g·(H − E[min(X, t)])
//
// with X the remaining life, S(u) = exp(−m·((a+u)^β − a^β)/η^β) its survival,
// F = 1 − S, Cp the planned job with its outage, Cf the failure with its
// outage, H the length of the horizon and g the long-run cost rate of the
// optimal replacement age of a renewed, healthy asset. The last term is what
// the rest of the horizon costs; later starts pay it for fewer days.
// Deferring past the horizon costs C at the best day from H on: its planned
// work is booked under Tail together with what waiting gains or loses there.

// tailDays is how far past the horizon a deferred job is looked for.
const tailDays = 365

// costTable holds the terms of one action per start day; the last entry is
// deferral. PFail[t] is the probability of a failure before day t.
type costTable struct {
	terms []Terms
	pFail []float64
}

// survival is the conditional Weibull survival of an asset of age a.
type survival struct {
	beta, eta, age, evidence float64
	spent                    float64 // cumulative hazard at age
}

func newSurvival(a *Action) survival {
	m := a.Evidence
	if m == 0 {
		m = 1
	}
	return survival{beta: a.Weibull.Beta, eta: a.Weibull.Eta, age: a.AgeDays, evidence: m, spent: m * math.Pow(a.AgeDays/a.Weibull.Eta, a.Weibull.Beta)}
}

// at returns the probability of no failure within u days.
func (s survival) at(u float64) float64 {
	return math.Exp(s.spent - s.evidence*math.Pow((s.age+u)/s.eta, s.beta))
}

// curve returns the survival on day t and E[min(X, t)] in days for
// t = 0 … n, by Simpson's rule. The first day is cut into halves towards zero,
// where a shape below one bends the curve sharply.
func (s survival) curve(n int) (alive, mean []float64) {
	alive, mean = make([]float64, n+1), make([]float64, n+1)
	for t := range alive {
		alive[t] = s.at(float64(t))
	}
	if n == 0 {
		return alive, mean
	}
	const cuts = 24
	to := 1.0
	for range cuts {
		mean[1] += s.simpson(to/2, to, s.at(to/2), s.at(to))
		to /= 2
	}
	mean[1] += s.simpson(0, to, alive[0], s.at(to))
	for t := 1; t < n; t++ {
		mean[t+1] = mean[t] + s.simpson(float64(t), float64(t)+1, alive[t], alive[t+1])
	}
	return alive, mean
}

// simpson integrates the survival, whose values at both ends are given, in
// panels so short that the hazard turns little within one; at a tenth per
// panel the relative error is below 1e-8.
func (s survival) simpson(a, b, first, last float64) float64 {
	if first < 1e-15 {
		return 0
	}
	hazard := s.evidence * s.beta / s.eta * math.Pow((s.age+b)/s.eta, s.beta-1)
	panels := min(1000, max(1, int(math.Ceil((b-a)*hazard*10))))
	width, sum, left := (b-a)/float64(panels), 0.0, first
	for k := range panels {
		x, right := a+float64(k)*width, last
		if k+1 < panels {
			right = s.at(x + width)
		}
		sum += width / 6 * (left + 4*s.at(x+width/2) + right)
		left = right
	}
	return sum
}

// renewalRate returns g, the least long-run cost per day of replacing at a
// fixed age: min over τ of (Cp·S(τ) + Cf·F(τ)) / E[min(X, τ)] for a new
// asset. Without wear-out (β ≤ 1) or with failures no dearer than planned
// work, running to failure is best. Otherwise the best age is where
// h(τ)·E[min(X, τ)] − F(τ), which grows with τ, reaches Cp / (Cf − Cp); it is
// looked for between η/10,000 and 20 η.
func renewalRate(w asset.Weibull, planned, failure float64) float64 {
	life := w.Eta * math.Gamma(1+1/w.Beta)
	toFailure := failure / life
	if w.Beta <= 1 || failure <= planned {
		return toFailure
	}
	lo, hi := math.Log(1e-4), math.Log(20)
	for hi-lo > 1e-9 {
		logAge := (lo + hi) / 2
		z := math.Exp(w.Beta * logAge) // (τ/η)^β
		mean := life * mathext.GammaIncReg(1/w.Beta, z)
		hazard := w.Beta / w.Eta * z * math.Exp(-logAge)
		if hazard*mean+math.Expm1(-z) < planned/(failure-planned) {
			lo = logAge
		} else {
			hi = logAge
		}
	}
	z := math.Exp(w.Beta * lo)
	rate := (planned*math.Exp(-z) - failure*math.Expm1(-z)) / (life * mathext.GammaIncReg(1/w.Beta, z))
	return math.Min(toFailure, rate)
}

// newCostTable evaluates every start day of an action; outage[t] is the
// planned outage loss of a start on day t, SAR.
func newCostTable(a *Action, days int, outage []float64, costWeight, riskWeight float64) costTable {
	s := newSurvival(a)
	planned := a.PlannedCost + a.OutageHours*a.LossPerHour*a.PlannedFactor
	g := renewalRate(a.Weibull, planned, a.FailureTotal)
	alive, mean := s.curve(days + tailDays)
	c := costTable{terms: make([]Terms, days+1), pFail: make([]float64, days+1)}
	relative := func(t int) float64 { return (1-alive[t])*(a.FailureTotal-planned) - g*mean[t] }
	for t := range c.terms {
		c.pFail[t] = 1 - alive[t]
		e := Terms{Failure: c.pFail[t] * (a.FailureTotal - planned), Residual: g * (float64(days) - mean[t])}
		if t < days {
			e.PlannedWork, e.PlannedOutage = a.PlannedCost, outage[t]
		} else {
			best := relative(days)
			for d := days + 1; d <= days+tailDays; d++ {
				best = math.Min(best, relative(d))
			}
			e.Tail = planned + best - relative(days)
		}
		c.terms[t] = e.summed(costWeight, riskWeight)
	}
	return c
}

// summed fills the totals of a term vector.
func (t Terms) summed(costWeight, riskWeight float64) Terms {
	rest := t.PlannedWork + t.PlannedOutage + t.Residual + t.Tail
	t.Total = rest + t.Failure
	t.Weighted = costWeight*rest + riskWeight*t.Failure
	return t
}

// plus adds two term vectors.
func (t Terms) plus(u Terms) Terms {
	return Terms{
		PlannedWork: t.PlannedWork + u.PlannedWork, PlannedOutage: t.PlannedOutage + u.PlannedOutage, Failure: t.Failure + u.Failure,
		Residual: t.Residual + u.Residual, Tail: t.Tail + u.Tail, Total: t.Total + u.Total, Weighted: t.Weighted + u.Weighted,
	}
}
