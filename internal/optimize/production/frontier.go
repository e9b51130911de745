package production

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

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
)

// sweep is a search for plans between production and risk by weighing risk.
type sweep struct {
	ctx   context.Context
	in    Input
	opt   optimize.Options
	found []Point // by rising weight, dominated ones included
}

// frontier returns plans of which none beats another in both cost and risk: it
// solves again under other weights on risk, from none to far above the plan's,
// then between the neighbours that lie furthest apart until there are as many
// as asked.
func frontier(ctx context.Context, in *Input, out *Output, opt optimize.Options, report func(optimize.Progress)) ([]Point, error) {
	wanted := in.FrontierPoints
	if wanted == 0 {
		wanted = defaultFrontier
	}
	cost, risk := in.Weights.Values()
	weight := risk / math.Max(cost, 1e-9)
	if opt.MaxIterations == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(opt.TimeLimit, minSolve))
		defer cancel()
	}
	s := &sweep{ctx: ctx, in: *in, opt: opt}
	s.in.WarmStart = out.runs()
	base := point(*in, out.runs(), out.Objective, weight, out.Certificate)
	s.found = []Point{base}
	s.opt.RelGap = math.Max(opt.RelGap, frontierGap)
	if opt.MaxIterations == 0 {
		s.opt.TimeLimit = max(minSolve, opt.TimeLimit*time.Duration(opt.Threads)/time.Duration(2*wanted))
	}
	tell := optimize.Throttled(report)
	weights := []float64{0}
	for w, n := 0.25, 1; n < wanted; w, n = w*4, n+1 {
		if math.Abs(w-weight) > 1e-9 {
			weights = append(weights, w)
		}
	}
	for tries := 0; len(weights) > 0 && tries < 3*wanted && ctx.Err() == nil; tries += len(weights) {
		tell(optimize.Progress{Phase: optimize.PhasePrices, Incumbent: out.Certificate.Objective, HasIncumbent: true,
			Bound: out.Certificate.Bound, BoundKnown: out.Certificate.BoundKnown, Gap: out.Certificate.Gap})
		if err := s.solve(weights); err != nil {
			return nil, err
		}
		weights = nil
		if len(undominated(s.found)) < wanted {
			weights = s.between(opt.Threads)
		}
	}
	return undominated(s.found), nil
}

// solve adds the points of some weights, as many at a time as there are
// threads.
func (s *sweep) solve(weights []float64) error {
	points, errs := make([]*Point, len(weights)), make([]error, len(weights))
	slots := make(chan struct{}, max(1, s.opt.Threads))
	var wg sync.WaitGroup
	for k, w := range weights {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			points[k], errs[k] = s.one(w)
		}()
	}
	wg.Wait()
	for k := range weights {
		if errs[k] != nil {
			return errs[k]
		}
		if points[k] != nil {
			s.found = append(s.found, *points[k])
		}
	}
	slices.SortStableFunc(s.found, func(a, b Point) int { return cmp.Compare(a.RiskWeight, b.RiskWeight) })
	return nil
}

// one solves under one weight; nil when there was no time for it.
func (s *sweep) one(weight float64) (*Point, error) {
	if s.ctx.Err() != nil {
		return nil, nil //nolint:nilnil // cancelled: the plan stands, this point is missing
	}
	in, opt := s.in, s.opt
	in.Weights = Weights{Preset: PresetCustom, Cost: 1, Risk: weight}
	opt.Threads = 1
	solved, err := solveCore(s.ctx, &in, opt, nil)
	if err != nil {
		return nil, err
	}
	p := point(in, solved.runs, solved.terms, weight, solved.certificate())
	return &p, nil
}

// between returns weights halfway between neighbours whose risk differs, the
// widest gaps first.
func (s *sweep) between(most int) []float64 {
	type gap struct{ weight, width float64 }
	var gaps []gap
	for k := 1; k < len(s.found); k++ {
		a, b := s.found[k-1], s.found[k]
		if width := a.Risk - b.Risk; width > nearPoints*math.Max(1, a.Risk) && b.RiskWeight > a.RiskWeight*1.001+1e-6 {
			gaps = append(gaps, gap{math.Max(b.RiskWeight/16, math.Sqrt(a.RiskWeight*b.RiskWeight)), width})
		}
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.width, a.width) })
	var weights []float64
	for _, g := range gaps[:min(len(gaps), most)] {
		weights = append(weights, g.weight)
	}
	return weights
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
