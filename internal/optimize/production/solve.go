package production

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// coreVersion changes whenever the same input, seed and budget may give
// another plan.
const coreVersion = "2"

// Solve returns the best plan found within the limits of opt, verified, with
// the frontier around it. An input that no plan can satisfy gives an
// *optimize.InfeasibleError inside a fault; cancelling ctx keeps the best plan
// and fails only when there is none.
func Solve(ctx context.Context, in Input, opt optimize.Options, report func(optimize.Progress)) (Output, error) {
	opt = opt.WithDefaults()
	start, meter := time.Now(), optimize.NewMeter(opt)
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	main := opt
	if opt.MaxIterations > 0 {
		main.RelGap = min(opt.RelGap, optimize.OptimalGap)
	} else { // the rest goes to marginal prices, the frontier and prices
		main = opt.WithBudget(opt.Budget() * 3 / 5)
	}
	s, err := solveCore(ctx, &in, main, report)
	if err != nil {
		return Output{}, err
	}
	meter.Charge(s.outcome.Spent)
	out, err := s.output(ctx, opt)
	if err != nil {
		return Output{}, err
	}
	rest := opt.WithBudget(meter.Left())
	rest.OnPlan = nil // what follows solves other problems
	if opt.Prices && opt.MaxIterations == 0 {
		rest = rest.WithBudget(rest.Budget() * 2 / 3)
	}
	points, spent, err := frontier(ctx, &in, &out, rest, report)
	if err != nil {
		return Output{}, err
	}
	meter.Charge(spent)
	if s.adopt(points) { // a plan found on the way is better under the asked weights too
		if out, err = s.output(ctx, opt); err != nil {
			return Output{}, err
		}
	}
	out.Frontier = points
	if opt.Prices {
		rest = rest.WithBudget(meter.Left())
		if err = out.addPrices(ctx, &in, rest, report); err != nil {
			return Output{}, err
		}
	}
	if err = VerifyOutput(in, out); err != nil {
		return Output{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	out.Certificate.Seconds = time.Since(start).Seconds()
	return out, nil
}

// solved is a verified plan of the core.
type solved struct {
	*compiled
	opt     optimize.Options
	outcome commitment.Outcome
	runs    []Run
	terms   Terms
}

// certificate is what the plan proves about itself.
func (s *solved) certificate() optimize.Certificate {
	o := s.outcome
	cert := optimize.Certificate{
		Objective: s.terms.Weighted, BoundKnown: !math.IsInf(o.Bound, -1), Status: o.Status, Seed: s.opt.Seed, Iterations: o.Iterations, Verified: true,
		Solver: optimize.Solver{Name: o.Solver, Version: coreVersion, Options: map[string]string{
			"time_limit": s.opt.TimeLimit.String(), "rel_gap": fmt.Sprint(s.opt.RelGap), "threads": strconv.Itoa(s.opt.Threads),
			"max_iterations": fmt.Sprint(s.opt.MaxIterations), "work": s.opt.Work.String(), "solver": s.opt.Solver,
			"columns": strconv.Itoa(o.Columns), "rows": strconv.Itoa(o.Rows),
		}},
	}
	if cert.BoundKnown {
		cert.Bound = math.Min(o.Bound, s.terms.Weighted)
		cert.Gap = optimize.Gap(cert.Objective, cert.Bound)
	}
	if o.Err != nil {
		cert.Solver.Options["exact_error"] = o.Err.Error()
	}
	return cert
}

// solveCore finds one verified plan.
func solveCore(ctx context.Context, in *Input, opt optimize.Options, report func(optimize.Progress)) (*solved, error) {
	c, conflicts := compile(in)
	if len(conflicts) > 0 {
		return nil, optimize.Infeasible(conflicts)
	}
	var hand func(*commitment.Plan)
	if opt.OnPlan != nil {
		hand = func(p *commitment.Plan) { opt.OnPlan(c.runs(p)) }
	}
	out := commitment.Solve(ctx, c.problem, c.start(), opt, report, hand)
	if out.Plan == nil {
		return nil, c.noPlan(ctx, out, opt)
	}
	s := &solved{compiled: c, opt: opt, outcome: out, runs: c.runs(out.Plan)}
	var err error
	if s.terms, err = Verify(*in, s.runs); err != nil {
		return nil, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	if s.terms.Weighted > out.Objective+halala+1e-6*math.Abs(out.Objective) {
		return nil, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("solver says %.9f, verifier finds %.9f", out.Objective, s.terms.Weighted))
	}
	return s, nil
}

// adopt takes over the plan of a point that is better by the weights of the
// input.
func (s *solved) adopt(points []Point) bool {
	best, least := -1, s.terms.Weighted-halala
	for k, p := range points {
		if w := s.cost*p.Cost + s.risk*p.Risk; w < least {
			best, least = k, w
		}
	}
	if best < 0 {
		return false
	}
	terms, err := Verify(*s.in, points[best].Runs)
	if err != nil {
		return false // the frontier itself is verified with the output
	}
	s.runs, s.terms = points[best].Runs, terms
	s.outcome.Plan = s.plan(s.runs)
	return true
}

// start turns the warm start into a plan of the core, nil when there is none.
func (c *compiled) start() *commitment.Plan {
	if len(c.in.WarmStart) == 0 {
		return nil
	}
	return c.plan(c.in.WarmStart)
}

// plan turns profiles into a plan of the core; loads are kept within the
// limits of the unit, and what is missing is off.
func (c *compiled) plan(runs []Run) *commitment.Plan {
	p := &commitment.Plan{}
	byUnit := map[string]Run{}
	for _, r := range runs {
		byUnit[r.UnitID] = r
	}
	for i := range c.in.Units {
		on, load := make([]bool, c.in.Periods), make([]float64, c.in.Periods)
		r := byUnit[c.in.Units[i].ID]
		for t := range on {
			if t < len(r.On) && t < len(r.Load) && r.On[t] {
				on[t] = true
				load[t] = math.Min(math.Max(r.Load[t], c.in.Units[i].MinLoad), c.in.Units[i].MaxLoad)
			}
		}
		p.On, p.Load = append(p.On, on), append(p.Load, load)
	}
	return p
}

// runs names the profiles of a plan.
func (c *compiled) runs(p *commitment.Plan) []Run {
	list := make([]Run, len(c.in.Units))
	for i := range list {
		list[i] = Run{UnitID: c.in.Units[i].ID, On: p.On[i], Load: p.Load[i]}
	}
	return list
}

func (o Output) runs() []Run {
	list := make([]Run, len(o.Profiles))
	for i, p := range o.Profiles {
		list[i] = p.Run
	}
	return list
}

// bothOptimal says whether a difference between two plans is exact.
func bothOptimal(a, b optimize.Certificate) bool {
	return a.Status == optimize.StatusOptimal && b.Status == optimize.StatusOptimal
}
