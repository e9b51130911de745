package production

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// randomBlock is a target with two units. Loads, ramps, demands and the steps
// of the hazard are whole, so that some best plan has whole loads.
func randomBlock(rng *rand.Rand, id string, periods int) (Target, []Unit) {
	whole := func(low, high int) float64 { return float64(low + rng.IntN(high-low+1)) }
	lost := whole(20, 400)
	g := Target{ID: id, Unit: "m3", ShortfallCost: &lost}
	for range periods {
		g.Demand = append(g.Demand, whole(0, 7))
	}
	storage := rng.IntN(3) == 0
	if storage {
		g.Storage = &Storage{Capacity: 3, Level: whole(0, 3), MinFinal: whole(0, 2)}
	}
	var units []Unit
	for k := range 2 {
		u := Unit{ID: fmt.Sprintf("%s-%d", id, k), AssetID: "a", Target: id, MinLoad: whole(0, 2), RatedLoad: RiskSegments, StartCost: whole(0, 200),
			MinUpHours: whole(0, 3), MinDownHours: whole(0, 3), FuelPerUnit: whole(0, 9), StateHours: whole(0, 4), Running: rng.IntN(2) == 0, AttendedStart: rng.IntN(4) == 0,
			Failures: []FailureMode{{Mode: "bearing", RatePerHour: .01, Factor: rng.Float64() * 3, Exponent: 3, Consequence: whole(0, 9) * 1e5}, {Mode: "seal", RatePerHour: .001, Exponent: 1, Consequence: 2000}}}
		u.MaxLoad = u.MinLoad + 2
		u.Energy = []EnergyPoint{{0, 10}, {u.MinLoad + 1, 10 + 30*(u.MinLoad+1)}, {9, 10 + 30*(u.MinLoad+1) + whole(30, 60)*(8-u.MinLoad)}}
		if u.Running {
			u.Load = u.MinLoad + whole(0, 1)
		}
		if !storage && rng.IntN(2) == 0 {
			up, down := whole(1, 2), whole(1, 2)
			u.RampUp, u.RampDown = &up, &down
		}
		for range periods {
			u.Tariff = append(u.Tariff, whole(50, 400))
			u.Current = append(u.Current, u.MinLoad)
		}
		if rng.IntN(4) == 0 {
			u.Outages = []Outage{{ID: "wo", From: periods - 1, To: periods}}
		}
		units = append(units, u)
	}
	return g, units
}

func randomInput(rng *rand.Rand, blocks, periods int) Input {
	in := Input{Start: "2026-03-01", Periods: periods, PeriodHours: 1, Weights: optimize.Weights{Preset: optimize.PresetCustom, Cost: 1, Risk: float64(rng.IntN(3))}}
	for b := range blocks {
		g, units := randomBlock(rng, fmt.Sprintf("t%d", b), periods)
		in.Targets, in.Units = append(in.Targets, g), append(in.Units, units...)
	}
	for t := range periods {
		in.Attended = append(in.Attended, t%3 != 1)
	}
	return in
}

// block is the input of one target alone.
func (in *Input) block(b int) Input {
	out := *in
	out.Targets, out.Units = in.Targets[b:b+1], in.Units[2*b:2*b+2]
	return out
}

// profiles lists every profile of a unit with whole loads.
func profiles(u Unit, periods int) []Run {
	runs := []Run{{UnitID: u.ID}}
	for range periods {
		var longer []Run
		for _, r := range runs {
			for load := u.MinLoad - 1; load <= u.MaxLoad; load++ {
				n := Run{UnitID: u.ID, On: append(append([]bool(nil), r.On...), load >= u.MinLoad), Load: append([]float64(nil), r.Load...)}
				n.Load = append(n.Load, max(0, load)*indicator(load >= u.MinLoad))
				longer = append(longer, n)
			}
		}
		runs = longer
	}
	return runs
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// enumerate is the least weighted cost over every pair of profiles that the
// verifier accepts.
func enumerate(in Input) float64 {
	best := math.Inf(1)
	var kept [2][]Run
	for k, u := range in.Units {
		for _, r := range profiles(u, in.Periods) {
			ok := true
			for _, check := range []func(Input, Unit, Run) error{verifyLoads, verifyTimes, verifyRamps, verifyHeld} {
				ok = ok && check(in, u, r) == nil
			}
			if ok {
				kept[k] = append(kept[k], r)
			}
		}
	}
	for _, a := range kept[0] {
		for _, b := range kept[1] {
			terms, _ := verifyCost(in, map[string]Run{a.UnitID: a, b.UnitID: b})
			best = math.Min(best, terms.Weighted)
		}
	}
	return best
}

// TestTwoHundredRandomProblems enumerates every plan of 200 random problems:
// the bound does not exceed the optimum, the plan is not below it, and the
// verifier agrees with the solver to the halala.
func TestTwoHundredRandomProblems(t *testing.T) {
	t.Parallel()
	const rounds, each, periods = 20, 10, 3
	for round := range rounds {
		rng := rand.New(rand.NewPCG(3, uint64(round)))
		in := randomInput(rng, each, periods)
		require.NoError(t, in.Validate())
		optimum, feasible := 0.0, true
		for b := range each {
			optimum += enumerate(in.block(b))
		}
		feasible = !math.IsInf(optimum, 1)
		opt := optimize.Options{MaxIterations: 20000, RelGap: 1e-9, Seed: 1, TimeLimit: time.Minute}.WithDefaults()
		s, err := solveCore(context.Background(), &in, opt, nil)
		if !feasible {
			require.Equal(t, fault.Conflict, fault.CodeOf(err), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, optimize.StatusOptimal, s.outcome.Status)
		require.LessOrEqual(t, s.outcome.Bound, optimum+halala)
		require.InDelta(t, optimum, s.terms.Weighted, halala+1e-6*optimum)
		require.InDelta(t, s.outcome.Objective, s.terms.Weighted, halala)
	}
}

// TestPlansOfTheSearchAloneHoldEveryRule: without the solver, plans, frontier
// and baseline pass the verifier, starts keep to attended periods and outages
// are kept free; Solve fails otherwise.
func TestPlansOfTheSearchAloneHoldEveryRule(t *testing.T) {
	t.Parallel()
	for n := range 60 {
		rng := rand.New(rand.NewPCG(5, uint64(n)))
		in := randomInput(rng, 2, 8)
		out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 30, Solver: optimize.SolverHeuristic, Seed: 1}, nil)
		if err != nil {
			require.Equal(t, fault.Unavailable, fault.CodeOf(err), "%v", err)
			continue
		}
		require.NotNil(t, out.Baseline)
		require.False(t, out.Certificate.BoundKnown)
		for i, p := range out.Profiles {
			require.NotEmpty(t, p.Reasons)
			on := in.Units[i].Running
			for k, now := range p.On {
				require.False(t, now && !on && in.Units[i].AttendedStart && !in.Attended[k])
				on = now
			}
		}
	}
}

