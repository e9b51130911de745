package dispatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// addPrices solves the problem again with one more technician per skill and
// without each pin. Every price is the difference of two verified plans, and
// each new search starts from the plan, so none is negative.
func (o *Output) addPrices(ctx context.Context, in *Input, opt optimize.Options, report func(optimize.Progress)) error {
	skills := in.asked()
	solves := len(skills) + len(in.Pins)
	if solves == 0 {
		return nil
	}
	sub := opt.WithBudget(max(200*time.Millisecond, opt.Budget()/time.Duration(solves)))
	sub.Prices, sub.OnPlan = false, nil
	tell := optimize.Throttled(report)
	again := func(changed Input) (float64, bool, error) {
		changed.WarmStart = o.Stops()
		tell(optimize.Progress{
			Phase: optimize.PhasePrices, Incumbent: o.Certificate.Objective, HasIncumbent: true,
			Bound: o.Certificate.Bound, BoundKnown: o.Certificate.BoundKnown, Gap: o.Certificate.Gap,
		})
		out, err := solveCore(ctx, &changed, sub, optimize.NewMeter(sub), nil)
		if err != nil {
			return 0, false, fmt.Errorf("price: %w", err)
		}
		exact := o.Certificate.Status == optimize.StatusOptimal && out.Certificate.Status == optimize.StatusOptimal
		return math.Max(0, o.Objective.Weighted-out.Objective.Weighted), exact, nil
	}
	for _, s := range skills {
		if ctx.Err() != nil {
			return nil // cancelled: the plan stands, the rest of the prices is missing
		}
		more, known := in.withOneMore(s)
		if !known {
			continue
		}
		value, exact, err := again(more)
		if err != nil {
			return err
		}
		o.Prices = append(o.Prices, Price{Skill: s.ID, Level: s.Level, Value: value, Exact: exact})
	}
	for _, p := range in.Pins {
		if ctx.Err() != nil {
			return nil
		}
		value, exact, err := again(in.withoutPin(p.JobID))
		if err != nil {
			return err
		}
		o.PinPrices = append(o.PinPrices, PinPrice{JobID: p.JobID, Value: value, Exact: exact})
	}
	return nil
}

// asked lists the skills that jobs ask for, each at the highest level asked,
// in the order in which they turn up.
func (in *Input) asked() []Skill {
	var list []Skill
	for k := range in.Jobs {
		for _, need := range in.Jobs[k].Skills {
			n := slices.IndexFunc(list, func(s Skill) bool { return s.ID == need.ID })
			if n < 0 {
				list = append(list, need)
			} else {
				list[n].Level = max(list[n].Level, need.Level)
			}
		}
	}
	return list
}

// withOneMore adds a technician with one skill: the copy of whoever has it at
// the highest level, or of the first technician when nobody has it.
func (in *Input) withOneMore(s Skill) (Input, bool) {
	if len(in.Technicians) == 0 {
		return Input{}, false
	}
	model := 0
	for k := range in.Technicians {
		if in.Technicians[k].level(s.ID) > in.Technicians[model].level(s.ID) {
			model = k
		}
	}
	out := *in
	extra := in.Technicians[model]
	extra.Skills = []Skill{s}
	for extra.ID += "+1"; slices.ContainsFunc(in.Technicians, func(t Technician) bool { return t.ID == extra.ID }); {
		extra.ID += "+1"
	}
	out.Technicians = append(slices.Clone(in.Technicians), extra)
	return out, true
}

func (in *Input) withoutPin(job string) Input {
	out := *in
	out.Pins = slices.DeleteFunc(slices.Clone(in.Pins), func(p Pin) bool { return p.JobID == job })
	return out
}
