// Package maintenance solves the MaintenancePrioritizationProblem: on which
// day of a horizon each candidate action starts, or that it is deferred, at
// the least expected cost under crews, shared resources, redundancy, windows
// and caps. The same core reads the instances of the ROADEF/EURO challenge
// 2020, whose objective is a mean plus an excess over a quantile of risk.
package maintenance

import (
	"context"
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance/internal/timetable"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Kind identifies the problem in the registry and in stored runs.
const Kind = "maintenance_prioritization"

func init() { optimize.Register(optimize.Adapt(engine{})) }

// engine is the registry's view of the package.
type engine struct{}

// Spec implements optimize.Engine.
func (engine) Spec() optimize.Spec {
	return optimize.Spec{
		Kind:       Kind,
		Name:       "MaintenancePrioritizationProblem",
		TitleKey:   "optimize.maintenance.title",
		SummaryKey: "optimize.maintenance.summary",
		Objectives: []optimize.Objective{
			{Kind: optimize.PresetCheapest, TextKey: "optimize.objective.cheapest"},
			{Kind: optimize.PresetBalanced, TextKey: "optimize.objective.balanced", Default: true},
			{Kind: optimize.PresetLowestRisk, TextKey: "optimize.objective.lowest_risk"},
			{Kind: optimize.PresetCustom, TextKey: "optimize.objective.custom"},
		},
		Constraints: []optimize.Field{
			{Name: "downtime_cap", LabelKey: "optimize.field.downtime_cap", Type: optimize.FieldNumber, Unit: "h", Min: 0, Max: 100000, Optional: true, PerSite: true},
			{Name: "budget_sar", LabelKey: "optimize.field.budget", Type: optimize.FieldNumber, Unit: "SAR", Min: 0, Max: 1e12, Optional: true},
			{Name: "one_train_out", LabelKey: "optimize.field.one_train_out", Type: optimize.FieldBool, Max: 1, Default: 1},
			{Name: "weight_cost", LabelKey: "optimize.field.weight_cost", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
			{Name: "weight_risk", LabelKey: "optimize.field.weight_risk", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
		},
		MaxDays:    maxDays,
		Shows:      []optimize.Part{optimize.PartGantt, optimize.PartCurves},
		Executable: true,
	}
}

// Solve implements optimize.Engine.
func (engine) Solve(ctx context.Context, in Input, opt optimize.Options, report func(optimize.Progress)) (Output, error) {
	return Solve(ctx, in, opt, report)
}

// Certificate implements optimize.Engine.
func (engine) Certificate(out Output) optimize.Certificate { return out.Certificate }

// Verify implements optimize.Engine.
func (engine) Verify(in Input, out Output) error { return VerifyOutput(in, out) }

// Weigh implements optimize.Engine.
func (engine) Weigh(in Input, preset string) (Input, error) {
	if !slices.Contains(optimize.Presets, preset) {
		return in, optimize.Invalid("weights.preset", fmt.Sprintf("unknown preset %q", preset))
	}
	in.Weights.Preset = preset
	return in, nil
}

// Plan implements optimize.Engine.
func (engine) Plan(out Output) []Start { return out.starts() }

// Start implements optimize.Engine.
func (engine) Start(in Input, plan []Start) Input {
	in.WarmStart = plan
	return in
}

// Force implements optimize.Engine: it reads Start, in whole days, and Off.
func (engine) Force(in Input, pin optimize.Pin) (Input, error) {
	if !slices.ContainsFunc(in.Actions, func(a Action) bool { return a.ID == pin.Subject }) {
		return in, optimize.Invalid("pin.subject", fmt.Sprintf("unknown action %q", pin.Subject))
	}
	p := Pin{ActionID: pin.Subject, Deferred: pin.Off}
	if !pin.Off {
		if pin.Start == nil || *pin.Start < 0 || int(*pin.Start) >= in.Days {
			return in, optimize.Invalid("pin.start", fmt.Sprintf("want a day from 0 to %d", in.Days-1))
		}
		p.StartDay = int(*pin.Start)
	}
	pins := slices.Clone(in.Pins)
	in.Pins = append(slices.DeleteFunc(pins, func(o Pin) bool { return o.ActionID == p.ActionID }), p)
	return in, nil
}

// Model implements optimize.Engine.
func (engine) Model(in Input) (*mip.Model, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	c := compile(&in, 1)
	if conflicts := c.impossible(); len(conflicts) > 0 {
		return nil, optimize.Infeasible(conflicts)
	}
	return timetable.Model(c.problem), nil
}
