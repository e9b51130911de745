package commitment

import (
	"math"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

// regret says, per period, by how much a plan costs at least more than the
// relaxation when some unit of a class is on, or off. It follows from the
// duals: the cost of a plan is at least the bound of the relaxation plus the
// reduced costs of its columns, so the cheapest path of states through a
// period under reduced costs bounds every plan that takes it.
type regret struct{ on, off []float64 }

// regrets evaluates every class; nil when the solver gave no duals.
func (g *program) regrets(r *mip.Result) map[*class]regret {
	if r.RowDual == nil {
		return nil
	}
	reduced := append([]float64(nil), g.model.Cost...)
	for i, y := range r.RowDual {
		for k := g.model.RowStart[i]; k < g.model.RowStart[i+1]; k++ {
			reduced[g.model.Index[k]] -= y * g.model.Value[k]
		}
	}
	list := map[*class]regret{}
	for _, c := range g.classes {
		list[c] = g.regret(c, reduced)
	}
	return list
}

// regret finds the cheapest path of one unit through each state by going
// forwards and backwards over the periods. The other members of the class take
// the cheapest path of all.
func (g *program) regret(c *class, reduced []float64) regret {
	forward, backward := make([][]float64, g.Periods), make([][]float64, g.Periods)
	for t := range g.Periods {
		forward[t], backward[t] = fill(c.MinDown+c.MinUp), fill(c.MinDown+c.MinUp)
	}
	for t := range g.Periods {
		if t == 0 {
			g.steps(c, reduced, 0, c.firstState(), func(to int, cost float64) { forward[0][to] = math.Min(forward[0][to], cost) })
			continue
		}
		for from, cost := range forward[t-1] {
			g.steps(c, reduced, t, from, func(to int, step float64) { forward[t][to] = math.Min(forward[t][to], cost+step) })
		}
	}
	for k := range backward[g.Periods-1] {
		backward[g.Periods-1][k] = 0
	}
	for t := g.Periods - 1; t > 0; t-- {
		for from := range backward[t-1] {
			g.steps(c, reduced, t, from, func(to int, step float64) {
				backward[t-1][from] = math.Min(backward[t-1][from], backward[t][to]+step)
			})
		}
	}
	through := regret{on: fill(g.Periods), off: fill(g.Periods)}
	best, rest := inf, 0.0
	for t := range g.Periods {
		for k := range forward[t] {
			side := through.off
			if k >= c.MinDown {
				side = through.on
			}
			side[t] = math.Min(side[t], forward[t][k]+backward[t][k])
			best = math.Min(best, side[t])
		}
		for _, j := range []int{c.on[t], c.start[t], c.stop[t]} {
			rest -= math.Min(reduced[j]*g.model.Lower[j], reduced[j]*g.model.Upper[j])
		}
	}
	for t := range g.Periods {
		through.on[t] += (c.n-1)*best + rest
		through.off[t] += (c.n-1)*best + rest
	}
	return through
}

func fill(n int) []float64 {
	list := make([]float64, n)
	for k := range list {
		list[k] = inf
	}
	return list
}

// firstState numbers the state before the first period: off for 1 … MinDown
// periods or more, then on for 1 … MinUp periods or more.
func (c *class) firstState() int {
	if c.Running {
		return c.MinDown + min(max(1, c.Since), c.MinUp) - 1
	}
	return min(max(1, c.Since), c.MinDown) - 1
}

// steps visits the states that may follow one in period t, with the reduced
// cost of the step.
func (g *program) steps(c *class, reduced []float64, t, from int, visit func(to int, cost float64)) {
	on := from >= c.MinDown
	mayOn, mayOff := g.model.Upper[c.on[t]] > 0, g.model.Lower[c.on[t]] < c.n
	last := c.MinDown + c.MinUp - 1
	switch {
	case on && mayOn:
		visit(min(from+1, last), reduced[c.on[t]])
	case !on && mayOff:
		visit(min(from+1, c.MinDown-1), 0)
	}
	switch {
	case on && from == last && mayOff:
		visit(0, reduced[c.stop[t]])
	case !on && from == c.MinDown-1 && mayOn && g.model.Upper[c.start[t]] > 0:
		visit(c.MinDown, reduced[c.on[t]]+reduced[c.start[t]])
	}
}

// change is the regret of changing the state of a class in period t from what
// x says.
func (s *search) change(c *class, t int, x []float64) float64 {
	r := s.regret[c]
	switch v := x[c.on[t]]; {
	case v < mip.Tolerance:
		return r.on[t]
	case v > c.n-mip.Tolerance:
		return r.off[t]
	default:
		return math.Min(r.on[t], r.off[t])
	}
}

// tighten returns the program without the states that no plan better than the
// best one can take.
func (s *search) tighten() *mip.Model {
	m := *s.model
	s.mu.Lock()
	room := s.objective - s.bound
	s.mu.Unlock()
	if s.regret == nil || math.IsInf(room, 0) {
		return &m
	}
	room += 1e-6 * math.Max(1, math.Abs(s.objective)) // the tolerance of the duals
	m.Lower, m.Upper = append([]float64(nil), m.Lower...), append([]float64(nil), m.Upper...)
	for _, c := range s.classes {
		for t := range s.Periods {
			switch j := c.on[t]; {
			case s.regret[c].on[t] > room && m.Lower[j] == 0:
				m.Upper[j] = 0
			case s.regret[c].off[t] > room && m.Upper[j] == c.n:
				m.Lower[j] = c.n
			}
		}
	}
	return &m
}
