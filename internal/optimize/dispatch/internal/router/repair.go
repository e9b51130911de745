package router

import (
	"math"
	"slices"
)

// repairer puts the jobs of missing back.
type repairer struct {
	name string
	run  func(*search)
}

// repairers are the ways to complete a solution.
var repairers = []repairer{
	{"greedy-random", func(s *search) { s.greedy(func(int32) float64 { return s.rng.Float64() }) }},
	{"greedy-scarce", func(s *search) {
		s.greedy(func(j int32) float64 { return float64(len(s.Jobs[j].Shifts)) * (.7 + .6*s.rng.Float64()) })
	}},
	{"greedy-tight", func(s *search) { s.greedy(func(j int32) float64 { return s.stops[j].to - s.stops[j].from }) }},
	{"greedy-early", func(s *search) { s.greedy(func(j int32) float64 { return s.stops[j].from }) }},
	{"greedy-late", func(s *search) { s.greedy(func(j int32) float64 { return -s.stops[j].to }) }},
	{"regret-2", func(s *search) { s.regret(2) }},
	{"regret-3", func(s *search) { s.regret(3) }},
}

// blink is the usual chance to overlook a route.
const blink = .01

// maxBank is how many jobs of a long bank a move tries to serve.
const maxBank = 12

// gather fills missing with the removed jobs and some of the bank.
func (s *search) gather() {
	s.missing = s.missing[:0]
	if len(s.bank) <= len(s.removed)+maxBank {
		s.missing = append(s.missing, s.bank...)
		return
	}
	s.missing = append(s.missing, s.removed...)
	for range maxBank {
		if j := s.bank[s.rng.IntN(len(s.bank))]; !slices.Contains(s.missing, j) {
			s.missing = append(s.missing, j)
		}
	}
}

// greedy inserts the missing jobs in ascending order of key, each at its
// cheapest place.
func (s *search) greedy(key func(int32) float64) {
	s.keys = s.keys[:0]
	for _, j := range s.missing {
		s.keys = append(s.keys, key(j))
	}
	sortByKey(s.missing, s.keys)
	s.linkedInOrder()
	for _, j := range s.missing {
		s.serve(j)
	}
}

// sortByKey sorts jobs by their keys; both are short.
func sortByKey(jobs []int32, keys []float64) {
	for i := 1; i < len(jobs); i++ {
		for k := i; k > 0 && keys[k] < keys[k-1]; k-- {
			keys[k], keys[k-1] = keys[k-1], keys[k]
			jobs[k], jobs[k-1] = jobs[k-1], jobs[k]
		}
	}
}

// serve inserts one job at its cheapest place when that pays.
func (s *search) serve(j int32) {
	if s.linked[j] {
		s.serveLinked(j)
		return
	}
	best, where := nowhere, int32(-1)
	for _, shift := range s.Jobs[j].Shifts {
		if s.rng.Float64() < s.blink {
			continue
		}
		if p := s.place(j, shift); p.delta < best.delta {
			best, where = p, shift
		}
	}
	if where >= 0 && best.delta < s.Jobs[j].Unserved {
		s.put(j, where, best)
		s.served(j, where)
	}
}

// choice is a missing job with its k cheapest places.
type choice struct {
	job    int32
	places [3]place
	shifts [3]int32
	noise  float64
}

// regret inserts, time and again, the job that would lose most by not getting
// its cheapest place, against its k-th cheapest.
func (s *search) regret(k int) {
	s.linkedInOrder()
	s.choices = s.choices[:0]
	for _, j := range s.missing {
		if s.linked[j] {
			s.serveLinked(j)
			continue
		}
		c := choice{job: j, noise: .9 + .2*s.rng.Float64()}
		s.fill(&c)
		s.choices = append(s.choices, c)
	}
	for len(s.choices) > 0 {
		best, most := -1, math.Inf(-1)
		for i := range s.choices {
			c := &s.choices[i]
			if c.shifts[0] < 0 || c.places[0].delta >= s.Jobs[c.job].Unserved {
				continue
			}
			r := 0.0
			for _, p := range c.places[1:k] {
				r += math.Min(p.delta, s.Jobs[c.job].Unserved) - c.places[0].delta
			}
			if r *= c.noise; r > most {
				best, most = i, r
			}
		}
		if best < 0 {
			return
		}
		c := s.choices[best]
		s.put(c.job, c.shifts[0], c.places[0])
		s.served(c.job, c.shifts[0])
		s.choices = slices.Delete(s.choices, best, best+1)
		for i := range s.choices {
			if s.choices[i].concerns(c.shifts[0]) || s.may(s.choices[i].job, c.shifts[0]) {
				s.refresh(&s.choices[i], c.shifts[0])
			}
		}
	}
}

func (c *choice) concerns(shift int32) bool {
	return c.shifts[0] == shift || c.shifts[1] == shift || c.shifts[2] == shift
}

// fill finds the three cheapest shifts of a job.
func (s *search) fill(c *choice) {
	c.places, c.shifts = [3]place{nowhere, nowhere, nowhere}, [3]int32{-1, -1, -1}
	for _, shift := range s.Jobs[c.job].Shifts {
		if s.rng.Float64() >= s.blink {
			c.offer(shift, s.place(c.job, shift))
		}
	}
}

// refresh renews the choice after one shift has changed.
func (s *search) refresh(c *choice, shift int32) {
	if c.concerns(shift) {
		s.fill(c)
		return
	}
	c.offer(shift, s.place(c.job, shift))
}

func (c *choice) offer(shift int32, p place) {
	for k := range c.places {
		if p.delta < c.places[k].delta {
			copy(c.places[k+1:], c.places[k:2])
			copy(c.shifts[k+1:], c.shifts[k:2])
			c.places[k], c.shifts[k] = p, shift
			return
		}
	}
}
