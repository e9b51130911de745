package commitment

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// dispatch shares a balance anew among the units that run, their states as
// they are, at the least cost: loads that the schedules of single units cannot
// trade with each other. The cost of a stock is convex, piecewise linear and
// rises with it, so each period merges the steps of its units with those of
// the stock before by slope. Units with ramps move in periods of one parity at
// a time, between what the periods next to them allow.
func (d *descent) dispatch(b int) {
	parities := []int{allPeriods}
	for i := range d.p.Units {
		if up, down := d.p.Units[i].ramps(); d.p.Units[i].Balance == b && (up || down) {
			parities = []int{0, 1, 0, 1}
		}
	}
	for _, parity := range parities {
		was := slices.Clone(d.plan.Load)
		d.share(b, parity)
		d.p.Settle(d.plan)
		cost, possible := d.evaluate(), true
		for i := range d.p.Units {
			possible = possible && (d.p.Units[i].Balance != b || d.p.Units[i].allows(d.plan.On[i], d.plan.Load[i]))
		}
		if !possible || cost > d.cost {
			d.plan.Load = was
			d.p.Settle(d.plan)
			continue
		}
		d.cost = cost
	}
}

// allPeriods is the parity of a dispatch in which every period may change.
const allPeriods = -1

// step is one linear piece of a convex cost: width units at a slope each, of a
// unit, of the stock before, or missing.
type step struct {
	slope, width float64
	unit         int
}

const fromStock, fromNobody = -1, -2

// share sets the loads of the units of a balance in the periods of a parity.
func (d *descent) share(b, parity int) {
	balance := &d.p.Balances[b]
	capacity, have, final := 0.0, 0.0, 0.0
	if s := balance.Storage; s != nil {
		capacity, have, final = s.Capacity, s.Initial, s.Final
	}
	steps, net := make([][]step, d.p.Periods), make([]float64, d.p.Periods)
	loads := make([][]float64, len(d.p.Units))
	stock := []step{{0, have, fromStock}}
	for t := range net {
		made := 0.0
		steps[t] = make([]step, 0, len(stock)+8*len(d.p.Units))
		for i := range d.p.Units {
			if d.p.Units[i].Balance != b {
				continue
			}
			if loads[i] == nil {
				loads[i] = make([]float64, d.p.Periods)
			}
			if d.plan.On[i][t] {
				low, high := d.room(i, t, parity)
				loads[i][t] = low
				made += low
				steps[t] = append(steps[t], d.p.Units[i].steps(i, t, low, high)...)
			}
		}
		net[t] = balance.Demand[t] - made
		steps[t] = append(append(steps[t], stock...), step{d.penalty(b, t), inf, fromNobody})
		d.work += stepWork * int64(len(steps[t]))
		slices.SortStableFunc(steps[t], func(a, b step) int { return cmp.Compare(a.slope, b.slope) })
		stock = rest(steps[t], net[t], capacity)
	}
	level := final
	for t := d.p.Periods - 1; t >= 0; t-- {
		level = take(steps[t], level+net[t], func(i int, load float64) { loads[i][t] += load })
	}
	for i := range loads {
		if loads[i] != nil {
			d.plan.Load[i] = loads[i]
		}
	}
}

// room returns the limits of the load of a running unit in a period, its
// states and, in periods of the other parity, its load as they are.
func (d *descent) room(i, t, parity int) (low, high float64) {
	u, on, load := &d.p.Units[i], d.plan.On[i], d.plan.Load[i]
	up, down := u.ramps()
	if (up || down) && t%2 != parity {
		return load[t], load[t]
	}
	low, high = u.between(t)
	before, from := u.Running, u.Load
	if t > 0 {
		before, from = on[t-1], load[t-1]
	}
	switch {
	case !before:
		high = math.Min(high, u.firstMost())
	case up || down:
		low, high = math.Max(low, from-u.RampDown), math.Min(high, from+u.RampUp)
	}
	if t+1 < len(on) {
		switch {
		case !on[t+1]:
			high = math.Min(high, u.lastMost())
		case up || down:
			low, high = math.Max(low, load[t+1]-u.RampUp), math.Min(high, load[t+1]+u.RampDown)
		}
	}
	return low, math.Max(low, high)
}

// steps are the pieces of the cost of unit i between two loads.
func (u *Unit) steps(i, t int, low, high float64) []step {
	var list []step
	curve := u.curve(t)
	for k := 1; k < len(curve); k++ {
		a, b := curve[k-1], curve[k]
		if width := math.Min(high, b.Load) - math.Max(low, a.Load); width > 0 {
			list = append(list, step{(b.Cost - a.Cost) / (b.Load - a.Load), width, i})
		}
	}
	return list
}

// rest is the cost of a stock after a period that needs net: what the steps
// leave, up to the capacity. What is over at no cost is stock for nothing.
func rest(steps []step, net, capacity float64) []step {
	stock := make([]step, 0, len(steps)+1)
	add := func(slope, width float64) {
		width = math.Min(width, capacity)
		if capacity -= width; width <= 0 {
			return
		}
		if n := len(stock); n > 0 && stock[n-1].slope == slope {
			stock[n-1].width += width
			return
		}
		stock = append(stock, step{slope, width, fromStock})
	}
	add(0, math.Max(0, -net))
	need := math.Max(0, net)
	for _, s := range steps {
		used := math.Min(need, s.width)
		need -= used
		if !math.IsInf(s.width, 1) || need == 0 {
			add(s.slope, s.width-used)
		}
	}
	return stock
}

// take meets a need from the steps, the cheapest first, and returns what comes
// from the stock before.
func take(steps []step, need float64, load func(unit int, amount float64)) (stock float64) {
	for _, s := range steps {
		used := math.Min(math.Max(0, need), s.width)
		need -= used
		switch {
		case s.unit == fromStock:
			stock += used
		case s.unit >= 0 && used > 0:
			load(s.unit, used)
		}
	}
	return stock
}

const (
	// shiftTries is the number of shifts between two passes.
	shiftTries = 20
	// longestShift is the number of periods that one shift changes at most.
	longestShift = 24
)

// shifts turns units that supply a storage on or off for a while and lets the
// storage and the other units make up for it: the schedule of a single unit
// takes the storage as given and does not find such plans.
func (d *descent) shifts(rng *rand.Rand) {
	var stored []int
	for i := range d.p.Units {
		if d.p.Balances[d.p.Units[i].Balance].Storage != nil {
			stored = append(stored, i)
		}
	}
	for n := 0; n < shiftTries && len(stored) > 0; n++ {
		d.shift(stored[rng.IntN(len(stored))], rng)
	}
}

func (d *descent) shift(i int, rng *rand.Rand) {
	u, loads, cost := &d.p.Units[i], slices.Clone(d.plan.Load), d.cost
	from := rng.IntN(d.p.Periods)
	to := min(d.p.Periods, from+1+rng.IntN(longestShift))
	was := d.plan.On[i]
	on, least, load := slices.Clone(was), make([]float64, d.p.Periods), slices.Clone(loads[i])
	for t := range on {
		if t >= from && t < to {
			on[t] = !was[from]
		}
		if on[t] {
			least[t], _ = u.between(t)
		}
		if on[t] != was[t] {
			load[t] = least[t]
		}
	}
	if !u.allows(on, least) {
		return
	}
	d.plan.On[i], d.plan.Load[i], d.cost = on, load, inf
	d.dispatch(u.Balance)
	if d.cost >= cost {
		d.plan.On[i], d.plan.Load, d.cost = was, loads, cost
		d.p.Settle(d.plan)
	}
}
