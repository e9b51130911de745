package production

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

const (
	defaultFrontier = 7
	// minSolve is the time that one further solve gets at least.
	minSolve = 500 * time.Millisecond
	// frontierGap is the relative gap at which a point is good enough.
	frontierGap = 5e-4
	// nearPoints is the relative difference in risk below which two points of
	// the frontier are one.
	nearPoints = 1e-6
	// sweepPasses is the number of passes of the search for one point.
	sweepPasses = 12
	// sweepBatch is the number of points searched for from the same plans.
	sweepBatch = 2
	// highestWeight is the weight on risk up to which gaps are filled: plans
	// beyond it serve next to no demand.
	highestWeight = 1000
)

// sweep is a search for plans between production and risk by weighing risk.
type sweep struct {
	ctx    context.Context
	in     Input
	opt    optimize.Options
	meter  *optimize.Meter
	wanted int
	found  []Point // in the order of the search, dominated ones included
	tried  []float64
}

// frontier returns plans of which none beats another in both cost and risk. It
// searches under weights on risk from none to far above the plan's, at which
// demand is given up for it, then at the slopes between the neighbours whose
// risk lies furthest apart (Cohon, "Multiobjective Programming and Planning",
// 1978) until there are as many as asked. Each search starts from the plan
// that is best so far under its weight. With time left, exact solves improve
// the points and bound them; runs that count iterations leave them as found.
func frontier(ctx context.Context, in *Input, out *Output, opt optimize.Options, report func(optimize.Progress)) ([]Point, time.Duration, error) {
	if opt.MaxIterations == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(opt.TimeLimit, minSolve))
		defer cancel()
	}
	s := &sweep{ctx: ctx, in: *in, opt: opt, meter: optimize.NewMeter(opt), wanted: in.FrontierPoints}
	if s.wanted == 0 {
		s.wanted = defaultFrontier
	}
	cost, risk := in.Weights.Values()
	weight := risk / math.Max(cost, 1e-9)
	s.found = []Point{point(*in, out.runs(), out.Objective, weight, out.Certificate)}
	s.tried = []float64{weight}
	tell := optimize.Throttled(report)
	progress := func() {
		tell(optimize.Progress{Phase: optimize.PhasePrices, Incumbent: out.Certificate.Objective, HasIncumbent: true,
			Bound: out.Certificate.Bound, BoundKnown: out.Certificate.BoundKnown, Gap: out.Certificate.Gap})
	}
	if err := s.search(s.searching(), progress); err != nil {
		return nil, 0, err
	}
	if opt.MaxIterations == 0 && opt.Solver != optimize.SolverHeuristic {
		if err := s.prove(progress); err != nil {
			return nil, 0, err
		}
	}
	return undominated(s.found), s.meter.Charged(), nil
}

// searching are the options of one search without a solver process.
func (s *sweep) searching() optimize.Options {
	opt := s.opt
	opt.Solver, opt.Threads, opt.MaxIterations = optimize.SolverHeuristic, 1, sweepPasses
	if s.opt.MaxIterations > 0 {
		opt.MaxIterations = min(s.opt.MaxIterations, sweepPasses)
	} else {
		opt = opt.WithBudget(max(minSolve, s.opt.Budget()/time.Duration(s.wanted)))
	}
	return opt
}

// search adds points until there are as many as asked or no gap is left.
func (s *sweep) search(opt optimize.Options, progress func()) error {
	weights := []float64{0}
	for w, n := 0.25, 1; n < s.wanted; w, n = w*4, n+1 {
		weights = append(weights, w)
	}
	for tries := 0; tries < 4*s.wanted && !s.over(); tries += sweepBatch {
		progress()
		if len(weights) == 0 && len(undominated(s.found)) < s.wanted {
			weights = s.between()
		}
		if len(weights) == 0 {
			return nil
		}
		batch := weights[:min(sweepBatch, len(weights))]
		weights = weights[len(batch):]
		points, err := s.solve(batch, opt)
		if err != nil {
			return err
		}
		s.found = append(s.found, points...)
	}
	return nil
}

// solve returns the points of some weights, as many at a time as there are
// threads.
func (s *sweep) solve(weights []float64, opt optimize.Options) ([]Point, error) {
	points, errs, spent := make([]*Point, len(weights)), make([]error, len(weights)), make([]time.Duration, len(weights))
	slots := make(chan struct{}, max(1, s.opt.Threads))
	var wg sync.WaitGroup
	for k, w := range weights {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			points[k], spent[k], errs[k] = s.one(w, opt)
		}()
	}
	wg.Wait()
	s.tried = append(s.tried, weights...)
	s.meter.Charge(elapsed(spent, cap(slots)))
	var list []Point
	for k := range weights {
		if errs[k] != nil {
			return nil, errs[k]
		}
		if points[k] != nil {
			list = append(list, *points[k])
		}
	}
	return list, nil
}

