package router

import (
	"context"
	"math"
	"slices"
	"time"
)

// The recombination of pooled routes: choose at most one route per shift (as
// many as there are shifts alike) so that every job is served at most once, at
// the least cost of routes and unserved jobs. A Lagrangian relaxation of the
// covering rows prices the columns, those that no better solution can use are
// dropped, and a branch and bound over the rest finds the best combination.
// The gaps are so small that this takes less than starting a solver does.

// The limits of one recombination.
const (
	dualSteps = 600
	maxKept   = 6000  // columns that the branch and bound gets
	maxNodes  = 40000 // of the branch and bound
	leastGain = 1e-6
)

// partition is one recombination.
type partition struct {
	*model
	columns []column
	class   []int32   // class of shifts alike, per shift
	room    []int32   // shifts per class
	groups  [][]int32 // columns per class
	dual    []float64 // per job
	reduced []float64 // per column
	upper   float64
	lower   float64
	bestU   []float64
	work    int64 // visits looked at
	allowed int64 // work after which to stop, 0 = no limit
}

// classes groups shifts that are alike in all that routes depend on.
func (m *model) classes() ([]int32, []int32) {
	class := make([]int32, len(m.Shifts))
	var room []int32
	var leaders []int
	for k := range m.Shifts {
		class[k] = -1
		for c, l := range leaders {
			if m.alike(k, l) {
				class[k] = int32(c)
				room[c]++
				break
			}
		}
		if class[k] < 0 {
			class[k] = int32(len(leaders))
			leaders, room = append(leaders, k), append(room, 1)
		}
	}
	return class, room
}

func (m *model) alike(a, b int) bool {
	s, o := &m.Shifts[a], &m.Shifts[b]
	if s.From != o.From || s.To != o.To || s.Open != o.Open || s.Close != o.Close || s.Regular != o.Regular || s.Tools != o.Tools ||
		s.TravelRate != o.TravelRate || s.OvertimeRate != o.OvertimeRate || !slices.Equal(s.Parts, o.Parts) {
		return false
	}
	for j := range m.Jobs {
		p := m.Jobs[j].Published
		if m.may(int32(j), int32(a)) != m.may(int32(j), int32(b)) || slices.Contains(p, int32(a)) != slices.Contains(p, int32(b)) {
			return false
		}
	}
	return true
}

// recombine returns a better solution than the incumbent out of the pools'
// routes, or nil, and how many visits it looked at: those given at most, when
// there are any.
func (m *model) recombine(ctx context.Context, columns []column, incumbent *snapshot, limit time.Duration, visits int64) (*snapshot, int64) {
	p := &partition{model: m, columns: columns, allowed: visits, upper: incumbent.cost, lower: math.Inf(-1)}
	p.class, p.room = m.classes()
	p.group()
	deadline := time.Now().Add(limit)
	p.price(ctx, incumbent, deadline)
	if p.upper-p.lower < leastGain {
		return nil, p.work
	}
	b := p.branching(p.keys())
	b.run(ctx, deadline)
	return b.solution(), p.work
}

// group lists the columns by class.
func (p *partition) group() {
	p.groups = make([][]int32, len(p.room))
	for c := range p.columns {
		k := p.class[p.columns[c].shift]
		p.groups[k] = append(p.groups[k], int32(c))
	}
}

// price improves the multipliers of the covering rows by subgradient steps.
func (p *partition) price(ctx context.Context, incumbent *snapshot, deadline time.Time) {
	p.dual, p.reduced = make([]float64, p.n), make([]float64, len(p.columns))
	p.startDuals(incumbent)
	count, step, stale := make([]int32, p.n), 1.0, 0
	for k := 0; k < dualSteps && ctx.Err() == nil && time.Now().Before(deadline) && !p.spent(); k++ {
		bound := p.relax(count)
		if bound > p.lower {
			p.lower, stale = bound, 0
			p.bestU = append(p.bestU[:0], p.dual...)
		} else if stale++; stale >= 12 {
			step, stale = step/2, 0
			copy(p.dual, p.bestU)
		}
		norm := 0.0
		for j := range count {
			norm += float64((1 - count[j]) * (1 - count[j]))
		}
		if norm == 0 || p.upper-p.lower < leastGain || step < 1e-4 {
			break
		}
		move := step * (p.upper - bound) / norm
		for j := range count {
			p.dual[j] = math.Min(p.Jobs[j].Unserved, p.dual[j]+move*float64(1-count[j]))
		}
	}
	copy(p.dual, p.bestU)
	p.relax(count)
}

// startDuals shares the cost of each of the incumbent's routes among its jobs.
func (p *partition) startDuals(incumbent *snapshot) {
	for j := range p.dual {
		p.dual[j] = p.Jobs[j].Unserved
	}
	for k, visits := range incumbent.visits {
		for _, j := range visits {
			if j < p.n {
				p.dual[j] = math.Min(p.Jobs[j].Unserved, incumbent.costs[k]/float64(len(visits)))
			}
		}
	}
}

// relax solves the Lagrangian problem at the present multipliers: every class
// takes its columns of negative reduced cost, as many as it has room for. It
// returns the bound and counts how often each job is covered.
func (p *partition) relax(count []int32) float64 {
	bound := 0.0
	for j, u := range p.dual {
		bound += u
		count[j] = 0
	}
	var chosen []int32
	for k, group := range p.groups {
		chosen = chosen[:0]
		for _, c := range group {
			col := &p.columns[c]
			r := col.cost
			p.work += int64(len(col.visits))
			for _, j := range col.visits {
				if j < p.n {
					r -= p.dual[j]
				}
			}
			p.reduced[c] = r
			if r < 0 {
				chosen = p.offer(chosen, c, int(p.room[k]))
			}
		}
		for _, c := range chosen {
			bound += p.reduced[c]
			for _, j := range p.columns[c].visits {
				if j < p.n {
					count[j]++
				}
			}
		}
	}
	for j, u := range p.dual {
		if count[j] == 0 && u >= p.Jobs[j].Unserved {
			count[j] = 1 // leaving it out is as good
		}
	}
	return bound
}

// spent says whether the work is done that was allowed.
func (p *partition) spent() bool { return p.allowed > 0 && p.work >= p.allowed }

// offer keeps the room columns of least reduced cost.
func (p *partition) offer(chosen []int32, c int32, room int) []int32 {
	if len(chosen) == room && p.reduced[c] >= p.reduced[chosen[room-1]] {
		return chosen
	}
	if len(chosen) < room {
		chosen = append(chosen, c)
	}
	k := len(chosen) - 1
	for ; k > 0 && p.reduced[chosen[k-1]] > p.reduced[c]; k-- {
		chosen[k] = chosen[k-1]
	}
	chosen[k] = c
	return chosen
}

// keys returns what the use of each column adds to the bound at least. In a
// class that is full a column displaces one of reduced cost spare or less, in
// another it comes on top.
func (p *partition) keys() []float64 {
	key := make([]float64, len(p.columns))
	var least []float64
	for k, group := range p.groups {
		least = least[:0]
		for _, c := range group {
			if p.reduced[c] < 0 {
				least = append(least, p.reduced[c])
			}
		}
		slices.Sort(least)
		spare := 0.0
		if len(least) >= int(p.room[k]) {
			spare = least[p.room[k]-1]
		}
		for _, c := range group {
			key[c] = math.Max(0, p.reduced[c]-spare)
		}
	}
	return key
}
