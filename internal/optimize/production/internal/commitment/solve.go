package commitment

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Outcome is the best plan with what is proven about it.
type Outcome struct {
	Plan       *Plan // nil when none was found
	Objective  float64
	Bound      float64 // −Inf when unknown
	Status     optimize.Status
	Iterations int64 // nodes of the exact search and rounds of the neighbourhood search
	Solver     string
	Err        error // why a solver could not help; the plan stands without it
	Columns    int
	Rows       int
	Build      time.Duration // stating the program
	Spent      time.Duration // counted work
}

const (
	// smallIntegers is the number of integer columns up to which the exact
	// search alone is the quickest way; one without a reserve may be larger.
	smallIntegers, simpleIntegers = 700, 3000
	// finish is kept back from the time limit to stop the solvers.
	finish = 700 * time.Millisecond
	grace  = time.Second
)

// search is one solve in progress; its best point and bound are shared.
type search struct {
	*program
	opt    optimize.Options
	meter  *optimize.Meter
	start  time.Time
	built  time.Duration // stating the program
	ctx    context.Context
	cancel context.CancelFunc
	report func(optimize.Progress)
	onPlan func(*Plan)

	mu         sync.Mutex
	phase      optimize.Phase
	told       time.Time
	best       []float64
	objective  float64
	bound      float64
	solver     string
	infeasible bool
	proven     bool
	steps      int64
	err        error
	relaxed    []float64 // point of the linear relaxation
	regret     map[*class]regret
	byPrice    []*class      // cheapest per load first
	half       time.Duration // counted work at which the rounds give way to the exact search
}

// Solve minimises p, starting from the states of a plan, which may be nil and
// need not be feasible. Cancelling ctx keeps the best plan. onPlan, when not
// nil, receives better plans, at most one a second.
func Solve(ctx context.Context, p *Problem, start *Plan, opt optimize.Options, report func(optimize.Progress), onPlan func(*Plan)) Outcome {
	if parts := p.parts(); parts != nil {
		return solveParts(ctx, p, parts, start, opt, report, onPlan)
	}
	return solveWhole(ctx, p, start, opt, report, onPlan)
}

func solveWhole(ctx context.Context, p *Problem, start *Plan, opt optimize.Options, report func(optimize.Progress), onPlan func(*Plan)) Outcome {
	ctx, cancel := context.WithTimeout(ctx, searchTime(opt.WithDefaults().TimeLimit))
	defer cancel()
	s := newSearch(ctx, cancel, p, opt, report, onPlan)
	s.work(start)
	return s.outcome()
}

func newSearch(ctx context.Context, cancel context.CancelFunc, p *Problem, opt optimize.Options, report func(optimize.Progress), onPlan func(*Plan)) *search {
	began := time.Now()
	s := &search{program: newProgram(p), opt: opt.WithDefaults(), start: began, ctx: ctx, cancel: cancel, report: optimize.Throttled(report), onPlan: onPlan,
		objective: math.Inf(1), bound: math.Inf(-1), solver: "local search", phase: optimize.PhaseBuild}
	s.meter = optimize.NewMeter(s.opt)
	s.byPrice = s.sorted()
	s.built = time.Since(began)
	return s
}

func (s *search) outcome() Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Outcome{Objective: s.objective, Bound: math.Min(s.bound, s.objective), Status: s.status(), Iterations: s.steps, Solver: s.solver,
		Err: s.err, Columns: s.model.Columns(), Rows: s.model.Rows(), Build: s.built, Spent: s.meter.Charged()}
	if s.best != nil {
		out.Plan = s.plan(s.best)
	}
	return out
}

// searchTime keeps back from the limit what stopping the solvers takes.
func searchTime(limit time.Duration) time.Duration { return max(limit/2, limit-finish) }

// Model returns the exact program of p.
func Model(p *Problem) *mip.Model { return newProgram(p).model }

// work runs the stages: the plan to start from, the relaxation, a plan near
// it, then the exact search beside the neighbourhood search.
func (s *search) work(start *Plan) {
	s.descend(start)
	if s.opt.Solver == optimize.SolverHeuristic && s.suits() || s.over() {
		return
	}
	if s.incumbent() == nil && start != nil {
		s.warm(start)
	}
	if n := s.integers(); n <= smallIntegers || s.Reserve == nil && n <= simpleIntegers {
		s.exact()
		return
	}
	s.stages()
}

// stages are those of a large problem.
func (s *search) stages() {
	s.relax()
	s.dive()
	switch {
	case s.over():
	case s.opt.MaxIterations > 0:
		s.rounds(s.ctx, 0, 1, fixedRounds)
		s.exact()
	case s.meter.Counted():
		s.countedRounds()
		s.exact()
	default:
		s.together()
	}
}

