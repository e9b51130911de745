package commitment

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// descent improves a plan one unit at a time: the best schedule of a unit
// against the loads of all others is found by dynamic programming over its
// states and a grid of loads. Storage is settled after each step and taken as
// given in the next. It suits problems without a reserve whose balances allow
// a surplus.
type descent struct {
	p    *Problem
	plan *Plan
	cost float64
	work int64 // transitions and evaluations so far
}

// suits says whether a descent can be used at all.
func (p *Problem) suits() bool {
	for b := range p.Balances {
		if !p.Balances[b].Surplus || p.Balances[b].Least != nil {
			return false
		}
	}
	return p.Reserve == nil
}

// hardShortfall is the cost of missing demand that must be met, relative to
// the dearest load.
const hardShortfall = 1e3

// newDescent starts from a plan, or from rest when start is nil.
func newDescent(p *Problem, start *Plan) *descent {
	d := &descent{p: p, plan: &Plan{On: make([][]bool, len(p.Units)), Load: make([][]float64, len(p.Units))}}
	for i := range p.Units {
		d.plan.On[i], d.plan.Load[i] = make([]bool, p.Periods), make([]float64, p.Periods)
		if start != nil {
			copy(d.plan.On[i], start.On[i])
			copy(d.plan.Load[i], start.Load[i])
		}
	}
	p.Settle(d.plan)
	d.cost = d.evaluate()
	return d
}

// pass re-plans every unit once, in the given order, shares the load among
// them, and says whether anything became cheaper.
func (d *descent) pass(order []int) bool {
	was := d.cost
	for _, i := range order {
		d.improve(i)
	}
	for b := range d.p.Balances {
		d.dispatch(b)
	}
	return d.cost < was-1e-9*math.Abs(was)
}

// shake takes some units off load, re-plans all in a random order and keeps
// the outcome when it is better.
func (d *descent) shake(rng *rand.Rand) {
	kept, cost := d.plan.clone(), d.cost
	order := rng.Perm(len(d.p.Units))
	for _, i := range order[:1+rng.IntN(max(1, len(order)/3))] {
		for t := range d.plan.On[i] {
			d.plan.On[i][t], d.plan.Load[i][t] = false, 0
		}
	}
	d.p.Settle(d.plan)
	d.cost = inf
	for range 2 {
		d.pass(order)
	}
	if d.cost >= cost {
		d.plan, d.cost = kept, cost
	}
}

// improve re-plans one unit; the plan changes only when it becomes cheaper or
// was not possible for the unit before.
func (d *descent) improve(i int) {
	on, load, ok := d.schedule(i)
	if !ok {
		return
	}
	wasOn, wasLoad := d.plan.On[i], d.plan.Load[i]
	d.plan.On[i], d.plan.Load[i] = on, load
	d.p.Settle(d.plan)
	cost := d.evaluate()
	if cost > d.cost && d.p.Units[i].allows(wasOn, wasLoad) {
		d.plan.On[i], d.plan.Load[i] = wasOn, wasLoad
		d.p.Settle(d.plan)
		return
	}
	d.cost = cost
}

// evaluate is the cost of the plan; demand that must be met counts when it is
// missed.
func (d *descent) evaluate() float64 {
	total := 0.0
	d.work += int64(len(d.p.Units) * d.p.Periods)
	for i := range d.p.Units {
		u := &d.p.Units[i]
		before := u.Running
		for t, now := range d.plan.On[i] {
			if now {
				total += u.cost(t, d.plan.Load[i][t])
				if !before {
					total += u.StartCost
				}
			}
			before = now
		}
	}
	for b := range d.p.Balances {
		for t, missing := range d.plan.Shortfall[b] {
			total += missing * d.penalty(b, t)
		}
	}
	return total
}

// penalty is the cost of one unit of rate missing in a period.
func (d *descent) penalty(b, t int) float64 {
	if s := d.p.Balances[b].Shortfall; s != nil {
		return s[t]
	}
	most := 1.0
	for i := range d.p.Units {
		u := &d.p.Units[i]
		most = math.Max(most, u.StartCost+math.Abs(u.cost(t, u.Max)))
	}
	return hardShortfall * most
}

// need returns what unit i would have to supply per period so that nothing is
// missing, the others and the storage as they are.
func (d *descent) need(i int) []float64 {
	b := d.p.Units[i].Balance
	need := make([]float64, d.p.Periods)
	for t := range need {
		need[t] = d.plan.Shortfall[b][t] - d.plan.Surplus[b][t] + d.plan.Load[i][t]
	}
	return need
}

// grid lists the loads that unit i may take in a period: the corners of its
// curve and limits, its present load, and what is needed of it.
func (d *descent) grid(i, t int, need float64) []float64 {
	u := &d.p.Units[i]
	low, high := u.between(t)
	list := []float64{low, high}
	offer := func(v float64) {
		if v > low && v < high {
			list = append(list, v)
		}
	}
	for _, p := range u.curve(t) {
		offer(p.Load)
	}
	for _, v := range []float64{need, u.firstMost(), u.lastMost(), u.Load, d.plan.Load[i][t]} {
		offer(v)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// price is the least cost per load of the unit in the first period.
func (u *Unit) price() float64 {
	least := inf
	for _, point := range u.curve(0) {
		if point.Load > 0 {
			least = math.Min(least, point.Cost/point.Load)
		}
	}
	return least
}

// order lists the units by price, cheapest first.
func (p *Problem) order() []int {
	order := make([]int, len(p.Units))
	for i := range p.Units {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.Units[a].price(), p.Units[b].price()) })
	return order
}

// sorted lists the classes by price, cheapest first.
func (g *program) sorted() []*class {
	list := slices.Clone(g.classes)
	slices.SortStableFunc(list, func(a, b *class) int { return cmp.Compare(a.price(), b.price()) })
	return list
}

func (p *Plan) clone() *Plan {
	c := &Plan{}
	for i := range p.On {
		c.On = append(c.On, slices.Clone(p.On[i]))
		c.Load = append(c.Load, slices.Clone(p.Load[i]))
	}
	for b := range p.Level {
		c.Supply = append(c.Supply, slices.Clone(p.Supply[b]))
		c.Shortfall = append(c.Shortfall, slices.Clone(p.Shortfall[b]))
		c.Surplus = append(c.Surplus, slices.Clone(p.Surplus[b]))
		c.Level = append(c.Level, slices.Clone(p.Level[b]))
	}
	return c
}
