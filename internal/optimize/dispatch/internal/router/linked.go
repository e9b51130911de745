package router

import (
	"math"
	"slices"
)

// A linked job needs several technicians at once, or has to wait for another
// job. Its start is chosen when it is placed and stays frozen while it is:
// then the rest of each route can move freely around it and no change in one
// route reaches into another.

// maxStarts is how many starts are tried for a linked job.
const maxStarts = 24

// linkedInOrder moves linked jobs to the front of missing, each behind the
// jobs that it waits for.
func (s *search) linkedInOrder() {
	any := false
	for _, j := range s.missing {
		any = any || s.linked[j]
	}
	if !any {
		return
	}
	slices.SortStableFunc(s.missing, func(a, b int32) int { return s.depth(a) - s.depth(b) })
}

// depth is 0 for a linked job that waits for none, more for those that wait,
// and large for jobs that are not linked.
func (s *search) depth(j int32) int {
	if !s.linked[j] {
		return math.MaxInt32
	}
	d := 0
	for _, k := range s.after[j] {
		d = max(d, s.depth(k)+1)
	}
	return d
}

// span is when a linked job may start, given the linked jobs in place.
func (s *search) span(j int32) (from, to float64) {
	from, to = s.stops[j].from, s.stops[j].to
	for _, k := range s.after[j] {
		if s.inBank[k] {
			return 0, math.Inf(-1)
		}
		from = math.Max(from, s.frozen[k]+s.stops[k].dur)
	}
	for _, k := range s.Jobs[j].Before {
		if !s.inBank[k] {
			to = math.Min(to, s.frozen[k]-s.stops[j].dur)
		}
	}
	return from, to
}

// serveLinked gives a linked job to the cheapest crew at the cheapest start
// when that pays.
func (s *search) serveLinked(j int32) {
	cost, crew, at := s.bestCrew(j)
	if crew == nil || cost >= s.worth(j) {
		return
	}
	s.freeze(j, at)
	for _, shift := range crew {
		s.put(j, shift, s.best(j, s.routes[shift]))
	}
	s.served(j, crew...)
}

// worth is what placing a linked job may cost: its own risk and, every other
// time, that of the jobs that wait for it and could follow.
func (s *search) worth(j int32) float64 {
	sum := s.Jobs[j].Unserved
	if len(s.Jobs[j].Before) > 0 && s.rng.IntN(2) == 0 {
		for _, k := range s.Jobs[j].Before {
			sum += s.worth(k)
		}
	}
	return sum
}

// bestCrew is the cheapest crew and start that were found for a linked job in
// the bank, nil when there is none.
func (s *search) bestCrew(j int32) (best float64, crew []int32, at float64) {
	best = math.Inf(1)
	from, to := s.span(j)
	if from > to+slack {
		return best, nil, 0
	}
	for _, t := range s.candidateStarts(j, from, to) {
		s.frozen[j] = t
		if cost, shifts := s.cheapestCrew(j); shifts != nil && cost < best {
			best, crew, at = cost, shifts, t
		}
	}
	s.frozen[j] = math.NaN()
	return best, crew, at
}

// cheapestCrew picks the cheapest technicians for a job whose start is frozen.
func (s *search) cheapestCrew(j int32) (float64, []int32) {
	size := s.Jobs[j].Crew
	type offer struct {
		shift int32
		delta float64
	}
	var offers []offer
	for _, shift := range s.Jobs[j].Shifts {
		sh := &s.Shifts[shift]
		if s.frozen[j] < sh.Open-slack || s.frozen[j]+s.stops[j].dur > sh.Close+slack || s.rng.Float64() < s.blink {
			continue
		}
		if p := s.best(j, s.routes[shift]); !math.IsInf(p.delta, 1) {
			offers = append(offers, offer{shift, p.delta})
		}
	}
	slices.SortStableFunc(offers, func(a, b offer) int {
		switch {
		case a.delta < b.delta:
			return -1
		case a.delta > b.delta:
			return 1
		default:
			return 0
		}
	})
	if lead := s.Jobs[j].Lead; len(lead) > 0 { // one of them comes first
		k := slices.IndexFunc(offers, func(o offer) bool { return slices.Contains(lead, o.shift) })
		if k < 0 {
			return 0, nil
		}
		first := offers[k]
		offers = slices.Insert(slices.Delete(offers, k, k+1), 0, first)
	}
	total, shifts := 0.0, make([]int32, 0, size)
	for _, o := range offers {
		if len(shifts) == size {
			break
		}
		taken := false
		for _, k := range shifts {
			taken = taken || s.Shifts[k].Technician == s.Shifts[o.shift].Technician
		}
		if !taken {
			shifts = append(shifts, o.shift)
			total += o.delta
		}
	}
	if len(shifts) < size {
		return 0, nil
	}
	return total, shifts
}

// candidateStarts samples the starts worth trying in from … to: openings of
// windows, the earliest arrivals of the technicians that may do the job, and
// a few random moments.
func (s *search) candidateStarts(j int32, from, to float64) []float64 {
	var list []float64
	offer := func(t float64) {
		if t = s.start(j, math.Max(t, from)); t <= to+slack {
			list = append(list, math.Min(t, to))
		}
	}
	offer(from)
	for _, w := range s.Jobs[j].Windows {
		offer(w.From)
	}
	shifts := s.Jobs[j].Shifts
	for range min(maxStarts/2, len(shifts)) {
		r := s.routes[shifts[s.rng.IntN(len(shifts))]]
		h := &r.head[s.rng.IntN(len(r.head))]
		offer(s.ends(h) + s.travel(h.node, s.node[j]))
	}
	for range 4 {
		offer(from + s.rng.Float64()*(to-from))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	for len(list) > maxStarts {
		k := s.rng.IntN(len(list))
		list = slices.Delete(list, k, k+1)
	}
	return list
}
