package timetable

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Outcome is the best plan with what is proven about it.
type Outcome struct {
	Plan       Plan // nil when none was found
	Objective  float64
	Bound      float64 // −Inf when unknown
	Status     optimize.Status
	Iterations int64
	Solver     string            // what proved the bound
	Exact      map[string]string // options of the exact solver, when it ran
	Err        error             // why the exact solver could not help; the plan stands without it
	Spent      time.Duration     // counted work
}

// The budgets of runs that count iterations instead of seconds, and of the
// bound in general.
const (
	dualSteps      = 3000
	dualBlock      = 100 // steps between two plans built from the prices
	fixedNodes     = 2000
	exactEntries   = 600_000 // largest program handed to the exact solver: beyond, its root takes the whole time
	exactScenarios = 4_000   // largest number of scenario-days with an exact quantile
)

// run is one solve in progress. Its best plan and bound are shared by the
// search and the prover.
type run struct {
	p      *Problem
	opt    optimize.Options
	meter  *optimize.Meter
	start  time.Time
	report func(optimize.Progress)
	ctx    context.Context
	cancel context.CancelFunc
	phase  atomic.Value

	mu         sync.Mutex
	onPlan     func(Plan) // may be nil
	told       time.Time  // when onPlan was last called
	best       Plan
	objective  float64
	bound      float64
	infeasible bool
	solver     string
	exactly    map[string]string // options of the exact solver
	err        error
}

