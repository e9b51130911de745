package commitment

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// part is a balance with the units that supply it. Without a reserve nothing
// ties balances together, so each is a problem of its own.
type part struct {
	problem *Problem
	units   []int // positions in the whole problem
}

// parts splits a problem by balance. It returns nil for one that does not
// split, or is so small that starting solvers would take longer than solving.
func (p *Problem) parts() []part {
	const columns = 3 // on, start and stop
	if p.Reserve != nil || len(p.Balances) < 2 || columns*len(p.Units)*p.Periods <= smallIntegers {
		return nil
	}
	list := make([]part, len(p.Balances))
	for b := range list {
		list[b].problem = &Problem{Periods: p.Periods, Balances: p.Balances[b : b+1]}
	}
	for i, u := range p.Units {
		x := &list[u.Balance]
		u.Balance = 0
		x.problem.Units = append(x.problem.Units, u)
		x.units = append(x.units, i)
	}
	return list
}

// joint gathers what is known of the parts.
type joint struct {
	mu      sync.Mutex
	whole   *Problem
	threads int
	parts   []part
	states  []optimize.Progress
	plans   []*Plan
	start   time.Time
	report  func(optimize.Progress)
	onPlan  func(*Plan)
}

// solveParts solves the parts side by side, one thread each, and joins them.
func solveParts(ctx context.Context, p *Problem, parts []part, start *Plan, opt optimize.Options, report func(optimize.Progress), onPlan func(*Plan)) Outcome {
	opt = opt.WithDefaults()
	j := &joint{whole: p, threads: opt.Threads, parts: parts, states: make([]optimize.Progress, len(parts)), plans: make([]*Plan, len(parts)), start: time.Now(),
		report: optimize.Throttled(report), onPlan: onPlan}
	outcomes, starts := make([]Outcome, len(parts)), make([]*Plan, len(parts))
	next := make(chan int, len(parts))
	for k := range parts {
		starts[k] = parts[k].begin(start) // so that a plan exists whenever the run is stopped
		next <- k
	}
	close(next)
	var wg sync.WaitGroup
	for range min(opt.Threads, len(parts)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range next {
				mine := opt
				mine.Threads = max(1, opt.Threads/len(parts))
				switch {
				case !opt.Counted(): // what is left, shared by the parts that wait and this one
					mine.TimeLimit = max(finish, (opt.TimeLimit-time.Since(j.start))*time.Duration(min(opt.Threads, len(next)+1))/time.Duration(len(next)+1))
				case opt.ByWork(): // the order does not matter, so neither may the budget
					mine.Work = opt.Work * time.Duration(min(opt.Threads, len(parts))) / time.Duration(len(parts))
				}
				outcomes[k] = solveWhole(ctx, parts[k].problem, starts[k], mine, j.progress(k), j.keep(k))
			}
		}()
	}
	wg.Wait()
	return j.join(outcomes)
}

// of returns the part of a plan.
func (x *part) of(plan *Plan) *Plan {
	if plan == nil {
		return nil
	}
	p := &Plan{}
	for _, i := range x.units {
		p.On, p.Load = append(p.On, slices.Clone(plan.On[i])), append(p.Load, slices.Clone(plan.Load[i]))
	}
	return p
}

// begin returns a plan for the part by one pass of a descent, from the part of
// a plan when there is one.
func (x *part) begin(start *Plan) *Plan {
	plan := x.of(start)
	if !x.problem.suits() {
		return plan
	}
	d := newDescent(x.problem, plan)
	d.pass(x.problem.order())
	if plan != nil && x.problem.holds(plan) && newDescent(x.problem, plan).cost <= d.cost {
		return plan
	}
	return d.plan
}

// holds says whether every unit can follow the plan.
func (p *Problem) holds(plan *Plan) bool {
	for i := range p.Units {
		if !p.Units[i].allows(plan.On[i], plan.Load[i]) {
			return false
		}
	}
	return true
}

// progress reports the sum of the parts: a plan once each has one, a bound
// once each has one.
func (j *joint) progress(k int) func(optimize.Progress) {
	return func(p optimize.Progress) {
		j.mu.Lock()
		j.states[k] = p
		sum := optimize.Progress{Phase: p.Phase, HasIncumbent: true, BoundKnown: true, Elapsed: time.Since(j.start)}
		for _, s := range j.states {
			sum.HasIncumbent, sum.BoundKnown = sum.HasIncumbent && s.HasIncumbent, sum.BoundKnown && s.BoundKnown
			sum.Incumbent += s.Incumbent
			sum.Bound += s.Bound
		}
		j.mu.Unlock()
		if !sum.HasIncumbent {
			sum.Incumbent = 0
		}
		if !sum.BoundKnown {
			sum.Bound = 0
		}
		if sum.HasIncumbent && sum.BoundKnown {
			sum.Gap = optimize.Gap(sum.Incumbent, sum.Bound)
		}
		j.report(sum)
	}
}

// keep hands joined plans on once every part has one.
func (j *joint) keep(k int) func(*Plan) {
	if j.onPlan == nil {
		return nil
	}
	return func(p *Plan) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.plans[k] = p
		if whole := j.merge(); whole != nil {
			j.onPlan(whole)
		}
	}
}

// merge joins the plans of the parts; nil when one is missing.
func (j *joint) merge() *Plan {
	p := &Plan{On: make([][]bool, len(j.whole.Units)), Load: make([][]float64, len(j.whole.Units))}
	for k, x := range j.parts {
		if j.plans[k] == nil {
			return nil
		}
		for n, i := range x.units {
			p.On[i], p.Load[i] = j.plans[k].On[n], j.plans[k].Load[n]
		}
		p.Supply, p.Shortfall = append(p.Supply, j.plans[k].Supply[0]), append(p.Shortfall, j.plans[k].Shortfall[0])
		p.Surplus, p.Level = append(p.Surplus, j.plans[k].Surplus[0]), append(p.Level, j.plans[k].Level[0])
	}
	return p
}

// join adds up the outcomes; the whole is as far as the part that is least so.
func (j *joint) join(outcomes []Outcome) Outcome {
	sum := Outcome{Status: optimize.StatusOptimal, Solver: outcomes[0].Solver}
	rank := []optimize.Status{optimize.StatusOptimal, optimize.StatusFeasible, optimize.StatusTimeLimit, optimize.StatusInfeasible}
	for k, o := range outcomes {
		j.plans[k] = o.Plan
		sum.Objective += o.Objective
		sum.Bound += o.Bound
		sum.Iterations += o.Iterations
		sum.Spent += o.Spent / time.Duration(max(1, min(j.threads, len(outcomes))))
		sum.Columns, sum.Rows, sum.Build = sum.Columns+o.Columns, sum.Rows+o.Rows, sum.Build+o.Build
		sum.Err = errors.Join(sum.Err, o.Err)
		if slices.Index(rank, o.Status) > slices.Index(rank, sum.Status) {
			sum.Status = o.Status
		}
	}
	if sum.Plan = j.merge(); sum.Plan == nil {
		sum.Objective = math.Inf(1)
	}
	return sum
}
