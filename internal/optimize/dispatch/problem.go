package dispatch

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Kind identifies the problem in the registry and in stored runs.
const Kind = "workforce_dispatch"

func init() { optimize.Register(optimize.Adapt(engine{})) }

// engine is the registry's view of the package.
type engine struct{}

// Spec implements optimize.Engine.
func (engine) Spec() optimize.Spec {
	weight := func(name string) optimize.Field {
		return optimize.Field{Name: "weight_" + name, LabelKey: "optimize.dispatch.weight_" + name, Type: optimize.FieldNumber, Min: 0, Max: 100, Default: 1, Weight: true}
	}
	return optimize.Spec{
		Kind:       Kind,
		Name:       "WorkforceDispatchProblem",
		TitleKey:   "optimize.dispatch.title",
		SummaryKey: "optimize.dispatch.summary",
		Objectives: []optimize.Objective{
			{Kind: optimize.PresetCheapest, TextKey: "optimize.objective.cheapest"},
			{Kind: optimize.PresetBalanced, TextKey: "optimize.objective.balanced", Default: true},
			{Kind: optimize.PresetLowestRisk, TextKey: "optimize.objective.lowest_risk"},
			{Kind: optimize.PresetCustom, TextKey: "optimize.objective.custom"},
		},
		Constraints: []optimize.Field{
			{Name: "change_sar", LabelKey: "optimize.dispatch.change_sar", Type: optimize.FieldNumber, Unit: "SAR", Min: 0, Max: 1e6, Default: 50, Optional: true},
			weight("unserved"), weight("lateness"), weight("travel"), weight("overtime"), weight("stability"),
		},
		MaxDays: maxDays,
		Shows:   []optimize.Part{optimize.PartRoutes, optimize.PartGantt},
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
	if preset == optimize.PresetCustom && in.Weights.Preset != optimize.PresetCustom && in.Weights.Unserved == 0 {
		in.Weights = in.Weights.values() // nobody has set numbers yet
	}
	in.Weights.Preset = preset
	return in, nil
}

// Plan implements optimize.Engine.
func (engine) Plan(out Output) []Stop { return out.Stops() }

// Start implements optimize.Engine.
func (engine) Start(in Input, plan []Stop) Input {
	in.WarmStart = plan
	return in
}

// Force implements optimize.Engine: it reads Start (days),
// Resource (a technician) and Off (unserved).
func (engine) Force(in Input, pin optimize.Pin) (Input, error) {
	if _, known := in.jobIndex()[pin.Subject]; !known {
		return in, optimize.Invalid("pin.subject", fmt.Sprintf("unknown job %q", pin.Subject))
	}
	p := Pin{JobID: pin.Subject, TechnicianID: pin.Resource, Unserved: pin.Off}
	if pin.Start != nil && !pin.Off {
		if !(*pin.Start >= 0 && *pin.Start <= float64(in.Days)) {
			return in, optimize.Invalid("pin.start", fmt.Sprintf("want a day from 0 to %d", in.Days))
		}
		minutes := *pin.Start * minutesPerDay
		if whole := math.Round(minutes); math.Abs(minutes-whole) < 1e-3 {
			minutes = whole
		}
		p.Start = &minutes
	}
	if _, known := in.technicianIndex()[pin.Resource]; pin.Resource != "" && !known {
		return in, optimize.Invalid("pin.resource", fmt.Sprintf("unknown technician %q", pin.Resource))
	}
	if p.TechnicianID == "" && p.Start == nil && !p.Unserved {
		return in, optimize.Invalid("pin", "want a technician, a start or off")
	}
	in.Pins = append(slices.DeleteFunc(slices.Clone(in.Pins), func(o Pin) bool { return o.JobID == p.JobID }), p)
	return in, nil
}

// Model implements optimize.Engine.
func (engine) Model(in Input) (*mip.Model, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	return compile(&in).model()
}
