package dispatch

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// coreVersion changes whenever the same input, seed and budget may give
// another plan.
const coreVersion = "1"

// Solve returns the best plan found within the limits of opt, verified and
// explained. There always is a plan, because jobs may stay unserved, unless
// pins cannot be held: then the fault names the rules in their way.
func Solve(ctx context.Context, in Input, opt optimize.Options, report func(optimize.Progress)) (Output, error) {
	opt = opt.WithDefaults()
	started, meter := time.Now(), optimize.NewMeter(opt)
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	core := opt
	if opt.Prices { // leave two fifths of the budget to the prices
		core = opt.WithBudget(opt.Budget() * 3 / 5)
	}
	out, err := solveCore(ctx, &in, core, meter, report)
	if err != nil {
		return Output{}, err
	}
	if opt.Prices {
		opt = opt.WithBudget(meter.Left())
		if err = out.addPrices(ctx, &in, opt, report); err != nil {
			return Output{}, err
		}
	}
	out.Certificate.Seconds = time.Since(started).Seconds()
	return out, nil
}

// solveCore solves without prices. What it spends is charged to the meter.
func solveCore(ctx context.Context, in *Input, opt optimize.Options, meter *optimize.Meter, report func(optimize.Progress)) (Output, error) {
	started := time.Now()
	c := compile(in)
	tell := optimize.Throttled(report)
	keep := keeper(opt.OnPlan)
	// Explaining and verifying take a while after the search.
	after := min(opt.TimeLimit/5, time.Duration(len(in.Jobs)*len(c.shifts))*4*time.Microsecond)
	res, err := router.Solve(ctx, c.problem, router.Options{
		TimeLimit: opt.TimeLimit - time.Since(started) - after, MaxIterations: opt.MaxIterations, Work: opt.Work, Seed: opt.Seed, Threads: opt.Threads, RelGap: opt.RelGap,
		Start: c.start(in.WarmStart),
		Improved: func(plan func() router.Plan, cost, bound float64, _ int64) {
			tell(optimize.Progress{
				Phase: optimize.PhaseSearch, Incumbent: cost, HasIncumbent: true, Bound: bound, BoundKnown: true, Gap: optimize.Gap(cost, bound),
				Elapsed: time.Since(started),
			})
			keep(func() any { return c.stops(plan()) })
		},
	})
	if err != nil {
		return Output{}, fault.Wrap(fault.Internal, "optimize.no_plan", err)
	}
	meter.Charge(res.Spent)
	conflicts, err := c.conflicts(res.Plan)
	if err == nil && len(conflicts) > 0 {
		err = optimize.Infeasible(conflicts)
	}
	if err != nil {
		return Output{}, err
	}
	out, err := c.assemble(res.Plan)
	if err != nil {
		return Output{}, err
	}
	out.Certificate = certificate(out.Objective.Weighted, res, opt)
	if err = VerifyOutput(*in, out); err != nil {
		return Output{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	out.Certificate.Verified = true
	out.Certificate.Seconds = time.Since(started).Seconds()
	return out, nil
}

// keeper hands plans to whoever keeps them, at most one a second.
func keeper(keep func(any)) func(func() any) {
	if keep == nil {
		return func(func() any) {}
	}
	last := time.Now()
	return func(plan func() any) {
		if now := time.Now(); now.Sub(last) >= time.Second {
			last = now
			keep(plan())
		}
	}
}

func certificate(objective float64, res router.Outcome, opt optimize.Options) optimize.Certificate {
	cert := optimize.Certificate{
		Objective: objective, Bound: math.Min(res.Bound, objective), BoundKnown: true, Status: optimize.StatusFeasible, Seed: opt.Seed, Iterations: res.Moves,
		Solver: optimize.Solver{Name: "alns", Version: coreVersion, Options: map[string]string{
			"time_limit": opt.TimeLimit.String(), "rel_gap": fmt.Sprint(opt.RelGap), "threads": fmt.Sprint(opt.Threads),
			"max_iterations": fmt.Sprint(opt.MaxIterations), "work": opt.Work.String(),
		}},
	}
	cert.Gap = optimize.Gap(cert.Objective, cert.Bound)
	switch {
	case cert.Gap <= optimize.OptimalGap:
		cert.Status = optimize.StatusOptimal
	case res.Stopped && cert.Gap > opt.RelGap:
		cert.Status = optimize.StatusTimeLimit
	}
	return cert
}

// start states a plan for the router; stops that it cannot place are left out.
func (c *compiled) start(stops []Stop) *router.Plan {
	if len(stops) == 0 {
		return nil
	}
	jobs, technicians := c.in.jobIndex(), c.in.technicianIndex()
	routes := make([]router.Route, len(c.shifts))
	for n := range routes {
		routes[n].Shift = n
	}
	for _, s := range inOrder(stops) {
		t, known := technicians[s.TechnicianID]
		if !known {
			continue
		}
		n := c.shiftAt(t, s.Start)
		if n < 0 {
			continue
		}
		v := router.Visit{Job: -1, Start: s.Start}
		if s.JobID != "" {
			if v.Job, known = jobs[s.JobID]; !known {
				continue
			}
		}
		routes[n].Visits = append(routes[n].Visits, v)
	}
	return &router.Plan{Routes: routes}
}

// stops lists the visits of a plan.
func (c *compiled) stops(p router.Plan) []Stop {
	var out []Stop
	for _, r := range p.Routes {
		who := c.in.Technicians[c.shifts[r.Shift].technician].ID
		for _, v := range r.Visits {
			stop := Stop{TechnicianID: who, Start: v.Start}
			if v.Job >= 0 {
				stop.JobID = c.in.Jobs[v.Job].ID
			}
			out = append(out, stop)
		}
	}
	return out
}

// Stops lists the visits of an output, in the form of a warm start.
func (o Output) Stops() []Stop {
	var out []Stop
	for _, r := range o.Routes {
		for _, leg := range r.Stops {
			out = append(out, Stop{TechnicianID: r.TechnicianID, JobID: leg.JobID, Start: leg.Start})
		}
	}
	return out
}
