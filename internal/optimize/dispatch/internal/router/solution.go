package router

import (
	"math"
	"math/rand/v2"
	"slices"
)

// cached is the best place of a job in one version of a route.
type cached struct {
	place
	version uint64
}

// search is the state of one thread: the current solution, what the present
// move has changed of it, and the cache of insertions.
type search struct {
	*evaluator
	rng    *rand.Rand
	routes []*route
	crew   int     // the largest crew
	where  []int32 // crew shifts per job, −1 where none
	bank   []int32 // unserved jobs
	inBank []bool
	cost   float64
	blink  float64 // chance to overlook a route, which diversifies the search
	// cache has two slots per job and shift: one for the route as it stands,
	// one for the route as the present move has changed it.
	cache [][2]cached

	undo     []saved
	touched  []bool
	starts   []savedStart
	wheres   []savedWhere
	oldRows  []int32
	oldCost  float64
	oldBank  []int32
	free     []*route
	removed  []int32
	out      []bool // job is in removed
	missing  []int32
	visited  []bool // scratch per shift
	order    []int32
	keys     []float64
	marks    []bool // scratch per job
	choices  []choice
	affected []int32
}

type saved struct {
	shift int32
	old   *route
}

type savedStart struct {
	job int32
	old float64
}

type savedWhere struct {
	job, at int32 // the old row stands in oldRows from at on
}

func newSearch(m *model, seed uint64) *search {
	n, shifts := int(m.n), len(m.Shifts)
	s := &search{
		evaluator: newEvaluator(m), rng: rand.New(rand.NewPCG(seed, 0x5eed)), crew: 1, blink: blink, // #nosec G404 -- a search must repeat by its seed; nothing secret
		inBank: make([]bool, n), out: make([]bool, n), marks: make([]bool, n),
		touched: make([]bool, shifts), visited: make([]bool, shifts),
	}
	for j := range m.Jobs {
		s.crew = max(s.crew, m.Jobs[j].Crew)
	}
	s.where = make([]int32, n*s.crew)
	for k := range m.Shifts {
		r := &route{shift: int32(k)}
		s.rebuild(r)
		s.routes = append(s.routes, r)
	}
	s.clear()
	return s
}

// clear takes every job out.
func (s *search) clear() {
	for i := range s.where {
		s.where[i] = -1
	}
	for _, r := range s.routes {
		r.visits = r.visits[:0]
		s.rebuild(r)
	}
	s.bank, s.cost = s.bank[:0], 0
	for j := range s.n {
		s.frozen[j] = math.NaN()
		s.bank = append(s.bank, j)
		s.inBank[j] = true
		s.cost += s.Jobs[j].Unserved
	}
}

// shifts lists the shifts that serve job j.
func (s *search) shifts(j int32) []int32 {
	row := s.where[int(j)*s.crew : (int(j)+1)*s.crew]
	for k, shift := range row {
		if shift < 0 {
			return row[:k]
		}
	}
	return row
}

// beginMove opens a move that rollback can take back.
func (s *search) beginMove() {
	s.oldCost = s.cost
	s.oldBank = append(s.oldBank[:0], s.bank...)
}

// touch makes a route the move's own and returns it.
func (s *search) touch(shift int32) *route {
	if s.touched[shift] {
		return s.routes[shift]
	}
	s.touched[shift] = true
	var r *route
	if k := len(s.free); k > 0 {
		r, s.free = s.free[k-1], s.free[:k-1]
	} else {
		r = &route{}
	}
	r.copyFrom(s.routes[shift])
	s.undo = append(s.undo, saved{shift, s.routes[shift]})
	s.routes[shift] = r
	return r
}

// keep ends a move and leaves its changes.
func (s *search) keep() {
	for _, u := range s.undo {
		s.touched[u.shift] = false
		s.free = append(s.free, u.old)
	}
	s.undo, s.starts, s.wheres, s.oldRows = s.undo[:0], s.starts[:0], s.wheres[:0], s.oldRows[:0]
}