// descend makes a first plan, or improves the one to start from, without any
// solver process; it takes a twentieth of the time at most.
func (s *search) descend(start *Plan) {
	if !s.suits() {
		return
	}
	s.enter(optimize.PhaseConstruct)
	if start != nil {
		s.Settle(start)
		s.propose(start)
	}
	d := newDescent(s.Problem, start)
	rng := rand.New(rand.NewPCG(uint64(s.opt.Seed), 0)) // #nosec G404 -- a repeatable search
	order, until := s.order(), s.meter.Elapsed()+s.descentTime()
	for step := int64(0); s.ctx.Err() == nil && step < descentSteps; step++ {
		if s.opt.MaxIterations > 0 && step >= s.opt.MaxIterations || (s.opt.MaxIterations == 0 || s.meter.Counted()) && step > 0 && s.meter.Elapsed() > until {
			break
		}
		before := d.work
		if !d.pass(order) {
			s.propose(d.plan)
			d.shake(rng)
			d.shifts(rng)
		}
		s.meter.Charge(time.Duration(d.work-before) * transitionWork)
	}
	s.propose(d.plan)
}

// descentSteps is the number of passes of a descent at most.
const descentSteps = 200

func (s *search) descentTime() time.Duration {
	if s.opt.Solver == optimize.SolverHeuristic {
		return s.opt.Budget()
	}
	return min(s.opt.Budget()/20, 2*time.Second)
}

// propose offers a plan that holds every row.
func (s *search) propose(p *Plan) {
	if x := s.point(p); s.model.Check(x) == nil {
		s.offer(x)
	}
}

// together improves the plan with all threads for half of the time that is
// left; then one thread goes over to the exact search.
func (s *search) together() {
	deadline, _ := s.ctx.Deadline()
	ctx, cancel := context.WithTimeout(s.ctx, time.Until(deadline)/2)
	defer cancel()
	s.neighbourhoods(ctx, s.opt.Threads)
	if s.over() {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.exact()
	}()
	s.neighbourhoods(s.ctx, s.opt.Threads-1)
	<-done
}

func (s *search) integers() int {
	n := 0
	for j, integer := range s.model.Integer {
		if integer && s.model.Lower[j] < s.model.Upper[j] {
			n++
		}
	}
	return n
}

// over says whether nothing is left to gain or no time to gain it.
func (s *search) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx.Err() != nil || s.meter.Counted() && s.meter.Left() == 0 || s.infeasible || s.proven || s.closed()
}

// closed says whether the asked gap is reached; the caller holds the lock.
func (s *search) closed() bool {
	return s.best != nil && optimize.Gap(s.objective, s.bound) <= s.opt.RelGap
}

func (s *search) status() optimize.Status {
	switch {
	case s.best == nil && s.infeasible:
		return optimize.StatusInfeasible
	case s.best != nil && (s.proven || optimize.Gap(s.objective, s.bound) <= optimize.OptimalGap):
		return optimize.StatusOptimal
	case s.closed() || s.opt.Counted() && s.ctx.Err() == nil:
		return optimize.StatusFeasible
	default:
		return optimize.StatusTimeLimit
	}
}

// offer takes a point of the program over when it is better than the best.
func (s *search) offer(x []float64) {
	objective := s.model.Objective(x)
	s.mu.Lock()
	if objective < s.objective {
		s.best, s.objective = x, objective
		if s.onPlan != nil && time.Since(s.told) >= time.Second {
			s.told = time.Now()
			s.onPlan(s.plan(x))
		}
	}
	s.mu.Unlock()
	s.tell()
}

// lift raises the bound; the run ends when the asked gap is reached.
func (s *search) lift(bound float64) {
	s.mu.Lock()
	s.bound = math.Max(s.bound, bound)
	closed := s.closed()
	s.mu.Unlock()
	if closed && !s.opt.Counted() {
		s.cancel()
	}
	s.tell()
}

func (s *search) enter(phase optimize.Phase) {
	s.mu.Lock()
	s.phase = phase
	s.mu.Unlock()
}

func (s *search) tell() {
	s.mu.Lock()
	p := optimize.Progress{Phase: s.phase, HasIncumbent: s.best != nil, BoundKnown: !math.IsInf(s.bound, -1), Elapsed: time.Since(s.start)}
	if p.HasIncumbent {
		p.Incumbent = s.objective
	}
	if p.BoundKnown {
		p.Bound = s.bound
	}
	if p.HasIncumbent && p.BoundKnown {
		p.Gap = optimize.Gap(s.objective, s.bound)
	}
	s.mu.Unlock()
	s.report(p)
}

// incumbent returns the best point, nil when there is none.
func (s *search) incumbent() []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.best
}

// options are those of one solve that ends by itself after limit.
func (s *search) options(limit time.Duration) mip.Options {
	o := mip.Options{RelGap: s.opt.RelGap / 4, Seed: int(s.opt.Seed % math.MaxInt32), MemoryMiB: s.opt.MemoryMiB, Grace: grace}
	if s.opt.MaxIterations > 0 {
		o.MaxNodes = int(min(s.opt.MaxIterations, math.MaxInt32))
		if !s.meter.Counted() {
			return o
		}
	}
	if o.TimeLimit, o.Counted = limit, s.meter.Counted(); o.Counted && limit == 0 {
		o.TimeLimit = max(leastWork, s.meter.Left())
	}
	return o
}

// fail keeps the first error of a solver.
func (s *search) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && err != nil {
		s.err = err
	}
}
