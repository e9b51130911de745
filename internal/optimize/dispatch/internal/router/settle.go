package router

import (
	"math"
	"slices"
)

// settle moves the starts of linked jobs as early as the orders of a solution
// allow: from below, every job starts when its crew has arrived and the jobs
// before it have ended, until nothing moves. No cost rises with it.
func (m *model) settle(b *snapshot) {
	if !slices.Contains(m.linked, true) {
		return
	}
	s := newSearch(m, 0)
	if !s.load(b) {
		return
	}
	begin := make([]float64, m.n)
	if !s.earliest(b, begin) {
		return
	}
	early := b.clone()
	for j := range early.frozen {
		if !math.IsNaN(early.frozen[j]) {
			early.frozen[j] = begin[j]
		}
	}
	if s.holds(&early) && s.load(&early) && s.cost < b.cost {
		b.take(s)
	}
}

// earliest finds the earliest starts that agree with each other.
func (s *search) earliest(b *snapshot, begin []float64) bool {
	for pass := 0; pass <= int(s.n)+1; pass++ {
		moved := false
		for shift, visits := range b.visits {
			clock, node := s.Shifts[shift].Open, int32(s.Shifts[shift].From)
			for _, j := range visits {
				clock += s.travel(node, s.node[j])
				node = s.node[j]
				if j == s.n {
					continue
				}
				if clock < begin[j] {
					clock = begin[j]
				}
				for _, k := range s.after[j] {
					clock = math.Max(clock, begin[k]+s.stops[k].dur)
				}
				if clock = s.start(j, clock); math.IsInf(clock, 1) {
					return false
				}
				if clock > begin[j] {
					begin[j], moved = clock, true
				}
				clock += s.stops[j].dur
			}
		}
		if !moved {
			return true
		}
	}
	return false
}
