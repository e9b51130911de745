package maintenance

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/optria-iq/optria/internal/optimize/maintenance/internal/timetable"

	"github.com/optria-iq/optria/internal/optimize"
)

// compiled is an input as the core sees it, with the way back to its names.
type compiled struct {
	in      *Input
	costs   []costTable
	problem *timetable.Problem
	options [][]timetable.Option // every statically possible option per action, pins left aside
	at      [][]int32            // per action and day: index into options, −1 when blocked; the last day is deferral
	blocked [][]rule             // per action and day: the rule that closes it
	rules   []rule               // per row of the problem
	offsets rowOffsets
	needs   []needs
	pins    map[string]Pin
}

// rule names the constraint behind a row or behind a closed day.
type rule struct {
	code       optimize.ReasonCode
	constraint string
	day        int
}

// rowOffsets locates the rows of each kind; resources and groups have one row
// per day, exclusions one per day, then the caps and the budget.
type rowOffsets struct {
	resource map[string]int
	group    []int
	excluded []int
	downtime map[string]int
	budget   int
}

// compile states an input for the core, with the given number of threads.
func compile(in *Input, threads int) *compiled {
	n := len(in.Actions)
	c := &compiled{in: in, problem: &timetable.Problem{Options: make([][]timetable.Option, n)}, pins: map[string]Pin{},
		costs: make([]costTable, n), options: make([][]timetable.Option, n), at: make([][]int32, n), blocked: make([][]rule, n)}
	for _, p := range in.Pins {
		c.pins[p.ActionID] = p
	}
	c.layRows()
	c.listNeeds()
	var wait sync.WaitGroup
	for k := range threads {
		wait.Go(func() {
			for i := k; i < n; i += threads {
				c.addCosts(i)
				c.addOptions(i)
			}
		})
	}
	wait.Wait()
	return c
}

func (c *compiled) addCosts(i int) {
	a := &c.in.Actions[i]
	outage := make([]float64, c.in.Days)
	for t := range outage {
		outage[t] = a.OutageHours * a.LossPerHour * a.PlannedFactor * c.meanProfile(a, t)
	}
	cost, risk := c.in.Weights.Values()
	c.costs[i] = newCostTable(a, c.in.Days, outage, cost, risk)
}

func (c *compiled) layRows() {
	in := c.in
	c.offsets = rowOffsets{resource: map[string]int{}, downtime: map[string]int{}, budget: -1}
	add := func(lower, upper float64, r rule) int {
		c.problem.Rows = append(c.problem.Rows, timetable.Row{Lower: lower, Upper: upper})
		c.rules = append(c.rules, r)
		return len(c.rules) - 1
	}
	for _, r := range in.Resources {
		c.offsets.resource[r.ID] = len(c.rules)
		for d := range in.Days {
			lower := math.Inf(-1)
			if r.Minimum != nil && r.Minimum[d] > 0 {
				lower = r.Minimum[d]
			}
			add(lower, r.Available[d], rule{optimize.ReasonResourceBinding, r.ID, d})
		}
	}
	for _, g := range in.Groups {
		c.offsets.group = append(c.offsets.group, len(c.rules))
		for d := range in.Days {
			add(math.Inf(-1), float64(g.MaxOut), rule{optimize.ReasonKOutOfN, g.ID, d})
		}
	}
	for _, e := range in.Exclusions {
		c.offsets.excluded = append(c.offsets.excluded, len(c.rules))
		for d := range in.Days {
			upper := 1.0
			if len(e.Windows) > 0 && !anyContains(e.Windows, d) {
				upper = math.Inf(1)
			}
			add(math.Inf(-1), upper, rule{optimize.ReasonExclusion, e.ID, d})
		}
	}
	for _, d := range in.DowntimeCaps {
		c.offsets.downtime[d.SiteID] = add(math.Inf(-1), d.Hours, rule{optimize.ReasonDowntimeCap, d.SiteID, 0})
	}
	if in.BudgetSAR != nil {
		c.offsets.budget = add(math.Inf(-1), *in.BudgetSAR, rule{optimize.ReasonBudget, "", 0})
	}
}

