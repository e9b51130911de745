package commitment

import "math"

// cell is one state of a unit in one period: off or on at a load of the grid,
// for as many periods as its minimum times ask to remember.
type cell struct {
	cost   float64
	parent int
}

// chart is the dynamic program of one unit. States of a period are numbered:
// first off for 1 … MinDown periods or more, then on for 1 … MinUp periods or
// more, each at every load of the grid.
type chart struct {
	u     *Unit
	grids [][]float64
	cells [][]cell
}

const unreached = -1

func (c *chart) off(k int) int { return min(k, c.u.MinDown) - 1 }
func (c *chart) on(t, k, g int) int {
	return c.u.MinDown + (min(k, c.u.MinUp)-1)*len(c.grids[t]) + g
}

// schedule returns the cheapest states and loads of unit i against the rest of
// the plan, and whether there are any.
func (d *descent) schedule(i int) ([]bool, []float64, bool) {
	u, need := &d.p.Units[i], d.need(i)
	c := &chart{u: u}
	for t := range d.p.Periods {
		c.grids = append(c.grids, d.grid(i, t, need[t]))
		cells := make([]cell, u.MinDown+u.MinUp*len(c.grids[t]))
		for k := range cells {
			cells[k] = cell{inf, unreached}
		}
		c.cells = append(c.cells, cells)
		d.work += int64(len(cells) * (1 + len(c.grids[t])))
		rest := func(load float64) float64 {
			return math.Max(0, need[t]-load) * d.penalty(u.Balance, t)
		}
		if t == 0 {
			c.begin(rest)
		} else {
			c.extend(t, rest)
		}
	}
	return c.trace(d.p.Periods)
}

// reach lowers the cost of a state.
func (c *chart) reach(t, state, parent int, cost float64) {
	if cost < c.cells[t][state].cost {
		c.cells[t][state] = cell{cost, parent}
	}
}

// may says whether the unit may be on, or off, in a period.
func (c *chart) may(t int, on bool) bool {
	low, high := c.u.between(t)
	for _, held := range []Must{c.u.begun(t), c.u.asked(t)} {
		if on && held == Off || !on && held == On {
			return false
		}
	}
	return !on || low <= high
}

// begin sets the states of the first period.
func (c *chart) begin(rest func(float64) float64) {
	u := c.u
	if c.may(0, false) && (!u.Running || u.mayStop(u.Load, true)) {
		k := 1
		if !u.Running {
			k = u.Since + 1
		}
		c.reach(0, c.off(k), unreached, rest(0))
	}
	if !c.may(0, true) || !u.Running && u.noStart(0) {
		return
	}
	for g, load := range c.grids[0] {
		cost := u.cost(0, load) + rest(load)
		switch {
		case !u.Running && load <= u.firstMost():
			c.reach(0, c.on(0, 1, g), unreached, cost+u.StartCost)
		case u.Running && u.mayFollow(u.Load, load):
			c.reach(0, c.on(0, u.Since+1, g), unreached, cost)
		}
	}
}

// mayStop says whether the unit may be off after a period at a load; the
// state before the first period holds the stop limit and the ramp apart.
func (u *Unit) mayStop(load float64, before bool) bool {
	if before {
		return load <= u.StopMax && load-u.Min <= u.RampDown
	}
	return load <= u.lastMost()
}

// mayFollow says whether a running unit may go from one load to another.
func (u *Unit) mayFollow(from, to float64) bool {
	const rounding = 1e-9
	return to-from <= u.RampUp+rounding && from-to <= u.RampDown+rounding
}

// extend reaches the states of period t from those before.
func (c *chart) extend(t int, rest func(float64) float64) {
	u := c.u
	if c.may(t, false) {
		for k := 1; k <= u.MinDown; k++ {
			from := c.off(k)
			c.reach(t, c.off(k+1), from, c.cells[t-1][from].cost+rest(0))
		}
		for g, load := range c.grids[t-1] {
			if u.mayStop(load, false) {
				from := c.on(t-1, u.MinUp, g)
				c.reach(t, c.off(1), from, c.cells[t-1][from].cost+rest(0))
			}
		}
	}
	if !c.may(t, true) {
		return
	}
	for g, load := range c.grids[t] {
		cost := u.cost(t, load) + rest(load)
		if from := c.off(u.MinDown); load <= u.firstMost() && !u.noStart(t) {
			c.reach(t, c.on(t, 1, g), from, c.cells[t-1][from].cost+cost+u.StartCost)
		}
		for h, before := range c.grids[t-1] {
			if !u.mayFollow(before, load) {
				continue
			}
			for k := 1; k <= u.MinUp; k++ {
				from := c.on(t-1, k, h)
				c.reach(t, c.on(t, k+1, g), from, c.cells[t-1][from].cost+cost)
			}
		}
	}
}

// trace reads the cheapest way back.
func (c *chart) trace(periods int) ([]bool, []float64, bool) {
	on, load := make([]bool, periods), make([]float64, periods)
	best := 0
	for k, x := range c.cells[periods-1] {
		if x.cost < c.cells[periods-1][best].cost {
			best = k
		}
	}
	if math.IsInf(c.cells[periods-1][best].cost, 1) {
		return nil, nil, false
	}
	for t := periods - 1; t >= 0; t-- {
		if best >= c.u.MinDown {
			on[t], load[t] = true, c.grids[t][(best-c.u.MinDown)%len(c.grids[t])]
		}
		best = c.cells[t][best].parent
	}
	return on, load, true
}

// allows says whether a schedule holds every rule of the unit.
func (u *Unit) allows(on []bool, load []float64) bool {
	state, since, before := u.Running, u.Since, u.Load
	for t, now := range on {
		low, high := u.between(t)
		least := u.MinDown
		if state {
			least = u.MinUp
		}
		switch {
		case now && u.asked(t) == Off, !now && u.asked(t) == On, now && (load[t] < low || load[t] > high), now != state && since < least,
			now && !state && (u.noStart(t) || load[t] > u.firstMost()), !now && state && !u.mayStop(before, t == 0), now && state && !u.mayFollow(before, load[t]):
			return false
		}
		if now != state {
			state, since = now, 0
		}
		since, before = since+1, load[t]
	}
	return true
}
