package production

import (
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// The largest instance that is accepted, and the largest number in it.
const (
	maxDays     = 90
	maxPeriods  = 24 * maxDays
	maxUnits    = 2000
	maxStates   = 400_000 // units times periods
	maxFrontier = 25
	maxNumber   = 1e9
)

// within says whether a number lies in a range; NaN does not.
func within(v, low, high float64) bool { return v >= low && v <= high }

func nonNegative(v float64) bool { return within(v, 0, maxNumber) }

// Validate returns a fault naming the first field that makes no sense.
func (in *Input) Validate() error {
	if err := in.validateHorizon(); err != nil {
		return err
	}
	cost, risk := in.Weights.Values()
	switch {
	case !nonNegative(cost) || !nonNegative(risk) || cost+risk == 0:
		return optimize.Invalid("weights", "want two numbers of at least 0, not both 0")
	case !knownPreset(in.Weights.Preset) && in.Weights.Preset != "":
		return optimize.Invalid("weights.preset", fmt.Sprintf("unknown preset %q", in.Weights.Preset))
	case !within(float64(in.FrontierPoints), 0, maxFrontier):
		return optimize.Invalid("frontier_points", fmt.Sprintf("want 0 to %d", maxFrontier))
	}
	targets, err := in.validateTargets()
	if err != nil {
		return err
	}
	units := map[string]bool{}
	for k := range in.Units {
		u, field := &in.Units[k], fmt.Sprintf("units[%d]", k)
		if u.ID == "" || units[u.ID] {
			return optimize.Invalid(field+".id", "missing or used twice")
		}
		units[u.ID] = true
		if !targets[u.Target] {
			return optimize.Invalid(field+".target", fmt.Sprintf("unknown target %q", u.Target))
		}
		if err := in.validateUnit(u, field); err != nil {
			return err
		}
	}
	return in.validatePins()
}

func knownPreset(p string) bool {
	return p == optimize.PresetCheapest || p == optimize.PresetBalanced || p == optimize.PresetLowestRisk || p == optimize.PresetCustom
}

func (in *Input) validateHorizon() error {
	_, day := time.Parse(time.DateOnly, in.Start)
	_, minute := time.Parse("2006-01-02T15:04", in.Start)
	switch {
	case day != nil && minute != nil:
		return optimize.Invalid("start", "want YYYY-MM-DD or YYYY-MM-DDTHH:MM")
	case in.Periods < 1 || in.Periods > maxPeriods:
		return optimize.Invalid("periods", fmt.Sprintf("want 1 to %d", maxPeriods))
	case !within(in.PeriodHours, 1./60, 24*31):
		return optimize.Invalid("period_hours", "want a minute to a month")
	case len(in.Units) == 0 || len(in.Units) > maxUnits || len(in.Units)*in.Periods > maxStates:
		return optimize.Invalid("units", fmt.Sprintf("want 1 to %d units and at most %d units times periods", maxUnits, maxStates))
	case in.Attended != nil && len(in.Attended) != in.Periods:
		return optimize.Invalid("attended", fmt.Sprintf("want %d entries", in.Periods))
	}
	return nil
}

// series checks one number of at least 0 per period.
func (in *Input) series(field string, values []float64) error {
	if len(values) != in.Periods {
		return optimize.Invalid(field, fmt.Sprintf("want %d entries, have %d", in.Periods, len(values)))
	}
	for t, v := range values {
		if !nonNegative(v) {
			return optimize.Invalid(fmt.Sprintf("%s[%d]", field, t), "want a number of at least 0")
		}
	}
	return nil
}

func (in *Input) validateTargets() (map[string]bool, error) {
	ids := map[string]bool{}
	for k, g := range in.Targets {
		field := fmt.Sprintf("targets[%d]", k)
		if g.ID == "" || ids[g.ID] {
			return nil, optimize.Invalid(field+".id", "missing or used twice")
		}
		ids[g.ID] = true
		if err := in.series(field+".demand", g.Demand); err != nil {
			return nil, err
		}
		if g.ShortfallCost != nil && !nonNegative(*g.ShortfallCost) {
			return nil, optimize.Invalid(field+".shortfall_cost", "want at least 0")
		}
		if s := g.Storage; s != nil && !(nonNegative(s.Capacity) && within(s.Level, 0, s.Capacity) && within(s.MinFinal, 0, s.Capacity)) {
			return nil, optimize.Invalid(field+".storage", "want a capacity of at least 0 and levels from 0 to the capacity")
		}
	}
	return ids, nil
}

func (in *Input) validateUnit(u *Unit, field string) error {
	for _, n := range []struct {
		name  string
		value float64
	}{
		{"min_load", u.MinLoad}, {"max_load", u.MaxLoad}, {"min_up_hours", u.MinUpHours}, {"min_down_hours", u.MinDownHours},
		{"start_cost", u.StartCost}, {"fuel_per_unit", u.FuelPerUnit}, {"load", u.Load}, {"state_hours", u.StateHours},
	} {
		if !nonNegative(n.value) {
			return optimize.Invalid(field+"."+n.name, "want a number of at least 0")
		}
	}
	switch {
	case u.MinLoad > u.MaxLoad:
		return optimize.Invalid(field+".min_load", "above max_load")
	case !within(u.RatedLoad, 1e-6, maxNumber):
		return optimize.Invalid(field+".rated_load", "want more than 0")
	case u.MaxLoad > 10*u.RatedLoad:
		return optimize.Invalid(field+".max_load", "want at most ten times rated_load")
	case u.Running && !within(u.Load, u.MinLoad, u.MaxLoad):
		return optimize.Invalid(field+".load", "want a running unit between min_load and max_load")
	}
	if u.RampUp != nil && !within(*u.RampUp, 1e-6, maxNumber) {
		return optimize.Invalid(field+".ramp_up", "want more than 0, or nothing for no limit")
	}
	if u.RampDown != nil && !within(*u.RampDown, 1e-6, maxNumber) {
		return optimize.Invalid(field+".ramp_down", "want more than 0, or nothing for no limit")
	}
	if err := in.series(field+".tariff", u.Tariff); err != nil {
		return err
	}
	if u.Current != nil {
		if err := in.series(field+".current", u.Current); err != nil {
			return err
		}
	}
	return in.validateCurves(u, field)
}

func (in *Input) validateCurves(u *Unit, field string) error {
	if err := u.validateEnergy(field + ".energy"); err != nil {
		return err
	}
	for k, o := range u.Outages {
		if o.ID == "" || o.From < 0 || o.To > in.Periods || o.From >= o.To {
			return optimize.Invalid(fmt.Sprintf("%s.outages[%d]", field, k), "want an id and periods within the horizon")
		}
	}
	for k, f := range u.Failures {
		if !within(f.RatePerHour, 0, 1) || !within(f.Factor, 0, 1e4) || !within(f.Exponent, 1, 20) || !nonNegative(f.Consequence) {
			return optimize.Invalid(fmt.Sprintf("%s.failures[%d]", field, k), "want a rate of 0 to 1 per hour, a factor and a consequence of at least 0, an exponent of 1 to 20")
		}
	}
	for k, v := range u.RiskLoads {
		if !nonNegative(v) {
			return optimize.Invalid(fmt.Sprintf("%s.risk_loads[%d]", field, k), "want at least 0")
		}
	}
	return nil
}

// validateEnergy checks that the curve covers the loads and bends upwards.
func (u *Unit) validateEnergy(field string) error {
	last := len(u.Energy) - 1
	if last < 1 || u.Energy[0].Load > u.MinLoad || u.Energy[last].Load < u.MaxLoad {
		return optimize.Invalid(field, "want at least two points, from min_load or below to max_load or above")
	}
	before := math.Inf(-1)
	for k, p := range u.Energy {
		at := fmt.Sprintf("%s[%d]", field, k)
		if !nonNegative(p.Load) || !nonNegative(p.KW) {
			return optimize.Invalid(at, "want a load and kW of at least 0")
		}
		if k == 0 {
			continue
		}
		step := p.Load - u.Energy[k-1].Load
		if step < 1e-9 {
			return optimize.Invalid(at+".load", "want rising loads")
		}
		slope := (p.KW - u.Energy[k-1].KW) / step
		if slope < before-1e-6*math.Max(1, math.Abs(before)) {
			return optimize.Invalid(at+".kw", "want a curve that bends upwards: no step takes less per load than the one before")
		}
		before = slope
	}
	return nil
}

func (in *Input) validatePins() error {
	for k, p := range in.Pins {
		field, u := fmt.Sprintf("pins[%d]", k), in.unit(p.UnitID)
		switch {
		case u == nil:
			return optimize.Invalid(field+".unit_id", fmt.Sprintf("unknown unit %q", p.UnitID))
		case p.From < 0 || p.To > in.Periods || p.From >= p.To:
			return optimize.Invalid(field, fmt.Sprintf("want periods from 0 to %d", in.Periods))
		case p.Off && p.Load != nil:
			return optimize.Invalid(field+".load", "a unit that is off has no load")
		case p.Load != nil && !within(*p.Load, u.MinLoad, u.MaxLoad):
			return optimize.Invalid(field+".load", fmt.Sprintf("want a load from %g to %g", u.MinLoad, u.MaxLoad))
		}
		for _, o := range in.Pins[:k] {
			if o.UnitID == p.UnitID && o.From < p.To && p.From < o.To {
				return optimize.Invalid(field, "overlaps another pin of the unit")
			}
		}
	}
	return nil
}

// unit returns the unit of an ID, nil when unknown.
func (in *Input) unit(id string) *Unit {
	for k := range in.Units {
		if in.Units[k].ID == id {
			return &in.Units[k]
		}
	}
	return nil
}
