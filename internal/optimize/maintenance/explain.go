package maintenance

import "github.com/optria-iq/optria/internal/optimize"

// leastMoney is the difference in SAR below which a closed day is not worth a
// reason.
const leastMoney = 1

// reasons explains one decision from its own cost curve and from the rows the
// rest of the plan fills. Numbers only; pages hold the words.
func (c *compiled) reasons(i, day int, usage []float64) []optimize.Reason {
	days, a := c.in.Days, &c.in.Actions[i]
	terms, pFail := c.costs[i].terms, c.costs[i].pFail
	var list []optimize.Reason
	cheapest := c.cheapest(i)
	if cheapest < 0 {
		cheapest = days
	}
	if _, pinned := c.pins[a.ID]; pinned {
		list = append(list, optimize.Reason{Code: optimize.ReasonPinned, Day: day, Money: terms[day].Total - terms[cheapest].Total})
	}
	switch {
	case day == days:
		list = append(list, c.deferralReason(i)...)
	case terms[days].Failure > terms[day].Failure:
		list = append(list, optimize.Reason{Code: optimize.ReasonFailureRisk, Money: terms[days].Failure - terms[day].Failure, P: pFail[days], Day: days})
	}
	if day == cheapest && day < days {
		list = append(list, optimize.Reason{Code: optimize.ReasonCheapestDay, Day: day})
	}
	list = append(list, c.closedBetter(i, day, cheapest, usage)...)
	if day > 0 && terms[0].Total > terms[day].Total {
		list = append(list, optimize.Reason{Code: optimize.ReasonWaitingCheaper, Money: terms[0].Total - terms[day].Total, Day: 0})
	}
	if r := c.blocked[i][days]; r.code != "" && day < days {
		list = append(list, optimize.Reason{Code: r.code, Day: r.day, Money: terms[days].Total - terms[day].Total})
	}
	return list[:min(len(list), optimize.MaxReasons)]
}

// deferralReason says why an action is not done: no day fits, or none pays.
func (c *compiled) deferralReason(i int) []optimize.Reason {
	days, terms := c.in.Days, c.costs[i].terms
	best := -1
	for t := range days {
		if c.at[i][t] >= 0 && (best < 0 || terms[t].Weighted < terms[best].Weighted) {
			best = t
		}
	}
	if best < 0 {
		return []optimize.Reason{{Code: optimize.ReasonNoFeasibleDay, P: c.costs[i].pFail[days]}}
	}
	if terms[best].Weighted >= terms[days].Weighted {
		return []optimize.Reason{{Code: optimize.ReasonDeferralCheaper, Money: terms[best].Total - terms[days].Total, Day: best, P: c.costs[i].pFail[days]}}
	}
	return nil
}

// closedBetter names the rules that close days cheaper than the planned one:
// the rule of the cheapest possible day under the plan, and the rule of the
// cheapest day of all when the action's own windows forbid it.
func (c *compiled) closedBetter(i, day, cheapest int, usage []float64) []optimize.Reason {
	terms := c.costs[i].terms
	var list []optimize.Reason
	if cheapest != day {
		for _, r := range c.hindrances(i, day, cheapest, usage) {
			list = append(list, optimize.Reason{Code: r.code, Constraint: r.constraint, Day: r.day, Money: terms[day].Total - terms[cheapest].Total})
		}
	}
	free := 0
	for t := range terms {
		if terms[t].Weighted < terms[free].Weighted {
			free = t
		}
	}
	if r := c.blocked[i][free]; r.code != "" && terms[free].Weighted < terms[day].Weighted-leastMoney {
		list = append(list, optimize.Reason{Code: r.code, Constraint: r.constraint, Day: r.day, Money: terms[day].Total - terms[free].Total})
	}
	return list
}
