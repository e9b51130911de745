package dispatch

import (
	"math"
	"slices"
)

// without cuts intervals out of a span and returns what is left, in order.
func without(s Span, cuts []Span) []Span {
	out := []Span{s}
	for _, c := range cuts {
		var next []Span
		for _, p := range out {
			if c.To <= p.From || c.From >= p.To {
				next = append(next, p)
				continue
			}
			if c.From > p.From {
				next = append(next, Span{p.From, c.From})
			}
			if c.To < p.To {
				next = append(next, Span{c.To, p.To})
			}
		}
		out = next
	}
	return out
}

func (j *Job) crew() int { return max(1, j.CrewSize) }

// unserved is the plain cost of leaving a job out.
func (in *Input) unserved(k int) float64 {
	j := &in.Jobs[k]
	if j.UnservedSAR > 0 {
		return j.UnservedSAR
	}
	return math.Max(leastUnserved, j.PrioritySAR*float64(in.Days)*24)
}

// qualified says whether a technician has all skills of a job.
func (in *Input) qualified(k, technician int) bool {
	for _, need := range in.Jobs[k].Skills {
		if in.Technicians[technician].level(need.ID) < need.Level {
			return false
		}
	}
	return true
}

// level is a technician's level of a skill, −1 without it.
func (t *Technician) level(skill string) int {
	level := -1
	for _, s := range t.Skills {
		if s.ID == skill {
			level = max(level, s.Level)
		}
	}
	return level
}

// binds says whether a closure holds for a job.
func (c *Closure) binds(j *Job) bool {
	return (c.SiteID == "" || c.SiteID == j.SiteID) && (!c.Outdoor || j.Outdoor) && !slices.Contains(j.Exempt, c.Kind)
}

// starts lists the job's own windows, or the whole horizon.
func (in *Input) starts(k int) []Span {
	if w := in.Jobs[k].Windows; len(w) > 0 {
		return w
	}
	return []Span{{0, in.horizon()}}
}

// moment, a second, keeps starts away from an end that is not allowed itself.
const moment = 1.0 / 60

// open lists the allowed starts of a job: its windows, narrowed by its pin,
// without the starts from which it would be in progress in a closure. Ends are
// allowed.
func (in *Input) open(k int, pins map[string]Pin) []Span {
	j := &in.Jobs[k]
	out := slices.Clone(in.starts(k))
	if p, pinned := pins[j.ID]; pinned {
		if p.Day != nil {
			out = clip(out, Span{float64(*p.Day) * minutesPerDay, float64(*p.Day+1)*minutesPerDay - moment})
		}
		if p.Start != nil {
			out = clip(out, Span{*p.Start, *p.Start})
		}
	}
	for n := range in.Closures {
		if c := &in.Closures[n]; c.binds(j) {
			out = c.shut(out, j.Duration)
		}
	}
	return out
}

// clip keeps what lies within a span.
func clip(list []Span, within Span) []Span {
	var out []Span
	for _, s := range list {
		if from, to := math.Max(s.From, within.From), math.Min(s.To, within.To); from <= to {
			out = append(out, Span{from, to})
		}
	}
	return out
}

// shut takes out the starts that a closure forbids: those after From less the
// duration and before To; for a ban on starting, those from From on and before
// To.
func (c *Closure) shut(list []Span, duration float64) []Span {
	if c.From >= c.To {
		return list
	}
	last := c.From - duration // latest start that ends in time
	if c.NoStart {
		last = c.From - moment
	}
	var out []Span
	for _, s := range list {
		if to := math.Min(s.To, last); s.From <= to {
			out = append(out, Span{s.From, to})
		}
		if from := math.Max(s.From, c.To); from <= s.To {
			out = append(out, Span{from, s.To})
		}
	}
	return out
}
