package dispatch

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// inOrder sorts stops by start; at the same time the order given holds.
func inOrder(stops []Stop) []Stop {
	out := slices.Clone(stops)
	slices.SortStableFunc(out, func(a, b Stop) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// assemble turns the router's plan into an output without a certificate.
func (c *compiled) assemble(p router.Plan) (Output, error) {
	out := Output{Routes: []Route{}, Decisions: make([]Decision, len(c.in.Jobs))}
	for k := range c.in.Jobs {
		out.Decisions[k] = Decision{JobID: c.in.Jobs[k].ID, Unserved: true, Start: -1, End: -1}
	}
	for _, r := range p.Routes {
		out.Routes = append(out.Routes, c.route(r, out.Decisions))
	}
	c.decide(out.Decisions)
	out.Objective = c.terms(out.Routes, out.Decisions)
	for k := range out.Decisions {
		if out.Decisions[k].Changed {
			out.Changes++
		}
	}
	out.Utilisation = c.utilisation(out.Routes)
	if terms, _, err := verifyPlan(*c.in, c.in.Published); err == nil && len(c.in.Published) > 0 {
		out.Published = &terms
	}
	e, err := newExplainer(c, p)
	if err != nil {
		return out, err
	}
	return out, e.explain(out.Decisions)
}

// route states one route and enters its visits into the decisions.
func (c *compiled) route(r router.Route, decisions []Decision) Route {
	s := &c.shifts[r.Shift]
	t := &c.in.Technicians[s.technician]
	out := Route{TechnicianID: t.ID, Day: c.day(s.span.From), Shift: s.span}
	at, clock := c.site[t.SiteID], s.span.From
	for n, v := range r.Visits {
		leg, node := Leg{Start: v.Start, End: v.End}, 0
		if v.Job < 0 {
			leg.SiteID = c.in.StoreSiteID
		} else {
			leg.JobID, leg.SiteID = c.in.Jobs[v.Job].ID, c.in.Jobs[v.Job].SiteID
		}
		node = c.site[leg.SiteID]
		leg.Travel = c.in.Travel[at][node]
		if n == 0 {
			clock = v.Start - leg.Travel
			out.Depart = clock
		}
		leg.Arrival = clock + leg.Travel
		if v.Job >= 0 {
			d := &decisions[v.Job]
			d.Unserved, d.Start, d.End = false, v.Start, v.End
			d.Technicians = append(d.Technicians, t.ID)
			d.Travel += leg.Travel
			out.Work += v.End - v.Start
		}
		out.Travel += leg.Travel
		at, clock = node, v.End
		out.Stops = append(out.Stops, leg)
	}
	back := c.in.Travel[at][c.site[t.SiteID]]
	out.Travel += back
	out.Return = clock + back
	out.Overtime = math.Max(0, out.Return-s.span.To)
	return out
}

// decide fills in what follows from the crew and the start of each job.
func (c *compiled) decide(decisions []Decision) {
	was := map[string][]Stop{}
	for _, s := range c.in.Published {
		if s.JobID != "" {
			was[s.JobID] = append(was[s.JobID], s)
		}
	}
	shifts := c.published()
	technicians := c.in.technicianIndex()
	for k := range decisions {
		d, j := &decisions[k], &c.in.Jobs[k]
		_, d.Pinned = c.pins[j.ID]
		if stops := was[j.ID]; len(stops) > 0 {
			d.PublishedStart = &stops[0].Start
		}
		if d.Unserved {
			d.Cost.Unserved = c.in.unserved(k)
			d.Changed = len(shifts[j.ID]) > 0
			continue
		}
		if j.Due != nil {
			d.Late = math.Max(0, d.Start-*j.Due)
			d.Cost.Lateness = j.PrioritySAR / 60 * d.Late
		}
		if published := shifts[j.ID]; len(published) > 0 {
			moved := 0
			for _, id := range d.Technicians {
				if !slices.Contains(published, c.shiftAt(technicians[id], d.Start)) {
					moved++
				}
			}
			d.Changed = moved > 0
			d.Cost.Stability = c.in.ChangeSAR * float64(moved) / float64(j.crew())
		}
	}
}

// terms adds up what the plan costs.
func (c *compiled) terms(routes []Route, decisions []Decision) Terms {
	var t Terms
	technicians := c.in.technicianIndex()
	for _, r := range routes {
		who := &c.in.Technicians[technicians[r.TechnicianID]]
		t.Travel += r.Travel / 60 * who.CostPerHour
		t.Overtime += r.Overtime / 60 * who.CostPerHour * who.OvertimeFactor
	}
	for k := range decisions {
		cost := &decisions[k].Cost
		t.Unserved += cost.Unserved
		t.Lateness += cost.Lateness
		t.Stability += cost.Stability
		cost.Total = cost.Unserved + cost.Lateness + cost.Stability
		cost.Weighted = c.weights.Unserved*cost.Unserved + c.weights.Lateness*cost.Lateness + c.weights.Stability*cost.Stability
	}
	t.Total = t.Unserved + t.Lateness + t.Travel + t.Overtime + t.Stability
	w := c.weights
	t.Weighted = w.Unserved*t.Unserved + w.Lateness*t.Lateness + w.Travel*t.Travel + w.Overtime*t.Overtime + w.Stability*t.Stability
	return t
}

// utilisation sums up each technician's horizon.
func (c *compiled) utilisation(routes []Route) []Utilisation {
	out := make([]Utilisation, len(c.in.Technicians))
	for k := range out {
		out[k] = Utilisation{TechnicianID: c.in.Technicians[k].ID, UsedByDay: make([]float64, c.in.Days), OpenByDay: make([]float64, c.in.Days)}
	}
	for _, s := range c.shifts {
		u := &out[s.technician]
		u.Available += s.span.To - s.span.From
		u.OpenByDay[c.day(s.span.From)] += s.span.To - s.span.From
	}
	technicians := c.in.technicianIndex()
	for _, r := range routes {
		u := &out[technicians[r.TechnicianID]]
		u.Work += r.Work
		u.Travel += r.Travel
		u.Overtime += r.Overtime
		u.UsedByDay[r.Day] += r.Work + r.Travel
	}
	for k := range out {
		if u := &out[k]; u.Available > 0 {
			u.Share = math.Max(0, u.Work+u.Travel-u.Overtime) / u.Available
		}
	}
	return out
}

// day is the day of a moment; the end of the horizon counts as the last one.
func (c *compiled) day(t float64) int { return min(int(t/minutesPerDay), c.in.Days-1) }
