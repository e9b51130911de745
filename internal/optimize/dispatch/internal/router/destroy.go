package router

import (
	"math"
	"slices"
)

// destroyer picks jobs for removal.
type destroyer struct {
	name string
	pick func(*search)
}

// destroyers are the ways to take a solution apart.
var destroyers = []destroyer{
	{"strings", (*search).pickStrings},
	{"related", (*search).pickRelated},
	{"random", (*search).pickRandom},
	{"worst", (*search).pickWorst},
	{"routes", (*search).pickRoutes},
	{"time", (*search).pickTime},
	{"skill", (*search).pickSkill},
}

// The sizes of a removal: about meanRemoved jobs, in strings of at most
// maxString (Christiaens and Vanden Berghe 2020).
const (
	meanRemoved = 10
	maxString   = 10
	splitRate   = .5
)

// seedJob is a random job, preferably one that is served.
func (s *search) seedJob() int32 {
	j := int32(s.rng.IntN(int(s.n)))
	if s.inBank[j] && len(s.bank) < int(s.n) {
		for s.inBank[j] {
			j = int32(s.rng.IntN(int(s.n)))
		}
	}
	return j
}

// target is how many jobs a removal should take.
func (s *search) target() int {
	return min(int(s.n), 1+s.rng.IntN(2*meanRemoved-1))
}

// pickStrings removes strings of neighbouring visits from neighbouring routes.
func (s *search) pickStrings() {
	served, busy := 0, 0
	for _, r := range s.routes {
		if len(r.visits) > 0 {
			busy++
			served += len(r.visits)
		}
	}
	if busy == 0 {
		return
	}
	longest := math.Min(maxString, float64(served)/float64(busy))
	strings := int(1 + s.rng.Float64()*(4*meanRemoved/(1+longest)-1))
	seed := s.seedJob()
	s.cut(seed, longest)
	strings--
	for _, j := range s.near[seed] {
		if strings <= 0 {
			break
		}
		if s.cut(j, longest) {
			strings--
		}
	}
	for _, shift := range s.affected {
		s.visited[shift] = false
	}
	s.affected = s.affected[:0]
}

// cut picks a string of visits around job j unless its route was cut before.
func (s *search) cut(j int32, longest float64) bool {
	shifts := s.shifts(j)
	if len(shifts) == 0 || s.out[j] || s.visited[shifts[0]] {
		return false
	}
	shift := shifts[0]
	s.visited[shift] = true
	s.affected = append(s.affected, shift)
	visits := s.routes[shift].visits
	size := int(1 + s.rng.Float64()*math.Min(float64(len(visits)), longest))
	size = min(size, len(visits))
	kept := 0
	if size > 1 && s.rng.Float64() < splitRate {
		for kept = 1; size+kept < len(visits) && s.rng.Float64() > .5; kept++ {
		}
		kept = min(kept, len(visits)-size)
	}
	at := slices.Index(visits, j)
	first := max(0, at-size-kept+1)
	first += s.rng.IntN(min(at, len(visits)-size-kept) - first + 1)
	hole := first + size/2
	if at >= hole && at < hole+kept {
		kept = 0
	}
	for i := first; i < first+size+kept; i++ {
		if k := visits[i]; k < s.n && (i < hole || i >= hole+kept) {
			s.pick(k)
		}
	}
	return true
}

// pickRelated removes jobs near each other in travel and time (Shaw 1998).
func (s *search) pickRelated() {
	target := s.target()
	s.pick(s.seedJob())
	for tries := 0; len(s.removed) < target && tries < 4*target; tries++ {
		from := s.seedJob()
		if len(s.removed) > 0 {
			from = s.removed[s.rng.IntN(len(s.removed))]
		}
		if near := s.near[from]; len(near) > 0 {
			s.pick(near[s.biased(len(near), 6)])
		}
	}
}

// biased is an index below n; the greater the power, the smaller it tends to
// be.
func (s *search) biased(n int, power float64) int {
	return int(math.Pow(s.rng.Float64(), power) * float64(n))
}