// Solve minimises p, starting from a plan (one option index per action, which
// need not hold the rows). Cancelling ctx keeps the best plan. onPlan, when not
// nil, receives better plans, at most one a second.
func Solve(ctx context.Context, p *Problem, start Plan, opt optimize.Options, report func(optimize.Progress), onPlan func(Plan)) Outcome {
	if len(p.Options) == 0 && len(p.Violated(nil)) == 0 {
		return Outcome{Plan: Plan{}, Status: optimize.StatusOptimal, Solver: "nothing to decide"}
	}
	opt = opt.WithDefaults()
	ctx, cancel := context.WithTimeout(ctx, opt.TimeLimit)
	defer cancel()
	r := &run{p: p, opt: opt, meter: optimize.NewMeter(opt), start: time.Now(), report: optimize.Throttled(report), ctx: ctx, cancel: cancel,
		onPlan: onPlan, objective: math.Inf(1), bound: math.Inf(-1), solver: "local search"}
	r.phase.Store(optimize.PhaseConstruct)
	iterations := r.work(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	return Outcome{Plan: r.best, Objective: r.objective, Bound: math.Min(r.bound, r.objective), Status: r.status(),
		Iterations: iterations, Solver: r.solver, Exact: r.exactly, Err: r.err, Spent: r.meter.Charged()}
}

// work runs the stages: a search, or two independent ones side by side, and
// then the prover with an iteration budget; search and prover side by side on
// the clock, or one after the other with a single thread.
func (r *run) work(start Plan) int64 {
	start = r.construct(start)
	if r.opt.MaxIterations > 0 {
		iterations := r.budgeted(start)
		r.prove()
		return iterations
	}
	if r.meter.Counted() {
		return r.counted(start)
	}
	var until atomic.Int64 // nanoseconds after start at which the search pauses
	stop := func() bool {
		return r.ctx.Err() != nil || time.Since(r.start) > time.Duration(until.Load())
	}
	h := newSearch(r.p, start, r.opt.Seed, stop, r.offer)
	until.Store(int64(r.constructTime()))
	h.rounds(nil)
	if r.opt.Threads < 2 || r.opt.Solver == optimize.SolverExact {
		until.Store(int64(r.opt.TimeLimit / 4))
		h.rounds(nil)
		r.prove()
	}
	until.Store(math.MaxInt64)
	second := make(chan int64, 1)
	go func() {
		if r.opt.Threads < 2 || r.opt.Solver == optimize.SolverExact {
			second <- 0
			return
		}
		r.prove()
		second <- r.assist()
	}()
	r.phase.Store(optimize.PhaseSearch)
	h.rounds(r.pull)
	if len(h.free) > 0 { // nothing to search means the prover alone decides
		r.cancel()
	}
	return h.iteration + <-second
}

// construct offers the start and a greedy plan and returns the best plan, or
// the start when neither holds every row.
func (r *run) construct(start Plan) Plan {
	r.offer(start)
	if len(start) > 0 {
		r.offer(newDual(r.p).repair())
	}
	if best, _ := r.pull(); best != nil {
		return best
	}
	return start
}

// budgeted spends the iteration budget, split among two searches when there
// are two threads. They know nothing of each other and the better plan wins,
// so that the outcome does not depend on who is faster.
func (r *run) budgeted(start Plan) int64 {
	r.phase.Store(optimize.PhaseSearch)
	stop := func() bool { return r.ctx.Err() != nil }
	limits := []int64{r.opt.MaxIterations}
	if r.opt.Threads > 1 && r.opt.MaxIterations > 1 {
		limits = []int64{r.opt.MaxIterations - r.opt.MaxIterations/2, r.opt.MaxIterations / 2}
	}
	done := make([]int64, len(limits))
	var wait sync.WaitGroup
	for k, limit := range limits {
		wait.Go(func() {
			h := newSearch(r.p, start, r.opt.Seed+int64(k)*secondSeed, stop, r.offer)
			h.limit = limit
			h.rounds(nil)
			done[k] = h.iteration
		})
	}
	wait.Wait()
	total := int64(0)
	for _, n := range done {
		total += n
	}
	return total
}

// secondSeed sets the seed of a second search apart from the first.
const secondSeed = 0x5851f42d4c957f2d

// assist searches on the prover's thread once nothing is left to prove.
func (r *run) assist() int64 {
	best, _ := r.pull()
	if best == nil || r.ctx.Err() != nil {
		return 0
	}
	h := newSearch(r.p, best, r.opt.Seed+secondSeed, func() bool { return r.ctx.Err() != nil }, r.offer)
	if len(h.free) == 0 {
		return 0
	}
	h.rounds(r.pull)
	return h.iteration
}

func (r *run) constructTime() time.Duration {
	return min(r.opt.TimeLimit/10, 1500*time.Millisecond)
}

// offer takes a plan over when it holds every row and is better than the best
// one, by a fresh evaluation. Of two equally good plans the one that comes
// first in the order of options wins, whoever offers it first.
func (r *run) offer(plan Plan) {
	if len(r.p.Violated(plan)) > 0 {
		return
	}
	cost := r.p.Cost(plan)
	r.mu.Lock()
	if cost < r.objective || cost == r.objective && slices.Compare(plan, r.best) < 0 {
		r.best, r.objective = append(Plan(nil), plan...), cost
		if r.onPlan != nil && time.Since(r.told) >= time.Second {
			r.told = time.Now()
			r.onPlan(r.best)
		}
	}
	r.mu.Unlock()
	r.tell()
}

func (r *run) pull() (Plan, float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.best, r.objective
}

// lift raises the lower bound; it ends the run when nothing is left to gain.
func (r *run) lift(bound float64) {
	r.mu.Lock()
	r.bound = math.Max(r.bound, bound)
	r.mu.Unlock()
	r.tell()
}

func (r *run) tell() {
	r.mu.Lock()
	p := optimize.Progress{Phase: r.phase.Load().(optimize.Phase), HasIncumbent: r.best != nil, BoundKnown: !math.IsInf(r.bound, -1), Elapsed: time.Since(r.start)}
	if p.HasIncumbent {
		p.Incumbent = r.objective
	}
	if p.BoundKnown {
		p.Bound = math.Min(r.bound, r.objective)
	}
	if p.HasIncumbent && p.BoundKnown {
		p.Gap = optimize.Gap(p.Incumbent, p.Bound)
		if p.Gap <= r.opt.RelGap && !r.opt.Counted() {
			r.cancel()
		}
	}
	r.mu.Unlock()
	r.report(p)
}

func (r *run) status() optimize.Status {
	switch {
	case r.infeasible && r.best == nil:
		return optimize.StatusInfeasible
	case r.best != nil && optimize.Gap(r.objective, r.bound) <= optimize.OptimalGap:
		return optimize.StatusOptimal
	case r.best != nil && (optimize.Gap(r.objective, r.bound) <= r.opt.RelGap || (r.opt.Counted() && r.ctx.Err() == nil)):
		return optimize.StatusFeasible
	default:
		return optimize.StatusTimeLimit
	}
}

// prove runs the Lagrangian bound and then the exact solver on what it leaves.
func (r *run) prove() {
	if len(r.p.Options) == 0 {
		return
	}
	r.phase.Store(optimize.PhaseBound)
	d := newDual(r.p)
	r.tighten(d, 4)
	if math.IsInf(d.bound, -1) {
		return // stopped before the first step
	}
	columns, entries := d.size(r.cutoff(d, 1))
	scenarios := r.scenarioCount()
	best, _ := r.pull()
	if r.opt.Solver == optimize.SolverHeuristic || entries > exactEntries || (scenarios > exactScenarios && best != nil) {
		if r.opt.MaxIterations == 0 {
			r.tighten(d, 2)
		}
		return
	}
	r.phase.Store(optimize.PhaseExact)
	if scenarios > 0 && scenarios <= exactScenarios {
		r.exact(d, true, 1)
		return
	}
	if r.opt.MaxIterations == 0 && scenarios == 0 && columns > narrowColumns {
		r.exact(d, false, narrowShare)
	}
	if r.ctx.Err() == nil && !(r.meter.Counted() && r.closed()) {
		r.exact(d, false, 1)
	}
}

// tighten runs the Lagrangian bound for one part in so many of the remaining
// time, and offers the plans that its prices lead to.
func (r *run) tighten(d *dual, part int) {
	until := r.meter.Elapsed() + r.meter.Left()/time.Duration(part)
	stop := func() bool {
		return r.ctx.Err() != nil || r.opt.MaxIterations == 0 && (r.meter.Elapsed() > until || r.meter.Counted() && r.closed())
	}
	target := func() float64 { _, c := r.pull(); return c }
	report := func(b float64) { r.lift(b - 1e-9*math.Abs(b)) }
	for range dualSteps / dualBlock {
		if stop() {
			break
		}
		steps := d.improve(dualBlock, target, stop, report)
		r.meter.Charge(time.Duration(steps+1) * d.step())
		if steps < dualBlock {
			break
		}
		r.offer(d.repair())
	}
	r.offer(d.repair())
}

// cutoff is the cost up to which the exact program covers every plan: the
// given share of the way from the bound to the best plan.
func (r *run) cutoff(d *dual, share float64) float64 {
	_, cost := r.pull()
	return d.bound + share*(cost-d.bound) + 1e-9*math.Abs(cost)
}

// narrowShare is the part of the gap between bound and best plan that the
// first exact program covers. It is small, so its optimum comes soon; when
// that lies within the part, it is the optimum of the whole problem.
const narrowShare = 0.3

// narrowColumns is the size from which the narrow program comes first; a
// smaller problem is better solved whole at once.
const narrowColumns = 5000

// scenarioCount sums the scenarios of the days on which a quantile can differ
// from the mean.
func (r *run) scenarioCount() int {
	count := 0
	if q := r.p.Quantile; q != nil {
		for _, n := range q.Scenarios {
			if n > 1 {
				count += n
			}
		}
	}
	return count
}

// exact solves the program over the options that a plan below the cutoff may
// use: share 1 puts the cutoff at the best plan. Any plan outside the program
// costs at least the cutoff, so the smaller of the program's bound and the
// cutoff bounds the whole problem.
func (r *run) exact(d *dual, scenarios bool, share float64) {
	best, _ := r.pull()
	cutoff := r.cutoff(d, share)
	var kept [][]bool
	if best != nil {
		kept = d.keep(cutoff)
		for i, o := range best { // the plan itself stays, so that it can be the start
			kept[i][o] = true
		}
	}
	g := newProgram(r.p, kept, scenarios)
	if best != nil {
		g.hint(best)
	}
	res, err := mip.Solve(r.ctx, g.model, r.exactOptions(share), func(e mip.Event) {
		if e.X != nil {
			r.offer(g.plan(e.X))
		}
		r.lift(math.Min(e.Bound, cutoff))
	})
	if res != nil {
		r.meter.Charge(mip.Startup + res.Work)
	}
	if err != nil {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
		return
	}
	r.mu.Lock()
	r.solver, r.exactly = "local search + "+res.Solver, res.Options
	r.infeasible = r.infeasible || (res.Status == mip.Infeasible && kept == nil)
	infeasible := r.infeasible
	r.mu.Unlock()
	r.lift(math.Min(res.Bound, cutoff))
	if infeasible {
		r.cancel()
	}
}

func (r *run) exactOptions(share float64) mip.Options {
	o := mip.Options{RelGap: math.Min(r.opt.RelGap, 1e-7), Seed: int(r.opt.Seed & math.MaxInt32), MemoryMiB: r.opt.MemoryMiB, Grace: 2 * time.Second}
	if r.opt.MaxIterations > 0 {
		o.MaxNodes = fixedNodes
		return o
	}
	if o.Counted = r.meter.Counted(); o.Counted {
		o.RelGap = r.opt.RelGap // on the clock the run is cut as soon as the gap is reached
	}
	o.TimeLimit = r.meter.Left()
	if share < 1 {
		o.TimeLimit /= 2
	}
	o.TimeLimit = max(100*time.Millisecond, o.TimeLimit)
	return o
}
