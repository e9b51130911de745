package survival

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Posterior is what is believed about a Weibull life of known shape: its
// hazard scale λ = Eta^−Beta has a Gamma(A, B) distribution, the conjugate one
// because t^Beta is exponential with rate λ.
type Posterior struct {
	Beta float64
	A    float64 // shape of the Gamma, "number of failures seen"
	B    float64 // rate of the Gamma, "exposure seen" in time^Beta
}

// OccurrenceRate returns the failures per year that an FMECA occurrence rating
// of 1 to 10 stands for: one per year at 10 and a factor 10 less for every
// three points, one per 1000 years at 1. Ratings outside 1..10 are clipped.
func OccurrenceRate(rating int) float64 {
	return math.Pow(10, (float64(min(max(rating, 1), 10))-10)/3)
}

// PriorFromRate returns the prior for an asset of which only a yearly failure
// rate is guessed: its mean life matches the rate and it weighs as much as
// strength failures. Times are in days.
func PriorFromRate(perYear, beta, strength float64) Posterior {
	mean := 365.25 / perYear
	eta := mean / math.Gamma(1+1/beta)
	return Posterior{Beta: beta, A: strength, B: strength * math.Pow(eta, beta)}
}

// PriorAround returns the prior centred on a planning value of the life, whose
// scale is believed to a relative standard deviation of cv.
func PriorAround(w Weibull, cv float64) Posterior {
	// Above 1e4 the Gamma is a point for every purpose here.
	a := min(math.Pow(1/(cv*w.Beta), 2), 1e4)
	return Posterior{Beta: w.Beta, A: a, B: a * math.Pow(w.Eta, w.Beta)}
}

// Update adds observed failures and censored lives. Lives that are not
// positive and finite are left out; used is the number taken in.
func (p Posterior) Update(failures, censored []float64) (next Posterior, used int) {
	next = p
	for i, list := range [][]float64{failures, censored} {
		for _, t := range list {
			if !(t > 0) || math.IsInf(t, 0) {
				continue
			}
			if i == 0 {
				next.A++
			}
			next.B += math.Pow(t, p.Beta)
			used++
		}
	}
	return next, used
}

// Life returns the Weibull life at the mean hazard scale.
func (p Posterior) Life() Weibull {
	return Weibull{Beta: p.Beta, Eta: math.Pow(p.B/p.A, 1/p.Beta)}
}

// ScaleFactor returns the q-quantile of λ relative to its mean: what the
// cumulative hazard may be multiplied by.
func (p Posterior) ScaleFactor(q float64) float64 {
	return distuv.Gamma{Alpha: p.A, Beta: p.A}.Quantile(q)
}

// HazardQuantile returns the cumulative hazard, at the mean scale, by which a
// share q has failed when the uncertainty of the scale is averaged over:
// S(H) = (1 + H/A)^−A (Lomax), which tends to exp(−H) as A grows.
func (p Posterior) HazardQuantile(q float64) float64 {
	return p.A * math.Expm1(-math.Log1p(-q)/p.A)
}
