package maintenance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// twins are two identical pumps that both want to be done at once, with a
// crew for one.
func twins() Input {
	in := Input{StartDate: "2026-03-01", Days: 10, Weights: optimize.Weights{Preset: optimize.PresetCheapest}, Resources: []Resource{{ID: "crew"}}}
	for range in.Days {
		in.Resources[0].Available = append(in.Resources[0].Available, 10)
	}
	for k := range 2 {
		in.Actions = append(in.Actions, Action{
			ID: fmt.Sprint("job", k), AssetID: fmt.Sprint("pump", k), SiteID: "north", DurationDays: 2, Skill: "crew", SkillHours: 20, OutageHours: 12,
			PlannedCost: 50_000, LossPerHour: 2000, PlannedFactor: .35, FailureTotal: 900_000 + float64(k), Weibull: asset.Weibull{Beta: 2.5, Eta: 300}, AgeDays: 400, Evidence: 2,
		})
	}
	return in
}

func quick() optimize.Options { return optimize.Options{MaxIterations: 5000, Seed: 3} }

func decisionOf(t *testing.T, out Output, id string) Decision {
	t.Helper()
	for _, d := range out.Schedule {
		if d.ActionID == id {
			return d
		}
	}
	require.Fail(t, "no decision for "+id)
	return Decision{}
}

func codes(d Decision) []optimize.ReasonCode {
	var list []optimize.ReasonCode
	for _, r := range d.Reasons {
		list = append(list, r.Code)
	}
	return list
}

func TestReasonsNameWhatBinds(t *testing.T) {
	t.Parallel()
	out, err := Solve(context.Background(), twins(), quick(), nil)
	require.NoError(t, err)
	require.Equal(t, optimize.StatusOptimal, out.Certificate.Status)
	second, first := decisionOf(t, out, "job0"), decisionOf(t, out, "job1") // job1 risks one riyal more
	require.Equal(t, 0, first.StartDay)
	require.Equal(t, 2, second.StartDay)
	require.Contains(t, codes(first), optimize.ReasonCheapestDay)
	require.Contains(t, codes(first), optimize.ReasonFailureRisk)
	require.Contains(t, codes(second), optimize.ReasonResourceBinding)
	require.Equal(t, "crew", second.Reasons[1].Constraint)
	require.Positive(t, second.Reasons[1].Money)
	require.Equal(t, "pump1", out.Assets[0].ID)
	require.InDelta(t, out.Assets[0].ValueAtStake+out.Assets[1].ValueAtStake, out.Sites[0].ValueAtStake, 1e-6)
	curve := out.Curves[0]
	require.Len(t, curve.Delta, 11)
	require.False(t, curve.Feasible[0])
	require.Negative(t, curve.Delta[0])
	require.Zero(t, curve.Delta[2])
	require.True(t, curve.Feasible[10])
}

func TestRulesExplainClosedDays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Input)
		want   optimize.ReasonCode
	}{
		"embargo": {func(in *Input) {
			in.Embargoes = []Embargo{{ID: "peak", SiteID: "north", Window: Window{From: 0, To: 3}}}
		}, optimize.ReasonEmbargo},
		"group": {func(in *Input) {
			in.Groups = []Group{{ID: "g", Members: []string{"pump0", "pump1"}, MaxOut: 1}}
			roomy(in)
		}, optimize.ReasonKOutOfN},
		"exclusion": {func(in *Input) { in.Exclusions = []Exclusion{{ID: "x", A: "job0", B: "job1"}}; roomy(in) }, optimize.ReasonExclusion},
		"downtime":  {func(in *Input) { in.DowntimeCaps = []DowntimeCap{{SiteID: "north", Hours: 15}} }, optimize.ReasonDowntimeCap},
		"budget":    {func(in *Input) { b := 60_000.0; in.BudgetSAR = &b }, optimize.ReasonBudget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := twins()
			test.change(&in)
			out, err := Solve(context.Background(), in, quick(), nil)
			require.NoError(t, err)
			require.Contains(t, codes(decisionOf(t, out, "job0")), test.want)
		})
	}
}