// elapsed is how long searches take that begin in order as soon as one of the
// threads is free.
func elapsed(spent []time.Duration, threads int) time.Duration {
	busy := make([]time.Duration, threads)
	for _, d := range spent {
		busy[slices.Index(busy, slices.Min(busy))] += d
	}
	return slices.Max(busy)
}

// one solves under one weight; nil when there was no time for it.
func (s *sweep) one(weight float64, opt optimize.Options) (*Point, time.Duration, error) {
	if s.ctx.Err() != nil {
		return nil, 0, nil //nolint:nilnil // cancelled: the plan stands, this point is missing
	}
	in, best := s.in, 0
	in.Weights = optimize.Weights{Preset: optimize.PresetCustom, Cost: 1, Risk: weight}
	for k, p := range s.found {
		if p.Cost+weight*p.Risk < s.found[best].Cost+weight*s.found[best].Risk {
			best = k
		}
	}
	in.WarmStart = s.found[best].Runs
	solved, err := solveCore(s.ctx, &in, opt, nil)
	if fault.CodeOf(err) == fault.Unavailable {
		return nil, opt.Budget(), nil //nolint:nilnil // no plan in the time: this point is missing
	}
	if err != nil {
		return nil, 0, err
	}
	p := point(in, solved.runs, solved.terms, weight, solved.certificate())
	return &p, solved.outcome.Spent, nil
}

// between returns the slopes between neighbours that were not tried yet, those
// of the widest gaps in risk.
func (s *sweep) between() []float64 {
	type gap struct{ weight, width float64 }
	var gaps []gap
	points := undominated(s.found)
	for k := 1; k < len(points); k++ {
		a, b := points[k-1], points[k]
		slope := (b.Cost - a.Cost) / (a.Risk - b.Risk)
		known := slices.ContainsFunc(s.tried, func(w float64) bool { return math.Abs(w-slope) <= 1e-3*slope })
		if !known && slope <= highestWeight {
			gaps = append(gaps, gap{slope, a.Risk - b.Risk})
		}
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.width, a.width) })
	var weights []float64
	for _, g := range gaps[:min(len(gaps), sweepBatch)] {
		weights = append(weights, g.weight)
	}
	return weights
}

// prove solves the points again, exactly, for the time that is left.
func (s *sweep) prove(progress func()) error {
	var weights []float64
	for _, p := range undominated(s.found) {
		if !p.BoundKnown {
			weights = append(weights, p.RiskWeight)
		}
	}
	opt := s.opt
	opt.Threads, opt.RelGap = 1, math.Max(s.opt.RelGap, frontierGap)
	for len(weights) > 0 && !s.over() {
		progress()
		batch := weights[:min(max(1, s.opt.Threads), len(weights))]
		if opt = opt.WithBudget(s.left() * time.Duration(len(batch)) / time.Duration(len(weights))); opt.Budget() < minSolve {
			return nil
		}
		weights = weights[len(batch):]
		points, err := s.solve(batch, opt)
		if err != nil {
			return err
		}
		for _, p := range points {
			s.replace(p)
		}
	}
	return nil
}

// left is what remains of the budget.
func (s *sweep) left() time.Duration {
	if deadline, ok := s.ctx.Deadline(); ok && !s.meter.Counted() {
		return time.Until(deadline)
	}
	return s.meter.Left()
}

// over says whether the budget is used up, or the run cut.
func (s *sweep) over() bool {
	return s.ctx.Err() != nil || s.meter.Counted() && s.meter.Left() == 0
}

// replace adds a point instead of the same one without a bound.
func (s *sweep) replace(p Point) {
	near := func(a, b float64) bool { return math.Abs(a-b) <= nearPoints*math.Max(1, b) }
	s.found = slices.DeleteFunc(s.found, func(o Point) bool {
		return !o.BoundKnown && p.BoundKnown && near(o.Cost, p.Cost) && near(o.Risk, p.Risk)
	})
	s.found = append(s.found, p)
}

func point(in Input, runs []Run, terms Terms, weight float64, cert optimize.Certificate) Point {
	made := 0.0
	for _, r := range runs {
		for _, load := range r.Load {
			made += load * in.PeriodHours
		}
	}
	return Point{RiskWeight: weight, Cost: terms.production(), Risk: terms.Failure, Production: made, Gap: cert.Gap, BoundKnown: cert.BoundKnown, Runs: runs}
}

// undominated keeps the points that no other beats, by rising cost.
func undominated(found []Point) []Point {
	points := slices.Clone(found)
	slices.SortStableFunc(points, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Risk, b.Risk))
	})
	var kept []Point
	for _, p := range points {
		if n := len(kept); n == 0 || p.Risk < kept[n-1].Risk-nearPoints*math.Max(1, kept[n-1].Risk) {
			kept = append(kept, p)
		}
	}
	return kept
}
