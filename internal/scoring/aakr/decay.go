package aakr

import "math"

// perUnit is how many values of the exponential are tabled per unit.
const perUnit = 16

// tabled are exp(−k/perUnit) up to negligible.
var tabled = func() (t [negligible * perUnit]float64) {
	for k := range t {
		t[k] = math.Exp(-float64(k) / perUnit)
	}
	return t
}()

// decay is exp(−d) for d from 0 to below negligible, to 1e-8 of its value: the
// tabled value below d and four terms of the series for the rest. It takes a
// third of the time of math.Exp.
func decay(d float64) float64 {
	k := int(d * perUnit)
	r := d - float64(k)/perUnit
	return tabled[k] * (1 - r*(1-r*(1.0/2-r*(1.0/6-r*(1.0/24)))))
}
