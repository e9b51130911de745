package maintenance

import (
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// The largest instance that is accepted: days, actions, start days of all
// actions, and days of all resources, groups and exclusions.
const (
	maxDays    = 1100
	maxActions = 20000
	maxStarts  = 5_000_000
	maxRows    = 5_000_000
)

// Validate returns a fault naming the first field that makes no sense.
func (in *Input) Validate() error {
	if _, err := time.Parse(time.DateOnly, in.StartDate); err != nil {
		return optimize.Invalid("start_date", "want YYYY-MM-DD")
	}
	if in.Days < 1 || in.Days > maxDays {
		return optimize.Invalid("days", fmt.Sprintf("want 1 to %d", maxDays))
	}
	if in.WorkingDay != nil && len(in.WorkingDay) != in.Days {
		return optimize.Invalid("working_day", fmt.Sprintf("want %d entries", in.Days))
	}
	if err := in.validateSize(); err != nil {
		return err
	}
	cost, risk := in.Weights.Values()
	if !nonNegative(cost) || !nonNegative(risk) || cost+risk == 0 {
		return optimize.Invalid("weights", "want two numbers of at least 0, not both 0")
	}
	switch in.Weights.Preset {
	case "", optimize.PresetCheapest, optimize.PresetBalanced, optimize.PresetLowestRisk, optimize.PresetCustom:
	default:
		return optimize.Invalid("weights.preset", "unknown preset")
	}
	if in.BudgetSAR != nil && !nonNegative(*in.BudgetSAR) {
		return optimize.Invalid("budget_sar", "want at least 0")
	}
	resources, err := in.validateResources()
	if err != nil {
		return err
	}
	actions, err := in.validateActions(resources)
	if err != nil {
		return err
	}
	return in.validateRules(actions)
}

func (in *Input) validateSize() error {
	rules := len(in.Resources) + len(in.Groups) + len(in.Exclusions)
	switch {
	case len(in.Actions) > maxActions:
		return optimize.Invalid("actions", fmt.Sprintf("%d, at most %d are accepted", len(in.Actions), maxActions))
	case len(in.Actions)*in.Days > maxStarts:
		return optimize.Invalid("actions", fmt.Sprintf("%d over %d days, at most %d start days are accepted", len(in.Actions), in.Days, maxStarts))
	case rules*in.Days > maxRows:
		return optimize.Invalid("resources", fmt.Sprintf("%d resources, groups and exclusions over %d days, at most %d daily limits are accepted", rules, in.Days, maxRows))
	}
	return nil
}

func nonNegative(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

func (in *Input) validateResources() (map[string]bool, error) {
	ids := map[string]bool{}
	for k, r := range in.Resources {
		field := fmt.Sprintf("resources[%d]", k)
		switch {
		case r.ID == "" || ids[r.ID]:
			return nil, optimize.Invalid(field+".id", "missing or used twice")
		case len(r.Available) != in.Days:
			return nil, optimize.Invalid(field+".available", fmt.Sprintf("want %d entries", in.Days))
		case r.Minimum != nil && len(r.Minimum) != in.Days:
			return nil, optimize.Invalid(field+".minimum", fmt.Sprintf("want %d entries", in.Days))
		case !nonNegative(r.PriceStep):
			return nil, optimize.Invalid(field+".price_step", "want at least 0")
		}
		for d, v := range r.Available {
			if !nonNegative(v) {
				return nil, optimize.Invalid(fmt.Sprintf("%s.available[%d]", field, d), "want at least 0")
			}
		}
		for d, v := range r.Minimum {
			if !nonNegative(v) {
				return nil, optimize.Invalid(fmt.Sprintf("%s.minimum[%d]", field, d), "want at least 0")
			}
		}
		ids[r.ID] = true
	}
	return ids, nil
}

func (in *Input) validateActions(resources map[string]bool) (map[string]bool, error) {
	ids := map[string]bool{}
	for i := range in.Actions {
		a, field := &in.Actions[i], fmt.Sprintf("actions[%d]", i)
		if a.ID == "" || ids[a.ID] {
			return nil, optimize.Invalid(field+".id", "missing or used twice")
		}
		ids[a.ID] = true
		if a.DurationDays < 1 {
			return nil, optimize.Invalid(field+".duration_days", "want at least 1")
		}
		if a.Skill != "" && !resources[a.Skill] {
			return nil, optimize.Invalid(field+".skill", "unknown resource "+a.Skill)
		}
		for n, u := range a.Uses {
			if !resources[u.Resource] || !nonNegative(u.Units) {
				return nil, optimize.Invalid(fmt.Sprintf("%s.uses[%d]", field, n), "unknown resource or units below 0")
			}
		}
		if a.OutageProfile != nil && len(a.OutageProfile) != in.Days {
			return nil, optimize.Invalid(field+".outage_profile", fmt.Sprintf("want %d entries", in.Days))
		}
		for d, v := range a.OutageProfile {
			if !nonNegative(v) {
				return nil, optimize.Invalid(fmt.Sprintf("%s.outage_profile[%d]", field, d), "want at least 0")
			}
		}
		if err := a.validateNumbers(field, in.Days); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// The largest numbers of an action: SAR, hours or units of a resource, and the
// cumulative hazard, beyond which the survival has no digits left.
const (
	maxMoney  = 1e15
	maxHours  = 1e7
	maxFactor = 1e6
	maxHazard = 1e7
)

func (a *Action) validateNumbers(field string, days int) error {
	for _, n := range []struct {
		name       string
		value, top float64
	}{
		{"skill_hours", a.SkillHours, maxHours}, {"planned_cost", a.PlannedCost, maxMoney}, {"outage_hours", a.OutageHours, maxHours},
		{"loss_per_hour", a.LossPerHour, maxMoney / maxHours}, {"planned_factor", a.PlannedFactor, maxFactor}, {"failure_total", a.FailureTotal, maxMoney},
		{"age_days", a.AgeDays, math.MaxFloat64}, {"evidence", a.Evidence, maxFactor},
	} {
		if !(n.value >= 0 && n.value <= n.top) {
			return optimize.Invalid(field+"."+n.name, fmt.Sprintf("want 0 to %g", n.top))
		}
	}
	if !(a.Weibull.Beta >= .1 && a.Weibull.Beta <= 50) {
		return optimize.Invalid(field+".weibull.beta", "want 0.1 to 50")
	}
	if !(a.Weibull.Eta > 0) || math.IsInf(a.Weibull.Eta, 0) {
		return optimize.Invalid(field+".weibull.eta", "want more than 0 days")
	}
	end := a.AgeDays + float64(days+tailDays)
	if h := max(1, a.Evidence) * math.Pow(end/a.Weibull.Eta, a.Weibull.Beta); !(h <= maxHazard) {
		return optimize.Invalid(field+".weibull.eta", fmt.Sprintf("%g failures expected by the end of the horizon, want at most %g: check scale, age and evidence", h, maxHazard))
	}
	return nil
}

func (in *Input) validateRules(actions map[string]bool) error {
	for k, e := range in.Exclusions {
		if !actions[e.A] || !actions[e.B] || e.A == e.B {
			return optimize.Invalid(fmt.Sprintf("exclusions[%d]", k), "want two different known actions")
		}
	}
	for k, g := range in.Groups {
		if g.MaxOut < 0 {
			return optimize.Invalid(fmt.Sprintf("groups[%d].max_out", k), "want at least 0")
		}
	}
	sites := map[string]bool{}
	for k, c := range in.DowntimeCaps {
		if !nonNegative(c.Hours) || sites[c.SiteID] {
			return optimize.Invalid(fmt.Sprintf("downtime_caps[%d]", k), "want at least 0 hours, once per site")
		}
		sites[c.SiteID] = true
	}
	pinned := map[string]bool{}
	for k, p := range in.Pins {
		switch {
		case !actions[p.ActionID] || pinned[p.ActionID]:
			return optimize.Invalid(fmt.Sprintf("pins[%d].action_id", k), "unknown action or pinned twice")
		case !p.Deferred && (p.StartDay < 0 || p.StartDay >= in.Days):
			return optimize.Invalid(fmt.Sprintf("pins[%d].start_day", k), "outside the horizon")
		}
		pinned[p.ActionID] = true
	}
	return nil
}
