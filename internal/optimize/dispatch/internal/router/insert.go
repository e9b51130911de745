package router

import (
	"math"
	"slices"
)

// place is where a job goes into a route: before position at, for delta more
// cost. When depot is at least 0, the route's visit to the depot is taken out
// first and a new one is put before position depot of what remains; at counts
// that visit.
type place struct {
	delta     float64
	at, depot int32
}

var nowhere = place{delta: math.Inf(1), at: -1, depot: -1}

// best returns the cheapest place for job j in route r.
func (e *evaluator) best(j int32, r *route) place {
	if e.carries(j, r.shift, r.left) {
		cost, at := e.scan(j, r.head, r, 0)
		return place{cost - r.cost, at, -1}
	}
	out := nowhere
	if e.Depot == nil {
		return out
	}
	if r.depot >= 0 {
		cost, at := e.scan(j, r.head, r, int(r.depot)+1)
		out = place{cost - r.cost, at, -1}
	}
	if p := e.viaDepot(j, r); p.delta < out.delta {
		out = p
	}
	return out
}

// scan tries job j behind each of the heads of a route from position i on and
// returns the least cost of the route with it, and where.
func (e *evaluator) scan(j int32, heads []head, r *route, i int) (float64, int32) {
	if e.Duration {
		return e.scanDuration(j, heads, r, i)
	}
	best, at := math.Inf(1), int32(-1)
	for ; i < len(heads); i++ {
		if heads[i].e > e.stops[j].to+slack {
			break // later positions are only later
		}
		h, ok := e.extend(heads[i], j, r.shift)
		if !ok {
			continue
		}
		if cost, ok := e.total(h, r, i); ok && cost < best {
			best, at = cost, int32(i)
		}
	}
	return best, at
}

// scanDuration is scan for working time, written out because it is where the
// search spends its time.
func (e *evaluator) scanDuration(j int32, heads []head, r *route, i int) (float64, int32) {
	s, base := e.stops[j], int(e.node[j])*e.Nodes
	to, from := e.back[base:base+e.Nodes], e.Travel[base:base+e.Nodes]
	best, at := math.Inf(1), int32(-1)
	for ; i < len(heads); i++ {
		h, t := &heads[i], &r.tail[i]
		reach := h.d + to[h.node]
		if h.e+reach > s.to+slack {
			if h.e+h.d > s.to+slack {
				break // later positions are only later
			}
			continue
		}
		d, first, last := reach+s.dur, h.e, h.l
		if x := s.from - reach; x > first {
			first = x
			if x > last {
				d += x - last
				first = last
			}
		}
		if x := s.to - reach; x < last {
			last = x
		}
		d += from[t.node]
		if first+d > t.l+slack {
			continue
		}
		cost := d + t.d
		if wait := t.e - d - last; wait > 0 {
			cost += wait
		}
		if cost < best {
			best, at = cost, int32(i)
		}
	}
	return best, at
}

// ends is the earliest time at which a head is done.
func (e *evaluator) ends(h *head) float64 {
	if e.Duration {
		return h.e + h.d
	}
	return h.e
}

// errand holds the heads of a route with a visit to the depot that the route
// itself does not make there: direct[i] goes to the depot right behind the
// first i visits, early[i] at the position up to i where the visit costs
// least. Positions stop where the technician needs the depot anyway.
type errand struct {
	version       uint64 // of the route
	bare          *route // the route without its depot; nil when it has none
	direct, early []head
	at            []int32 // position of the depot in early
}

// errand returns the errands of a route, which are worked out when first asked
// for.
func (e *evaluator) errand(r *route) (*errand, *route) {
	d := &r.errand
	base := r
	if r.depot >= 0 {
		if d.bare == nil {
			d.bare = &route{}
		}
		base = d.bare
	}
	if d.version == r.version {
		return d, base
	}
	d.version = r.version
	d.direct, d.early, d.at = d.direct[:0], d.early[:0], d.at[:0]
	if r.depot >= 0 {
		base.shift = r.shift
		base.visits = append(append(base.visits[:0], r.visits[:r.depot]...), r.visits[r.depot+1:]...)
		if !e.measure(base) {
			return d, base
		}
	}
	e.runErrands(d, base)
	return d, base
}

func (e *evaluator) runErrands(d *errand, base *route) {
	e.left = append(e.left[:0], e.Shifts[base.shift].Parts...)
	least, where, here := math.Inf(1), int32(-1), head{}
	for q := 0; q <= len(base.visits); q++ {
		if q > 0 {
			k := base.visits[q-1]
			if !e.carries(k, base.shift, e.left) {
				return
			}
			e.take(k, e.left)
			var ok bool
			if here, ok = e.extend(here, k, base.shift); !ok {
				least = math.Inf(1)
			}
		}
		h, ok := e.extend(base.head[q], e.n, base.shift)
		if !ok {
			return
		}
		cost, ok := e.total(h, base, q)
		if where < 0 || math.IsInf(least, 1) || (ok && cost < least) {
			least, where, here = cost, int32(q), h
			if !ok {
				least = math.Inf(1)
			}
		}
		d.direct, d.early, d.at = append(d.direct, h), append(d.early, here), append(d.at, where)
	}
}

// viaDepot looks for the cheapest place behind a new visit to the depot,
// without the visit that the route may have.
func (e *evaluator) viaDepot(j int32, r *route) place {
	d, base := e.errand(r)
	out := nowhere
	if cost, at := e.scan(j, d.direct, base, 0); at >= 0 {
		out = place{cost - r.cost, at + 1, at}
	}
	if cost, at := e.scan(j, d.early, base, 0); at >= 0 && cost-r.cost < out.delta {
		out = place{cost - r.cost, at + 1, d.at[at]}
	}
	return out
}

// insert puts a job into a route where best said.
func (e *evaluator) insert(j int32, r *route, p place) bool {
	if p.depot >= 0 {
		if r.depot >= 0 {
			r.visits = slices.Delete(r.visits, int(r.depot), int(r.depot)+1)
		}
		r.visits = slices.Insert(r.visits, int(p.depot), e.n)
	}
	r.visits = slices.Insert(r.visits, int(p.at), j)
	return e.rebuild(r)
}

// tidy rebuilds a route after visits have left it: a depot visit that is no
// longer needed goes, another moves to its best position. When leaving a visit
// out made the rest impossible (travel times need not obey the triangle
// inequality), it returns false.
func (e *evaluator) tidy(r *route) bool {
	at := slices.Index(r.visits, e.n)
	if at < 0 || e.Depot == nil {
		return e.rebuild(r)
	}
	r.visits = slices.Delete(r.visits, at, at+1)
	if e.rebuild(r) {
		return true
	}
	base := append([]int32(nil), r.visits...)
	best, where := math.Inf(1), -1
	for q := 0; q <= len(base); q++ {
		r.visits = slices.Insert(append(r.visits[:0], base...), q, e.n)
		if e.rebuild(r) && r.cost < best {
			best, where = r.cost, q
		}
	}
	if where < 0 {
		return false
	}
	r.visits = slices.Insert(append(r.visits[:0], base...), where, e.n)
	return e.rebuild(r)
}