func roomy(in *Input) {
	for d := range in.Resources[0].Available {
		in.Resources[0].Available[d] = 100
	}
}

func TestSameSeedAndBudgetGiveTheSamePlan(t *testing.T) {
	t.Parallel()
	in := fleetInput(t, 30)
	var plans [2][]byte
	for k := range plans {
		out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 10000, Seed: 9, TimeLimit: 5 * time.Minute}, nil)
		require.NoError(t, err)
		out.Certificate.Seconds = 0
		plans[k], err = json.Marshal(out)
		require.NoError(t, err)
	}
	require.True(t, bytes.Equal(plans[0], plans[1]), "two runs differ")
}

func TestPricesAreDifferencesOfVerifiedPlans(t *testing.T) {
	t.Parallel()
	in := twins()
	in.Resources[0].PriceStep = 10
	in.Pins = []Pin{{ActionID: "job1", StartDay: 5}}
	opt := quick()
	opt.Prices = true
	out, err := Solve(context.Background(), in, opt, nil)
	require.NoError(t, err)
	require.Len(t, out.PinPrices, 1)
	free := in
	free.Pins = nil
	unpinned, err := Solve(context.Background(), free, quick(), nil)
	require.NoError(t, err)
	require.InDelta(t, out.Objective.Weighted-unpinned.Objective.Weighted, out.PinPrices[0].Value, 1)
	require.Positive(t, out.PinPrices[0].Value)

	priced, err := Solve(context.Background(), free, opt, nil)
	require.NoError(t, err)
	require.Len(t, priced.Prices, 1)
	more := free.withMore("crew")
	wider, err := Solve(context.Background(), more, quick(), nil)
	require.NoError(t, err)
	require.InDelta(t, priced.Objective.Weighted-wider.Objective.Weighted, priced.Prices[0].Value, 1)
	require.True(t, priced.Prices[0].Exact)
}

func TestForceAnswersWhyNot(t *testing.T) {
	t.Parallel()
	in, day := twins(), 0.0
	pin := optimize.Pin{Subject: "job0", Start: &day}
	forced, err := engine{}.Force(in, pin)
	require.NoError(t, err)
	out, err := Solve(context.Background(), forced, quick(), nil)
	require.NoError(t, err)
	require.Equal(t, 0, decisionOf(t, out, "job0").StartDay)
	in.Embargoes = []Embargo{{ID: "peak", SiteID: "north", Window: Window{From: 0, To: 3}}}
	forced, err = engine{}.Force(in, pin)
	require.NoError(t, err)
	_, err = Solve(context.Background(), forced, quick(), nil)
	var conflict *optimize.InfeasibleError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, fault.Conflict, fault.CodeOf(err))
	require.Equal(t, optimize.Conflict{Code: optimize.ReasonEmbargo, Constraint: "peak", ActionIDs: []string{"job0"}}, conflict.Conflicts[0])
	for name, bad := range map[string]optimize.Pin{"unknown": {Subject: "job9"}, "no day": {Subject: "job0"}} {
		_, err = engine{}.Force(in, bad)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), name)
	}
}

func TestInfeasibleInputNamesTheConstraints(t *testing.T) {
	t.Parallel()
	in := twins()
	in.Pins = []Pin{{ActionID: "job0", StartDay: 4}, {ActionID: "job1", StartDay: 5}}
	_, err := Solve(context.Background(), in, quick(), nil)
	var conflict *optimize.InfeasibleError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, optimize.ReasonResourceBinding, conflict.Conflicts[0].Code)
	require.Equal(t, "crew", conflict.Conflicts[0].Constraint)
	require.Equal(t, 5, conflict.Conflicts[0].Day)
	require.InDelta(t, 10, conflict.Conflicts[0].Amount, 1e-6)
	require.Equal(t, []string{"job0", "job1"}, conflict.Conflicts[0].ActionIDs)
	require.Equal(t, optimize.ReasonPinned, conflict.Conflicts[len(conflict.Conflicts)-1].Code)
}