func (s *search) pickRandom() {
	for target := s.target(); len(s.removed) < target && len(s.removed)+len(s.bank) < int(s.n); {
		s.pick(s.seedJob())
	}
}

// pickWorst removes jobs whose absence saves most. In large solutions it looks
// at a random sample of the routes.
func (s *search) pickWorst() {
	s.order, s.keys = s.order[:0], s.keys[:0]
	rate := 60 / float64(len(s.routes))
	for _, r := range s.routes {
		if len(r.visits) == 0 || s.rng.Float64() > rate {
			continue
		}
		for i, j := range r.visits {
			if j >= s.n {
				continue
			}
			if cost, ok := s.total(r.head[i], r, i+1); ok {
				if len(r.visits) == 1 {
					cost = 0
				}
				s.order = append(s.order, j)
				s.keys = append(s.keys, r.cost-cost)
			}
		}
	}
	for target := s.target(); len(s.removed) < target && len(s.order) > 0; {
		k := s.rankFromTop(s.biased(len(s.order), 4))
		s.pick(s.order[k])
		last := len(s.order) - 1
		s.order[k], s.keys[k] = s.order[last], s.keys[last]
		s.order, s.keys = s.order[:last], s.keys[:last]
	}
}

// rankFromTop returns the index of the key with the given rank from the
// greatest, approximately: the greatest of a sample.
func (s *search) rankFromTop(rank int) int {
	sample := max(1, len(s.keys)/(rank+1))
	best := s.rng.IntN(len(s.keys))
	for range sample {
		if k := s.rng.IntN(len(s.keys)); s.keys[k] > s.keys[best] {
			best = k
		}
	}
	return best
}

// pickRoutes empties one to three routes near each other.
func (s *search) pickRoutes() {
	seed := s.seedJob()
	count := 1 + s.rng.IntN(3)
	s.pickRouteOf(seed)
	for _, j := range s.near[seed] {
		if count--; count <= 0 || len(s.removed) > 3*meanRemoved {
			break
		}
		s.pickRouteOf(j)
	}
}

func (s *search) pickRouteOf(j int32) {
	for _, shift := range s.shifts(j) {
		for _, k := range s.routes[shift].visits {
			if k < s.n {
				s.pick(k)
			}
		}
	}
}

// pickTime removes jobs whose windows lie around one moment.
func (s *search) pickTime() {
	seed := s.seedJob()
	middle := (s.stops[seed].from + s.stops[seed].to) / 2
	s.pickClosest(func(j int32) float64 {
		return math.Abs((s.stops[j].from+s.stops[j].to)/2-middle) + s.travel(s.node[seed], s.node[j])/4
	})
}

// pickSkill removes jobs that the same shifts may do: they compete for them.
func (s *search) pickSkill() {
	seed := s.seedJob()
	s.pickClosest(func(j int32) float64 {
		return math.Abs(float64(len(s.Jobs[j].Shifts)-len(s.Jobs[seed].Shifts))) + s.travel(s.node[seed], s.node[j])*.02
	})
}

// pickClosest removes the jobs of least key among a sample, with noise.
func (s *search) pickClosest(key func(int32) float64) {
	s.order, s.keys = s.order[:0], s.keys[:0]
	sample := min(int(s.n), 400)
	for range sample {
		j := s.seedJob()
		s.order = append(s.order, j)
		s.keys = append(s.keys, -key(j)*(.8+.4*s.rng.Float64()))
	}
	for target := s.target(); len(s.removed) < target && len(s.order) > 0; {
		best := 0
		for k := range s.keys {
			if s.keys[k] > s.keys[best] {
				best = k
			}
		}
		s.pick(s.order[best])
		last := len(s.order) - 1
		s.order[best], s.keys[best] = s.order[last], s.keys[last]
		s.order, s.keys = s.order[:last], s.keys[:last]
	}
}
