// Package production solves the ProductionRiskOptimizationProblem: which units
// run in which period and at what load, so that targets are met at the least
// cost of energy, starts, shortfall and expected failures, whose hazard grows
// with a power of the load. Without the hazard this is unit commitment; the
// core is measured on the public instances of package pglib.
package production

import (
	"context"
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// Kind identifies the problem in the registry and in stored runs.
const Kind = "production_risk"

func init() { optimize.Register(optimize.Adapt(engine{})) }

// engine is the registry's view of the package.
type engine struct{}

// Spec implements optimize.Engine.
func (engine) Spec() optimize.Spec {
	return optimize.Spec{
		Kind:       Kind,
		Name:       "ProductionRiskOptimizationProblem",
		TitleKey:   "optimize.production.title",
		SummaryKey: "optimize.production.summary",
		Objectives: []optimize.Objective{
			{Kind: optimize.PresetCheapest, TextKey: "optimize.objective.cheapest"},
			{Kind: optimize.PresetBalanced, TextKey: "optimize.objective.balanced", Default: true},
			{Kind: optimize.PresetLowestRisk, TextKey: "optimize.objective.lowest_risk"},
			{Kind: optimize.PresetCustom, TextKey: "optimize.objective.custom"},
		},
		Constraints: []optimize.Field{
			{Name: "frontier_points", LabelKey: "optimize.field.frontier_points", Type: optimize.FieldInteger, Min: 5, Max: maxFrontier, Default: defaultFrontier},
			{Name: "weight_cost", LabelKey: "optimize.field.weight_cost", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
			{Name: "weight_risk", LabelKey: "optimize.field.weight_risk", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
		},
		MaxDays: maxDays,
		Shows:   []optimize.Part{optimize.PartProfiles, optimize.PartFrontier, optimize.PartCurves},
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
	if !knownPreset(preset) {
		return in, optimize.Invalid("weights.preset", fmt.Sprintf("unknown preset %q", preset))
	}
	in.Weights.Preset = preset
	return in, nil
}

// Plan implements optimize.Engine.
func (engine) Plan(out Output) []Run { return out.runs() }

// Start implements optimize.Engine.
func (engine) Start(in Input, plan []Run) Input {
	in.WarmStart = plan
	return in
}

// Force implements optimize.Engine: it reads Load, Off and Start, in whole
// periods, from which the pin holds to the end of the horizon; without Load
// and Off the unit runs at any load.
func (engine) Force(in Input, pin optimize.Pin) (Input, error) {
	if in.unit(pin.Subject) == nil {
		return in, optimize.Invalid("pin.subject", fmt.Sprintf("unknown unit %q", pin.Subject))
	}
	p := Pin{UnitID: pin.Subject, To: in.Periods, Off: pin.Off, Load: pin.Load}
	if pin.Start != nil {
		if !within(*pin.Start, 0, float64(in.Periods-1)) {
			return in, optimize.Invalid("pin.start", fmt.Sprintf("want a period from 0 to %d", in.Periods-1))
		}
		p.From = int(*pin.Start)
	}
	pins := slices.Clone(in.Pins)
	in.Pins = append(slices.DeleteFunc(pins, func(o Pin) bool { return o.UnitID == p.UnitID }), p)
	return in, in.validatePins()
}

// Model implements optimize.Engine.
func (engine) Model(in Input) (*mip.Model, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	c, conflicts := compile(&in)
	if len(conflicts) > 0 {
		return nil, optimize.Infeasible(conflicts)
	}
	return commitment.Model(c.problem), nil
}
