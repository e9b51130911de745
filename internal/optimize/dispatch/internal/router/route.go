package router

import (
	"math"
	"slices"
)

// head sums up a route's first visits. For working time (Duration) it is the
// segment of Vidal et al. (2013): least duration d, and the span e … l of
// departures that achieve it. Otherwise d is the cost so far and e the time at
// which the last visit ends. node is where the technician stands.
type head struct {
	d, e, l float64
	node    int32
}

// tail sums up a route's last visits. For working time it is a segment;
// otherwise l is the latest start of the first of them that keeps all in
// time. node is where it begins.
type tail struct {
	d, e, l float64
	node    int32
}

// route is the work of one shift with what insertion tests need.
type route struct {
	shift   int32
	depot   int32 // position of the depot, −1 for none
	visits  []int32
	head    []head    // head[i]: the first i visits
	tail    []tail    // tail[i]: from visit i on
	begin   []float64 // start of each visit, then the arrival home (not for working time)
	left    []int32   // parts not used before the depot
	cost    float64
	version uint64
	errand  errand
}

// evaluator is one thread's place to evaluate routes in.
type evaluator struct {
	*model
	frozen  []float64 // start of each linked job that is placed, NaN otherwise
	version uint64
	left    []int32 // scratch
	work    int64   // extensions of routes and places looked at so far
}

func newEvaluator(m *model) *evaluator {
	e := &evaluator{model: m, frozen: make([]float64, m.n)}
	for j := range e.frozen {
		e.frozen[j] = math.NaN()
	}
	return e
}

// origin is the head of an empty route.
func (e *evaluator) origin(shift int32) head {
	s := &e.Shifts[shift]
	if e.Duration {
		return head{e: s.Open, l: s.Close, node: int32(s.From)}
	}
	return head{e: s.Open, node: int32(s.From)}
}

// extend appends a visit to a head.
func (e *evaluator) extend(h head, j, shift int32) (head, bool) {
	e.work++
	travel := e.travel(h.node, e.node[j])
	if e.Duration {
		s := &e.stops[j]
		return join(h, tail{d: s.dur, e: s.from, l: s.to}, travel, e.node[j])
	}
	begin := e.begins(j, h.e+travel)
	if math.IsInf(begin, 1) {
		return h, false
	}
	h.d += travel*e.Shifts[shift].TravelRate + e.late(j, begin) + e.moved(j, shift)
	h.e, h.node = begin+e.stops[j].dur, e.node[j]
	return h, true
}

// begins is when job j starts for someone who arrives at t.
func (e *evaluator) begins(j int32, t float64) float64 {
	if e.linked[j] && !math.IsNaN(e.frozen[j]) {
		if t > e.frozen[j]+slack {
			return math.Inf(1)
		}
		return e.frozen[j]
	}
	return e.start(j, t)
}

func (e *evaluator) late(j int32, begin float64) float64 {
	if j == e.n {
		return 0
	}
	job := &e.Jobs[j]
	return job.LateRate / float64(job.Crew) * math.Max(0, begin-job.Due)
}

func (e *evaluator) moved(j, shift int32) float64 {
	if j == e.n {
		return 0
	}
	job := &e.Jobs[j]
	if len(job.Published) == 0 || slices.Contains(job.Published, shift) {
		return 0
	}
	return job.Move / float64(job.Crew)
}

// join concatenates two segments (Vidal et al. 2013, without time warp).
func join(h head, t tail, travel float64, node int32) (head, bool) {
	reach := h.d + travel
	if h.e+reach > t.l+slack {
		return h, false
	}
	out := head{d: reach + t.d, e: h.e, l: h.l, node: node}
	if e := t.e - reach; e > h.e {
		out.e = e
		if e > h.l { // waiting between the two
			out.d += e - h.l
			out.e = h.l
		}
	}
	if l := t.l - reach; l < h.l {
		out.l = l
	}
	return out, true
}

// total is the cost of a route that continues after h with the visits of r
// from i on, home included.
func (e *evaluator) total(h head, r *route, i int) (float64, bool) {
	t := &r.tail[i]
	travel := e.travel(h.node, t.node)
	if e.Duration {
		reach := h.d + travel
		if h.e+reach > t.l+slack {
			return 0, false
		}
		if wait := t.e - reach - h.l; wait > 0 {
			return reach + t.d + wait, true
		}
		return reach + t.d, true
	}
	return e.follow(h, r, i, travel)
}

