package deferral

import (
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// rule is what closes a day for an action.
type rule struct {
	code       optimize.ReasonCode
	constraint string
}

// closedBy returns the first rule that closes day d for an action; an empty
// code means that the day is open.
func (in *Input) closedBy(a *Action, d int) rule {
	if in.WorkingDay != nil && !in.WorkingDay[d] && !a.Continuous {
		return rule{code: optimize.ReasonDayOff}
	}
	for _, e := range in.Embargoes {
		if (e.SiteID == "" || e.SiteID == a.SiteID) && (e.AllWork || a.OutageHours > 0) && e.Window.holds(d) {
			return rule{code: optimize.ReasonEmbargo, constraint: e.ID}
		}
	}
	for _, w := range a.Restricted {
		if w.holds(d) {
			return rule{code: optimize.ReasonRestricted}
		}
	}
	if a.LatestDay != nil && d > *a.LatestDay {
		return rule{code: optimize.ReasonWindow}
	}
	return rule{}
}

func (w Window) holds(d int) bool { return w.From <= d && d <= w.To }

// pin returns the day an action is pinned to, −1 when it is not.
func (in *Input) pin(id string) int {
	for _, p := range in.Pins {
		if p.ActionID == id {
			return p.Day
		}
	}
	return -1
}

// choose returns the cheapest open day of an action, or its pin; the earliest
// of equals. Without one it returns the conflict with the relaxation of least
// cost: which rule would have to give way on which day, and for a pin by how
// many days it would have to move instead.
func (in *Input) choose(a *Action, c course) (int, []optimize.Conflict) {
	best, least := -1, 0
	for d := range in.Days {
		if in.closedBy(a, d).code == "" && (best < 0 || c.weighted(d, in.Weights) < c.weighted(best, in.Weights)) {
			best = d
		}
		if c.weighted(d, in.Weights) < c.weighted(least, in.Weights) {
			least = d
		}
	}
	if p := in.pin(a.ID); p >= 0 {
		r := in.closedBy(a, p)
		if r.code == "" {
			return p, nil
		}
		pinned := optimize.Conflict{Code: optimize.ReasonPinned, Day: p, ActionIDs: []string{a.ID}}
		if best >= 0 {
			pinned.Amount = float64(max(best-p, p-best))
		}
		return -1, []optimize.Conflict{in.conflict(a, p, r), pinned}
	}
	if best < 0 {
		return -1, []optimize.Conflict{in.conflict(a, least, in.closedBy(a, least))}
	}
	return best, nil
}

// conflict says that a rule would have to give way on one day.
func (in *Input) conflict(a *Action, d int, r rule) optimize.Conflict {
	return optimize.Conflict{Code: r.code, Constraint: r.constraint, Day: d, Amount: 1, ActionIDs: []string{a.ID}}
}

// model states the choice of a day per action: one binary per open day, of
// which exactly one is 1. The costs are those of C(d) with the planned job.
func model(in *Input) (*mip.Model, error) {
	m := mip.New(Kind)
	var conflicts []optimize.Conflict
	for i := range in.Actions {
		a := &in.Actions[i]
		c := believed(a).course(in.Days)
		_, bad := in.choose(a, c)
		if conflicts = append(conflicts, bad...); bad != nil {
			continue
		}
		var days []mip.Term
		for d := range in.Days {
			if p := in.pin(a.ID); in.closedBy(a, d).code != "" || p >= 0 && d != p {
				continue
			}
			days = append(days, mip.Term{Column: m.Binary(c.terms(a, d, in.Weights).Weighted), Value: 1})
		}
		m.Row(1, 1, days...)
	}
	if len(conflicts) > 0 {
		return nil, optimize.Infeasible(conflicts)
	}
	return m, nil
}