// rollback ends a move and undoes its changes.
func (s *search) rollback() {
	for _, u := range s.undo {
		s.touched[u.shift] = false
		s.free = append(s.free, s.routes[u.shift])
		s.routes[u.shift] = u.old
	}
	for k := len(s.starts) - 1; k >= 0; k-- {
		s.frozen[s.starts[k].job] = s.starts[k].old
	}
	for k := len(s.wheres) - 1; k >= 0; k-- {
		w := s.wheres[k]
		copy(s.where[int(w.job)*s.crew:], s.oldRows[w.at:int(w.at)+s.crew])
	}
	for _, j := range s.bank {
		s.inBank[j] = false
	}
	s.bank = append(s.bank[:0], s.oldBank...)
	for _, j := range s.bank {
		s.inBank[j] = true
	}
	s.cost = s.oldCost
	s.undo, s.starts, s.wheres, s.oldRows = s.undo[:0], s.starts[:0], s.wheres[:0], s.oldRows[:0]
}

func (s *search) freeze(j int32, t float64) {
	s.starts = append(s.starts, savedStart{j, s.frozen[j]})
	s.frozen[j] = t
}

func (s *search) setWhere(j int32, shifts ...int32) {
	row := s.where[int(j)*s.crew : (int(j)+1)*s.crew]
	s.wheres = append(s.wheres, savedWhere{j, int32(len(s.oldRows))})
	s.oldRows = append(s.oldRows, row...)
	for k := range row {
		row[k] = -1
	}
	copy(row, shifts)
}

// pick marks job j, and every job that must wait for it, for removal.
func (s *search) pick(j int32) {
	if s.out[j] || s.inBank[j] {
		return
	}
	s.out[j] = true
	s.removed = append(s.removed, j)
	for _, k := range s.Jobs[j].Before {
		s.pick(k)
	}
}

// detach takes the picked jobs out of their routes.
func (s *search) detach() {
	s.affected = s.affected[:0]
	done := 0
	for done < len(s.removed) {
		for ; done < len(s.removed); done++ {
			for _, shift := range s.shifts(s.removed[done]) {
				if !s.visited[shift] {
					s.visited[shift] = true
					s.affected = append(s.affected, shift)
				}
			}
		}
		for _, shift := range s.affected {
			if s.visited[shift] {
				s.visited[shift] = false
				s.strip(shift)
			}
		}
		s.affected = s.affected[:0]
	}
	for _, j := range s.removed {
		s.setWhere(j)
		if s.linked[j] {
			s.freeze(j, math.NaN())
		}
		s.cost += s.Jobs[j].Unserved
		s.bank = append(s.bank, j)
		s.inBank[j] = true
		s.out[j] = false
	}
}

// strip takes the picked jobs out of one route; when what remains cannot be
// run it is picked as well.
func (s *search) strip(shift int32) {
	r := s.touch(shift)
	s.cost -= r.cost
	r.visits = slices.DeleteFunc(r.visits, func(j int32) bool { return j < s.n && s.out[j] })
	if !s.tidy(r) {
		for _, j := range r.visits {
			if j < s.n {
				s.pick(j)
			}
		}
		r.visits = r.visits[:0]
		s.rebuild(r)
	}
	s.cost += r.cost
}

// place is the cheapest place of job j in the route of a shift.
func (s *search) place(j, shift int32) place {
	r := s.routes[shift]
	s.work++
	if s.linked[j] {
		return s.best(j, r)
	}
	c := &s.cache[int(j)*len(s.Shifts)+int(shift)]
	if c[0].version == r.version {
		return c[0].place
	}
	if c[1].version == r.version {
		return c[1].place
	}
	k := 0
	if s.touched[shift] {
		k = 1
	}
	if s.Duration { // its own scan does not extend routes
		s.work += int64(len(r.visits))
	}
	c[k] = cached{s.best(j, r), r.version}
	return c[k].place
}

// put inserts a job that is in the bank; the caller takes it out of there.
func (s *search) put(j, shift int32, p place) {
	r := s.touch(shift)
	s.cost -= r.cost
	s.insert(j, r, p)
	s.cost += r.cost
}

// served takes a job out of the bank.
func (s *search) served(j int32, shifts ...int32) {
	s.setWhere(j, shifts...)
	s.cost -= s.Jobs[j].Unserved
	s.inBank[j] = false
	if k := slices.Index(s.bank, j); k >= 0 {
		s.bank = slices.Delete(s.bank, k, k+1)
	}
}