func anyContains(windows []Window, day int) bool {
	for _, w := range windows {
		if w.From <= day && day <= w.To {
			return true
		}
	}
	return false
}

// span returns the days on which a job started on day t is worked and its
// last day; ok is false when it does not fit the horizon.
func (in *Input) span(a *Action, t int) (worked []int, end int, ok bool) {
	for d := t; d < in.Days; d++ {
		if a.Continuous || in.WorkingDay == nil || in.WorkingDay[d] {
			if worked = append(worked, d); len(worked) == a.DurationDays {
				return worked, d, true
			}
		}
	}
	return worked, in.Days - 1, false
}

func (c *compiled) meanProfile(a *Action, t int) float64 {
	if a.OutageProfile == nil {
		return 1
	}
	_, end, _ := c.in.span(a, t)
	sum := 0.0
	for d := t; d <= end; d++ {
		sum += a.OutageProfile[d]
	}
	return sum / float64(end-t+1)
}

// addOptions lists the days of action i that no rule of its own closes.
func (c *compiled) addOptions(i int) {
	in, a := c.in, &c.in.Actions[i]
	at, blocked := make([]int32, in.Days+1), make([]rule, in.Days+1)
	var options []timetable.Option
	for t := 0; t <= in.Days; t++ {
		at[t] = -1
		var uses []timetable.Use
		if t < in.Days {
			worked, end, fits := in.span(a, t)
			if blocked[t] = c.closed(a, t, worked, end, fits); blocked[t].code == "" {
				uses = c.uses(i, t, worked, end)
				blocked[t] = c.alone(uses)
			}
		} else if a.Mandatory || a.DueDay != nil {
			blocked[t] = rule{code: optimize.ReasonDue}
			if a.DueDay != nil {
				blocked[t].day = *a.DueDay
			}
		}
		if blocked[t].code == "" {
			at[t] = int32(len(options))
			options = append(options, timetable.Option{Start: t, Cost: c.costs[i].terms[t].Weighted, Uses: uses})
		}
	}
	c.at[i], c.blocked[i], c.options[i] = at, blocked, options
	if p, ok := c.pins[a.ID]; ok {
		day := p.StartDay
		if p.Deferred {
			day = in.Days
		}
		if at[day] < 0 {
			options = nil
		} else {
			options = options[at[day] : at[day]+1]
		}
	}
	c.problem.Options[i] = options
}

// closed returns the rule by which the action's own windows forbid a day.
func (c *compiled) closed(a *Action, t int, worked []int, end int, fits bool) rule {
	switch {
	case !fits, t < a.EarliestDay, a.LatestDay != nil && t > *a.LatestDay:
		return rule{code: optimize.ReasonWindow, day: t}
	case worked[0] != t:
		return rule{code: optimize.ReasonDayOff, day: t}
	case a.DueDay != nil && end > *a.DueDay:
		return rule{code: optimize.ReasonDue, day: *a.DueDay}
	}
	for d := t; d <= end; d++ {
		if anyContains(a.Restricted, d) {
			return rule{code: optimize.ReasonRestricted, day: d}
		}
		for _, e := range c.in.Embargoes {
			if e.SiteID == a.SiteID && (e.UnitID == "" || e.UnitID == a.UnitID) && (e.AllWork || a.OutageHours > 0) && anyContains([]Window{e.Window}, d) {
				return rule{optimize.ReasonEmbargo, e.ID, d}
			}
		}
	}
	return rule{}
}

