// Package pglib reads, solves and writes the unit commitment instances of the
// Power Grid Library (pglib-uc): thermal generators with piecewise production
// cost, start categories, minimum times and ramps, renewable generators, a
// demand and a reserve per period. Equation numbers in comments are those of
// the library's MODEL.pdf.
package pglib

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// maxPeriods is the longest horizon that is accepted.
const maxPeriods = 2000

// Instance is one instance in the terms of the library. Power is in MW, costs
// in dollars, times in periods.
type Instance struct {
	Periods   int                   `json:"time_periods"`
	Demand    []float64             `json:"demand"`
	Reserves  []float64             `json:"reserves"`
	Thermal   map[string]*Thermal   `json:"thermal_generators"`
	Renewable map[string]*Renewable `json:"renewable_generators"`
}

// Thermal is a generator that is committed. A field that the file leaves out
// is nil.
type Thermal struct {
	MustRun      *whole   `json:"must_run"`
	PowerMin     *float64 `json:"power_output_minimum"`
	PowerMax     *float64 `json:"power_output_maximum"`
	RampUp       *float64 `json:"ramp_up_limit"`
	RampDown     *float64 `json:"ramp_down_limit"`
	RampStartup  *float64 `json:"ramp_startup_limit"`
	RampShutdown *float64 `json:"ramp_shutdown_limit"`
	UpMin        *whole   `json:"time_up_minimum"`
	DownMin      *whole   `json:"time_down_minimum"`
	PowerBefore  *float64 `json:"power_output_t0"`
	OnBefore     *whole   `json:"unit_on_t0"`
	DownBefore   *whole   `json:"time_down_t0"`
	UpBefore     *whole   `json:"time_up_t0"`
	Startup      []struct {
		Lag  *whole   `json:"lag"`
		Cost *float64 `json:"cost"`
	} `json:"startup"`
	Production []struct {
		MW   *float64 `json:"mw"`
		Cost *float64 `json:"cost"`
	} `json:"piecewise_production"`
}

// Renewable is a generator without commitment or cost.
type Renewable struct {
	PowerMin []float64 `json:"power_output_minimum"`
	PowerMax []float64 `json:"power_output_maximum"`
}

// whole is a whole number of at least 0; files may write it as 3.0.
type whole int

// UnmarshalJSON refuses fractions, negative numbers and anything else.
func (n *whole) UnmarshalJSON(b []byte) error {
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if v != math.Trunc(v) || v < 0 || v > 1e9 {
		return fmt.Errorf("want a whole number of at least 0, have %s", b)
	}
	*n = whole(v)
	return nil
}

// Read parses and checks an instance. Errors are faults that name a field and
// a reason.
func Read(data []byte) (*Instance, error) {
	var in Instance
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	return &in, nil
}

