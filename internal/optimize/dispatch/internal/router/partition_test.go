package router

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRecombinationAgainstEnumeration: on random pools the branch and bound
// finds the cheapest set of routes, and the Lagrangian bound never exceeds it.
func TestRecombinationAgainstEnumeration(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 200; seed++ {
		r := rand.New(rand.NewPCG(seed, 9))
		n, shifts := 4+r.IntN(4), 2+r.IntN(3)
		p := &Problem{Nodes: 1, Travel: []float64{0}, Duration: true}
		for range shifts {
			p.Shifts = append(p.Shifts, Shift{Close: 1e6, Tools: uint64(r.IntN(2))}) // two classes
		}
		for range n {
			p.Jobs = append(p.Jobs, Job{Windows: []Window{{0, 1e6}}, Crew: 1, Unserved: float64(20 + r.IntN(100))})
		}
		m, err := newModel(p)
		require.NoError(t, err)
		pool := newPool(m)
		for range 30 {
			var visits []int32
			cost := float64(5 + r.IntN(20))
			for j := range n {
				if r.IntN(3) == 0 {
					visits = append(visits, int32(j))
					cost += float64(r.IntN(30))
				}
			}
			pool.add(int32(r.IntN(shifts)), cost, visits)
		}
		best := cheapest(m, pool.columns, 0, make([]int32, shifts), make([]bool, n))
		nothing := &snapshot{visits: make([][]int32, shifts), costs: make([]float64, shifts), frozen: make([]float64, n)}
		for j := range n {
			nothing.cost += p.Jobs[j].Unserved
		}
		found, _ := m.recombine(context.Background(), pool.columns, nothing, time.Minute, 0)
		if found == nil {
			require.InDelta(t, nothing.cost, best, 1e-6, "seed %d", seed)
			continue
		}
		require.InDelta(t, best, found.cost, 1e-6, "seed %d", seed)
		served, sum := make([]bool, n), 0.0
		for k, visits := range found.visits {
			sum += found.costs[k]
			for _, j := range visits {
				require.False(t, served[j], "seed %d: job %d twice", seed, j)
				served[j] = true
			}
		}
		for j, ok := range served {
			if !ok {
				sum += p.Jobs[j].Unserved
			}
		}
		require.InDelta(t, found.cost, sum, 1e-6, "seed %d", seed)
	}
}

// cheapest tries every choice of columns from k on.
func cheapest(m *model, columns []column, k int, used []int32, served []bool) float64 {
	if k == len(columns) {
		sum := 0.0
		for j, ok := range served {
			if !ok {
				sum += m.Jobs[j].Unserved
			}
		}
		return sum
	}
	best := cheapest(m, columns, k+1, used, served)
	class, room := m.classes()
	c := columns[k]
	if used[class[c.shift]] >= room[class[c.shift]] {
		return best
	}
	for _, j := range c.visits {
		if served[j] {
			return best
		}
	}
	for _, j := range c.visits {
		served[j] = true
	}
	used[class[c.shift]]++
	best = math.Min(best, c.cost+cheapest(m, columns, k+1, used, served))
	used[class[c.shift]]--
	for _, j := range c.visits {
		served[j] = false
	}
	return best
}

// TestInsertionCostsAreExact: whatever place an insertion test names, carrying
// it out costs what it said.
func TestInsertionCostsAreExact(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 60; seed++ {
		r := rand.New(rand.NewPCG(seed, 4))
		m, err := newModel(drawn(r, seed%2 == 0))
		require.NoError(t, err)
		s := newSearch(m, seed)
		s.relate()
		s.cache = make([][2]cached, int(m.n)*len(m.Shifts))
		for range 300 {
			j := int32(r.IntN(int(m.n)))
			s.beginMove()
			s.removed = s.removed[:0]
			if s.inBank[j] {
				for _, shift := range s.Jobs[j].Shifts {
					p := s.place(j, shift)
					if math.IsInf(p.delta, 1) {
						continue
					}
					before := s.cost
					s.put(j, shift, p)
					require.InDelta(t, before+p.delta, s.cost, 1e-6)
					s.served(j, shift)
					break
				}
			} else {
				s.pick(j)
				s.detach()
			}
			if r.IntN(3) == 0 {
				was := s.oldCost
				s.rollback()
				require.InDelta(t, was, s.cost, 1e-9)
			} else {
				s.keep()
			}
			sum := 0.0
			for _, route := range s.routes {
				sum += route.cost
			}
			for _, k := range s.bank {
				sum += s.Jobs[k].Unserved
			}
			require.InDelta(t, sum, s.cost, 1e-6)
		}
	}
}

// drawn is a random problem with a depot, tools and parts.
func drawn(r *rand.Rand, duration bool) *Problem {
	const nodes = 8
	p := &Problem{Nodes: nodes, Duration: duration, Depot: &Depot{Node: 0, Window: Window{0, 1000}}}
	for range nodes * nodes {
		p.Travel = append(p.Travel, float64(1+r.IntN(40)))
	}
	for k := range 3 {
		p.Shifts = append(p.Shifts, Shift{
			Technician: k, From: r.IntN(nodes), To: r.IntN(nodes), Open: 0, Regular: 300, Close: 400, TravelRate: 1 + r.Float64(), OvertimeRate: 2,
			Tools: uint64(r.IntN(2)), Parts: []int32{int32(r.IntN(3))},
		})
	}
	for range 12 {
		from := float64(r.IntN(250))
		job := Job{
			Node: r.IntN(nodes), Duration: float64(5 + r.IntN(30)), Windows: []Window{{from, from + 80}}, Tools: uint64(r.IntN(2)), Parts: []int32{int32(r.IntN(2))},
			Shifts: []int32{0, 1, 2}, Crew: 1, Unserved: 1000, Due: from + 20, LateRate: r.Float64(),
		}
		if !duration {
			job.Windows = append(job.Windows, Window{from + 100, from + 120})
		}
		p.Jobs = append(p.Jobs, job)
	}
	return p
}
