package router

import (
	"cmp"
	"math"
	"slices"
)

// Offer is the cheapest place of a job with one technician, or of a crew: Delta
// is what the plan costs more with it, without the cost of leaving the job out.
type Offer struct {
	Shifts []int32
	Start  float64
	Delta  float64
	// Return is the arrival home of the first shift with the job (not for
	// working time).
	Return float64
}

// Advisor answers where a job would go in a plan that otherwise stays.
type Advisor struct{ s *search }

// NewAdvisor loads a plan; visits that do not fit are left out.
func NewAdvisor(p *Problem, plan Plan) (*Advisor, error) {
	m, err := newModel(p)
	if err != nil {
		return nil, err
	}
	a := &Advisor{newSearch(m, 1)}
	a.s.blink = 0
	a.s.resume(&plan)
	return a, nil
}

// Without calls f while job j, if it is served, is out of the plan. It returns
// what the plan costs less without it, its cost of being left out not counted.
func (a *Advisor) Without(j int, f func()) float64 {
	s := a.s
	s.beginMove()
	s.removed = s.removed[:0]
	if !s.inBank[j] {
		s.out[j] = true
		s.removed = append(s.removed, int32(j))
		s.detach()
	}
	saved := s.oldCost - s.cost
	if len(s.removed) > 0 {
		saved += s.Jobs[j].Unserved
	}
	f()
	s.rollback()
	return saved
}

// Offers lists the cheapest place of a job per technician, cheapest first; for
// a job that needs a crew or an order, the cheapest crew. The job must be
// unserved, or out by Without.
func (a *Advisor) Offers(job int) []Offer {
	s, j := a.s, int32(job)
	if s.linked[j] {
		cost, crew, at := s.bestCrew(j)
		if crew == nil {
			return nil
		}
		return []Offer{{Shifts: crew, Start: at, Delta: cost}}
	}
	var list []Offer
	index := map[int]int{} // offer by technician
	places := []place{}
	for _, shift := range s.Jobs[j].Shifts {
		p := s.best(j, s.routes[shift])
		if math.IsInf(p.delta, 1) {
			continue
		}
		k, known := index[s.Shifts[shift].Technician]
		if !known {
			k = len(list)
			index[s.Shifts[shift].Technician] = k
			list, places = append(list, Offer{Delta: math.Inf(1)}), append(places, nowhere)
		}
		if p.delta < list[k].Delta {
			list[k], places[k] = Offer{Shifts: []int32{shift}, Delta: p.delta}, p
		}
	}
	for k := range list {
		list[k].Start, list[k].Return = s.startAt(j, list[k].Shifts[0], places[k])
	}
	slices.SortStableFunc(list, func(x, y Offer) int { return cmp.Compare(x.Delta, y.Delta) })
	return list
}

// startAt is when a job starts, and the technician is home, if the job is put
// at a place.
func (s *search) startAt(j, shift int32, p place) (start, home float64) {
	r := &route{}
	r.copyFrom(s.routes[shift])
	s.insert(j, r, p)
	at := slices.Index(r.visits, j)
	last := &r.head[len(r.visits)]
	home = s.ends(last) + s.travel(last.node, int32(s.Shifts[shift].To))
	if s.Duration {
		return s.ends(&r.head[at+1]) - s.stops[j].dur, home
	}
	return r.begin[at], home
}

// Home is when the technician of a shift is home, at the earliest.
func (a *Advisor) Home(shift int) float64 {
	r := a.s.routes[shift]
	h := &r.head[len(r.visits)]
	return a.s.ends(h) + a.s.travel(h.node, int32(a.s.Shifts[shift].To))
}
