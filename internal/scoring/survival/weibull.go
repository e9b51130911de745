// Package survival holds the life models behind failure probabilities: the
// two-parameter Weibull distribution, its maximum-likelihood fit to failures
// and right-censored lives, and a Bayesian update for assets with little or no
// failure history. Formulas follow Meeker and Escobar, Statistical Methods for
// Reliability Data (1998).
//
// Times may be in any unit as long as it is the same everywhere.
package survival

import "math"

// Weibull is a life distribution with S(t) = exp(−(t/Eta)^Beta).
type Weibull struct {
	Beta float64 // shape, no unit
	Eta  float64 // scale, the time by which 63.2 % have failed
}

// Valid reports whether both parameters are positive and finite.
func (w Weibull) Valid() bool {
	return w.Beta > 0 && w.Eta > 0 && !math.IsInf(w.Beta, 0) && !math.IsInf(w.Eta, 0)
}

// CumHazard returns H(t) = (t/Eta)^Beta, 0 for t ≤ 0.
func (w Weibull) CumHazard(t float64) float64 {
	if !(t > 0) {
		return 0
	}
	return math.Pow(t/w.Eta, w.Beta)
}

// CDF returns the probability of failure up to t.
func (w Weibull) CDF(t float64) float64 { return -math.Expm1(-w.CumHazard(t)) }

// Survival returns the probability of outliving t.
func (w Weibull) Survival(t float64) float64 { return math.Exp(-w.CumHazard(t)) }

// PDF returns the density at t.
func (w Weibull) PDF(t float64) float64 {
	if t < 0 {
		return 0
	}
	if t == 0 {
		switch {
		case w.Beta < 1:
			return math.Inf(1)
		case w.Beta > 1:
			return 0
		}
		return 1 / w.Eta
	}
	z := t / w.Eta
	return w.Beta / w.Eta * math.Pow(z, w.Beta-1) * math.Exp(-math.Pow(z, w.Beta))
}

// Quantile returns the time by which a share p has failed.
func (w Weibull) Quantile(p float64) float64 {
	return w.Eta * math.Pow(-math.Log1p(-min(max(p, 0), 1)), 1/w.Beta)
}

// Mean returns the mean life Eta·Γ(1 + 1/Beta).
func (w Weibull) Mean() float64 { return w.Eta * math.Gamma(1+1/w.Beta) }

// HazardBetween returns H(age+h) − H(age), the hazard met in the next h by a
// survivor of age.
func (w Weibull) HazardBetween(age, h float64) float64 {
	age = max(age, 0)
	return max(w.CumHazard(age+max(h, 0))-w.CumHazard(age), 0)
}

// Conditional returns P(fail within h | alive at age), with the hazard scaled
// by the evidence multiplier m.
func (w Weibull) Conditional(age, h, m float64) float64 {
	return -math.Expm1(-m * w.HazardBetween(age, h))
}

// RemainingAt returns the further life after which a survivor of age has met
// the hazard dh: the inverse of HazardBetween in h.
func (w Weibull) RemainingAt(age, dh float64) float64 {
	age = max(age, 0)
	total := w.CumHazard(age) + max(dh, 0)
	return max(w.Eta*math.Pow(total, 1/w.Beta)-age, 0)
}
