package timetable

import (
	"math"
	"sort"
)

// dual is a Lagrangian relaxation of the rows: with prices on the rows each
// action chooses alone, and the priced total is a lower bound of the linear
// part for every choice of prices. Since each action's choice has integral
// vertices, the best prices give the bound of the linear relaxation. The
// excess term is never negative, so the bound holds for it, too.
type dual struct {
	p       *Problem
	price   []float64 // ≥ 0 pays for the upper side, ≤ 0 for the lower
	best    []float64
	bound   float64
	slope   []float64 // subgradient at price
	heading []float64 // deflected direction
	choice  Plan
	theta   float64 // step factor, kept between calls

	spans  []span  // what the options use, option after option
	first  []int32 // per option, all actions in a row: its first span; one more at the end
	option []int32 // per action: its first option
	sum    []float64
}

// span is an equal use of rows from to to−1. Jobs use neighbouring days of a
// resource, so that few spans and the running sum of the prices give their
// cost.
type span struct {
	from, to int32
	amount   float64
}

func newDual(p *Problem) *dual {
	n := len(p.Rows)
	d := &dual{p: p, price: make([]float64, n), best: make([]float64, n), slope: make([]float64, n), heading: make([]float64, n),
		bound: math.Inf(-1), theta: 1, choice: make(Plan, len(p.Options)), first: []int32{0}, sum: make([]float64, n+1)}
	for _, options := range p.Options {
		d.option = append(d.option, int32(len(d.first)-1))
		for o := range options {
			begin := len(d.spans)
			for _, u := range options[o].Uses {
				if k := len(d.spans) - 1; k >= begin && d.spans[k].to == u.Row && d.spans[k].amount == u.Amount {
					d.spans[k].to++
				} else {
					d.spans = append(d.spans, span{u.Row, u.Row + 1, u.Amount})
				}
			}
			d.first = append(d.first, int32(len(d.spans)))
		}
	}
	return d
}

// charge makes prices those that priced reckons with.
func (d *dual) charge(price []float64) {
	for r, y := range price {
		d.sum[r+1] = d.sum[r] + y
	}
}

// priced returns the cost of an option at the prices of the last charge.
func (d *dual) priced(i, o int) float64 {
	c, k := d.p.Options[i][o].Cost, d.option[i]+int32(o)
	for _, s := range d.spans[d.first[k]:d.first[k+1]] {
		c += s.amount * (d.sum[s.to] - d.sum[s.from])
	}
	return c
}

// evaluate returns the bound at the current prices and sets slope and choice.
func (d *dual) evaluate() float64 {
	value := 0.0
	for r, y := range d.price {
		switch row := d.p.Rows[r]; {
		case y > 0:
			value -= y * row.Upper
			d.slope[r] = -row.Upper
		case y < 0:
			value -= y * row.Lower
			d.slope[r] = -row.Lower
		default:
			d.slope[r] = 0
		}
	}
	d.charge(d.price)
	for i, options := range d.p.Options {
		least := math.Inf(1)
		for o := range options {
			if c := d.priced(i, o); c < least {
				least, d.choice[i] = c, int32(o)
			}
		}
		value += least
		for _, u := range options[d.choice[i]].Uses {
			d.slope[u.Row] += u.Amount
		}
	}
	for r, y := range d.price {
		if y == 0 { // between the sides no price helps
			row, use := d.p.Rows[r], d.slope[r]
			d.slope[r] = math.Max(0, use-row.Upper) - math.Max(0, row.Lower-use)
		}
	}
	return value
}

// improve runs up to n subgradient steps (deflected direction, Polyak's step
// toward target) and stops when they no longer help. It reports each better
// bound and returns the number of steps.
func (d *dual) improve(n int, target func() float64, stop func() bool, report func(float64)) int {
	idle := 0
	copy(d.price, d.best)
	clear(d.heading)
	for k := 0; k < n; k++ {
		if stop() {
			return k
		}
		value := d.evaluate()
		if value > d.bound+1e-9*math.Abs(d.bound) || math.IsInf(d.bound, -1) {
			idle = 0
			d.bound = value
			copy(d.best, d.price)
			report(value)
		} else if idle++; idle >= 20 {
			idle = 0
			d.theta /= 2
			copy(d.price, d.best)
			clear(d.heading)
			value = d.evaluate()
		}
		if d.theta < 1e-5 || !d.move(d.theta, target(), value) {
			return k
		}
	}
	return n
}

