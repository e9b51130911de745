package dispatch

import (
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// maxArcs bounds the exact model: an arc is one way of one shift between two
// stops.
const maxArcs = 400000

// programme builds the exact model: per shift a path over the jobs it may do
// and the store, starts that follow the path, one crew per served job, and
// tools and parts up to the visit to the store. Jobs of no duration at one site
// could follow each other in a circle; then the model is a relaxation.
type programme struct {
	*compiled
	m      *mip.Model
	served []int        // column per job: 1 when served
	start  []int        // column per job
	visits [][]mip.Term // per job: one term per shift that may do it
	leads  [][]mip.Term
	owners []map[int][]mip.Term // per job and technician
}

// model states the problem as a mixed-integer program.
func (c *compiled) model() (*mip.Model, error) {
	arcs := 0
	jobsOf := make([][]int, len(c.shifts))
	for k := range c.problem.Jobs {
		for _, s := range c.problem.Jobs[k].Shifts {
			jobsOf[s] = append(jobsOf[s], k)
		}
	}
	for _, jobs := range jobsOf {
		arcs += (len(jobs) + 2) * (len(jobs) + 2)
	}
	if arcs > maxArcs {
		return nil, optimize.Invalid("jobs", fmt.Sprintf("the exact model would have %d arcs, at most %d", arcs, maxArcs))
	}
	n := len(c.problem.Jobs)
	p := &programme{
		compiled: c, m: mip.New("workforce dispatch"), served: make([]int, n), start: make([]int, n),
		visits: make([][]mip.Term, n), leads: make([][]mip.Term, n), owners: make([]map[int][]mip.Term, n),
	}
	for k := range c.problem.Jobs {
		p.addJob(k)
	}
	for s, jobs := range jobsOf {
		p.addShift(s, jobs)
	}
	for k := range c.problem.Jobs {
		p.crewRows(k)
		p.orderRows(k)
	}
	return p.m, nil
}

// addJob adds whether a job is served, its start, windows and lateness.
func (p *programme) addJob(k int) {
	job, plain := &p.problem.Jobs[k], p.weights.Unserved*p.in.unserved(k)
	pin, pinned := p.pins[p.in.Jobs[k].ID]
	lower, upper := 0.0, 1.0
	if pinned && !pin.Unserved {
		lower = 1
	}
	if len(p.windows[k]) == 0 || pin.Unserved {
		upper = 0
	}
	p.m.Offset += plain
	p.served[k] = p.m.Column(-plain, lower, math.Max(lower, upper), true)
	if upper < lower { // no window for a pinned job: nothing is feasible
		p.m.Row(-1, 0, mip.Term{Column: p.served[k], Value: 1})
	}
	from, to := job.Windows[0].From, job.Windows[len(job.Windows)-1].To
	p.start[k] = p.m.Column(0, from, to, false)
	if len(job.Windows) > 1 {
		p.windowRows(k, job.Windows)
	}
	if job.LateRate > 0 && to > job.Due {
		late := p.m.Column(job.LateRate, 0, math.Inf(1), false)
		big := to - job.Due // late ≥ start − due − big·(1 − served)
		p.m.Row(-job.Due-big, math.Inf(1), mip.Term{Column: late, Value: 1}, mip.Term{Column: p.start[k], Value: -1}, mip.Term{Column: p.served[k], Value: -big})
	}
}

// windowRows puts the start into one of several windows.
func (p *programme) windowRows(k int, windows []router.Window) {
	one := make([]mip.Term, 0, len(windows))
	low, high := []mip.Term{{Column: p.start[k], Value: 1}}, []mip.Term{{Column: p.start[k], Value: 1}}
	for _, w := range windows {
		b := p.m.Binary(0)
		one = append(one, mip.Term{Column: b, Value: 1})
		low = append(low, mip.Term{Column: b, Value: -w.From})
		high = append(high, mip.Term{Column: b, Value: -w.To})
	}
	p.m.Row(1, 1, one...)
	p.m.Row(0, math.Inf(1), low...)
	p.m.Row(math.Inf(-1), 0, high...)
}

// tour is the path of one shift: stops are the jobs, then the store, then the
// base.
type tour struct {
	shift int
	jobs  []int
	store int // index of the store among the stops, −1 without one
	base  int
	into  [][]mip.Term
	outOf [][]mip.Term
	fetch int // column of the time at the store
	home  int // column of the arrival home
}

// addShift adds the path of one shift.
func (p *programme) addShift(s int, jobs []int) {
	if len(jobs) == 0 {
		return
	}
	t := &tour{shift: s, jobs: jobs, store: -1, base: len(jobs)}
	if p.problem.Depot != nil {
		t.store, t.base = len(jobs), len(jobs)+1
		t.fetch = p.m.Column(0, 0, p.problem.Shifts[s].Close, false)
	}
	t.into, t.outOf = make([][]mip.Term, t.base+1), make([][]mip.Term, t.base+1)
	sh := &p.problem.Shifts[s]
	t.home = p.m.Column(0, 0, sh.Close, false)
	over := p.m.Column(sh.OvertimeRate, 0, math.Inf(1), false)
	p.m.Row(-sh.Regular, math.Inf(1), mip.Term{Column: over, Value: 1}, mip.Term{Column: t.home, Value: -1})
	for a := range t.base + 1 {
		for b := range t.base + 1 {
			if a != b {
				p.addArc(t, a, b)
			}
		}
	}
	for a := range t.base {
		flow := append([]mip.Term{}, t.into[a]...)
		for _, x := range t.outOf[a] {
			flow = append(flow, mip.Term{Column: x.Column, Value: -1})
		}
		p.m.Row(0, 0, flow...)
		p.m.Row(math.Inf(-1), 1, t.into[a]...)
	}
	p.m.Row(math.Inf(-1), 1, t.outOf[t.base]...)
	p.gearRows(t)
}

// node is where a stop of a tour lies.
func (p *programme) node(t *tour, a int, leaving bool) int {
	sh := &p.problem.Shifts[t.shift]
	switch {
	case a < len(t.jobs):
		return p.problem.Jobs[t.jobs[a]].Node
	case a == t.store:
		return p.problem.Depot.Node
	case leaving:
		return sh.From
	default:
		return sh.To
	}
}

// clock is the column of a stop's start, its duration and the range of its
// start.
func (p *programme) clock(t *tour, a int) (column int, duration, from, to float64) {
	sh := &p.problem.Shifts[t.shift]
	switch {
	case a < len(t.jobs):
		job := &p.problem.Jobs[t.jobs[a]]
		return p.start[t.jobs[a]], job.Duration, job.Windows[0].From, job.Windows[len(job.Windows)-1].To
	case a == t.store:
		return t.fetch, 0, 0, sh.Close
	default:
		return t.home, 0, 0, sh.Close
	}
}

// addArc adds the way from stop a to stop b with its cost and its times.
func (p *programme) addArc(t *tour, a, b int) {
	sh := &p.problem.Shifts[t.shift]
	travel := p.problem.Travel[p.node(t, a, true)*p.problem.Nodes+p.node(t, b, false)]
	cost := travel * sh.TravelRate
	if b < len(t.jobs) {
		cost += p.change(t.jobs[b], int32(t.shift))
	}
	x := p.m.Binary(cost)
	t.outOf[a] = append(t.outOf[a], mip.Term{Column: x, Value: 1})
	t.into[b] = append(t.into[b], mip.Term{Column: x, Value: 1})
	column, _, from, _ := p.clock(t, b)
	if a == t.base { // start_b ≥ (open + travel)·x, as long as x asks for more than from
		if rise := sh.Open + travel - from; rise > 0 {
			p.m.Row(from, math.Inf(1), mip.Term{Column: column, Value: 1}, mip.Term{Column: x, Value: -rise})
		}
		return
	}
	before, duration, _, to := p.clock(t, a)
	big := to + duration + travel - from // start_b ≥ start_a + duration + travel − big·(1 − x)
	if big <= 0 {
		return
	}
	p.m.Row(duration+travel-big, math.Inf(1), mip.Term{Column: column, Value: 1}, mip.Term{Column: before, Value: -1}, mip.Term{Column: x, Value: -big})
}

// change is the cost of a job on a shift that the published plan does not give
// it.
func (p *programme) change(k int, shift int32) float64 {
	job := &p.problem.Jobs[k]
	if len(job.Published) == 0 {
		return 0
	}
	for _, s := range job.Published {
		if s == shift {
			return 0
		}
	}
	return job.Move / float64(job.Crew)
}

// gearRows enters the tour's visits and limits parts and tools before the
// store.
func (p *programme) gearRows(t *tour) {
	sh := &p.problem.Shifts[t.shift]
	stock := make([][]mip.Term, len(p.parts))
	for a, k := range t.jobs {
		job := &p.problem.Jobs[k]
		p.visits[k] = append(p.visits[k], t.into[a]...)
		if p.owners[k] == nil {
			p.owners[k] = map[int][]mip.Term{}
		}
		who := p.shifts[t.shift].technician
		p.owners[k][who] = append(p.owners[k][who], t.into[a]...)
		for _, lead := range job.Lead {
			if int(lead) == t.shift {
				p.leads[k] = append(p.leads[k], t.into[a]...)
			}
		}
		bare := t.into[a] // visits before the store
		lacking := job.Tools&^sh.Tools != 0
		if t.store >= 0 && (lacking || len(job.Parts) > 0) {
			bare = p.afterStore(t, a, lacking)
		}
		for part, units := range job.Parts {
			for _, x := range bare {
				stock[part] = append(stock[part], mip.Term{Column: x.Column, Value: float64(units)})
			}
		}
	}
	for part, terms := range stock {
		if len(terms) > 0 {
			p.m.Row(math.Inf(-1), float64(sh.Parts[part]), terms...)
		}
	}
}

// afterStore adds whether a job is visited before the store. When it is not,
// the store is visited and the job starts after it.
func (p *programme) afterStore(t *tour, a int, lacking bool) []mip.Term {
	upper := 1.0
	if lacking {
		upper = 0
	}
	bare := p.m.Column(0, 0, upper, true)
	fetched := []mip.Term{{Column: bare, Value: 1}} // bare + fetched ≥ visited
	fetched = append(fetched, t.into[t.store]...)
	column, _, from, _ := p.clock(t, a)
	big := p.problem.Shifts[t.shift].Close - from
	order := []mip.Term{{Column: column, Value: 1}, {Column: t.fetch, Value: -1}, {Column: bare, Value: big}}
	for _, x := range t.into[a] { // start ≥ fetch − big·(1 − visited + bare)
		fetched = append(fetched, mip.Term{Column: x.Column, Value: -1})
		order = append(order, mip.Term{Column: x.Column, Value: -big})
	}
	p.m.Row(0, math.Inf(1), fetched...)
	p.m.Row(-big, math.Inf(1), order...)
	return []mip.Term{{Column: bare, Value: 1}}
}

// crewRows gives a served job its whole crew of different technicians.
func (p *programme) crewRows(k int) {
	size := float64(p.problem.Jobs[k].Crew)
	p.m.Row(0, 0, append(append([]mip.Term{}, p.visits[k]...), mip.Term{Column: p.served[k], Value: -size})...)
	if size > 1 {
		for who := range p.in.Technicians {
			if terms := p.owners[k][who]; len(terms) > 0 {
				p.m.Row(math.Inf(-1), 1, terms...)
			}
		}
	}
	if len(p.problem.Jobs[k].Lead) > 0 {
		p.m.Row(0, math.Inf(1), append(append([]mip.Term{}, p.leads[k]...), mip.Term{Column: p.served[k], Value: -1})...)
	}
}

// orderRows lets the jobs that wait for job k start after its end, if at all.
func (p *programme) orderRows(k int) {
	job := &p.problem.Jobs[k]
	to := job.Windows[len(job.Windows)-1].To
	for _, b := range job.Before {
		p.m.Row(0, math.Inf(1), mip.Term{Column: p.served[k], Value: 1}, mip.Term{Column: p.served[b], Value: -1})
		big := math.Max(0, to+job.Duration-p.problem.Jobs[b].Windows[0].From)
		p.m.Row(job.Duration-big, math.Inf(1),
			mip.Term{Column: p.start[b], Value: 1}, mip.Term{Column: p.start[k], Value: -1}, mip.Term{Column: p.served[b], Value: -big})
	}
}
