package maintenance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance/internal/timetable"
)

// impossible lists the actions that have no option left on their own, with
// the rules that close their days.
func (c *compiled) impossible() []optimize.Conflict {
	var list []optimize.Conflict
	for i, options := range c.problem.Options {
		if len(options) > 0 {
			continue
		}
		a := &c.in.Actions[i]
		if p, ok := c.pins[a.ID]; ok {
			day := p.StartDay
			if p.Deferred {
				day = c.in.Days
			}
			r := c.blocked[i][day]
			list = append(list, optimize.Conflict{Code: r.code, Constraint: r.constraint, Day: r.day, ActionIDs: []string{a.ID}},
				optimize.Conflict{Code: optimize.ReasonPinned, Day: day, ActionIDs: []string{a.ID}})
			continue
		}
		index := map[rule]int{}
		for t, r := range c.blocked[i] {
			key, lack := rule{code: r.code, constraint: r.constraint}, c.lack(i, t)
			k, seen := index[key]
			if !seen {
				index[key] = len(list)
				list = append(list, optimize.Conflict{Code: r.code, Constraint: r.constraint, Day: r.day, ActionIDs: []string{a.ID}, Amount: lack})
			} else if t < c.in.Days && lack < list[k].Amount {
				list[k].Amount, list[k].Day = lack, r.day
			}
		}
	}
	return list
}

// lack returns by how much the rule that closes day t of action i would have
// to give way for this action alone: units of a row or days late, 0 for rules
// that have no amount.
func (c *compiled) lack(i, t int) float64 {
	if t >= c.in.Days {
		return 0
	}
	closed := c.blocked[i][t]
	worked, end, _ := c.in.span(&c.in.Actions[i], t)
	if closed.code == optimize.ReasonDue {
		return float64(end - closed.day)
	}
	most := 0.0
	for _, u := range c.uses(i, t, worked, end) {
		if r := c.rules[u.Row]; r.code == closed.code && r.constraint == closed.constraint {
			most = math.Max(most, u.Amount-c.problem.Rows[u.Row].Upper)
		}
	}
	return most
}

// relax finds the plan that breaks the rows least. A plan that breaks none is
// returned; otherwise the broken rows are named with the actions that need
// them.
func (c *compiled) relax(ctx context.Context, opt optimize.Options) (timetable.Plan, []optimize.Conflict, error) {
	limit := max(5*time.Second, opt.Budget()/4)
	plan, err := timetable.Relax(ctx, c.problem, limit, opt)
	if err != nil {
		return nil, nil, fmt.Errorf("find conflicting constraints: %w", err)
	}
	if plan == nil {
		return nil, nil, errors.New("find conflicting constraints: no answer in time")
	}
	broken := c.problem.Violated(plan)
	if len(broken) == 0 {
		return plan, nil, nil
	}
	usage := c.problem.Usage(plan)
	var list []optimize.Conflict
	for _, r := range broken {
		row, name := c.problem.Rows[r], c.rules[r]
		conflict := optimize.Conflict{Code: name.code, Constraint: name.constraint, Day: name.day, Amount: math.Max(usage[r]-row.Upper, row.Lower-usage[r])}
		if usage[r] < row.Lower {
			conflict.Code = optimize.ReasonMinimum
		}
		for i, o := range plan {
			for _, u := range c.problem.Options[i][o].Uses {
				if int(u.Row) == r {
					conflict.ActionIDs = append(conflict.ActionIDs, c.in.Actions[i].ID)
				}
			}
		}
		list = append(list, conflict)
	}
	return nil, c.withPins(list), nil
}

// withPins adds the pins of the actions in conflict: releasing one of them is
// often the remedy.
func (c *compiled) withPins(list []optimize.Conflict) []optimize.Conflict {
	var pinned []string
	for id := range c.pins {
		for _, k := range list {
			if slices.Contains(k.ActionIDs, id) && !slices.Contains(pinned, id) {
				pinned = append(pinned, id)
			}
		}
	}
	sort.Strings(pinned)
	for _, id := range pinned {
		list = append(list, optimize.Conflict{Code: optimize.ReasonPinned, Day: c.pins[id].StartDay, ActionIDs: []string{id}})
	}
	return list
}
