package router

import (
	"math"
	"slices"
)

// resume makes a plan the current solution: whole when it holds, otherwise
// route by route without the visits that do not fit. Jobs that are left out
// stay in the bank.
func (s *search) resume(plan *Plan) {
	b := s.snapshotOf(plan)
	if s.holds(b) && s.load(b) {
		return
	}
	s.clear()
	for j := range b.frozen {
		b.frozen[j] = math.NaN()
	}
	s.beginMove()
	for shift, visits := range b.visits {
		for _, j := range visits {
			s.append(int32(shift), j)
		}
	}
	s.keep()
}

// snapshotOf lists the visits of a plan, without what is out of range.
func (s *search) snapshotOf(plan *Plan) *snapshot {
	b := &snapshot{visits: make([][]int32, len(s.Shifts)), frozen: make([]float64, s.n)}
	for j := range b.frozen {
		b.frozen[j] = math.NaN()
	}
	for _, r := range plan.Routes {
		if r.Shift < 0 || r.Shift >= len(s.Shifts) {
			continue
		}
		for _, v := range r.Visits {
			switch {
			case v.Job >= 0 && v.Job < int(s.n):
				b.visits[r.Shift] = append(b.visits[r.Shift], int32(v.Job))
				if s.linked[v.Job] {
					b.frozen[v.Job] = v.Start
				}
			case v.Job == -1 && s.Depot != nil && !slices.Contains(b.visits[r.Shift], s.n):
				b.visits[r.Shift] = append(b.visits[r.Shift], s.n)
			}
		}
	}
	return b
}

// holds checks what rebuilding the routes does not: who may do what, crews,
// and the starts of linked jobs.
func (s *search) holds(b *snapshot) bool {
	crews := make([][]int32, s.n)
	for shift, visits := range b.visits {
		for _, j := range visits {
			if j == s.n {
				continue
			}
			if !s.may(j, int32(shift)) {
				return false
			}
			for _, other := range crews[j] {
				if s.Shifts[other].Technician == s.Shifts[shift].Technician {
					return false
				}
			}
			crews[j] = append(crews[j], int32(shift))
		}
	}
	for j := range s.Jobs {
		if len(crews[j]) > 0 && !s.complete(int32(j), crews, b.frozen) {
			return false
		}
	}
	return true
}

// complete says whether the crew of a served job is whole and, when the job is
// linked, whether its start is allowed.
func (s *search) complete(j int32, crews [][]int32, frozen []float64) bool {
	job := &s.Jobs[j]
	if len(crews[j]) != job.Crew {
		return false
	}
	if len(job.Lead) > 0 && !slices.ContainsFunc(crews[j], func(k int32) bool { return slices.Contains(job.Lead, k) }) {
		return false
	}
	if !s.linked[j] {
		return true
	}
	if t := s.start(j, frozen[j]); !(math.Abs(t-frozen[j]) <= slack) {
		return false
	}
	for _, k := range s.after[j] {
		if len(crews[k]) == 0 || frozen[k]+s.stops[k].dur > frozen[j]+slack {
			return false
		}
	}
	return true
}

// append puts a job behind the last visit of a shift when it fits there.
func (s *search) append(shift, j int32) {
	r := s.touch(shift)
	if j == s.n {
		if r.depot < 0 {
			s.tryVisit(r, j)
		}
		return
	}
	if s.linked[j] || !s.inBank[j] || !s.may(j, shift) {
		return
	}
	if s.tryVisit(r, j) {
		s.served(j, shift)
	}
}

// tryVisit appends a visit and takes it back when the route cannot be run.
func (s *search) tryVisit(r *route, j int32) bool {
	before := r.cost
	r.visits = append(r.visits, j)
	if s.rebuild(r) {
		s.cost += r.cost - before
		return true
	}
	r.visits = r.visits[:len(r.visits)-1]
	s.rebuild(r)
	return false
}