// TestActionThatFitsNowhereNamesWhatItLacks: the least amount over the days.
func TestActionThatFitsNowhereNamesWhatItLacks(t *testing.T) {
	t.Parallel()
	in := twins()
	in.Actions[0].Mandatory, in.Actions[0].SkillHours = true, 30
	in.Resources[0].Available[4], in.Resources[0].Available[5] = 12, 13
	_, err := Solve(context.Background(), in, quick(), nil)
	var conflict *optimize.InfeasibleError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, optimize.ReasonResourceBinding, conflict.Conflicts[0].Code)
	require.InDelta(t, 3, conflict.Conflicts[0].Amount, 1e-9)
	due := 0
	in = twins()
	in.Actions[1].DueDay = &due
	_, err = Solve(context.Background(), in, quick(), nil)
	require.ErrorAs(t, err, &conflict)
	require.Contains(t, conflict.Conflicts, optimize.Conflict{Code: optimize.ReasonDue, ActionIDs: []string{"job1"}, Amount: 1})
}

func TestCancellingKeepsTheBestPlan(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := fleetInput(t, 60)
	in.Weights = optimize.Weights{Preset: optimize.PresetLowestRisk}
	out, err := Solve(ctx, in, optimize.Options{TimeLimit: time.Minute, RelGap: 1e-12}, func(p optimize.Progress) {
		if p.HasIncumbent {
			cancel()
		}
	})
	require.NoError(t, err)
	require.True(t, out.Certificate.Verified)
	require.Less(t, out.Certificate.Seconds, 30.)
}

func TestVerifierRefusesBrokenPlans(t *testing.T) {
	t.Parallel()
	in := twins()
	in.Groups = []Group{{ID: "g", Members: []string{"pump0", "pump1"}, MaxOut: 1}}
	at := func(a, b int) []Start {
		return []Start{{ActionID: "job0", StartDay: a}, {ActionID: "job1", StartDay: b}}
	}
	_, err := Verify(in, at(0, 2))
	require.NoError(t, err)
	for want, plan := range map[string][]Start{
		"resource crew":    at(0, 1),
		"within the hor":   at(0, 9),
		"outside its":      at(0, -1),
		"is not decided":   {{ActionID: "job0"}, {ActionID: "other"}},
		"is decided twice": {{ActionID: "job0"}, {ActionID: "job0"}},
		"1 decisions":      {{ActionID: "job0"}},
	} {
		_, err = Verify(in, plan)
		require.ErrorContains(t, err, want)
	}
	roomy(&in)
	_, err = Verify(in, at(0, 1))
	require.ErrorContains(t, err, "group g")
	out, err := Solve(context.Background(), in, quick(), nil)
	require.NoError(t, err)
	out.Objective.Failure += 10
	require.ErrorContains(t, VerifyOutput(in, out), "failure")
}

