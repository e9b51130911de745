package dispatch

import (
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// pinPenalty makes serving a pinned job come before everything else.
const pinPenalty = 1e9

// shift is one piece of a technician's working time: a route.
type shift struct {
	technician int
	span       Span
	close      float64 // end with overtime
}

// compiled is an input in the router's terms.
type compiled struct {
	in      *Input
	weights Weights
	site    map[string]int
	shifts  []shift
	tools   map[string]int
	parts   map[string]int
	pins    map[string]Pin
	windows [][]Span  // open starts per job, pins included
	short   []float64 // shortest times plus 1 by pair of nodes, 0 when not yet known
	problem *router.Problem
}

func compile(in *Input) *compiled {
	c := &compiled{
		in: in, weights: in.Weights.values(), site: map[string]int{}, tools: map[string]int{}, parts: map[string]int{}, pins: map[string]Pin{},
		short: make([]float64, len(in.Sites)*len(in.Sites)), problem: &router.Problem{Nodes: len(in.Sites)},
	}
	for k, id := range in.Sites {
		c.site[id] = k
		c.problem.Travel = append(c.problem.Travel, in.Travel[k]...)
	}
	for _, p := range in.Pins {
		c.pins[p.JobID] = p
	}
	for k := range in.Jobs {
		for _, tool := range in.Jobs[k].Tools {
			number(c.tools, tool)
		}
		for _, stock := range in.Jobs[k].Parts {
			number(c.parts, stock.Part)
		}
	}
	if in.StoreSiteID != "" {
		c.problem.Depot = &router.Depot{Node: c.site[in.StoreSiteID], Window: router.Window{To: in.horizon() + minutesPerDay}}
	}
	c.addShifts()
	c.addJobs()
	return c
}

// number gives a name the next free index.
func number(index map[string]int, name string) {
	if _, known := index[name]; !known {
		index[name] = len(index)
	}
}

// addShifts cuts the absences out of each technician's shifts. Overtime ends
// where the next shift or an absence begins.
func (c *compiled) addShifts() {
	for k := range c.in.Technicians {
		t := &c.in.Technicians[k]
		var pieces []Span
		for _, s := range t.Shifts {
			pieces = append(pieces, without(s, t.Absences)...)
		}
		for n, p := range pieces {
			end := p.To + t.MaxOvertime
			if n+1 < len(pieces) {
				end = math.Min(end, pieces[n+1].From)
			}
			for _, a := range t.Absences {
				if a.From >= p.To {
					end = math.Min(end, a.From)
				}
			}
			c.shifts = append(c.shifts, shift{technician: k, span: p, close: end})
			c.problem.Shifts = append(c.problem.Shifts, c.routerShift(k, p, end))
		}
	}
}

func (c *compiled) routerShift(k int, p Span, end float64) router.Shift {
	t := &c.in.Technicians[k]
	s := router.Shift{
		Technician: k, From: c.site[t.SiteID], To: c.site[t.SiteID], Open: p.From, Regular: p.To, Close: end,
		TravelRate:   c.weights.Travel * t.CostPerHour / 60,
		OvertimeRate: c.weights.Overtime * t.CostPerHour * t.OvertimeFactor / 60,
		Tools:        c.toolSet(t.Tools), Parts: c.units(t.Parts),
	}
	return s
}

// toolSet keeps the tools that jobs ask for.
func (c *compiled) toolSet(list []string) uint64 {
	var set uint64
	for _, tool := range list {
		if k, wanted := c.tools[tool]; wanted {
			set |= 1 << k
		}
	}
	return set
}

func (c *compiled) units(list []Stock) []int32 {
	out := make([]int32, len(c.parts))
	for _, s := range list {
		if k, wanted := c.parts[s.Part]; wanted {
			out[k] = int32(min(int64(out[k])+int64(s.Units), math.MaxInt32))
		}
	}
	return out
}

func (c *compiled) addJobs() {
	index := c.in.jobIndex()
	c.problem.Jobs = make([]router.Job, len(c.in.Jobs))
	for k := range c.in.Jobs {
		c.windows = append(c.windows, c.in.open(k, c.pins))
		c.problem.Jobs[k] = c.routerJob(k)
	}
	for k := range c.in.Jobs {
		for _, id := range c.in.Jobs[k].After {
			before := &c.problem.Jobs[index[id]]
			if !slices.Contains(before.Before, int32(k)) {
				before.Before = append(before.Before, int32(k))
			}
		}
	}
	for id, shifts := range c.published() {
		job := &c.problem.Jobs[index[id]]
		job.Published, job.Move = shifts, c.weights.Stability*c.in.ChangeSAR
	}
}

func (c *compiled) routerJob(k int) router.Job {
	j := &c.in.Jobs[k]
	job := router.Job{
		Node: c.site[j.SiteID], Duration: j.Duration, Tools: c.toolSet(j.Tools), Crew: j.crew(),
		Unserved: c.weights.Unserved * c.in.unserved(k),
	}
	if len(j.Parts) > 0 {
		job.Parts = c.units(j.Parts)
	}
	if j.Due != nil {
		job.Due, job.LateRate = *j.Due, c.weights.Lateness*j.PrioritySAR/60
	}
	for _, w := range c.windows[k] {
		job.Windows = append(job.Windows, router.Window{From: w.From, To: w.To})
	}
	if len(job.Windows) == 0 { // no start is allowed: the job stays unserved
		job.Windows = []router.Window{{}}
	} else {
		job.Shifts = c.eligible(k)
	}
	if p, pinned := c.pins[j.ID]; pinned && !p.Unserved {
		job.Unserved += pinPenalty
		c.lead(&job, p)
	}
	return job
}

// lead makes the pinned technician one of the crew.
func (c *compiled) lead(job *router.Job, p Pin) {
	if p.TechnicianID == "" {
		return
	}
	var own []int32
	for _, s := range job.Shifts {
		if c.in.Technicians[c.shifts[s].technician].ID == p.TechnicianID {
			own = append(own, s)
		}
	}
	if job.Crew == 1 || len(own) == 0 {
		job.Shifts = own
	} else {
		job.Lead = own
	}
}

// eligible lists the shifts that may do a job: qualified, equipped, and able
// to get there within an open window and back.
func (c *compiled) eligible(k int) []int32 {
	if c.pins[c.in.Jobs[k].ID].Unserved {
		return nil
	}
	var list []int32
	fits, last := false, -1
	for n := range c.shifts {
		s := &c.shifts[n]
		if s.technician != last {
			last = s.technician
			fits = c.in.qualified(k, last) && c.equipped(k, n)
		}
		if fits && c.covers(k, n, c.windows[k]) {
			list = append(list, int32(n))
		}
	}
	return list
}

// equipped says whether a technician has, or can fetch, what a job needs.
func (c *compiled) equipped(k, n int) bool {
	if c.in.StoreSiteID != "" {
		return true
	}
	s, j := &c.problem.Shifts[n], &c.in.Jobs[k]
	if c.toolSet(j.Tools)&^s.Tools != 0 {
		return false
	}
	for part, units := range c.units(j.Parts) {
		if units > s.Parts[part] {
			return false
		}
	}
	return true
}

// covers says whether a shift could do the job alone, starting in windows. With a store the way may
// be shorter through it, so only the hours count.
func (c *compiled) covers(k, n int, windows []Span) bool {
	s, j := &c.problem.Shifts[n], &c.in.Jobs[k]
	there, back := 0.0, 0.0
	if c.in.StoreSiteID == "" {
		node := c.site[j.SiteID]
		there, back = c.direct(s.From, node), c.direct(node, s.To)
	}
	for _, w := range windows {
		if begin := math.Max(w.From, s.Open+there); begin <= w.To && begin+j.Duration+back <= s.Close {
			return true
		}
	}
	return false
}

// direct is the shortest time between two nodes with at most one stop on the
// way: travel times need not obey the triangle inequality, and a longer direct
// way must not rule a shift out.
func (c *compiled) direct(a, b int) float64 {
	n, travel := c.problem.Nodes, c.problem.Travel
	if known := c.short[a*n+b]; known > 0 {
		return known - 1
	}
	least := travel[a*n+b]
	for via := range n {
		least = math.Min(least, travel[a*n+via]+travel[via*n+b])
	}
	c.short[a*n+b] = least + 1
	return least
}

// published lists, per job of the plan in force, the shifts that hold it.
func (c *compiled) published() map[string][]int32 {
	index, technicians := c.in.jobIndex(), c.in.technicianIndex()
	out := map[string][]int32{}
	for _, stop := range c.in.Published {
		t, known := technicians[stop.TechnicianID]
		if _, job := index[stop.JobID]; !job || !known {
			continue
		}
		out[stop.JobID] = append(out[stop.JobID], c.shiftAt(t, stop.Start))
	}
	return out
}

// shiftAt is the shift of a technician that a start falls into, −1 when there
// is none.
func (c *compiled) shiftAt(technician int, start float64) int32 {
	for n, s := range c.shifts {
		if s.technician == technician && start >= s.span.From && start <= s.close {
			return int32(n)
		}
	}
	return -1
}
