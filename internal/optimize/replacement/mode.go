// Package replacement holds the theory of replacing an item before it fails:
// when a planned job is due, what the optimal policy costs per unit of time,
// and what an old item still costs under it. Formulas follow Barlow and
// Proschan, Mathematical Theory of Reliability (1965), chapter 4, and Barlow
// and Hunter, Optimum Preventive Maintenance Policies (1960).
//
// Times may be in any unit as long as it is the same everywhere; rates are
// money per that unit. Failure modes compete: the first to strike is the one
// that is paid for.
package replacement

import "math"

// Mode is one failure mode: a Weibull hazard multiplied by Evidence.
type Mode struct {
	Beta     float64 // shape
	Eta      float64 // scale
	Evidence float64 // multiplier on the hazard, 1 without evidence
	Cost     float64 // of a failure by this mode, money
}

// at returns the hazard and the cumulative hazard at age x.
func (m Mode) at(x float64) (hazard, cumulative float64) {
	if x <= 0 {
		return 0, 0
	}
	cumulative = m.Evidence * math.Pow(x/m.Eta, m.Beta)
	return m.Beta * cumulative / x, cumulative
}

// Renewed returns the modes of a new, healthy item: without evidence.
func Renewed(modes []Mode) []Mode {
	out := make([]Mode, len(modes))
	for k, m := range modes {
		m.Evidence = 1
		out[k] = m
	}
	return out
}

// cumulative returns the summed cumulative hazard of all modes at age x.
func cumulative(modes []Mode, x float64) float64 {
	sum := 0.0
	for _, m := range modes {
		_, h := m.at(x)
		sum += h
	}
	return sum
}

// excess returns Σ (cost − planned)·hazard at age x: what a failure costs
// beyond a planned job, per unit of time.
func excess(modes []Mode, planned, x float64) float64 {
	sum := 0.0
	for _, m := range modes {
		h, _ := m.at(x)
		sum += (m.Cost - planned) * h
	}
	return sum
}
