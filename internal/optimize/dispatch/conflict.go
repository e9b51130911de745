package dispatch

import (
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// conflicts names, for every pinned job that the best plan leaves out, the
// rules in its way, the pin, and the cheapest rule that would have to give way.
func (c *compiled) conflicts(plan router.Plan) ([]optimize.Conflict, error) {
	var list []optimize.Conflict
	var open []int
	for _, k := range plan.Unserved {
		if p, pinned := c.pins[c.in.Jobs[k].ID]; pinned && !p.Unserved {
			open = append(open, k)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	e, err := newExplainer(c, plan)
	if err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(c.in.Jobs))
	for _, k := range plan.Unserved {
		decisions[k].Unserved = true
	}
	r, err := newRelaxer(c, plan, open)
	if err != nil {
		return nil, err
	}
	for _, k := range open {
		id := c.in.Jobs[k].ID
		for _, why := range e.unserved(k, decisions) {
			list = append(list, optimize.Conflict{Code: why.Code, Constraint: why.Constraint, ActionIDs: []string{id}, Day: why.Day, Amount: why.Amount})
		}
		list = append(list, optimize.Conflict{Code: optimize.ReasonPinned, Constraint: c.pins[id].TechnicianID, ActionIDs: []string{id}, Day: c.pinDay(c.pins[id])})
		if relaxed := r.relaxations(k); len(relaxed) > 0 {
			list = append(list, optimize.Conflict{
				Code: relaxed[0].Code, Constraint: relaxed[0].Constraint, ActionIDs: []string{id}, Day: c.day(relaxed[0].Start), Amount: relaxed[0].Amount,
			})
		}
	}
	return list, nil
}
