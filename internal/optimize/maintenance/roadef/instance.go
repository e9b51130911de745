// Package roadef reads, solves and writes the instances of the ROADEF/EURO
// challenge 2020 (maintenance planning of RTE): every intervention must start
// once, resources have a minimum and a maximum per day, some pairs exclude
// each other in a season, and the objective mixes the mean risk with the mean
// excess of a quantile of risk over its mean.
package roadef

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// Instance is one instance in the terms of the challenge; days and starts are
// numbered from 1, as strings in the maps.
type Instance struct {
	Resources     map[string]Resource     `json:"Resources"`
	Seasons       map[string][]Number     `json:"Seasons"`
	Interventions map[string]Intervention `json:"Interventions"`
	Exclusions    map[string][]string     `json:"Exclusions"`
	Days          int                     `json:"T"`
	Scenarios     []int                   `json:"Scenarios_number"`
	Quantile      *float64                `json:"Quantile"`
	Alpha         *float64                `json:"Alpha"`
}

// Resource has its least and greatest total use per day.
type Resource struct {
	Min []float64 `json:"min"`
	Max []float64 `json:"max"`
}

// Intervention has, per start, a duration in days; per resource, day and
// start a workload; per day and start a risk for each scenario of the day.
type Intervention struct {
	Latest    Number              `json:"tmax"`
	Durations []float64           `json:"Delta"`
	Workload  map[string]Workload `json:"workload"`
	Risk      *Risks              `json:"risk"`
}

// maxDays is the longest horizon that is read.
const maxDays = 5000

// maxScenarios is the largest sum of the scenarios of all days, maxPairs the
// largest sum of the days of all exclusions that is read.
const (
	maxScenarios = 5_000_000
	maxPairs     = 5_000_000
)

// maxInterventions is the largest number of interventions that is read.
const maxInterventions = 20000

// Number is an integer that some files write as a string.
type Number int

// UnmarshalJSON accepts 3, 3.0 and "3".
func (n *Number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1e9 {
		return fmt.Errorf("want a whole number, have %s", b)
	}
	*n = Number(v)
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
	switch {
	case in.Days < 1 || in.Days > maxDays:
		return optimize.Invalid("T", fmt.Sprintf("want 1 to %d days", maxDays))
	case len(in.Interventions) > maxInterventions:
		return optimize.Invalid("Interventions", fmt.Sprintf("%d, at most %d are accepted", len(in.Interventions), maxInterventions))
	case len(in.Interventions) == 0:
		return optimize.Invalid("Interventions", "missing or empty")
	case len(in.Scenarios) != in.Days:
		return optimize.Invalid("Scenarios_number", fmt.Sprintf("want %d entries", in.Days))
	case in.Quantile == nil || !(*in.Quantile > 0 && *in.Quantile <= 1):
		return optimize.Invalid("Quantile", "want a number above 0 and up to 1")
	case in.Alpha == nil || !(*in.Alpha >= 0 && *in.Alpha <= 1):
		return optimize.Invalid("Alpha", "want a number from 0 to 1")
	case in.Resources == nil:
		return optimize.Invalid("Resources", "missing")
	}
	scenarios := 0
	for t, n := range in.Scenarios {
		if scenarios += n; n < 1 || n > maxScenarios || scenarios > maxScenarios {
			return optimize.Invalid(fmt.Sprintf("Scenarios_number[%d]", t), fmt.Sprintf("want at least 1, at most %d on all days", maxScenarios))
		}
	}
	for name, r := range in.Resources {
		if len(r.Min) != in.Days || len(r.Max) != in.Days {
			return optimize.Invalid("Resources."+name, fmt.Sprintf("want min and max of %d entries", in.Days))
		}
		for t := range r.Max {
			if r.Max[t] < 0 || r.Min[t] < 0 {
				return optimize.Invalid("Resources."+name, fmt.Sprintf("negative on day %d", t+1))
			}
		}
	}
	if err := in.validateExclusions(); err != nil {
		return err
	}
	for _, name := range in.names() {
		if err := in.validateIntervention(name); err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) validateExclusions() error {
	pairs := 0
	for _, name := range sortedKeys(in.Exclusions) {
		e := in.Exclusions[name]
		if len(e) != 3 {
			return optimize.Invalid("Exclusions."+name, "want two interventions and a season")
		}
		_, a := in.Interventions[e[0]]
		_, b := in.Interventions[e[1]]
		days, s := in.Seasons[e[2]]
		if !a || !b || !s {
			return optimize.Invalid("Exclusions."+name, "names an unknown intervention or season")
		}
		if pairs += len(days); pairs > maxPairs {
			return optimize.Invalid("Exclusions."+name, fmt.Sprintf("at most %d days of all exclusions are accepted", maxPairs))
		}
		for _, d := range days {
			if d < 1 || int(d) > in.Days {
				return optimize.Invalid("Seasons."+e[2], "names a day outside the horizon")
			}
		}
	}
	return nil
}

func (in *Instance) validateIntervention(name string) error {
	v, field := in.Interventions[name], "Interventions."+name
	switch {
	case v.Latest < 1 || int(v.Latest) > in.Days:
		return optimize.Invalid(field+".tmax", fmt.Sprintf("missing or outside 1 to %d", in.Days))
	case len(v.Durations) < int(v.Latest):
		return optimize.Invalid(field+".Delta", fmt.Sprintf("want %d entries", in.Days))
	case v.Workload == nil:
		return optimize.Invalid(field+".workload", "missing")
	case v.Risk == nil:
		return optimize.Invalid(field+".risk", "missing")
	}
	for s := 1; s <= int(v.Latest); s++ {
		d := v.Durations[s-1]
		if d < 1 || d != math.Trunc(d) {
			return optimize.Invalid(fmt.Sprintf("%s.Delta[%d]", field, s-1), "want a whole number of at least 1")
		}
		for t := s; t < s+int(d) && t <= in.Days; t++ {
			risk, ok := v.Risk.At(t, s)
			if !ok || len(risk) != in.Scenarios[t-1] {
				return optimize.Invalid(fmt.Sprintf("%s.risk.%d.%d", field, t, s), fmt.Sprintf("want %d scenarios", in.Scenarios[t-1]))
			}
			for _, x := range risk {
				if x < 0 {
					return optimize.Invalid(fmt.Sprintf("%s.risk.%d.%d", field, t, s), "negative risk")
				}
			}
		}
	}
	return v.validateWorkload(in, field)
}

func (v *Intervention) validateWorkload(in *Instance, field string) error {
	for _, resource := range sortedKeys(v.Workload) {
		if _, ok := in.Resources[resource]; !ok {
			return optimize.Invalid(field+".workload."+resource, "unknown resource")
		}
		for s, cells := range v.Workload[resource].byStart {
			for _, c := range cells {
				if c.value < 0 {
					return optimize.Invalid(fmt.Sprintf("%s.workload.%s.%d.%d", field, resource, c.day, s+1), "negative workload")
				}
			}
		}
	}
	return nil
}

// names lists the interventions in a fixed order.
func (in *Instance) names() []string { return sortedKeys(in.Interventions) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
