package cnaim

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/fault"
)

// Validate reports the first field that cannot be used as a fault that names
// the field and what it may hold.
func (e Equipment) Validate() error {
	k, ok := data().kind(e.Type)
	if !ok {
		return notOneOf("type", e.Type, Types())
	}
	for _, check := range []func(kind) error{e.checkNumbers, e.checkChoices, e.checkFindings, e.checkSite} {
		if err := check(k); err != nil {
			return err
		}
	}
	return nil
}

// notOneOf is the fault of a choice that does not exist.
func notOneOf(field, value string, allowed []string) error {
	list := strings.Join(allowed, ", ")
	err := fmt.Errorf("%s is %q, must be one of: %s", field, value, list)
	return fault.Wrap(fault.Invalid, "cnaim.field.choice", err).
		With("field", field).With("value", value).With("allowed", list)
}

// outside is the fault of a number beyond its range.
func outside(field string, value, least, most float64) error {
	err := fmt.Errorf("%s is %v, must lie from %v to %v", field, value, least, most)
	return fault.Wrap(fault.Invalid, "cnaim.field.range", err).
		With("field", field).With("value", text(value)).With("least", text(least)).With("most", text(most))
}

// number is one numeric field, its value nil when unknown.
type number struct {
	field       string
	value       *float64
	least, most float64
}

func checkAll(list []number) error {
	for _, n := range list {
		if n.value != nil && !(*n.value >= n.least && *n.value <= n.most) {
			return outside(n.field, *n.value, n.least, n.most)
		}
	}
	return nil
}

func (e Equipment) checkNumbers(kind) error {
	category := float64(e.CorrosionCategory)
	list := []number{
		{"age", &e.Age, 0, 200},
		{"tapchanger_age", e.TapchangerAge, 0, 200},
		{"distance_from_coast_km", e.DistanceFromCoastKM, 0, 1e4},
		{"altitude_m", e.AltitudeM, -500, 9000},
		{"corrosion_category", &category, 0, 5},
		{"utilisation_pct", e.UtilisationPct, 0, 1000},
		{"daily_taps", e.DailyTaps, 0, 1e4},
		{"furfural_ppm", e.FurfuralPPM, 0, 1e4},
	}
	if e.ReliabilityFactor != 0 {
		list = append(list, number{"reliability_factor", &e.ReliabilityFactor, 0.6, 1.5})
	}
	if e.YearOfManufacture != 0 {
		year := float64(e.YearOfManufacture)
		list = append(list, number{"year_of_manufacture", &year, 1850, 2200})
	}
	list = append(list, e.Oil.numbers("oil")...)
	list = append(list, e.TapchangerOil.numbers("tapchanger_oil")...)
	list = append(list, e.Gases.numbers("gases")...)
	return checkAll(append(list, e.GasesBefore.numbers("gases_before")...))
}

func (o *Oil) numbers(field string) []number {
	if o == nil {
		return nil
	}
	return []number{
		{field + ".moisture_ppm", o.MoisturePPM, 0, 1e4},
		{field + ".acidity_mg_koh_g", o.Acidity, 0, 1e3},
		{field + ".breakdown_kv", o.BreakdownKV, 0, 1e3},
	}
}

func (g *Gases) numbers(field string) []number {
	if g == nil {
		return nil
	}
	const most = 1e6 // ppm: all of the sample
	return []number{
		{field + ".hydrogen_ppm", &g.Hydrogen, 0, most}, {field + ".methane_ppm", &g.Methane, 0, most},
		{field + ".ethylene_ppm", &g.Ethylene, 0, most}, {field + ".ethane_ppm", &g.Ethane, 0, most},
		{field + ".acetylene_ppm", &g.Acetylene, 0, most},
	}
}

// choice is one field that holds a word, empty when unknown.
type choice struct {
	field, value string
	allowed      []string
}

func checkChoice(list []choice) error {
	for _, c := range list {
		if c.value != "" && !slices.Contains(c.allowed, c.value) {
			return notOneOf(c.field, c.value, c.allowed)
		}
	}
	return nil
}

func (e Equipment) checkChoices(kind) error {
	risks := []string{"low", "medium", "high"}
	return checkChoice([]choice{
		{"placement", e.Placement, []string{"indoor", "outdoor"}},
		{"operations", e.Operations, []string{"normal", "high"}},
		{"site.access", e.Site.Access, []string{"normal", "constrained", "underground"}},
		{"site.location_risk", e.Site.LocationRisk, risks},
		{"site.type_risk", e.Site.TypeRisk, risks},
		{"site.insulation", e.Site.Insulation, []string{"oil", "sf6", "neither"}},
	})
}

// checkFindings refuses inspection points and results that the type has not.
func (e Equipment) checkFindings(k kind) error {
	known := Inspections(k.name)
	for _, set := range []struct {
		field    string
		measured bool
		given    map[string]string
	}{{"observed", false, e.Observed}, {"measured", true, e.Measured}} {
		var items []string
		results := map[string][]string{}
		for _, in := range known {
			if in.Measured == set.measured {
				items = append(items, in.Item)
				results[in.Item] = in.Results
			}
		}
		for _, item := range slices.Sorted(maps.Keys(set.given)) {
			if results[item] == nil {
				return notOneOf(set.field, item, items)
			}
			err := checkChoice([]choice{{set.field + "." + item, set.given[item], results[item]}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (e Equipment) checkSite(k kind) error {
	s := e.Site
	most := math.MaxFloat32
	if err := checkAll([]number{
		{"site.rating_kva", s.RatingKVA, 0, most}, {"site.distance_to_water_m", s.DistanceToWaterM, 0, most},
		{"site.load_mva", s.LoadMVA, 0, most}, {"site.customers", s.Customers, 0, most},
		{"site.kva_per_customer", s.KVAPerCustomer, 0, most},
	}); err != nil {
		return err
	}
	if s.Windings == "" {
		return nil
	}
	allowed := Windings(k.name)
	if !slices.ContainsFunc(allowed, func(w string) bool { return plain(w) == plain(s.Windings) }) {
		return notOneOf("site.windings", s.Windings, allowed)
	}
	return nil
}
