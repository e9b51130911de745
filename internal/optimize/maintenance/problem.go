// Package maintenance solves the MaintenancePrioritizationProblem: on which
// day of a horizon each candidate action starts, or that it is deferred, at
// the least expected cost under crews, shared resources, redundancy, windows
// and caps. The same core reads the instances of the ROADEF/EURO challenge
// 2020, whose objective is a mean plus an excess over a quantile of risk.
package maintenance

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// Kind identifies the problem in the registry and in stored runs.
const Kind = "maintenance_prioritization"

func init() { optimize.Register(Problem{}) }

// Problem is the registry's view of the package.
type Problem struct{}

// Spec implements optimize.Problem.
func (Problem) Spec() optimize.Spec {
	return optimize.Spec{
		Kind:       Kind,
		Name:       "MaintenancePrioritizationProblem",
		TitleKey:   "optimize.maintenance.title",
		SummaryKey: "optimize.maintenance.summary",
		Objectives: []optimize.Objective{
			{Kind: PresetCheapest, TextKey: "optimize.objective.cheapest"},
			{Kind: PresetBalanced, TextKey: "optimize.objective.balanced", Default: true},
			{Kind: PresetLowestRisk, TextKey: "optimize.objective.lowest_risk"},
			{Kind: PresetCustom, TextKey: "optimize.objective.custom"},
		},
		Constraints: []optimize.Field{
			{Name: "days", LabelKey: "optimize.field.days", Type: optimize.FieldInteger, Unit: "d", Min: 1, Max: maxDays, Default: 90},
			{Name: "downtime_cap", LabelKey: "optimize.field.downtime_cap", Type: optimize.FieldNumber, Unit: "h", Min: 0, Max: 100000, Optional: true, PerSite: true},
			{Name: "budget_sar", LabelKey: "optimize.field.budget", Type: optimize.FieldNumber, Unit: "SAR", Min: 0, Max: 1e12, Optional: true},
			{Name: "weight_cost", LabelKey: "optimize.field.weight_cost", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Optional: true},
			{Name: "weight_risk", LabelKey: "optimize.field.weight_risk", Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Optional: true},
		},
		CostCurves: true,
	}
}

// Solve implements optimize.Problem.
func (Problem) Solve(ctx context.Context, input json.RawMessage, opt optimize.Options, report func(optimize.Progress)) (optimize.Result, error) {
	var in Input
	if err := json.Unmarshal(input, &in); err != nil {
		return optimize.Result{}, fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	out, err := Solve(ctx, in, opt, report)
	if err != nil {
		return optimize.Result{}, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return optimize.Result{}, fmt.Errorf("encode plan: %w", err)
	}
	return optimize.Result{Certificate: out.Certificate, Output: raw}, nil
}

// Verify implements optimize.Problem.
func (Problem) Verify(input, output json.RawMessage) error {
	var in Input
	if err := json.Unmarshal(input, &in); err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	var out Output
	if err := json.Unmarshal(output, &out); err != nil {
		return fmt.Errorf("read output: %w", err)
	}
	return VerifyOutput(in, out)
}
