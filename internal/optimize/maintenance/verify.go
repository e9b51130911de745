package maintenance

import (
	"fmt"
	"math"
)

// The verifier shares no code with the solver: it walks the raw input day by
// day and integrates by another rule. Its plainness is the point.

// Verify recomputes a plan from the raw input and returns its terms, or an
// error naming the first constraint that is broken or decision that is missing.
func Verify(in Input, plan []Start) (Terms, error) {
	startOf, out, err := verifyRules(in, plan)
	if err != nil {
		return Terms{}, err
	}
	var sum Terms
	rates := map[[4]float64]float64{}
	for i, a := range in.Actions {
		t := verifyCost(in, a, startOf[a.ID], out[i], rates)
		sum.PlannedWork += t.PlannedWork
		sum.PlannedOutage += t.PlannedOutage
		sum.Failure += t.Failure
		sum.Residual += t.Residual
		sum.Tail += t.Tail
		sum.Total += t.Total
		sum.Weighted += t.Weighted
	}
	return sum, nil
}

// verifyRules checks every constraint and returns the decisions by action and
// the days on which each action is in progress.
func verifyRules(in Input, plan []Start) (map[string]Start, [][]bool, error) {
	if len(plan) != len(in.Actions) {
		return nil, nil, fmt.Errorf("plan has %d decisions for %d actions", len(plan), len(in.Actions))
	}
	startOf := make(map[string]Start, len(plan))
	for _, s := range plan {
		if _, twice := startOf[s.ActionID]; twice {
			return nil, nil, fmt.Errorf("action %s is decided twice", s.ActionID)
		}
		startOf[s.ActionID] = s
	}
	busy := make([][]bool, len(in.Actions)) // worked on the day
	out := make([][]bool, len(in.Actions))  // in progress, days off included
	for i, a := range in.Actions {
		s, known := startOf[a.ID]
		if !known {
			return nil, nil, fmt.Errorf("action %s is not decided", a.ID)
		}
		if err := verifyPin(in, a, s); err != nil {
			return nil, nil, err
		}
		busy[i], out[i] = make([]bool, in.Days), make([]bool, in.Days)
		if s.Deferred {
			if a.Mandatory || a.DueDay != nil {
				return nil, nil, fmt.Errorf("action %s must not be deferred", a.ID)
			}
			continue
		}
		if err := verifyJob(in, a, s.StartDay, busy[i], out[i]); err != nil {
			return nil, nil, err
		}
	}
	if err := verifyResources(in, busy); err != nil {
		return nil, nil, err
	}
	if err := verifyTogether(in, out); err != nil {
		return nil, nil, err
	}
	if err := verifyCaps(in, startOf); err != nil {
		return nil, nil, err
	}
	return startOf, out, nil
}

func verifyPin(in Input, a Action, s Start) error {
	for _, p := range in.Pins {
		if p.ActionID == a.ID && (p.Deferred != s.Deferred || (!p.Deferred && p.StartDay != s.StartDay)) {
			return fmt.Errorf("action %s leaves its pin", a.ID)
		}
	}
	return nil
}

// verifyJob marks the days of one job and checks the action's own windows.
func verifyJob(in Input, a Action, start int, busy, out []bool) error {
	if start < 0 || start >= in.Days || start < a.EarliestDay || (a.LatestDay != nil && start > *a.LatestDay) {
		return fmt.Errorf("action %s starts on day %d, outside its window", a.ID, start)
	}
	left := a.DurationDays
	for d := start; left > 0; d++ {
		if d >= in.Days {
			return fmt.Errorf("action %s does not end within the horizon", a.ID)
		}
		out[d] = true
		dayOff := in.WorkingDay != nil && !in.WorkingDay[d] && !a.Continuous
		if dayOff && d == start {
			return fmt.Errorf("action %s starts on a day off", a.ID)
		}
		if !dayOff {
			busy[d] = true
			left--
		}
		if a.DueDay != nil && d > *a.DueDay {
			return fmt.Errorf("action %s is late on day %d", a.ID, d)
		}
		for _, w := range a.Restricted {
			if d >= w.From && d <= w.To {
				return fmt.Errorf("action %s is in progress on restricted day %d", a.ID, d)
			}
		}
		for _, e := range in.Embargoes {
			here := e.SiteID == a.SiteID && (e.UnitID == "" || e.UnitID == a.UnitID)
			if here && d >= e.Window.From && d <= e.Window.To && (a.OutageHours > 0 || e.AllWork) {
				return fmt.Errorf("action %s breaks embargo %s on day %d", a.ID, e.ID, d)
			}
		}
	}
	return nil
}

const verifySlack = 1e-6

func verifyResources(in Input, busy [][]bool) error {
	for _, r := range in.Resources {
		for d := 0; d < in.Days; d++ {
			used := 0.0
			for i, a := range in.Actions {
				if !busy[i][d] {
					continue
				}
				if a.Skill == r.ID {
					used += a.SkillHours / float64(a.DurationDays)
				}
				for _, u := range a.Uses {
					if u.Resource == r.ID {
						used += u.Units
					}
				}
			}
			if used > r.Available[d]+verifySlack*math.Max(1, r.Available[d]) {
				return fmt.Errorf("resource %s needs %g on day %d, has %g", r.ID, used, d, r.Available[d])
			}
			if r.Minimum != nil && used < r.Minimum[d]-verifySlack*math.Max(1, r.Minimum[d]) {
				return fmt.Errorf("resource %s uses %g on day %d, wants %g", r.ID, used, d, r.Minimum[d])
			}
		}
	}
	return nil
}

func verifyTogether(in Input, out [][]bool) error {
	for _, g := range in.Groups {
		isMember := map[string]bool{}
		for _, id := range g.Members {
			isMember[id] = true
		}
		count := make([]int, in.Days)
		for i, a := range in.Actions {
			for d := 0; isMember[a.AssetID] && a.OutageHours > 0 && d < in.Days; d++ {
				if out[i][d] {
					count[d]++
				}
			}
		}
		for d, n := range count {
			if n > g.MaxOut {
				return fmt.Errorf("group %s has %d out on day %d, allows %d", g.ID, n, d, g.MaxOut)
			}
		}
	}
	position := map[string]int{}
	for i, a := range in.Actions {
		position[a.ID] = i
	}
	for _, e := range in.Exclusions {
		for d := 0; d < in.Days; d++ {
			applies := len(e.Windows) == 0
			for _, w := range e.Windows {
				applies = applies || (d >= w.From && d <= w.To)
			}
			if applies && out[position[e.A]][d] && out[position[e.B]][d] {
				return fmt.Errorf("exclusion %s is broken on day %d", e.ID, d)
			}
		}
	}
	return nil
}

func verifyCaps(in Input, startOf map[string]Start) error {
	spent, hours := 0.0, map[string]float64{}
	for _, a := range in.Actions {
		if !startOf[a.ID].Deferred {
			spent += a.PlannedCost
			hours[a.SiteID] += a.OutageHours
		}
	}
	for _, c := range in.DowntimeCaps {
		if hours[c.SiteID] > c.Hours+verifySlack*math.Max(1, c.Hours) {
			return fmt.Errorf("site %s is down %g h, allows %g", c.SiteID, hours[c.SiteID], c.Hours)
		}
	}
	if in.BudgetSAR != nil && spent > *in.BudgetSAR+verifySlack*math.Max(1, *in.BudgetSAR) {
		return fmt.Errorf("planned work costs %g, budget is %g", spent, *in.BudgetSAR)
	}
	return nil
}
