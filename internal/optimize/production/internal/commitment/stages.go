package commitment

import (
	"context"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// exact searches the whole program from the best plan to the end.
func (s *search) exact() {
	s.enter(optimize.PhaseExact)
	m := s.tighten()
	m.Hint = s.incumbent()
	o := s.options(0)
	o.RelGap = s.opt.RelGap
	r, err := mip.Solve(s.ctx, m, o, func(e mip.Event) {
		if e.X != nil {
			s.offer(e.X)
		}
		s.lift(e.Bound)
	})
	s.fail(err)
	if r == nil {
		return
	}
	s.meter.Charge(mip.Startup + r.Work)
	s.mu.Lock()
	s.solver, s.steps = r.Solver, s.steps+r.Nodes
	s.infeasible = s.infeasible || r.Status == mip.Infeasible
	s.proven = s.proven || r.Status == mip.Optimal && o.RelGap <= optimize.OptimalGap
	s.mu.Unlock()
	if r.X != nil {
		s.offer(r.X)
	}
	s.lift(r.Bound)
	if r.Status == mip.Optimal && !s.opt.Counted() {
		s.cancel()
	}
}

// relax solves the linear relaxation: a bound, and where to look for plans.
func (s *search) relax() {
	s.enter(optimize.PhaseBound)
	o := s.options(0)
	o.MaxNodes = 0
	r, err := mip.Solve(s.ctx, s.model.Relaxed(), o, nil)
	s.fail(err)
	if r == nil {
		return
	}
	s.meter.Charge(mip.Startup + r.Work)
	s.mu.Lock()
	s.infeasible = r.Status == mip.Infeasible
	s.solver = r.Solver
	s.mu.Unlock()
	if r.Status == mip.Optimal {
		s.relaxed, s.regret = r.X, s.regrets(r)
		s.lift(r.Bound)
	}
}

// dive looks for a plan near the relaxation: the states that are dearest to
// change are fixed where the relaxation is whole, and the rest is decided
// exactly, first with little left open, then with more from the plan found.
func (s *search) dive() {
	s.enter(optimize.PhaseConstruct)
	for cells := diveCells; s.relaxed != nil && !s.over(); cells *= 6 {
		m := s.fixed(s.relaxed, s.cheapest(cells, s.relaxed, nil))
		found := s.incumbent()
		if found != nil {
			m = s.fixed(found, s.cheapest(cells, found, nil))
			m.Hint = found
		}
		r := s.sub(s.ctx, m, s.share(4))
		if found != nil || r == nil || cells > len(s.classes)*s.Periods {
			return
		}
	}
}

// diveCells is the number of states that a dive leaves open at first, beside
// those that the relaxation does.
const diveCells = 40

// share is a part of the time that is left, at least two seconds.
func (s *search) share(of int) time.Duration {
	if s.meter.Counted() {
		return max(2*time.Second, s.meter.Left()/time.Duration(of))
	}
	deadline, ok := s.ctx.Deadline()
	if !ok {
		return time.Minute
	}
	return max(2*time.Second, time.Until(deadline)/time.Duration(of))
}

// fixed returns the program with the number of running units held at x
// wherever free does not say otherwise.
func (s *search) fixed(x []float64, free func(c *class, t int) bool) *mip.Model {
	m := *s.model
	m.Lower, m.Upper = append([]float64(nil), m.Lower...), append([]float64(nil), m.Upper...)
	hold := func(j int) {
		v := math.Round(x[j])
		m.Lower[j], m.Upper[j] = v, v
	}
	for _, c := range s.classes {
		for t := range s.Periods {
			if free(c, t) {
				continue
			}
			hold(c.on[t])
			if t > 0 && !free(c, t-1) || t == 0 {
				hold(c.start[t])
				hold(c.stop[t])
			}
		}
	}
	return &m
}

// sub solves a restricted program and offers its points.
func (s *search) sub(ctx context.Context, m *mip.Model, limit time.Duration) *mip.Result {
	r, err := mip.Solve(ctx, m, s.options(limit), func(e mip.Event) {
		if e.X != nil {
			s.offer(e.X)
		}
	})
	s.fail(err)
	if r != nil {
		s.meter.Charge(mip.Startup + r.Work)
	}
	if r != nil && r.X != nil {
		s.offer(r.X)
	}
	return r
}

// warm dispatches the states of a plan, if they can be kept at all.
func (s *search) warm(start *Plan) {
	x := make([]float64, s.model.Columns())
	for _, c := range s.classes {
		for t := range s.Periods {
			for _, i := range c.members {
				before := c.Running
				if t > 0 {
					before = start.On[i][t-1]
				}
				x[c.on[t]] += indicator(start.On[i][t])
				x[c.start[t]] += indicator(start.On[i][t] && !before)
				x[c.stop[t]] += indicator(!start.On[i][t] && before)
			}
		}
	}
	for _, c := range s.classes {
		for t := range s.Periods {
			if j := c.on[t]; x[j] < s.model.Lower[j] || x[j] > s.model.Upper[j] {
				return
			}
		}
	}
	s.sub(s.ctx, s.fixed(x, func(*class, int) bool { return false }), s.share(4))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
