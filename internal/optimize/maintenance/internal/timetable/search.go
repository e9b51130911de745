package timetable

import (
	"math"
	"math/rand/v2"
	"sort"
)

// search is simulated annealing over single shifts, swaps and best-option
// scans, with violated rows priced by a weight that follows how often the walk
// is feasible. Temperatures depend on iteration counts only, so a seed and a
// number of iterations determine the walk.
type search struct {
	p      *Problem
	s      *state
	at     [][]int32
	rng    *rand.Rand
	stop   func() bool
	offer  func(Plan)
	weight float64 // price of one unit of scaled violation
	temp   float64
	heat   float64 // start temperature of a full round
	free   []int   // actions with more than one option

	best      Plan
	bestCost  float64
	hasBest   bool
	fresh     bool // best has not been published yet
	iteration int64
	limit     int64 // 0 = none
	changes   []change
	pull      func() (Plan, float64) // the best plan known to all, nil when working alone
}

// change is an action with its new option; once applied, with its old one.
type change struct {
	action int
	other  int32
}

func newSearch(p *Problem, start Plan, seed int64, stop func() bool, offer func(Plan)) *search {
	h := &search{p: p, at: p.optionAt(), rng: rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15)), stop: stop, offer: offer} // #nosec G404 -- a search must repeat by its seed; nothing secret
	for i, options := range p.Options {
		if len(options) > 1 {
			h.free = append(h.free, i)
		}
	}
	h.s = newState(p, start)
	h.best = append(Plan(nil), start...)
	h.bestCost = math.Inf(1)
	h.calibrate()
	h.note()
	h.publish()
	return h
}

// calibrate sets the temperature to the typical cost of a small shift, and
// the violation price to several of them.
func (h *search) calibrate() {
	var deltas []float64
	for range 400 {
		if len(h.free) == 0 {
			break
		}
		i := h.free[h.rng.IntN(len(h.free))]
		options := h.p.Options[i]
		a := h.rng.IntN(len(options))
		b := min(len(options)-1, max(0, a+h.rng.IntN(7)-3))
		if d := math.Abs(options[a].Cost - options[b].Cost); d > 0 {
			deltas = append(deltas, d)
		}
	}
	h.heat = 1
	if len(deltas) > 0 {
		sort.Float64s(deltas)
		h.heat = deltas[len(deltas)/2]
	}
	h.weight = 10 * h.heat
}

// note records the current plan when it is feasible and better.
func (h *search) note() {
	if h.s.broken > 0 || (h.hasBest && h.s.cost() >= h.bestCost-1e-9*math.Abs(h.bestCost)) {
		return
	}
	h.bestCost, h.hasBest = h.s.cost(), true
	copy(h.best, h.s.plan)
	h.fresh = true
}

// publish hands a new best plan on; once per publishing period, not per
// improvement, since whoever takes it evaluates it from scratch.
func (h *search) publish() {
	if h.fresh {
		h.fresh = false
		h.offer(h.best)
	}
}

// adopt takes over a plan found elsewhere when it is better than the best one.
func (h *search) adopt() bool {
	if h.pull == nil {
		return false
	}
	plan, cost := h.pull()
	if plan == nil || (h.hasBest && cost >= h.bestCost-1e-9*math.Abs(cost)) {
		return false
	}
	h.bestCost, h.hasBest = cost, true
	copy(h.best, plan)
	return true
}

// rounds anneals again and again, each time from the best plan and longer,
// cycling through start temperatures, until stop or the iteration limit. pull
// may return a better plan from elsewhere between rounds.
func (h *search) rounds(pull func() (Plan, float64)) {
	length := int64(4000 * max(5, len(h.free)))
	if h.p.Quantile == nil {
		length = int64(2000 * max(5, len(h.free)))
	}
	heats := []float64{1, .2, .5, .05}
	h.pull = pull
	for round := 0; !h.over(); round++ {
		heat := heats[round%len(heats)]
		if h.adopt() {
			heat = heats[len(heats)-1] // a good plan from elsewhere is refined, not melted
		}
		if h.hasBest {
			h.s.reset(h.best)
		} else {
			h.s.reset(append(Plan(nil), h.s.plan...))
		}
		n := length
		if h.limit > 0 {
			n = min(n, h.limit-h.iteration)
		}
		h.anneal(n, h.heat*heat)
		h.publish()
		if round%len(heats) == len(heats)-1 {
			length = length * 3 / 2
		}
	}
}

func (h *search) over() bool {
	return len(h.free) == 0 || (h.limit > 0 && h.iteration >= h.limit) || h.stop()
}

func (h *search) anneal(n int64, heat float64) {
	const cooling = 1e-3
	factor := math.Pow(cooling, 1/math.Max(1, float64(n)/256))
	h.temp = heat
	feasible, period := 0, max(256, 16*int64(len(h.free)))
	for k := int64(0); k < n; k++ {
		if k%period == period-1 {
			h.publish()
		}
		if k%256 == 255 {
			if h.stop() || h.outdone() {
				return
			}
			h.temp *= factor
			h.reprice(feasible)
			feasible = 0
		}
		h.iteration++
		h.step()
		if h.s.broken == 0 {
			feasible++
			h.note()
		}
	}
}

