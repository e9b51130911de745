package production

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// noPlan says why there is no plan: the time was too short, or constraints
// contradict each other; these are named by the relaxation of least cost.
func (c *compiled) noPlan(ctx context.Context, out commitment.Outcome, opt optimize.Options) error {
	if ctx.Err() != nil || opt.Solver == optimize.SolverHeuristic {
		return fault.Wrap(fault.Unavailable, "optimize.no_plan", errors.Join(out.Err, ctx.Err(), errors.New("no plan found")))
	}
	opt = opt.WithBudget(max(5*time.Second, opt.Budget()/4))
	breaks, err := commitment.Conflicts(ctx, c.problem, opt)
	if err != nil || len(breaks) == 0 {
		return fault.Wrap(fault.Unavailable, "optimize.no_plan", errors.Join(out.Err, err, errors.New("no plan in time")))
	}
	return optimize.Infeasible(c.conflicts(breaks))
}

// conflicts names the broken constraints, each once with its first period and
// its largest amount.
func (c *compiled) conflicts(breaks []commitment.Break) []optimize.Conflict {
	var list []optimize.Conflict
	for _, b := range breaks {
		next := c.conflict(b)
		k := slices.IndexFunc(list, func(o optimize.Conflict) bool { return o.Code == next.Code && o.Constraint == next.Constraint })
		if k < 0 {
			list = append(list, next)
			continue
		}
		list[k].Amount = max(list[k].Amount, next.Amount)
		for _, id := range next.ActionIDs {
			if !slices.Contains(list[k].ActionIDs, id) {
				list[k].ActionIDs = append(list[k].ActionIDs, id)
			}
		}
	}
	return list
}

func (c *compiled) conflict(b commitment.Break) optimize.Conflict {
	k := optimize.Conflict{Day: b.Period, Amount: b.Amount}
	switch b.Kind {
	case commitment.BreakDemand:
		k.Code, k.Constraint = ReasonTarget, c.in.Targets[b.Balance].ID
		k.ActionIDs = c.heldUnits(k.Constraint, b.Period)
	case commitment.BreakFinal:
		k.Code, k.Constraint = ReasonStorage, c.in.Targets[b.Balance].ID
		k.Amount *= c.in.PeriodHours
	default:
		r := c.rules[[2]int{b.Unit, b.Period}]
		k.Code, k.Constraint, k.ActionIDs = r.code, r.constraint, []string{c.in.Units[b.Unit].ID}
	}
	return k
}

// heldUnits lists the units of a target that a pin or an outage holds in a
// period: releasing one of them may be the remedy.
func (c *compiled) heldUnits(target string, t int) []string {
	var list []string
	for i := range c.in.Units {
		if _, held := c.rules[[2]int{i, t}]; held && c.in.Units[i].Target == target {
			list = append(list, c.in.Units[i].ID)
		}
	}
	return list
}