// uses lists what a start on day t takes of the rows, each row once, in
// ascending order.
func (c *compiled) uses(i, t int, worked []int, end int) []timetable.Use {
	n := &c.needs[i]
	uses := make([]timetable.Use, 0, len(worked)*len(n.perWorked)+(end-t+1)*len(n.perDay)+len(n.once))
	for _, u := range n.perWorked {
		for _, d := range worked {
			uses = append(uses, timetable.Use{Row: u.Row + int32(d), Amount: u.Amount})
		}
	}
	for _, u := range n.perDay {
		for d := t; d <= end; d++ {
			uses = append(uses, timetable.Use{Row: u.Row + int32(d), Amount: u.Amount})
		}
	}
	uses = append(uses, n.once...)
	slices.SortFunc(uses, func(x, y timetable.Use) int { return cmp.Compare(x.Row, y.Row) })
	merged := uses[:0]
	for _, u := range uses {
		if k := len(merged) - 1; k >= 0 && merged[k].Row == u.Row {
			merged[k].Amount += u.Amount
		} else if u.Amount > 0 {
			merged = append(merged, u)
		}
	}
	return merged
}

// needs is what an action takes: of the rows per worked day, of the rows per
// day in progress (given by the row of day 0), and of the caps once.
type needs struct{ perWorked, perDay, once []timetable.Use }

func (c *compiled) listNeeds() {
	groupsOf, exclusionsOf := map[string][]int{}, map[string][]int{}
	for g, group := range c.in.Groups {
		for _, id := range group.Members {
			if k := groupsOf[id]; len(k) == 0 || k[len(k)-1] != g {
				groupsOf[id] = append(k, g)
			}
		}
	}
	for e, x := range c.in.Exclusions {
		exclusionsOf[x.A], exclusionsOf[x.B] = append(exclusionsOf[x.A], e), append(exclusionsOf[x.B], e)
	}
	c.needs = make([]needs, len(c.in.Actions))
	for i := range c.in.Actions {
		a, n := &c.in.Actions[i], &c.needs[i]
		if a.Skill != "" {
			n.perWorked = append(n.perWorked, timetable.Use{Row: int32(c.offsets.resource[a.Skill]), Amount: a.SkillHours / float64(a.DurationDays)})
		}
		for _, u := range a.Uses {
			n.perWorked = append(n.perWorked, timetable.Use{Row: int32(c.offsets.resource[u.Resource]), Amount: u.Units})
		}
		if a.OutageHours > 0 {
			for _, g := range groupsOf[a.AssetID] {
				n.perDay = append(n.perDay, timetable.Use{Row: int32(c.offsets.group[g]), Amount: 1})
			}
		}
		for _, e := range exclusionsOf[a.ID] {
			n.perDay = append(n.perDay, timetable.Use{Row: int32(c.offsets.excluded[e]), Amount: 1})
		}
		if r, ok := c.offsets.downtime[a.SiteID]; ok {
			n.once = append(n.once, timetable.Use{Row: int32(r), Amount: a.OutageHours})
		}
		if c.offsets.budget >= 0 {
			n.once = append(n.once, timetable.Use{Row: int32(c.offsets.budget), Amount: a.PlannedCost})
		}
	}
}

// alone returns the rule that an option breaks without any other action.
func (c *compiled) alone(uses []timetable.Use) rule {
	for _, u := range uses {
		if u.Amount > c.problem.Rows[u.Row].Upper*(1+1e-9) {
			return c.rules[u.Row]
		}
	}
	return rule{}
}

// start builds the plan to begin with: the warm start, else the current plan,
// else deferral, else the first possible day.
func (c *compiled) start() timetable.Plan {
	day := map[string]int{}
	for _, s := range c.in.WarmStart {
		if day[s.ActionID] = s.StartDay; s.Deferred {
			day[s.ActionID] = c.in.Days
		}
	}
	plan := make(timetable.Plan, len(c.in.Actions))
	for i := range plan {
		a := &c.in.Actions[i]
		want, ok := day[a.ID]
		if !ok && a.BaselineDay != nil {
			want, ok = *a.BaselineDay, true
		}
		if !ok {
			want = c.in.Days
		}
		plan[i] = 0
		for k, o := range c.problem.Options[i] {
			if o.Start == want {
				plan[i] = int32(k)
			}
		}
	}
	return plan
}

// days translates a plan of the core into start days; Days means deferral.
func (c *compiled) days(plan timetable.Plan) []int {
	out := make([]int, len(plan))
	for i, o := range plan {
		out[i] = c.problem.Options[i][o].Start
	}
	return out
}
