package commitment

import "math"

// point turns a plan into a point of the program; it is the caller's task to
// check it. Starts are taken as cold unless they are matched by the solver.
func (g *program) point(p *Plan) []float64 {
	x := make([]float64, g.model.Columns())
	for _, c := range g.classes {
		for _, i := range c.members {
			g.addStates(c, x, p.On[i])
			g.addLoads(c, x, p.On[i], p.Load[i])
		}
	}
	fill := func(columns []int, values [][]float64, b int) {
		for t, j := range columns {
			if b < len(values) && t < len(values[b]) {
				x[j] = values[b][t]
			}
		}
	}
	for b, c := range g.balances {
		fill(c.supply, p.Supply, b)
		fill(c.shortfall, p.Shortfall, b)
		fill(c.surplus, p.Surplus, b)
		fill(c.level, p.Level, b)
	}
	return x
}

// addStates adds the states of one member.
func (g *program) addStates(c *class, x []float64, on []bool) {
	before := c.Running
	for t, now := range on {
		switch {
		case now && !before:
			x[c.start[t]]++
		case !now && before:
			x[c.stop[t]]++
		}
		if now {
			x[c.on[t]]++
		}
		before = now
	}
}

// addLoads adds the loads of one member by segment.
func (g *program) addLoads(c *class, x []float64, on []bool, load []float64) {
	for t, now := range on {
		if !now {
			continue
		}
		curve := c.curve(t)
		for k, j := range c.segment[t] {
			x[j] += math.Max(0, math.Min(load[t], curve[k+1].Load)-curve[k].Load)
		}
	}
}

// Settle sets the balances of a plan to what its loads leave: storage takes
// what is over and gives it back as soon as it is short.
func (p *Problem) Settle(plan *Plan) {
	plan.Supply, plan.Shortfall, plan.Surplus, plan.Level = nil, nil, nil, nil
	for b := range p.Balances {
		made := make([]float64, p.Periods)
		for i := range p.Units {
			if p.Units[i].Balance == b {
				for t, load := range plan.Load[i] {
					made[t] += load
				}
			}
		}
		short, over, level := p.settle(b, made)
		plan.Supply, plan.Shortfall, plan.Surplus = append(plan.Supply, nil), append(plan.Shortfall, short), append(plan.Surplus, over)
		plan.Level = append(plan.Level, level)
	}
}

// Missing returns the shortfall per period of a balance that is supplied as
// made says.
func (p *Problem) Missing(b int, made []float64) []float64 {
	short, _, _ := p.settle(b, made)
	return short
}

func (p *Problem) settle(b int, made []float64) (short, over, level []float64) {
	d, n := &p.Balances[b], p.Periods
	short, over, level = make([]float64, n), make([]float64, n), make([]float64, n)
	have, keep := 0.0, 0.0
	if d.Storage != nil {
		have, keep = d.Storage.Initial, d.Storage.Capacity
	}
	for t := range n {
		have += made[t] - d.Demand[t]
		least := 0.0
		if t == n-1 && d.Storage != nil {
			least = d.Storage.Final
		}
		short[t] = math.Max(0, least-have)
		over[t] = math.Max(0, have-keep)
		have += short[t] - over[t]
		level[t] = have
	}
	return short, over, level
}