func (in *Instance) validate() error {
	if in.Periods < 1 || in.Periods > maxPeriods {
		return optimize.Invalid("time_periods", fmt.Sprintf("want 1 to %d", maxPeriods))
	}
	if err := in.series("demand", in.Demand); err != nil {
		return err
	}
	if err := in.series("reserves", in.Reserves); err != nil {
		return err
	}
	if len(in.Thermal) == 0 {
		return optimize.Invalid("thermal_generators", "missing or empty")
	}
	for _, name := range sortedKeys(in.Thermal) {
		if err := in.Thermal[name].validate("thermal_generators." + name); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(in.Renewable) {
		if err := in.validateRenewable(name); err != nil {
			return err
		}
	}
	return nil
}

// series checks one value of at least 0 per period.
func (in *Instance) series(field string, values []float64) error {
	if len(values) != in.Periods {
		return optimize.Invalid(field, fmt.Sprintf("want %d numbers, one per period, have %d", in.Periods, len(values)))
	}
	for t, v := range values {
		if v < 0 {
			return optimize.Invalid(fmt.Sprintf("%s[%d]", field, t), "want at least 0")
		}
	}
	return nil
}

func (in *Instance) validateRenewable(name string) error {
	field, w := "renewable_generators."+name, in.Renewable[name]
	if w == nil {
		return optimize.Invalid(field, "missing")
	}
	if _, taken := in.Thermal[name]; taken {
		return optimize.Invalid(field, "also the name of a thermal generator")
	}
	if err := in.series(field+".power_output_minimum", w.PowerMin); err != nil {
		return err
	}
	if err := in.series(field+".power_output_maximum", w.PowerMax); err != nil {
		return err
	}
	for t := range w.PowerMax {
		if w.PowerMin[t] > w.PowerMax[t] {
			return optimize.Invalid(fmt.Sprintf("%s.power_output_minimum[%d]", field, t), "above the maximum")
		}
	}
	return nil
}

func (g *Thermal) validate(field string) error {
	if g == nil {
		return optimize.Invalid(field, "missing")
	}
	for _, n := range []struct {
		name  string
		value *float64
	}{
		{"power_output_minimum", g.PowerMin}, {"power_output_maximum", g.PowerMax}, {"ramp_up_limit", g.RampUp}, {"ramp_down_limit", g.RampDown},
		{"ramp_startup_limit", g.RampStartup}, {"ramp_shutdown_limit", g.RampShutdown}, {"power_output_t0", g.PowerBefore},
	} {
		if n.value == nil || *n.value < 0 {
			return optimize.Invalid(field+"."+n.name, "want a number of at least 0")
		}
	}
	for _, n := range []struct {
		name  string
		value *whole
		most  whole
	}{
		{"must_run", g.MustRun, 1}, {"time_up_minimum", g.UpMin, 1e9}, {"time_down_minimum", g.DownMin, 1e9},
		{"unit_on_t0", g.OnBefore, 1}, {"time_down_t0", g.DownBefore, 1e9}, {"time_up_t0", g.UpBefore, 1e9},
	} {
		if n.value == nil || *n.value > n.most {
			return optimize.Invalid(field+"."+n.name, fmt.Sprintf("want a whole number from 0 to %d", n.most))
		}
	}
	if *g.PowerMin > *g.PowerMax {
		return optimize.Invalid(field+".power_output_minimum", "above the maximum")
	}
	if err := g.validateStartup(field + ".startup"); err != nil {
		return err
	}
	return g.validateProduction(field + ".piecewise_production")
}

func (g *Thermal) validateStartup(field string) error {
	if len(g.Startup) == 0 {
		return optimize.Invalid(field, "missing or empty")
	}
	for k, s := range g.Startup {
		at := fmt.Sprintf("%s[%d]", field, k)
		switch {
		case s.Lag == nil || k > 0 && *s.Lag <= *g.Startup[k-1].Lag:
			return optimize.Invalid(at+".lag", "want a whole number above the one before")
		case s.Cost == nil || *s.Cost < 0:
			return optimize.Invalid(at+".cost", "want a number of at least 0")
		}
	}
	return nil
}

func (g *Thermal) validateProduction(field string) error {
	if len(g.Production) == 0 {
		return optimize.Invalid(field, "missing or empty")
	}
	for k, p := range g.Production {
		at := fmt.Sprintf("%s[%d]", field, k)
		switch {
		case p.Cost == nil:
			return optimize.Invalid(at+".cost", "want a number")
		case p.MW == nil || k > 0 && *p.MW <= *g.Production[k-1].MW:
			return optimize.Invalid(at+".mw", "want a number above the one before")
		}
	}
	const near = 1e-6
	if math.Abs(*g.Production[0].MW-*g.PowerMin) > near {
		return optimize.Invalid(field+"[0].mw", "want power_output_minimum")
	}
	if last := len(g.Production) - 1; math.Abs(*g.Production[last].MW-*g.PowerMax) > near {
		return optimize.Invalid(fmt.Sprintf("%s[%d].mw", field, last), "want power_output_maximum")
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
