package trsp

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// unservedDays is what leaving a job out counts, in lengths of the longest
// shift, so that serving it always pays.
const unservedDays = 10

// Solve returns the best verified plan found within the limits of opt. The
// objective is the working time of the routes plus the penalty for jobs that
// are left out.
func Solve(ctx context.Context, in *Instance, opt optimize.Options, report func(optimize.Progress)) (Plan, optimize.Certificate, error) {
	opt = opt.WithDefaults()
	started := time.Now()
	problem := in.compile()
	tell := optimize.Throttled(report)
	res, err := router.Solve(ctx, problem, router.Options{
		TimeLimit: opt.TimeLimit - time.Since(started), MaxIterations: opt.MaxIterations, Work: opt.Work, Seed: opt.Seed, Threads: opt.Threads, RelGap: opt.RelGap,
		Improved: func(_ func() router.Plan, cost, bound float64, _ int64) {
			tell(optimize.Progress{
				Phase: optimize.PhaseSearch, Incumbent: cost, HasIncumbent: true, Bound: bound, BoundKnown: true, Gap: optimize.Gap(cost, bound),
				Elapsed: time.Since(started),
			})
		},
	})
	if err != nil {
		return Plan{}, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.no_plan", err)
	}
	plan := in.plan(res.Plan)
	worked, err := Verify(in, plan)
	if err != nil {
		return Plan{}, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	objective := worked + float64(len(plan.Unserved))*in.penalty()
	if math.Abs(objective-res.Plan.Cost) > 1e-4 {
		return Plan{}, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("solver says %.6f, verifier finds %.6f", res.Plan.Cost, objective))
	}
	cert := optimize.Certificate{
		Objective: objective, Status: optimize.StatusFeasible, Seconds: time.Since(started).Seconds(),
		Seed: opt.Seed, Iterations: res.Moves, Verified: true, Solver: optimize.Solver{Name: "alns", Version: "1"},
	}
	cert.Bound, cert.BoundKnown = math.Min(res.Bound, objective), true
	cert.Gap = optimize.Gap(objective, cert.Bound)
	switch {
	case cert.Gap <= optimize.OptimalGap:
		cert.Status = optimize.StatusOptimal
	case res.Stopped && cert.Gap > opt.RelGap:
		cert.Status = optimize.StatusTimeLimit
	}
	return plan, cert, nil
}

// penalty is the cost of a job that is left out.
func (in *Instance) penalty() float64 {
	longest := 1.0
	for k := 0; k <= in.Technicians; k++ {
		longest = math.Max(longest, in.Stops[k].To-in.Stops[k].From)
	}
	return unservedDays * longest
}

// compile states the instance for the router: every stop is a node, every
// technician a shift.
func (in *Instance) compile() *router.Problem {
	n := len(in.Stops)
	p := &router.Problem{Nodes: n, Travel: make([]float64, n*n), Duration: true}
	for a := range n {
		for b := range n {
			p.Travel[a*n+b] = in.Travel(a, b)
		}
	}
	if in.Tools+in.Parts > 0 {
		p.Depot = &router.Depot{Window: router.Window{From: in.Stops[0].From, To: in.Stops[0].To}}
	}
	for k := 1; k <= in.Technicians; k++ {
		s := &in.Stops[k]
		p.Shifts = append(p.Shifts, router.Shift{
			Technician: k, From: k, To: k, Open: s.From, Close: s.To, Regular: s.To, Tools: bits(s.Tools), Parts: in.units(s.Parts),
		})
	}
	for v := in.Technicians + 1; v < n; v++ {
		s := &in.Stops[v]
		job := router.Job{
			Node: v, Duration: s.Service, Windows: []router.Window{{From: s.From, To: s.To}}, Tools: bits(s.Tools), Parts: in.units(s.Parts),
			Crew: 1, Unserved: in.penalty(),
		}
		for k := range in.Technicians {
			if subset(s.Skills, in.Stops[k+1].Skills) {
				job.Shifts = append(job.Shifts, int32(k))
			}
		}
		p.Jobs = append(p.Jobs, job)
	}
	return p
}

func bits(list []int) uint64 {
	var set uint64
	for _, k := range list {
		set |= 1 << k
	}
	return set
}

// units returns one number per part.
func (in *Instance) units(list []int) []int32 {
	out := make([]int32, in.Parts)
	for k, v := range list {
		out[k] = int32(min(v, math.MaxInt32))
	}
	return out
}

// plan numbers the router's routes as the file does.
func (in *Instance) plan(p router.Plan) Plan {
	out := Plan{Routes: []Route{}, Unserved: []int{}}
	for _, r := range p.Routes {
		route := Route{Technician: r.Shift + 1, Jobs: []int{}}
		for _, v := range r.Visits {
			stop := 0
			if v.Job >= 0 {
				stop = v.Job + in.Technicians + 1
				route.Jobs = append(route.Jobs, stop)
			}
			route.Visits = append(route.Visits, stop)
		}
		out.Routes = append(out.Routes, route)
	}
	for _, j := range p.Unserved {
		out.Unserved = append(out.Unserved, j+in.Technicians+1)
	}
	return out
}

// Format writes a plan as JSON.
func (p Plan) Format() ([]byte, error) { return json.Marshal(p) }