// outdone says whether a plan from elsewhere is so much better that the round
// should end and go on from there.
func (h *search) outdone() bool {
	if h.pull == nil {
		return false
	}
	plan, cost := h.pull()
	return plan != nil && (!h.hasBest || cost < h.bestCost-1e-3*math.Abs(cost))
}

// reprice moves the violation price so that the walk crosses the border of
// feasibility again and again.
func (h *search) reprice(feasible int) {
	switch {
	case feasible == 0:
		h.weight = math.Min(h.weight*1.15, 1e9*h.heat)
	case feasible > 128:
		h.weight = math.Max(h.weight*.92, .05*h.heat)
	}
}

func (h *search) step() {
	h.changes = h.changes[:0]
	i := h.free[h.rng.IntN(len(h.free))]
	switch r := h.rng.IntN(100); {
	case r < 55:
		h.propose(i, h.randomOption(i))
	case r < 98:
		j := h.free[h.rng.IntN(len(h.free))]
		h.proposeSwap(i, j)
	default:
		h.propose(i, h.scan(i))
	}
	if len(h.changes) > 0 {
		h.decide()
	}
}

func (h *search) randomOption(i int) int32 {
	n := len(h.p.Options[i])
	if h.rng.IntN(2) == 0 {
		return int32(h.rng.IntN(n))
	}
	k := int(h.s.plan[i]) + h.rng.IntN(9) - 4
	return int32(min(n-1, max(0, k)))
}

func (h *search) propose(i int, o int32) {
	if o >= 0 && o != h.s.plan[i] {
		h.changes = append(h.changes, change{i, o})
	}
}

// proposeSwap gives each action the other's start, when it has that option;
// sometimes a day beside it.
func (h *search) proposeSwap(i, j int) {
	if i == j {
		return
	}
	a, b := h.p.Options[i][h.s.plan[i]].Start, h.p.Options[j][h.s.plan[j]].Start
	if h.rng.IntN(3) == 0 {
		a += h.rng.IntN(3) - 1
	}
	oi, oj := h.lookup(i, b), h.lookup(j, a)
	if oi >= 0 && oj >= 0 {
		h.propose(i, oi)
		h.propose(j, oj)
	}
}

func (h *search) lookup(i, day int) int32 {
	if day < 0 || day >= len(h.at[i]) {
		return -1
	}
	return h.at[i][day]
}

// scan returns the option of i with the least cost and penalty, risk excess
// left aside.
func (h *search) scan(i int) int32 {
	s := h.s
	was, best, bestValue := s.plan[i], s.plan[i], math.Inf(1)
	for o := range h.p.Options[i] {
		if int32(o) == was {
			continue
		}
		s.choose(i, int32(o))
		if v := s.linear + h.weight*s.violation; v < bestValue {
			best, bestValue = int32(o), v
		}
	}
	s.choose(i, was)
	return best
}

// decide applies the proposed changes and keeps them by the annealing rule.
// Since the excess cannot fall below zero, a move whose linear part already
// costs too much is refused without looking at scenarios.
func (h *search) decide() {
	s := h.s
	bar := -h.temp * math.Log(1-h.rng.Float64())
	linear, violation := s.linear, s.violation
	for k := range h.changes {
		c := &h.changes[k]
		was := s.plan[c.action]
		s.choose(c.action, c.other)
		c.other = was
	}
	delta := s.linear - linear + h.weight*(s.violation-violation)
	if s.p.Quantile == nil {
		if delta > bar {
			h.undoRows(linear)
		}
		return
	}
	s.beginMove()
	for _, c := range h.changes {
		s.touch(&s.p.Options[c.action][c.other])
		s.touch(&s.p.Options[c.action][s.plan[c.action]])
	}
	reach := 0.0
	for _, e := range s.before {
		reach += e
	}
	if delta-s.p.Quantile.Weight*reach > bar {
		h.undoRows(linear)
		return
	}
	h.moveRisk(1)
	spread := s.spread
	s.refresh()
	if delta+s.p.Quantile.Weight*(s.spread-spread) > bar {
		s.restore()
		h.moveRisk(-1)
		h.undoRows(linear)
	}
}

func (h *search) moveRisk(sign float64) {
	for _, c := range h.changes {
		h.s.addRisk(&h.p.Options[c.action][c.other], -sign)
		h.s.addRisk(&h.p.Options[c.action][h.s.plan[c.action]], sign)
	}
}

func (h *search) undoRows(linear float64) {
	for k := len(h.changes) - 1; k >= 0; k-- {
		h.s.choose(h.changes[k].action, h.changes[k].other)
	}
	h.s.linear = linear
}
