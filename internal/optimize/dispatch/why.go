package dispatch

import (
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// why lists the rules that keep a job from being placed at all, whatever the
// rest of the plan is; nil when some shift could do it.
func (c *compiled) why(k int) []optimize.Reason {
	j := &c.in.Jobs[k]
	if len(c.windows[k]) == 0 {
		return c.whyClosed(k)
	}
	var list []optimize.Reason
	for _, need := range j.Skills {
		if !slices.ContainsFunc(c.in.Technicians, func(t Technician) bool { return t.level(need.ID) >= need.Level }) {
			list = append(list, optimize.Reason{Code: ReasonSkill, Constraint: need.ID, Amount: float64(need.Level)})
		}
	}
	if len(list) > 0 {
		return list
	}
	return c.whyNobody(k)
}

// whyClosed names the closures that shut every start, or the window that the
// pin misses.
func (c *compiled) whyClosed(k int) []optimize.Reason {
	j := &c.in.Jobs[k]
	open := c.in.starts(k)
	if p, pinned := c.pins[j.ID]; pinned {
		open = Input{Days: c.in.Days, Jobs: []Job{*j}}.pinned(p)
		if len(open) == 0 {
			return []optimize.Reason{{Code: optimize.ReasonWindow, Day: c.pinDay(p)}}
		}
	}
	var list []optimize.Reason
	for n := range c.in.Closures {
		cl := &c.in.Closures[n]
		if !cl.binds(j) {
			continue
		}
		if left := cl.shut(open, j.Duration); !slices.Equal(left, open) {
			list = append(list, optimize.Reason{Code: ReasonCalendar, Constraint: cl.ID, Day: c.day(max(0, cl.From))})
			if open = left; len(open) == 0 {
				break
			}
		}
	}
	return list
}

// pinned lists the starts of the only job that its pin allows, closures aside.
func (in Input) pinned(p Pin) []Span { return in.open(0, map[string]Pin{in.Jobs[0].ID: p}) }

func (c *compiled) pinDay(p Pin) int {
	switch {
	case p.Day != nil:
		return *p.Day
	case p.Start != nil:
		return c.day(*p.Start)
	default:
		return 0
	}
}

// whyNobody says what the technicians lack together: all skills in one person,
// enough people, tools, parts, or hours.
func (c *compiled) whyNobody(k int) []optimize.Reason {
	j := &c.in.Jobs[k]
	lead := c.pins[j.ID].TechnicianID
	if lead != "" {
		if n := c.in.technicianIndex()[lead]; !c.in.qualified(k, n) {
			return []optimize.Reason{c.unmet(k, n)}
		}
	}
	var qualified []int
	for n := range c.in.Technicians {
		if c.in.qualified(k, n) {
			qualified = append(qualified, n)
		}
	}
	if len(qualified) == 0 {
		last := j.Skills[len(j.Skills)-1]
		return []optimize.Reason{{Code: ReasonSkill, Constraint: last.ID, Amount: float64(last.Level)}}
	}
	if len(qualified) < j.crew() {
		return []optimize.Reason{{Code: ReasonCrew, Amount: float64(j.crew())}}
	}
	if r, lacking := c.whyUnequipped(k, qualified, lead); lacking {
		return []optimize.Reason{r}
	}
	technicians := map[int]bool{}
	for _, s := range c.problem.Jobs[k].Shifts {
		technicians[c.shifts[s].technician] = true
	}
	led := lead == "" || technicians[c.in.technicianIndex()[lead]]
	if len(technicians) < j.crew() || !led {
		if c.openOtherwise(k, qualified) {
			return c.whyClosed(k)
		}
		return []optimize.Reason{{Code: ReasonOffShift, Constraint: lead, Day: c.day(c.windows[k][0].From)}}
	}
	return nil
}

// openOtherwise says whether a qualified shift would cover a job if there were
// no closures.
func (c *compiled) openOtherwise(k int, qualified []int) bool {
	p := c.pins[c.in.Jobs[k].ID]
	windows := Input{Days: c.in.Days, Jobs: []Job{c.in.Jobs[k]}}.pinned(p)
	for n := range c.shifts {
		if slices.Contains(qualified, c.shifts[n].technician) && !c.covers(k, n, c.windows[k]) && c.covers(k, n, windows) {
			return true
		}
	}
	return false
}

// unmet is the first skill of a job that a technician lacks.
func (c *compiled) unmet(k, technician int) optimize.Reason {
	for _, need := range c.in.Jobs[k].Skills {
		if c.in.Technicians[technician].level(need.ID) < need.Level {
			return optimize.Reason{Code: ReasonSkill, Constraint: need.ID, Amount: float64(need.Level)}
		}
	}
	return optimize.Reason{Code: ReasonOffShift, Constraint: c.in.Technicians[technician].ID}
}

// whyUnequipped names a tool or part that too few of the qualified carry.
func (c *compiled) whyUnequipped(k int, qualified []int, lead string) (optimize.Reason, bool) {
	j := &c.in.Jobs[k]
	if c.in.StoreSiteID != "" {
		return optimize.Reason{}, false
	}
	who := qualified
	want := j.crew()
	if lead != "" {
		who, want = []int{c.in.technicianIndex()[lead]}, 1
	}
	for _, tool := range j.Tools {
		have := 0
		for _, n := range who {
			if slices.Contains(c.in.Technicians[n].Tools, tool) {
				have++
			}
		}
		if have < want {
			return optimize.Reason{Code: ReasonTool, Constraint: tool}, true
		}
	}
	for _, part := range j.Parts {
		have := 0
		for _, n := range who {
			units := 0
			for _, s := range c.in.Technicians[n].Parts {
				if s.Part == part.Part {
					units += s.Units
				}
			}
			if units >= part.Units {
				have++
			}
		}
		if have < want {
			return optimize.Reason{Code: ReasonPart, Constraint: part.Part, Amount: float64(part.Units)}, true
		}
	}
	return optimize.Reason{}, false
}
