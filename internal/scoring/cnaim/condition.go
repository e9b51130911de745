package cnaim

import (
	"math"
	"slices"
	"strconv"
)

func deref(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}

func text(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// conditions returns the modifiers of one part: what was observed, what was
// measured and the laboratory tests of the oil, each one joined to one factor
// with its limits, and then the modifier of the health score (CNAIM 6.7–6.13).
// single holds every finding on its own, for explanation.
func (e Equipment) conditions(k kind, part string) (health Modifier, single []Modifier) {
	observed := e.findings(k, part, "observed", e.Observed)
	measured := e.findings(k, part, "measured", e.Measured)
	tests := e.laboratory(k, part)
	single = slices.Concat(observed, measured, tests)
	if !k.hasTests { // distribution transformers: the oil test is one of the measurements
		measured, tests = slices.Concat(measured, tests), nil
	}
	all := append([]Modifier{join("observed", k, part, observed), join("measured", k, part, measured)}, tests...)
	return join("health", k, part, all), single
}

// join combines modifiers into one of the given table of combinations.
func join(what string, k kind, part string, list []Modifier) Modifier {
	out := free(what, "", part, 1)
	factors := make([]float64, 0, len(list))
	for _, m := range list {
		factors = append(factors, m.Factor)
		out.Cap, out.Collar = min(out.Cap, m.Cap), max(out.Collar, m.Collar)
	}
	out.Factor = data().combination(what, k, part).combine(factors)
	return out
}

func (e Equipment) findings(k kind, part, what string, given map[string]string) []Modifier {
	var out []Modifier
	for _, f := range data().findings {
		if f.category != k.category || f.part != part || f.kind != what || given[f.item] != f.result {
			continue
		}
		out = append(out, Modifier{Name: f.item, Input: f.result, Part: part, Factor: f.factor, Cap: f.cap, Collar: f.collar})
	}
	return out
}

// laboratory returns the modifiers of oil, dissolved gases and furfural.
func (e Equipment) laboratory(k kind, part string) []Modifier {
	if !k.transformer {
		return nil
	}
	if part == partTapchanger {
		return oilTest(k, part, e.TapchangerOil)
	}
	out := oilTest(k, part, e.Oil)
	if e.Gases != nil && k.hasTests {
		out = append(out, gasTest(*e.Gases, e.GasesBefore))
	}
	if e.FurfuralPPM != nil && k.hasTests {
		m := free("furfural", text(*e.FurfuralPPM), part, data().value("furfural", "", *e.FurfuralPPM))
		m.Collar = min(max(2.33*math.Pow(*e.FurfuralPPM, 0.68), healthNew), 7)
		out = append(out, m)
	}
	return out
}

// oilTest scores moisture, acidity and breakdown strength (CNAIM 6.11). An
// incomplete test can make the score worse but not better.
func oilTest(k kind, part string, o *Oil) []Modifier {
	if o == nil || o.MoisturePPM == nil && o.Acidity == nil && o.BreakdownKV == nil {
		return nil
	}
	score, complete := 0.0, true
	for _, s := range []struct {
		name   string
		x      *float64
		weight float64
	}{{"moisture", o.MoisturePPM, 80}, {"acidity", o.Acidity, 125}, {"breakdown_strength", o.BreakdownKV, 80}} {
		if s.x == nil {
			complete = false
			continue
		}
		score += s.weight * data().value(s.name, k.category, *s.x)
	}
	m := free("oil", text(score), part, data().value("oil_factor", k.category, score))
	m.Collar = data().value("oil_collar", k.category, score)
	if !complete {
		m.Factor = max(m.Factor, 1)
	}
	return []Modifier{m}
}

// gasTest scores a dissolved-gas analysis and its change since the one before
// (CNAIM 6.12). Without an earlier one the change is unknown.
func gasTest(now Gases, before *Gases) Modifier {
	score := now.score()
	m := free("gases", text(score), partMain, 1)
	m.Collar = min(max(score/220, 1), 7)
	if before == nil {
		return m
	}
	earlier := before.score()
	switch {
	case earlier > 0:
		m.Factor = data().value("gas_change", "", 100*(score/earlier-1))
	case score > 0:
		m.Factor = data().value("gas_change", "", math.Inf(1))
	}
	return m
}

func (g Gases) score() float64 {
	t := data()
	return 50*t.value("hydrogen", "", g.Hydrogen) + 30*t.value("methane", "", g.Methane) +
		30*t.value("ethylene", "", g.Ethylene) + 30*t.value("ethane", "", g.Ethane) +
		120*t.value("acetylene", "", g.Acetylene)
}
