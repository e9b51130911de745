package cnaim

import (
	"slices"
	"strings"
)

// plain makes spellings comparable: lower case without spaces.
func plain(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }

func (c *catalogue) kind(name string) (kind, bool) {
	i := slices.IndexFunc(c.types, func(k kind) bool { return plain(k.name) == plain(name) })
	if i < 0 {
		return kind{}, false
	}
	return c.types[i], true
}

// value returns what a banded table says of x.
func (c *catalogue) value(name, scope string, x float64) float64 {
	for _, b := range c.bands {
		if b.name == name && b.scope == scope && x > b.above && x <= b.upTo {
			return b.value
		}
	}
	return 1
}

// combine joins factors by the maximum and multiple increment technique
// (CNAIM 6.7.2): the worst factor and a share of the next worst ones, or, when
// none is above 1, the best and a share of the second best.
func (c combination) combine(factors []float64) float64 {
	sorted := slices.Sorted(slices.Values(factors))
	slices.Reverse(sorted)
	switch n := len(sorted); {
	case n == 0:
		return 1
	case sorted[0] > 1:
		more := 0.0
		for _, f := range sorted[1:min(n, max(c.most, 1))] {
			more += max(f-1, 0)
		}
		return sorted[0] + more/c.dividerAbove
	case n == 1:
		return sorted[0]
	default:
		return sorted[n-1] + (sorted[n-2]-1)/c.dividerBelow
	}
}

func (c *catalogue) combination(what string, k kind, part string) combination {
	for _, m := range c.combinations {
		if m.kind == what && m.category == k.category && m.part == part {
			return m
		}
	}
	return combination{dividerAbove: 1, dividerBelow: 1, most: 1}
}

// Inspection is one inspection point or test of a type and its results from
// best to worst.
type Inspection struct {
	Item     string   `json:"item"`
	Measured bool     `json:"measured"` // belongs in Equipment.Measured, else in Observed
	Results  []string `json:"results"`
}

// Inspections lists what can be observed and measured on a type, empty for an
// unknown one.
func Inspections(name string) []Inspection {
	k, ok := data().kind(name)
	if !ok {
		return nil
	}
	var out []Inspection
	for _, f := range data().findings {
		if f.category != k.category {
			continue
		}
		measured := f.kind == "measured"
		i := slices.IndexFunc(out, func(in Inspection) bool { return in.Item == f.item && in.Measured == measured })
		if i < 0 {
			out = append(out, Inspection{Item: f.item, Measured: measured})
			i = len(out) - 1
		}
		out[i].Results = append(out[i].Results, f.result)
	}
	return out
}

// Windings lists the voltages that a type of transformer is told apart by.
func Windings(name string) []string {
	var out []string
	k, _ := data().kind(name)
	for _, s := range data().sizes {
		if s.kind == k.name && s.windings != "" && !slices.Contains(out, s.windings) {
			out = append(out, s.windings)
		}
	}
	return out
}
