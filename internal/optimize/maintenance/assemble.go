package maintenance

import (
	"sort"

	"github.com/optria-iq/optria/internal/optimize"
)

// assemble builds the output of a plan given by start days (Days = deferred).
func (c *compiled) assemble(days []int) Output {
	in := c.in
	out := Output{Schedule: make([]Decision, len(days)), Curves: make([]Curve, len(days))}
	usage := c.usage(days)
	var baseline Terms
	hasBaseline := false
	for i, day := range days {
		a, table := &in.Actions[i], c.costs[i]
		d := Decision{
			ActionID: a.ID, AssetID: a.AssetID, SiteID: a.SiteID, Deferred: day == in.Days, StartDay: day, EndDay: -1,
			Cost: table.terms[day], PFail: table.pFail[day], PFailHorizon: table.pFail[in.Days],
			ValueAtStake: table.terms[in.Days].Total - table.terms[day].Total, CheapestDay: c.cheapest(i),
		}
		if d.Deferred {
			d.StartDay = -1
		} else {
			_, d.EndDay, _ = in.span(a, day)
		}
		_, d.Pinned = c.pins[a.ID]
		base := in.Days
		if a.BaselineDay != nil {
			d.HasBaseline, hasBaseline = true, true
			if *a.BaselineDay >= 0 && *a.BaselineDay < in.Days {
				base = *a.BaselineDay
			}
			d.VsBaseline = table.terms[day].Total - table.terms[base].Total
		}
		baseline = baseline.plus(table.terms[base])
		d.Reasons = c.reasons(i, day, usage)
		out.Schedule[i] = d
		out.Objective = out.Objective.plus(d.Cost)
		out.Curves[i] = c.curve(i, day, usage)
	}
	if hasBaseline {
		out.Baseline = &baseline
	}
	out.Assets = rank(out.Schedule, func(d Decision) string { return d.AssetID })
	out.Sites = rank(out.Schedule, func(d Decision) string { return d.SiteID })
	for _, r := range in.Resources {
		first := c.offsets.resource[r.ID]
		out.Load = append(out.Load, Load{Resource: r.ID, Used: usage[first : first+in.Days : first+in.Days], Available: r.Available})
	}
	return out
}

// usage sums the rows under a plan.
func (c *compiled) usage(days []int) []float64 {
	use := make([]float64, len(c.problem.Rows))
	for i, day := range days {
		for _, u := range c.options[i][c.at[i][day]].Uses {
			use[u.Row] += u.Amount
		}
	}
	return use
}

// cheapest returns the day of least weighted cost among those the action's own
// rules allow, −1 for deferral. The earlier day wins a tie.
func (c *compiled) cheapest(i int) int {
	best := -2
	for t := range c.at[i] {
		if c.at[i][t] >= 0 && (best == -2 || c.costs[i].terms[t].Weighted < c.costs[i].terms[best].Weighted) {
			best = t
		}
	}
	if best == c.in.Days {
		return -1
	}
	return best
}

// curve returns what each other day of action i would cost.
func (c *compiled) curve(i, day int, usage []float64) Curve {
	terms := c.costs[i].terms
	out := Curve{ActionID: c.in.Actions[i].ID, Delta: make([]float64, len(terms)), Feasible: make([]bool, len(terms))}
	for t := range terms {
		out.Delta[t] = terms[t].Total - terms[day].Total
		out.Feasible[t] = c.at[i][t] >= 0 && len(c.hindrances(i, day, t, usage)) == 0
	}
	return out
}

// hindrances returns the rules that moving action i from one day to another
// would break while everything else stays, each constraint once with its
// first day.
func (c *compiled) hindrances(i, from, to int, usage []float64) []rule {
	var list []rule
	add := func(r rule) {
		for _, known := range list {
			if known.code == r.code && known.constraint == r.constraint {
				return
			}
		}
		list = append(list, r)
	}
	old, next := c.options[i][c.at[i][from]].Uses, c.options[i][c.at[i][to]].Uses
	for n, o := 0, 0; n < len(next) || o < len(old); {
		var row int32
		change := 0.0
		switch {
		case o >= len(old) || (n < len(next) && next[n].Row < old[o].Row):
			row, change = next[n].Row, next[n].Amount
			n++
		case n >= len(next) || old[o].Row < next[n].Row:
			row, change = old[o].Row, -old[o].Amount
			o++
		default:
			row, change = next[n].Row, next[n].Amount-old[o].Amount
			n++
			o++
		}
		use, side := usage[row]+change, c.problem.Rows[row]
		if change > 0 && use > side.Upper+1e-7*max(1, side.Upper) {
			add(c.rules[row])
		}
		if change < 0 && use < side.Lower-1e-7*max(1, side.Lower) {
			add(rule{optimize.ReasonMinimum, c.rules[row].constraint, c.rules[row].day})
		}
	}
	return list
}

// rank sums decisions by asset or by site, greatest value at stake first.
func rank(schedule []Decision, key func(Decision) string) []Rank {
	var list []Rank
	index := map[string]int{}
	for _, d := range schedule {
		k, ok := index[key(d)]
		if !ok {
			k = len(list)
			index[key(d)] = k
			list = append(list, Rank{ID: key(d)})
		}
		list[k].ValueAtStake += d.ValueAtStake
		list[k].FailureCost += d.Cost.Failure
		list[k].Actions++
		if d.Deferred {
			list[k].Deferred++
		}
	}
	sort.SliceStable(list, func(a, b int) bool { return list[a].ValueAtStake > list[b].ValueAtStake })
	return list
}
