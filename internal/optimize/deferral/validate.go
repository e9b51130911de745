package deferral

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// The largest instance that is accepted.
const (
	maxDays       = 1100
	maxActions    = 20000
	maxModes      = 32
	minReplicates = 20
	maxReplicates = 20000
	maxMoney      = 1e15
)

// number is a field with the range that it must lie in.
type number struct {
	name          string
	value, lo, hi float64
}

// outside returns a fault for the first number that is not in its range, NaN
// included.
func outside(field string, list ...number) error {
	for _, n := range list {
		if !(n.value >= n.lo && n.value <= n.hi) {
			return optimize.Invalid(field+n.name, fmt.Sprintf("want %g to %g", n.lo, n.hi))
		}
	}
	return nil
}

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
	if len(in.Actions) > maxActions {
		return optimize.Invalid("actions", fmt.Sprintf("at most %d", maxActions))
	}
	if err := in.validateWeights(); err != nil {
		return err
	}
	if r := in.replicates(); r < minReplicates || r > maxReplicates {
		return optimize.Invalid("band.replicates", fmt.Sprintf("want %d to %d", minReplicates, maxReplicates))
	}
	if err := outside("band.", number{"confidence", in.Band.confidence(), .5, .999}, number{"materiality_sar", in.Band.Materiality, 0, maxMoney}); err != nil {
		return err
	}
	ids := map[string]bool{}
	for i := range in.Actions {
		a, field := &in.Actions[i], fmt.Sprintf("actions[%d].", i)
		if a.ID == "" || ids[a.ID] {
			return optimize.Invalid(field+"id", "missing or used twice")
		}
		ids[a.ID] = true
		if err := a.validate(field); err != nil {
			return err
		}
	}
	return in.validateChoices(ids)
}

func (in *Input) validateWeights() error {
	if in.Weights.Preset != "" && !slices.Contains(optimize.Presets, in.Weights.Preset) {
		return optimize.Invalid("weights.preset", "unknown preset")
	}
	cost, risk := in.Weights.Values()
	if err := outside("weights.", number{"cost", cost, 0, 1e6}, number{"risk", risk, 0, 1e6}); err != nil {
		return err
	}
	if cost+risk == 0 {
		return optimize.Invalid("weights", "want two numbers, not both 0")
	}
	return nil
}

func (a *Action) validate(field string) error {
	if len(a.Modes) == 0 || len(a.Modes) > maxModes {
		return optimize.Invalid(field+"modes", fmt.Sprintf("want 1 to %d failure modes", maxModes))
	}
	for k, m := range a.Modes {
		if err := m.validate(fmt.Sprintf("%smodes[%d].", field, k)); err != nil {
			return err
		}
	}
	err := outside(field, number{"age_days", a.AgeDays, 0, 1e6}, number{"planned_cost", a.PlannedCost, .01, maxMoney},
		number{"work_hours", a.WorkHours, 0, 1e7}, number{"outage_hours", a.OutageHours, 0, 1e6},
		number{"restoration", a.restoration(), 0, 1}, number{"repaired_age_days", a.RepairedAgeDays, 0, a.AgeDays})
	if err != nil {
		return err
	}
	if a.Kijima < 0 || a.Kijima > 2 {
		return optimize.Invalid(field+"kijima", "want 1 or 2")
	}
	return a.validateAge(field)
}

// mostHazard is the most cumulative hazard that an asset may have met: far
// more than anything survives.
const mostHazard = 1e4

// validateAge refuses ages that nothing reaches, and imperfect jobs where no
// planned job pays at any age.
func (a *Action) validateAge(field string) error {
	hazard := 0.0
	for _, m := range a.Modes {
		hazard += m.evidence() * math.Pow(a.AgeDays/m.Weibull.Eta, m.Weibull.Beta)
	}
	switch {
	case hazard > mostHazard:
		return optimize.Invalid(field+"age_days", "an asset of this age would have failed for certain; check the age and the scale")
	case a.restoration() < 1 && !a.Wears():
		return optimize.Invalid(field+"restoration", "want 1, as no failure mode both wears out (shape above 1) and costs more than the planned job")
	}
	return nil
}

// Wears reports whether a planned job can pay at some age: a failure mode both
// wears out and costs more than the job. Only then can a job restore a part of
// the age.
func (a *Action) Wears() bool {
	return slices.ContainsFunc(a.Modes, func(m Mode) bool { return m.Weibull.Beta > 1 && m.FailureCost > a.PlannedCost })
}

func (m Mode) validate(field string) error {
	return outside(field, number{"weibull.beta", m.Weibull.Beta, .3, 20}, number{"weibull.eta", m.Weibull.Eta, 1, 1e7},
		number{"failure_cost", m.FailureCost, 0, maxMoney}, number{"evidence", m.Evidence, 0, 1e4},
		number{"beta_se", m.BetaSE, 0, m.Weibull.Beta}, number{"eta_se", m.EtaSE, 0, m.Weibull.Eta},
		number{"evidence_se", m.EvidenceSE, 0, m.evidence()}, number{"correlation", m.Correlation, -1, 1})
}

func (in *Input) validateChoices(ids map[string]bool) error {
	pinned := map[string]bool{}
	for k, p := range in.Pins {
		switch {
		case !ids[p.ActionID] || pinned[p.ActionID]:
			return optimize.Invalid(fmt.Sprintf("pins[%d].action_id", k), "unknown action or pinned twice")
		case p.Day < 0 || p.Day >= in.Days:
			return optimize.Invalid(fmt.Sprintf("pins[%d].day", k), "outside the horizon")
		}
		pinned[p.ActionID] = true
	}
	for k, p := range in.WarmStart {
		if !ids[p.ActionID] {
			return optimize.Invalid(fmt.Sprintf("warm_start[%d].action_id", k), "unknown action")
		}
	}
	return nil
}

// restoration returns the share of the age that the job takes away.
func (a *Action) restoration() float64 {
	if a.Restoration == nil {
		return 1
	}
	return *a.Restoration
}

// evidence returns the multiplier on the hazard.
func (m Mode) evidence() float64 {
	if m.Evidence == 0 {
		return 1
	}
	return m.Evidence
}
