package router

import (
	"math"
	"slices"
)

// The rewards of an operator (Ropke and Pisinger 2006): a new best, a better
// current solution, an accepted worse one.
const (
	rewardBest     = 30
	rewardBetter   = 10
	rewardAccepted = 3
	// After segment uses of the operators their weights move this far towards
	// their rewards.
	segment  = 500
	reaction = .3
	// leastWeight keeps every operator in play.
	leastWeight = .3
)

// poolWidth is how much worse than the best a solution may be whose routes are
// kept for recombination.
const poolWidth = .05

// roulette chooses operators by weights that follow their success.
type roulette struct {
	weight, reward []float64
	uses           []int
}

func newRoulette(n int) roulette {
	w := make([]float64, n)
	for k := range w {
		w[k] = 1
	}
	return roulette{weight: w, reward: make([]float64, n), uses: make([]int, n)}
}

func (r *roulette) spin(u float64) int {
	sum := 0.0
	for _, w := range r.weight {
		sum += w
	}
	u *= sum
	for k, w := range r.weight {
		if u -= w; u < 0 {
			return k
		}
	}
	return len(r.weight) - 1
}

// adapt moves the weights at the end of a segment.
func (r *roulette) adapt() {
	mean, used := 0.0, 0
	for k := range r.weight {
		mean += r.reward[k]
		used += r.uses[k]
	}
	mean /= math.Max(1, float64(used))
	for k := range r.weight {
		if r.uses[k] > 0 && mean > 0 {
			score := r.reward[k] / float64(r.uses[k]) / mean
			r.weight[k] = math.Max(leastWeight, (1-reaction)*r.weight[k]+reaction*score)
		}
		r.reward[k], r.uses[k] = 0, 0
	}
}

// annealer runs moves on one thread.
type annealer struct {
	*search
	destroy, repair roulette
	best            snapshot
	pool            *pool
	collect         bool // keep the routes of accepted solutions
	moves           int64
	recombined      int64 // visits of pooled routes that recombinations looked at
}

func newAnnealer(m *model, seed uint64) *annealer {
	s := newSearch(m, seed)
	s.cache = make([][2]cached, int(m.n)*len(m.Shifts))
	a := &annealer{search: s, destroy: newRoulette(len(destroyers)), repair: newRoulette(len(repairers)), pool: newPool(m)}
	a.best.cost = math.Inf(1)
	return a
}

// construct builds a first solution by regret insertion, or greedily when
// there are many jobs.
func (a *annealer) construct() {
	const regretLimit = 300
	a.beginMove()
	a.missing = append(a.missing[:0], a.bank...)
	if len(a.missing) <= regretLimit {
		a.regret(2)
	} else {
		a.greedy(func(j int32) float64 { return float64(len(a.Jobs[j].Shifts)) - a.Jobs[j].Unserved*1e-9 })
	}
	a.keep()
	a.best.take(a.search)
}

// step makes one move at a temperature.
func (a *annealer) step(temperature float64) {
	a.moves++
	a.beginMove()
	a.removed = a.removed[:0]
	d, r := a.destroy.spin(a.rng.Float64()), a.repair.spin(a.rng.Float64())
	destroyers[d].pick(a.search)
	a.detach()
	a.gather()
	repairers[r].run(a.search)
	reward := 0.0
	switch {
	case a.cost < a.best.cost-1e-9:
		reward = rewardBest
	case a.cost < a.oldCost-1e-9:
		reward = rewardBetter
	case a.cost < a.oldCost-temperature*math.Log(a.rng.Float64()):
		reward = rewardAccepted
	}
	if a.collect && a.cost < a.best.cost*(1+poolWidth) {
		a.pool.addTouched(a.search)
	}
	if reward > 0 {
		a.keep()
		if reward == rewardBest {
			a.best.take(a.search)
		}
	} else {
		a.rollback()
	}
	a.destroy.reward[d] += reward
	a.repair.reward[r] += reward
	a.destroy.uses[d]++
	a.repair.uses[r]++
	if a.moves%segment == 0 {
		a.destroy.adapt()
		a.repair.adapt()
	}
}

// snapshot is a solution that can be loaded into any search.
type snapshot struct {
	cost    float64
	visits  [][]int32
	costs   []float64 // per route
	version []uint64
	frozen  []float64
}

// take makes b the current solution of s, copying only routes that changed
// since the last time.
func (b *snapshot) take(s *search) {
	if b.visits == nil {
		b.visits, b.version, b.frozen = make([][]int32, len(s.routes)), make([]uint64, len(s.routes)), make([]float64, s.n)
		b.costs = make([]float64, len(s.routes))
	}
	b.cost = s.cost
	for k, r := range s.routes {
		if b.version[k] != r.version {
			b.version[k] = r.version
			b.visits[k], b.costs[k] = append(b.visits[k][:0], r.visits...), r.cost
		}
	}
	copy(b.frozen, s.frozen)
}

// clone is a copy that shares nothing; its versions mean nothing elsewhere.
func (b *snapshot) clone() snapshot {
	c := snapshot{cost: b.cost, costs: slices.Clone(b.costs), frozen: slices.Clone(b.frozen), version: make([]uint64, len(b.version))}
	for _, v := range b.visits {
		c.visits = append(c.visits, slices.Clone(v))
	}
	return c
}

// load makes b the current solution; it returns false, with an empty
// solution, when a route cannot be run.
func (s *search) load(b *snapshot) bool {
	s.clear()
	copy(s.frozen, b.frozen)
	s.cost = 0
	count := make([]int32, s.n)
	for k, visits := range b.visits {
		r := s.routes[k]
		r.visits = append(r.visits[:0], visits...)
		if !s.rebuild(r) {
			s.clear()
			return false
		}
		s.cost += r.cost
		for _, j := range visits {
			if j < s.n {
				s.where[int(j)*s.crew+int(count[j])] = int32(k)
				count[j]++
			}
		}
	}
	s.bank = s.bank[:0]
	for j := range s.n {
		s.inBank[j] = count[j] == 0
		if s.inBank[j] {
			s.bank = append(s.bank, j)
			s.cost += s.Jobs[j].Unserved
		}
	}
	return true
}
