package activities

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// RunObjective is the column objective of a run: which presets to solve, and
// the weights of preset custom.
type RunObjective struct {
	Presets    []string `json:"presets"`
	WeightCost float64  `json:"weight_cost,omitempty"`
	WeightRisk float64  `json:"weight_risk,omitempty"`
}

// RunConstraints is the column constraints of a run.
type RunConstraints struct {
	SiteIDs      []uuid.UUID           `json:"site_ids,omitempty"`      // empty: every site
	DowntimeCaps map[uuid.UUID]float64 `json:"downtime_caps,omitempty"` // planned outage hours per site in the horizon
	BudgetSAR    *float64              `json:"budget_sar,omitempty"`    // planned work in the horizon
	OneTrainOut  bool                  `json:"one_train_out,omitempty"` // of every redundancy group at most one asset out
	Pins         []RunPin              `json:"pins,omitempty"`
}

// RunPin holds one decision fixed: a start day, or deferral.
type RunPin struct {
	AssetID  uuid.UUID `json:"asset_id"`
	StartOn  string    `json:"start_on,omitempty"` // YYYY-MM-DD
	Deferred bool      `json:"deferred,omitempty"`
}

// allPresets are solved when a request names none.
var allPresets = []string{maintenance.PresetCheapest, maintenance.PresetBalanced, maintenance.PresetLowestRisk}

// parseRequest reads and checks what a run asks for.
func parseRequest(objective, constraints json.RawMessage) (RunObjective, RunConstraints, error) {
	var o RunObjective
	var c RunConstraints
	if err := json.Unmarshal(objective, &o); err != nil {
		return o, c, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read objective: %w", err))
	}
	if err := json.Unmarshal(constraints, &c); err != nil {
		return o, c, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read constraints: %w", err))
	}
	if len(o.Presets) == 0 {
		o.Presets = allPresets
	}
	known := append([]string{maintenance.PresetCustom}, allPresets...)
	for i, p := range o.Presets {
		if !slices.Contains(known, p) || slices.Contains(o.Presets[:i], p) {
			return o, c, fault.New(fault.Invalid, KeyRequest).With("preset", p)
		}
	}
	return o, c, nil
}

// withPreset returns the input weighed for a preset. The weights of preset
// custom are part of the stored input; the others replace them.
func withPreset(in maintenance.Input, preset string) maintenance.Input {
	in.Weights.Preset = preset
	return in
}

// dayOf counts days from the start of the horizon, both as midnight UTC.
func dayOf(start, day time.Time) int {
	return int(day.Sub(start).Round(24*time.Hour) / (24 * time.Hour))
}
