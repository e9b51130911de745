package maintenance

import (
	"context"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// addPrices re-solves the problem with one more step of each binding resource
// and without each pin. Every price is the difference of two verified plans,
// and each new solve starts from the plan, so none is negative.
func (o *Output) addPrices(ctx context.Context, c *compiled, days []int, opt optimize.Options, report func(optimize.Progress)) error {
	var resources []Resource
	for _, r := range c.in.Resources {
		if c.binding(r.ID, days) {
			resources = append(resources, r)
		}
	}
	jobs := len(resources) + len(c.in.Pins)
	if jobs == 0 || ctx.Err() != nil {
		return nil
	}
	sub := opt.WithBudget(max(500*time.Millisecond, opt.Budget()/time.Duration(jobs)))
	sub.Prices, sub.RelGap = false, optimize.OptimalGap
	tell := optimize.Throttled(report)
	again := func(in Input) (Output, error) {
		in.WarmStart = o.starts()
		tell(optimize.Progress{Phase: optimize.PhasePrices, Incumbent: o.Certificate.Objective, HasIncumbent: true,
			Bound: o.Certificate.Bound, BoundKnown: o.Certificate.BoundKnown, Gap: o.Certificate.Gap})
		out, _, _, err := solveCore(ctx, &in, sub, optimize.NewMeter(sub), nil)
		return out, err
	}
	for _, r := range resources {
		if ctx.Err() != nil {
			return nil // cancelled: the plan stands, the rest of the prices is missing
		}
		out, err := again(c.in.withMore(r.ID))
		if err != nil {
			return err
		}
		o.Prices = append(o.Prices, Price{Resource: r.ID, Step: r.step(), Value: o.Objective.Weighted - out.Objective.Weighted, Exact: bothOptimal(*o, out)})
	}
	for _, p := range c.in.Pins {
		if ctx.Err() != nil {
			return nil
		}
		out, err := again(c.in.withoutPin(p.ActionID))
		if err != nil {
			return err
		}
		o.PinPrices = append(o.PinPrices, PinPrice{ActionID: p.ActionID, Value: o.Objective.Weighted - out.Objective.Weighted, Exact: bothOptimal(*o, out)})
	}
	return nil
}

// binding says whether some action would be cheaper on a day that this
// resource, as the plan uses it, closes or is too small for.
func (c *compiled) binding(resource string, days []int) bool {
	usage := c.usage(days)
	for i, day := range days {
		here := c.costs[i].terms[day].Weighted
		for t := range c.at[i] {
			if t == day || c.costs[i].terms[t].Weighted >= here-1e-9*math.Abs(here) {
				continue
			}
			rules := []rule{c.blocked[i][t]}
			if c.at[i][t] >= 0 {
				rules = c.hindrances(i, day, t, usage)
			}
			for _, r := range rules {
				if r.code == optimize.ReasonResourceBinding && r.constraint == resource {
					return true
				}
			}
		}
	}
	return false
}

func (r Resource) step() float64 {
	if r.PriceStep > 0 {
		return r.PriceStep
	}
	return 1
}

// withMore returns the input with one more step of a resource on every day on
// which there is some.
func (in *Input) withMore(resource string) Input {
	out := *in
	out.Resources = append([]Resource(nil), in.Resources...)
	for k := range out.Resources {
		r := &out.Resources[k]
		if r.ID != resource {
			continue
		}
		r.Available = append([]float64(nil), r.Available...)
		for d := range r.Available {
			if r.Available[d] > 0 {
				r.Available[d] += r.step()
			}
		}
	}
	return out
}

func (in *Input) withoutPin(action string) Input {
	out := *in
	out.Pins = nil
	for _, p := range in.Pins {
		if p.ActionID != action {
			out.Pins = append(out.Pins, p)
		}
	}
	return out
}