// follow pushes the later visits of r to their new starts until one keeps its
// old start; from there on the old costs hold.
func (e *evaluator) follow(h head, r *route, i int, travel float64) (float64, bool) {
	s := &e.Shifts[r.shift]
	for k := i; k < len(r.visits); k++ {
		j := r.visits[k]
		begin := e.begins(j, h.e+travel)
		if begin > r.tail[k].l+slack {
			return 0, false
		}
		h.d += travel*s.TravelRate + e.late(j, begin) + e.moved(j, r.shift)
		if begin == r.begin[k] {
			return h.d + r.cost - r.head[k+1].d, true
		}
		h.e, h.node = begin+e.stops[j].dur, e.node[j]
		travel = e.travel(h.node, r.tail[k+1].node)
	}
	end := h.e + travel
	if end > s.Close+slack {
		return 0, false
	}
	return h.d + travel*s.TravelRate + s.OvertimeRate*math.Max(0, end-s.Regular), true
}

// rebuild recomputes heads, tails, parts and cost; it returns false when the
// route cannot be run.
func (e *evaluator) rebuild(r *route) bool {
	e.version++
	r.version, r.depot = e.version, -1
	r.left = append(r.left[:0], e.Shifts[r.shift].Parts...)
	for i, j := range r.visits {
		if j == e.n {
			r.depot = int32(i)
			break
		}
		if !e.carries(j, r.shift, r.left) {
			return false
		}
		e.take(j, r.left)
	}
	return e.measure(r)
}

// measure recomputes heads, tails and cost without a look at tools and parts.
func (e *evaluator) measure(r *route) bool {
	n := len(r.visits)
	r.cost = 0
	r.head, r.tail = grow(r.head, n+1), grow(r.tail, n+1)
	r.head[0] = e.origin(r.shift)
	for i, j := range r.visits {
		var ok bool
		if r.head[i+1], ok = e.extend(r.head[i], j, r.shift); !ok {
			return false
		}
	}
	if e.Duration {
		return e.closeDuration(r)
	}
	return e.closeEarliest(r)
}

func (e *evaluator) closeDuration(r *route) bool {
	s, n := &e.Shifts[r.shift], len(r.visits)
	r.tail[n] = tail{0, s.Open, s.Close, int32(s.To)}
	for i := n - 1; i >= 0; i-- {
		j := r.visits[i]
		h, ok := join(head{d: e.stops[j].dur, e: e.stops[j].from, l: e.stops[j].to}, r.tail[i+1], e.travel(e.node[j], r.tail[i+1].node), 0)
		if !ok {
			return false
		}
		r.tail[i] = tail{h.d, h.e, h.l, e.node[j]}
	}
	if n == 0 {
		r.cost = 0
		return true
	}
	var ok bool
	r.cost, ok = e.total(r.head[n], r, n)
	return ok
}

func (e *evaluator) closeEarliest(r *route) bool {
	s, n := &e.Shifts[r.shift], len(r.visits)
	r.begin = grow(r.begin, n)
	for i, j := range r.visits {
		r.begin[i] = e.begins(j, r.head[i].e+e.travel(r.head[i].node, e.node[j]))
	}
	latest := s.Close
	r.tail[n] = tail{l: s.Close, node: int32(s.To)}
	for i := n - 1; i >= 0; i-- {
		j := r.visits[i]
		latest -= e.travel(e.node[j], r.tail[i+1].node) + e.stops[j].dur
		if e.linked[j] && !math.IsNaN(e.frozen[j]) {
			if latest < e.frozen[j]-slack {
				return false
			}
			latest = e.frozen[j]
		} else {
			latest = e.latest(j, latest)
		}
		if r.begin[i] > latest+slack {
			return false
		}
		r.tail[i] = tail{l: latest, node: e.node[j]}
	}
	if n == 0 {
		r.cost = 0
		return true
	}
	var ok bool
	r.cost, ok = e.total(r.head[n], r, n)
	return ok
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 2*n)
	}
	return s[:n]
}

// copyFrom makes r a copy of o.
func (r *route) copyFrom(o *route) {
	r.shift, r.depot, r.cost, r.version = o.shift, o.depot, o.cost, o.version
	r.visits = append(r.visits[:0], o.visits...)
	r.head = append(r.head[:0], o.head...)
	r.tail = append(r.tail[:0], o.tail...)
	r.begin = append(r.begin[:0], o.begin...)
	r.left = append(r.left[:0], o.left...)
}
