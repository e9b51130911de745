package commitment

import (
	"math"
	"sort"
)

// plan turns a point of the program into a plan, telling the units of a class
// apart.
func (g *program) plan(x []float64) *Plan {
	p := &Plan{On: make([][]bool, len(g.Units)), Load: make([][]float64, len(g.Units))}
	for i := range g.Units {
		p.On[i], p.Load[i] = make([]bool, g.Periods), make([]float64, g.Periods)
	}
	for _, c := range g.classes {
		g.splitStates(c, x, p)
		g.splitLoads(c, x, p)
	}
	values := func(columns []int) []float64 {
		var list []float64
		for _, j := range columns {
			list = append(list, math.Min(math.Max(x[j], g.model.Lower[j]), g.model.Upper[j]))
		}
		return list
	}
	for _, b := range g.balances {
		p.Supply, p.Shortfall = append(p.Supply, values(b.supply)), append(p.Shortfall, values(b.shortfall))
		p.Surplus, p.Level = append(p.Surplus, values(b.surplus)), append(p.Level, values(b.level))
	}
	return p
}

// count returns the whole number in a column.
func count(x []float64, column int) int { return int(math.Round(x[column])) }

// splitStates starts and stops members so that each keeps its minimum times:
// those that run longest stop first, and of those off a start takes the one
// that its match names, or else the one off for the shortest time.
func (g *program) splitStates(c *class, x []float64, p *Plan) {
	running, changed := make([]bool, len(c.members)), make([]int, len(c.members))
	order := make([]int, len(c.members))
	for k := range c.members {
		running[k], changed[k], order[k] = c.Running, -c.Since, k
	}
	for t := range g.Periods {
		wanted := c.wanted(x, t)
		sort.SliceStable(order, func(a, b int) bool { return changed[order[a]] > changed[order[b]] })
		starts, stops := count(x, c.start[t]), count(x, c.stop[t])
		for pass := range 2 {
			for _, k := range order {
				free := !running[k] && changed[k] <= t-c.MinDown
				if starts == 0 || !free || pass == 0 && wanted[changed[k]] == 0 {
					continue
				}
				running[k], starts = true, starts-1
				wanted[changed[k]]--
				changed[k] = t
			}
		}
		for n := len(order) - 1; n >= 0 && stops > 0; n-- {
			if k := c.stopping(order, n); running[k] && changed[k] <= t-c.MinUp {
				running[k], changed[k], stops = false, t, stops-1
			}
		}
		for k, i := range c.members {
			p.On[i][t] = running[k]
		}
	}
}

// stopping orders stops: the member that runs longest first; without a
// minimum time the one that started last, so that a run of one period holds
// both of its limits once.
func (c *class) stopping(order []int, n int) int {
	if c.MinUp < 2 {
		return order[len(order)-1-n]
	}
	return order[n]
}

// wanted counts, per period of the stop, the starts matched with it.
func (c *class) wanted(x []float64, t int) map[int]int {
	w := map[int]int{}
	for _, m := range c.matches {
		if m.t == t && !m.wide {
			w[m.stop] += count(x, m.column)
		}
	}
	return w
}

// splitLoads shares the load of the class by segment, in the order of cost,
// in proportion to what each member can carry.
func (g *program) splitLoads(c *class, x []float64, p *Plan) {
	for t := range g.Periods {
		left := 0.0
		for _, j := range c.segment[t] {
			left += math.Max(0, x[j])
		}
		for _, i := range c.members {
			if p.On[i][t] {
				p.Load[i][t] = c.Min
			}
		}
		curve := c.curve(t)
		for k := 1; k < len(curve) && left > 0; k++ {
			room, total := make([]float64, len(c.members)), 0.0
			for n, i := range c.members {
				if p.On[i][t] {
					room[n] = math.Max(0, math.Min(curve[k].Load, c.most(p.On[i], t))-curve[k-1].Load)
					total += room[n]
				}
			}
			if total == 0 {
				continue
			}
			share := math.Min(1, left/total)
			for n, i := range c.members {
				p.Load[i][t] += share * room[n]
			}
			left -= share * total
		}
	}
}

// most is the greatest load of a running unit in a period, given its states:
// less in the first and last period of a run.
func (c *class) most(on []bool, t int) float64 {
	most := c.Max
	before := c.Running
	if t > 0 {
		before = on[t-1]
	}
	if !before {
		most = math.Min(most, c.firstMost())
	}
	if t+1 < len(on) && !on[t+1] {
		most = math.Min(most, c.lastMost())
	}
	if c.Ceiling != nil {
		most = math.Min(most, c.Ceiling[t])
	}
	return most
}