func TestBadInputNamesTheField(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*Input){
		"start_date":                func(in *Input) { in.StartDate = "soon" },
		"days":                      func(in *Input) { in.Days = 0 },
		"working_day":               func(in *Input) { in.WorkingDay = []bool{true} },
		"actions[1].id":             func(in *Input) { in.Actions[1].ID = "job0" },
		"actions[0].duration_days":  func(in *Input) { in.Actions[0].DurationDays = 0 },
		"actions[0].weibull.beta":   func(in *Input) { in.Actions[0].Weibull.Beta = 0 },
		"actions[0].planned_cost":   func(in *Input) { in.Actions[0].PlannedCost = -1 },
		"actions[0].skill":          func(in *Input) { in.Actions[0].Skill = "magic" },
		"resources[0].available":    func(in *Input) { in.Resources[0].Available = nil },
		"resources[0].available[3]": func(in *Input) { in.Resources[0].Available[3] = -2 },
		"pins[0].action_id":         func(in *Input) { in.Pins = []Pin{{ActionID: "none"}} },
		"pins[0].start_day":         func(in *Input) { in.Pins = []Pin{{ActionID: "job0", StartDay: 10}} },
		"exclusions[0]":             func(in *Input) { in.Exclusions = []Exclusion{{A: "job0", B: "job0"}} },
		"weights.preset":            func(in *Input) { in.Weights.Preset = "best" },
		"weights":                   func(in *Input) { in.Weights = optimize.Weights{Preset: optimize.PresetCustom} },
		"actions[0].outage_profile": func(in *Input) { in.Actions[0].OutageProfile = []float64{1} },
		"actions[0].uses[0]":        func(in *Input) { in.Actions[0].Uses = []Use{{Resource: "?"}} },
		"downtime_caps[0]":          func(in *Input) { in.DowntimeCaps = []DowntimeCap{{Hours: -1}} },
		"budget_sar":                func(in *Input) { b := -1.; in.BudgetSAR = &b },
		"resources[1].id":           func(in *Input) { in.Resources = append(in.Resources, in.Resources[0]) },
		"actions[0].weibull.eta":    func(in *Input) { in.Actions[0].Weibull.Eta = -3 },
		"groups[0].max_out":         func(in *Input) { in.Groups = []Group{{MaxOut: -1}} },
		"resources[0].minimum":      func(in *Input) { in.Resources[0].Minimum = []float64{1} },
		"actions[1].evidence":       func(in *Input) { in.Actions[1].Evidence = -1 },
		"resources[0].price_step":   func(in *Input) { in.Resources[0].PriceStep = -1 },
		"actions[0].outage_profile[2]": func(in *Input) {
			in.Actions[0].OutageProfile = []float64{1, 1, -1, 1, 1, 1, 1, 1, 1, 1}
		},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			in := twins()
			change(&in)
			_, err := Solve(context.Background(), in, quick(), nil)
			var f *fault.Error
			require.True(t, errors.As(err, &f))
			require.Equal(t, fault.Invalid, f.Code)
			require.Equal(t, field, f.Args["field"])
		})
	}
}

func TestRegisteredProblemSpeaksJSON(t *testing.T) {
	t.Parallel()
	p, ok := optimize.Lookup(Kind)
	require.True(t, ok)
	raw, err := json.Marshal(twins())
	require.NoError(t, err)
	res, err := p.Solve(context.Background(), raw, quick(), nil)
	require.NoError(t, err)
	require.NoError(t, p.Verify(raw, res.Output))
	require.Error(t, p.Verify(raw, json.RawMessage(`{}`)))
	_, err = p.Solve(context.Background(), json.RawMessage(`{"days":`), quick(), nil)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Equal(t, "MaintenancePrioritizationProblem", p.Spec().Name)
}

func TestNothingToDecideIsOptimal(t *testing.T) {
	t.Parallel()
	in := twins()
	in.Actions = nil
	out, err := Solve(context.Background(), in, quick(), nil)
	require.NoError(t, err)
	require.Equal(t, optimize.StatusOptimal, out.Certificate.Status)
	require.Empty(t, out.Schedule)
	in.Resources[0].Minimum = []float64{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	_, err = Solve(context.Background(), in, quick(), nil)
	var conflict *optimize.InfeasibleError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, optimize.ReasonMinimum, conflict.Conflicts[0].Code)
}

func TestPlansOnTheWayAreWholeWarmStarts(t *testing.T) {
	t.Parallel()
	in := fleetInput(t, 30)
	var plans [][]Start
	out, err := Solve(t.Context(), in, optimize.Options{TimeLimit: 2 * time.Second, Seed: 1, OnPlan: func(p any) { plans = append(plans, p.([]Start)) }}, nil)
	require.NoError(t, err)
	require.NotEmpty(t, plans)
	for _, plan := range plans {
		terms, err := Verify(in, plan)
		require.NoError(t, err, "a plan on the way holds every rule")
		require.GreaterOrEqual(t, terms.Weighted, out.Objective.Weighted-1e-6*out.Objective.Weighted)
	}
}
