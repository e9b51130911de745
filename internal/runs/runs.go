// Package runs states what a request for an optimization run says and which
// rules it keeps, once for the pages, the API and the worker. It knows no
// database: callers say which sites and assets exist.
package runs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// PresetCustom is the preset whose weights are those of the request.
const PresetCustom = "custom"

// Fields of maintenance runs that have a place of their own in Constraints.
const (
	fieldBudget      = "budget_sar"
	fieldOneTrainOut = "one_train_out"
	fieldDowntimeCap = "downtime_cap"
)

// KeyRequest is the message of a stored request that cannot be read.
const KeyRequest = "runs.request_malformed"

// Objective is the column objective of a run: the presets to solve, and the
// weights of preset custom by the name of their field.
type Objective struct {
	Presets []string           `json:"presets"`
	Weights map[string]float64 `json:"weights,omitempty"`
}

// Constraints is the column constraints of a run.
type Constraints struct {
	SiteIDs      []uuid.UUID           `json:"site_ids,omitempty"`      // empty: every site
	AssetIDs     []uuid.UUID           `json:"asset_ids,omitempty"`     // empty: every asset
	DowntimeCaps map[uuid.UUID]float64 `json:"downtime_caps,omitempty"` // planned outage hours per site in the horizon
	BudgetSAR    *float64              `json:"budget_sar,omitempty"`    // planned work in the horizon
	OneTrainOut  bool                  `json:"one_train_out,omitempty"` // of every redundancy group at most one asset out
	Fields       map[string]float64    `json:"fields,omitempty"`        // every other number of the problem's form, by name
	Pins         []optimize.Pin        `json:"pins,omitempty"`          // decisions held fixed
}

// CapabilityOf returns what a person needs to run a problem; ok is false for a
// kind that the product does not have.
func CapabilityOf(kind string) (need access.Capability, ok bool) {
	switch kind {
	case "maintenance_prioritization", "maintenance_deferral_cost":
		return access.RunPrioritization, true
	case "production_risk", "workforce_dispatch":
		return access.RunOperations, true
	}
	return "", false
}

// Parse reads the columns of a stored run and fills in the presets that the
// request leaves out. A column that breaks the rules of the problem is an
// invalid request.
func Parse(spec optimize.Spec, objective, constraints json.RawMessage) (Objective, Constraints, error) {
	var o Objective
	var c Constraints
	if err := json.Unmarshal(objective, &o); err != nil {
		return o, c, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read objective: %w", err))
	}
	if err := json.Unmarshal(constraints, &c); err != nil {
		return o, c, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read constraints: %w", err))
	}
	o = o.complete(spec)
	if wrong := append(o.check(spec), c.check(spec)...); len(wrong) > 0 {
		return o, c, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("%s: %s", wrong[0].Field, wrong[0].Key))
	}
	return o, c, nil
}

// complete fills in the presets: all but custom when none is named, and custom
// when weights are given.
func (o Objective) complete(spec optimize.Spec) Objective {
	if len(o.Presets) == 0 {
		o.Presets = nil
		for _, x := range spec.Objectives {
			if x.Kind != PresetCustom {
				o.Presets = append(o.Presets, x.Kind)
			}
		}
	}
	if len(o.Weights) > 0 && !slices.Contains(o.Presets, PresetCustom) {
		o.Presets = append(slices.Clone(o.Presets), PresetCustom)
	}
	return o
}

// Weight returns a weight of preset custom: the one asked for, or the default
// of its field.
func (o Objective) Weight(spec optimize.Spec, name string) float64 {
	if v, ok := o.Weights[name]; ok {
		return v
	}
	for _, f := range spec.Constraints {
		if f.Name == name {
			return f.Default
		}
	}
	return 0
}

// Set puts the value of a field of the form in its place.
func (c *Constraints) Set(name string, value float64) {
	switch name {
	case fieldBudget:
		c.BudgetSAR = &value
	case fieldOneTrainOut:
		c.OneTrainOut = value != 0
	default:
		c.Fields = maps.Clone(c.Fields)
		if c.Fields == nil {
			c.Fields = map[string]float64{}
		}
		c.Fields[name] = value
	}
}

// Value returns a field of the form: what the request says, or the default of
// a field that is not optional. ok is false for an optional field left empty.
func (c Constraints) Value(spec optimize.Spec, name string) (v float64, ok bool) {
	if v, ok = c.Fields[name]; ok {
		return v, true
	}
	for _, f := range spec.Constraints {
		if f.Name == name && !f.Optional {
			return f.Default, true
		}
	}
	return 0, false
}

// Covers reports whether the request plans an asset of a site.
func (c Constraints) Covers(site, asset uuid.UUID) bool {
	return (len(c.SiteIDs) == 0 || slices.Contains(c.SiteIDs, site)) && (len(c.AssetIDs) == 0 || slices.Contains(c.AssetIDs, asset))
}