func example(t *testing.T) Input {
	t.Helper()
	data, err := os.ReadFile("testdata/conformance/input.json")
	require.NoError(t, err)
	var in Input
	require.NoError(t, json.Unmarshal(data, &in))
	return in
}

func TestPricesAndMarginalPrices(t *testing.T) {
	t.Parallel()
	in := example(t)
	load := 250.
	in.FrontierPoints = 1
	in.Pins = []Pin{{UnitID: "p1", From: 0, To: 3, Load: &load}}
	out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 5000, Prices: true, Seed: 1}, nil)
	require.NoError(t, err)
	require.Len(t, out.PinPrices, 1)
	require.Equal(t, "p1", out.PinPrices[0].UnitID)
	require.GreaterOrEqual(t, out.PinPrices[0].Value, -halala)
	require.NotEmpty(t, out.Prices, "some unit or storage is at its limit")
	for _, p := range out.Prices {
		require.GreaterOrEqual(t, p.Value, -halala, p.Resource)
		require.Positive(t, p.Step)
		require.True(t, p.Exact)
	}
	require.InDelta(t, load, out.Profiles[0].Load[1], 1e-6)
	if os.Getenv("OPTRIA_HIGHS") == "" { // only the embedded solver gives duals
		require.Len(t, out.Supplies[0].MarginalPrice, in.Periods)
	}
}

func TestVerifyOutputRefusesWhatBreaksARule(t *testing.T) {
	t.Parallel()
	in := example(t)
	solve := func() Output {
		out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 20, Solver: optimize.SolverHeuristic, Seed: 1}, nil)
		require.NoError(t, err)
		return out
	}
	require.NoError(t, VerifyOutput(in, solve()))
	for want, change := range map[string]func(*Output){
		"is outside":       func(o *Output) { o.Profiles[0].Load[2] = 1000 },
		"off in period":    func(o *Output) { o.Profiles[0].On[2] = false },
		"objective: term":  func(o *Output) { o.Objective.Failure++ },
		"baseline: term":   func(o *Output) { o.Baseline.Energy++ },
		"certificate":      func(o *Output) { o.Certificate.Objective-- },
		"does not add up":  func(o *Output) { o.Supplies[0].Level[1]++ },
		"frontier point 0": func(o *Output) { o.Frontier[0].Risk++ },
		"profiles for":     func(o *Output) { o.Profiles = o.Profiles[1:] },
		"of outage wo-17":  func(o *Output) { o.Profiles[3].On[4], o.Profiles[3].Load[4] = true, 30 },
	} {
		out := solve()
		change(&out)
		require.ErrorContains(t, VerifyOutput(in, out), want)
	}
}

func TestConflictOfPinAndOutageIsNamed(t *testing.T) {
	t.Parallel()
	in := example(t)
	in.Pins = []Pin{{UnitID: "k1", From: 0, To: in.Periods}}
	_, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 10, Seed: 1}, nil)
	var why *optimize.InfeasibleError
	require.ErrorAs(t, err, &why)
	require.Equal(t, ReasonOutage, why.Conflicts[0].Code)
	require.Equal(t, "wo-17", why.Conflicts[0].Constraint)
	require.Equal(t, optimize.ReasonPinned, why.Conflicts[1].Code)
}
