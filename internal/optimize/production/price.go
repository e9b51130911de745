package production

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// addPrices re-solves the problem with a step more of each bottleneck and
// without each pin. Every price is the difference of two verified plans, and
// each new solve starts from the plan, so none is negative.
func (o *Output) addPrices(ctx context.Context, in *Input, opt optimize.Options, report func(optimize.Progress)) error {
	jobs := o.bottlenecks(in)
	if len(jobs) == 0 {
		return nil
	}
	sub := opt
	if opt.MaxIterations == 0 {
		sub = opt.WithBudget(max(minSolve, opt.Budget()/time.Duration(len(jobs))))
	}
	sub.Prices, sub.RelGap = false, optimize.OptimalGap
	if opt.MaxIterations == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(opt.TimeLimit, minSolve))
		defer cancel()
	}
	tell := optimize.Throttled(report)
	for _, job := range jobs {
		if ctx.Err() != nil {
			return nil // cancelled: the plan stands, the rest of the prices is missing
		}
		tell(optimize.Progress{Phase: optimize.PhasePrices, Incumbent: o.Certificate.Objective, HasIncumbent: true,
			Bound: o.Certificate.Bound, BoundKnown: o.Certificate.BoundKnown, Gap: o.Certificate.Gap})
		job.in.WarmStart = o.runs()
		s, err := solveCore(ctx, &job.in, sub, nil)
		if err != nil {
			return err
		}
		value, exact := o.Objective.Weighted-s.terms.Weighted, bothOptimal(o.Certificate, s.certificate())
		if job.pin != "" {
			o.PinPrices = append(o.PinPrices, PinPrice{UnitID: job.pin, Value: value, Exact: exact})
			continue
		}
		job.price.Value, job.price.Exact = value, exact
		o.Prices = append(o.Prices, job.price)
	}
	return nil
}

// pricing is one further solve: with more of a resource, or without the pins
// of a unit.
type pricing struct {
	in    Input
	price Price
	pin   string
}

// bottlenecks lists the units at their maximum, the storages at their capacity
// and the pinned units.
func (o *Output) bottlenecks(in *Input) []pricing {
	var jobs []pricing
	for i, p := range o.Profiles {
		if u := in.Units[i]; slices.ContainsFunc(p.Load, func(v float64) bool { return v > u.MaxLoad*(1-1e-6) }) && u.MaxLoad > 0 {
			jobs = append(jobs, in.withLoad(i))
		}
	}
	for k, s := range o.Supplies {
		g := in.Targets[k]
		if g.Storage != nil && g.Storage.Capacity > 0 && slices.ContainsFunc(s.Level, func(v float64) bool { return v > g.Storage.Capacity*(1-1e-6) }) {
			jobs = append(jobs, in.withStorage(k))
		}
	}
	seen := map[string]bool{}
	for _, p := range in.Pins {
		if !seen[p.UnitID] {
			seen[p.UnitID] = true
			free := *in
			free.Pins = slices.DeleteFunc(slices.Clone(in.Pins), func(o Pin) bool { return o.UnitID == p.UnitID })
			jobs = append(jobs, pricing{in: free, pin: p.UnitID})
		}
	}
	return jobs
}

// priceShare is the step of a price relative to the resource.
const priceShare = 0.05

// withLoad gives a unit a step more of maximum load. Its power curve goes on
// as it ends, and the loads at which its failure cost is exact stay.
func (in *Input) withLoad(i int) pricing {
	out := *in
	out.Units = slices.Clone(in.Units)
	u := &out.Units[i]
	step := u.RatedLoad * priceShare
	last := len(u.Energy) - 1
	if end := u.MaxLoad + step; u.Energy[last].Load < end {
		u.Energy = append(slices.Clone(u.Energy), EnergyPoint{Load: end, KW: u.power(end)})
	}
	u.RiskLoads = u.riskLoads()
	u.MaxLoad = math.Min(u.MaxLoad+step, 10*u.RatedLoad)
	return pricing{in: out, price: Price{Resource: u.ID, Step: step, Unit: in.unitOf(u.Target) + "/h"}}
}

func (in *Input) withStorage(k int) pricing {
	out := *in
	out.Targets = slices.Clone(in.Targets)
	s := *out.Targets[k].Storage
	step := s.Capacity * priceShare
	s.Capacity += step
	out.Targets[k].Storage = &s
	return pricing{in: out, price: Price{Resource: out.Targets[k].ID, Step: step, Unit: out.Targets[k].Unit}}
}

// unitOf returns what a target is counted in.
func (in *Input) unitOf(target string) string {
	for _, g := range in.Targets {
		if g.ID == target {
			return g.Unit
		}
	}
	return ""
}