// move takes one step and says whether there was anywhere to go.
func (d *dual) move(theta, target, value float64) bool {
	norm, cross, old := 0.0, 0.0, 0.0
	for r, g := range d.slope {
		norm += g * g
		cross += g * d.heading[r]
		old += d.heading[r] * d.heading[r]
	}
	if norm < 1e-18 {
		return false // the choice holds every row: the bound is the optimum of the linear part
	}
	mix := 0.0
	if cross < 0 && old > 0 { // turn away from the zigzag (Camerini, Fratta, Maffioli)
		mix = -1.5 * cross / old
	}
	length := 0.0
	for r, g := range d.slope {
		d.heading[r] = g + mix*d.heading[r]
		length += d.heading[r] * d.heading[r]
	}
	if math.IsInf(target, 1) {
		target = value + .05*math.Abs(value) + 1
	}
	step := theta * math.Max(target-value, 1e-6*math.Abs(value)) / length
	for r := range d.price {
		d.price[r] = project(d.price[r], step*d.heading[r], d.p.Rows[r])
	}
	return true
}

// project moves a price within what the row's finite sides allow; a price
// that changes sign stops at zero first.
func project(y, step float64, row Row) float64 {
	next := y + step
	if (y > 0 && next < 0) || (y < 0 && next > 0) {
		return 0
	}
	if next > 0 && math.IsInf(row.Upper, 1) || next < 0 && math.IsInf(row.Lower, -1) {
		return 0
	}
	return next
}

// keep marks the options that a plan cheaper than cutoff may use: the others
// cost at least cutoff by their reduced cost at the best prices.
func (d *dual) keep(cutoff float64) [][]bool {
	kept := make([][]bool, len(d.p.Options))
	d.charge(d.best)
	for i, options := range d.p.Options {
		kept[i] = make([]bool, len(options))
		cost := make([]float64, len(options))
		least := math.Inf(1)
		for o := range options {
			cost[o] = d.priced(i, o)
			least = math.Min(least, cost[o])
		}
		for o := range options {
			kept[i][o] = d.bound+cost[o]-least < cutoff
		}
	}
	return kept
}

// size counts the options below a cutoff and their row entries.
func (d *dual) size(cutoff float64) (columns, entries int) {
	for i, kept := range d.keep(cutoff) {
		for o, k := range kept {
			if k {
				columns++
				entries += len(d.p.Options[i][o].Uses)
			}
		}
	}
	return columns, entries
}

// repair builds a plan from the best prices: actions choose in the order of
// how much their best option is worth against an average one, each the cheapest option that
// still fits, or the one that overfills the rows least.
func (d *dual) repair() Plan {
	order := make([]int, len(d.p.Options))
	regret := make([]float64, len(order))
	cost := make([][]float64, len(order))
	d.charge(d.best)
	for i, options := range d.p.Options {
		order[i] = i
		cost[i] = make([]float64, len(options))
		sum, least := 0.0, math.Inf(1)
		for o := range options {
			cost[i][o] = d.priced(i, o)
			sum += cost[i][o]
			least = math.Min(least, cost[i][o])
		}
		regret[i] = sum/float64(len(options)) - least
	}
	sort.SliceStable(order, func(a, b int) bool { return regret[order[a]] > regret[order[b]] })
	use, plan := make([]float64, len(d.p.Rows)), make(Plan, len(order))
	for _, i := range order {
		best, bestOver, bestCost := int32(0), math.Inf(1), math.Inf(1)
		for o := range d.p.Options[i] {
			over := 0.0
			for _, u := range d.p.Options[i][o].Uses {
				row := d.p.Rows[u.Row]
				if v := use[u.Row] + u.Amount - row.Upper; v > tolerance*math.Max(1, math.Abs(row.Upper)) {
					over += v
				}
			}
			if over < bestOver || (over == bestOver && cost[i][o] < bestCost) {
				best, bestOver, bestCost = int32(o), over, cost[i][o]
			}
		}
		plan[i] = best
		for _, u := range d.p.Options[i][best].Uses {
			use[u.Row] += u.Amount
		}
	}
	return plan
}
