// Package deferral solves the MaintenanceDeferralCostProblem: what waiting
// with each planned job costs, day by day, how sure that is, and which open
// day is cheapest.
//
// For an asset of age a whose failure modes k have Weibull lives and evidence
// m_k on their hazards, doing the job on day d instead of at once costs
//
//	C(d) = Σ_k F_k(d)·(C_k − C_p) − g·E[min(T, d)] + R(d) − R(0)
//
// with T the remaining life, F_k(d) the probability that mode k strikes first
// and before d, C_k its cost, C_p the planned job and g the long-run cost rate
// of the optimal age replacement of a new asset (package replacement). R is 0
// when the job renews the asset. A job that restores the share ρ of the age
// leaves a healthy asset of virtual age v(d), after Kijima (1989):
//
//	type I:  v(d) = v₀ + (1 − ρ)·(a + d − v₀), v₀ the virtual age after the last repair
//	type II: v(d) = (1 − ρ)·(a + d)
//
// and R(d) = S(d)·h(v(d)) + ∫ f(u)·h(v(u)) du over 0 … d, where h(v) is what
// a healthy asset of age v costs more than a new one until the optimal policy
// renews it: the job after the imperfect one is an overhaul that renews.
package deferral

import (
	"context"
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Kind identifies the problem in the registry and in stored runs.
const Kind = "maintenance_deferral_cost"

func init() { optimize.Register(optimize.Adapt(engine{})) }

// engine is the registry's view of the package.
type engine struct{}

// Spec implements optimize.Engine.
func (engine) Spec() optimize.Spec {
	return optimize.Spec{
		Kind:       Kind,
		Name:       "MaintenanceDeferralCostProblem",
		TitleKey:   "optimize.deferral.title",
		SummaryKey: "optimize.deferral.summary",
		Objectives: []optimize.Objective{
			{Kind: optimize.PresetCheapest, TextKey: "optimize.objective.cheapest", Default: true},
			{Kind: optimize.PresetBalanced, TextKey: "optimize.objective.balanced"},
			{Kind: optimize.PresetLowestRisk, TextKey: "optimize.objective.lowest_risk"},
			{Kind: optimize.PresetCustom, TextKey: "optimize.objective.custom"},
		},
		Constraints: []optimize.Field{
			{Name: "confidence", LabelKey: "optimize.field.confidence", Type: optimize.FieldNumber, Unit: "%", Min: 50, Max: 99, Default: 100 * defaultConfidence},
			{Name: "materiality_sar", LabelKey: "optimize.field.materiality", Type: optimize.FieldNumber, Unit: "SAR", Min: 0, Max: 1e9, Optional: true},
			{Name: "weight_cost", LabelKey: "optimize.field.weight_cost", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
			{Name: "weight_risk", LabelKey: "optimize.field.weight_risk", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true},
		},
		MaxDays: maxDays,
		Shows:   []optimize.Part{optimize.PartCurves},
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
func (engine) Plan(out Output) []Choice { return out.choices() }

// Start implements optimize.Engine.
func (engine) Start(in Input, plan []Choice) Input {
	in.WarmStart = plan
	return in
}

// Force implements optimize.Engine: it reads Start, in whole days.
func (engine) Force(in Input, pin optimize.Pin) (Input, error) {
	if !slices.ContainsFunc(in.Actions, func(a Action) bool { return a.ID == pin.Subject }) {
		return in, optimize.Invalid("pin.subject", fmt.Sprintf("unknown action %q", pin.Subject))
	}
	if pin.Off || pin.Start == nil || !(*pin.Start >= 0 && *pin.Start < float64(in.Days)) {
		return in, optimize.Invalid("pin.start", fmt.Sprintf("want a day from 0 to %d", in.Days-1))
	}
	p := Choice{ActionID: pin.Subject, Day: int(*pin.Start)}
	in.Pins = append(slices.DeleteFunc(slices.Clone(in.Pins), func(o Choice) bool { return o.ActionID == p.ActionID }), p)
	return in, nil
}

// Model implements optimize.Engine.
func (engine) Model(in Input) (*mip.Model, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	return model(&in)
}
