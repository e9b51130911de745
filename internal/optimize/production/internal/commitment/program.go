package commitment

import (
	"math"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

var inf = math.Inf(1)

// program is the problem as a mixed-integer program. The load of a class is
// Min for each unit that runs, plus what its segments carry.
type program struct {
	*Problem
	model    *mip.Model
	classes  []*class
	balances []balanceColumns
	pending  []mip.Term
	slack    *slack // not nil when the program is elastic
}

type balanceColumns struct {
	supply, shortfall, surplus, level []int
	row                               []int
}

// newProgram states the problem in the three-binary form of Knueven, Ostrowski
// and Watson, "On Mixed-Integer Programming Formulations for the Unit
// Commitment Problem" (2020): on, start and stop; minimum times by Rajan and
// Takriti; limits and segments tightened by starts and stops; start costs by
// matching a start with the stop before it.
func newProgram(p *Problem) *program { return build(p, nil) }

// build states the problem; with slack the constraints that a planner sets
// may be broken at a price.
func build(p *Problem, s *slack) *program {
	g := &program{Problem: p, model: mip.New("commitment"), classes: p.classes(), slack: s}
	for _, c := range g.classes {
		g.addColumns(c)
		g.addLogic(c)
		g.addStartCosts(c)
		g.addLimits(c)
		g.addRamps(c)
	}
	for b := range p.Balances {
		g.addBalance(b)
	}
	if p.Reserve != nil {
		g.addReserve()
	}
	return g
}

// row adds the collected terms as a row and starts the next.
func (g *program) row(lower, upper float64) int {
	r := g.model.Row(lower, upper, g.pending...)
	g.pending = g.pending[:0]
	return r
}

// term collects one entry of the next row.
func (g *program) term(column int, value float64) {
	g.pending = append(g.pending, mip.Term{Column: column, Value: value})
}

// load collects factor times the load above Min in period t.
func (g *program) load(c *class, t int, factor float64) {
	for _, j := range c.segment[t] {
		g.term(j, factor)
	}
}

// reserve collects the headroom in period t where it has a column.
func (g *program) reserve(c *class, t int) {
	if j := c.headroom[t]; j >= 0 {
		g.term(j, 1)
	}
}

func (g *program) addColumns(c *class) {
	m := g.model
	up, _ := c.ramps()
	for t := range g.Periods {
		curve := c.curve(t)
		lower, upper := 0.0, c.n
		for _, held := range g.held(c, t) {
			switch held {
			case On:
				lower = c.n
			case Off:
				upper = 0
			}
		}
		c.on = append(c.on, m.Column(curve[0].Cost, lower, upper, true))
		starts := c.n
		if c.noStart(t) {
			starts = 0
		}
		c.start = append(c.start, m.Column(c.StartCost, 0, starts, true))
		c.stop = append(c.stop, m.Column(0, 0, c.n, true))
		var segments []int
		for k := 1; k < len(curve); k++ {
			width := curve[k].Load - curve[k-1].Load
			segments = append(segments, m.Column((curve[k].Cost-curve[k-1].Cost)/width, 0, c.n*width, false))
		}
		c.segment = append(c.segment, segments)
		c.headroom = append(c.headroom, -1)
		if g.Reserve != nil && (up || c.MinUp < 2) {
			c.headroom[t] = m.Column(0, 0, c.n*(c.Max-c.Min), false)
		}
	}
}

// held lists what the state of a class in period t has to be; what the problem
// asks gives way when the program is elastic.
func (g *program) held(c *class, t int) []Must {
	if g.slack != nil {
		return []Must{c.begun(t)}
	}
	return []Must{c.begun(t), c.asked(t)}
}

// addLogic ties on, start and stop together and keeps minimum times.
func (g *program) addLogic(c *class) {
	for t := range g.Periods {
		before := 0.0
		g.term(c.on[t], 1)
		g.term(c.start[t], -1)
		g.term(c.stop[t], 1)
		if t > 0 {
			g.term(c.on[t-1], -1)
		} else if c.Running {
			before = c.n
		}
		g.row(before, before)
		for s := max(0, t-c.MinUp+1); s <= t; s++ {
			g.term(c.start[s], 1)
		}
		g.term(c.on[t], -1)
		g.row(-inf, 0)
		for s := max(0, t-c.MinDown+1); s <= t; s++ {
			g.term(c.stop[s], 1)
		}
		g.term(c.on[t], 1)
		g.row(-inf, c.n)
	}
}
