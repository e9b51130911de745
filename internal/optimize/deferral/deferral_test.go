package deferral

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
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

// random returns an input of a few actions with one to three modes each, some
// imperfectly restored, over a short horizon with closed days.
func random(rng *rand.Rand) Input {
	in := Input{StartDate: "2026-03-01", Days: 4 + rng.IntN(9), Band: Band{Replicates: 50}, Weights: optimize.Weights{Preset: optimize.Presets[rng.IntN(3)]}}
	if rng.IntN(3) == 0 {
		in.Weights = optimize.Weights{Preset: optimize.PresetCustom, Cost: rng.Float64(), Risk: .1 + 3*rng.Float64()}
	}
	for range in.Days {
		in.WorkingDay = append(in.WorkingDay, rng.IntN(3) > 0)
	}
	in.WorkingDay[rng.IntN(in.Days)] = true
	for i := range 1 + rng.IntN(3) {
		a := Action{ID: string(rune('a' + i)), PlannedCost: 1000 * (1 + 99*rng.Float64()), AgeDays: 1500 * rng.Float64(), Continuous: rng.IntN(2) == 0}
		if rng.IntN(5) == 0 {
			a.AgeDays = 0
		}
		for range 1 + rng.IntN(3) {
			a.Modes = append(a.Modes, Mode{Weibull: asset.Weibull{Beta: .5 + 4*rng.Float64(), Eta: 300 + 3000*rng.Float64()},
				FailureCost: a.PlannedCost * (.5 + 12*rng.Float64()), Evidence: math.Exp(2 * rng.Float64())})
		}
		a.Modes[0].Weibull.Beta += .6
		if rng.IntN(3) == 0 {
			share := rng.Float64()
			a.Restoration, a.Kijima, a.RepairedAgeDays = &share, 1+rng.IntN(2), a.AgeDays*rng.Float64()
			a.Modes[0].FailureCost += a.PlannedCost
		}
		in.Actions = append(in.Actions, a)
	}
	return in
}

// TestBruteForce tries every combination of open days with the costs of the
// independent verifier: the plan is the best one, to the halala.
func TestBruteForce(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	for k := range 200 {
		in := random(rng)
		out, err := enumerate(&in, optimize.Options{Threads: 1})
		require.NoError(t, err, "instance %d", k)
		tables := make([][]Terms, len(in.Actions))
		for i := range in.Actions {
			tables[i] = newReferee(&in.Actions[i]).costs(in.Days)
		}
		best := cheapestCombination(&in, tables, 0)
		require.InDelta(t, best, out.Objective.Weighted, .01, "instance %d", k)
		require.LessOrEqual(t, out.Certificate.Bound, best+.01)
		require.GreaterOrEqual(t, out.Certificate.Objective, best-.01)
	}
}

func cheapestCombination(in *Input, tables [][]Terms, i int) float64 {
	if i == len(in.Actions) {
		return 0
	}
	best := math.Inf(1)
	for d := range in.Days {
		if shut(in, &in.Actions[i], d) == "" {
			best = math.Min(best, weigh(tables[i][d], in.Weights).Weighted+cheapestCombination(in, tables, i+1))
		}
	}
	return best
}

// TestModelAgrees solves the exported program.
func TestModelAgrees(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2 {
		in := random(rng)
		out, err := enumerate(&in, optimize.Options{Threads: 1})
		require.NoError(t, err)
		m, err := engine{}.Model(in)
		require.NoError(t, err)
		r, err := mip.Solve(context.Background(), m, mip.Options{}, nil)
		require.NoError(t, err)
		require.Equal(t, mip.Optimal, r.Status)
		require.InDelta(t, out.Objective.Weighted, r.Objective, 1e-3)
	}
}

// TestImperfectJobsCostMore holds what restoration means: the less a job
// restores, the less it pays to do it early in life, and a restoration of 1 is
// a renewal under both types.
func TestImperfectJobsCostMore(t *testing.T) {
	t.Parallel()
	a := Action{ID: "a", PlannedCost: 100, AgeDays: 500, Modes: []Mode{{Weibull: asset.Weibull{Beta: 3, Eta: 1000}, FailureCost: 900}}}
	renewed := believed(&a).course(61)
	last := renewed.weighted(60, optimize.Weights{})
	for _, share := range []float64{1 - 1e-9, .8, .5} {
		for _, kijima := range []int{1, 2} {
			a.Restoration, a.Kijima = &share, kijima
			c := believed(&a).course(61)
			if share > .99 {
				require.InDelta(t, renewed.weighted(60, optimize.Weights{}), c.weighted(60, optimize.Weights{}), 1e-6)
				continue
			}
			require.Greater(t, c.weighted(60, optimize.Weights{}), last, "an older start costs more of every day waited")
		}
		last = believed(&a).course(61).weighted(60, optimize.Weights{})
	}
	// Kijima's types differ once an earlier repair left some age.
	share := .5
	a.Restoration, a.Kijima, a.RepairedAgeDays = &share, 1, 300
	require.InDelta(t, 400, a.virtualAge(0), 1e-12)
	require.InDelta(t, 405, a.virtualAge(10), 1e-12)
	a.Kijima = 2
	require.InDelta(t, 250, a.virtualAge(0), 1e-12)
}

func two() Input {
	day := 2
	return Input{
		StartDate: "2026-03-01", Days: 40, Weights: optimize.Weights{Preset: optimize.PresetCheapest}, Band: Band{Replicates: 60},
		WorkingDay: append([]bool{true, true, false}, repeat(true, 37)...),
		Actions: []Action{
			{ID: "old", AssetID: "x", SiteID: "s", PlannedCost: 1000, AgeDays: 90, OutageHours: 5, BaselineDay: &day,
				Modes: []Mode{{Weibull: asset.Weibull{Beta: 3, Eta: 100}, FailureCost: 90000, EtaSE: 5}}},
			{ID: "young", AssetID: "y", SiteID: "s", PlannedCost: 50000, AgeDays: 5, OutageHours: 5, BaselineDay: &day,
				Modes: []Mode{{Weibull: asset.Weibull{Beta: 3, Eta: 100}, FailureCost: 90000, EtaSE: 5}}},
		},
	}
}

func repeat(v bool, n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	in := two()
	out, err := Solve(context.Background(), in, optimize.Options{Seed: 3}, nil)
	require.NoError(t, err)
	require.Equal(t, optimize.VerdictDo, out.Actions[0].Verdict)
	require.Zero(t, out.Actions[0].Until)
	require.Equal(t, optimize.VerdictWait, out.Actions[1].Verdict)
	require.Equal(t, out.Actions[1].Day, out.Actions[1].Until)
	require.Equal(t, 39, out.Actions[1].Day)
	require.NotNil(t, out.Baseline)

	in.Band.Materiality = 1e9
	out, err = Solve(context.Background(), in, optimize.Options{Seed: 3}, nil)
	require.NoError(t, err)
	require.Equal(t, optimize.VerdictSame, out.Actions[0].Verdict)
	require.Equal(t, 40, out.Actions[0].Until, "nothing matters within the horizon")
}

func TestPinOnAClosedDayNamesTheRule(t *testing.T) {
	t.Parallel()
	in := two()
	in.Embargoes = []Embargo{{ID: "peak", SiteID: "s", Window: Window{From: 20, To: 25}}}
	for day, want := range map[int]optimize.Conflict{
		2:  {Code: optimize.ReasonDayOff, Day: 2, Amount: 1, ActionIDs: []string{"old"}},
		22: {Code: optimize.ReasonEmbargo, Constraint: "peak", Day: 22, Amount: 1, ActionIDs: []string{"old"}},
	} {
		start := float64(day)
		forced, err := engine{}.Force(in, optimize.Pin{Subject: "old", Start: &start})
		require.NoError(t, err)
		_, err = Solve(context.Background(), forced, optimize.Options{}, nil)
		var no *optimize.InfeasibleError
		require.True(t, errors.As(err, &no))
		require.Equal(t, want, no.Conflicts[0])
		require.Equal(t, optimize.ReasonPinned, no.Conflicts[1].Code)
		require.InDelta(t, float64(day), no.Conflicts[1].Amount, 0, "the cheapest open day is day 0")
		_, err = engine{}.Model(forced)
		require.Equal(t, fault.Conflict, fault.CodeOf(err))
	}
}

func TestPriceOfAPinIsTheDifferenceOfTwoPlans(t *testing.T) {
	t.Parallel()
	in := two()
	free, err := Solve(context.Background(), in, optimize.Options{}, nil)
	require.NoError(t, err)
	start := 9.0
	in, err = engine{}.Force(in, optimize.Pin{Subject: "old", Start: &start})
	require.NoError(t, err)
	out, err := Solve(context.Background(), in, optimize.Options{Prices: true}, nil)
	require.NoError(t, err)
	require.Equal(t, []PinPrice{{ActionID: "old", Value: out.Objective.Weighted - free.Objective.Weighted}}, out.PinPrices)
	require.Positive(t, out.PinPrices[0].Value)
	v, err := engine{}.View(in, out)
	require.NoError(t, err)
	require.True(t, v.Prices[0].Pin && v.Prices[0].Exact)
	require.InDelta(t, v.Prices[0].Value, out.Actions[0].Curve[9]-out.Actions[0].Curve[0], 1e-6)
}

func TestVerifierRefusesTampering(t *testing.T) {
	t.Parallel()
	in := two()
	good, err := Solve(context.Background(), in, optimize.Options{}, nil)
	require.NoError(t, err)
	require.NoError(t, VerifyOutput(in, good))
	for name, tamper := range map[string]func(*Output){
		"closed day":   func(o *Output) { o.Actions[0].Day = 2 },
		"dearer day":   func(o *Output) { o.Actions[0].Day = 1 },
		"curve":        func(o *Output) { o.Actions[0].Curve[5] += .02 },
		"failure":      func(o *Output) { o.Actions[1].Cost.Failure += .02 },
		"total":        func(o *Output) { o.Objective.Weighted += .02 },
		"bound":        func(o *Output) { o.Certificate.Bound += .02 },
		"fleet":        func(o *Output) { o.Fleet[1].Cost += .02 },
		"other action": func(o *Output) { o.Actions[0].ActionID = "young" },
		"missing":      func(o *Output) { o.Actions = o.Actions[:1] },
	} {
		raw, err := json.Marshal(good)
		require.NoError(t, err)
		var bad Output
		require.NoError(t, json.Unmarshal(raw, &bad))
		tamper(&bad)
		require.Error(t, VerifyOutput(in, bad), name)
	}
}

// TestBandIsReproducible compares runs with one and with several threads, and
// another seed.
func TestBandIsReproducible(t *testing.T) {
	t.Parallel()
	in := two()
	one, err := Solve(context.Background(), in, optimize.Options{Seed: 5, Threads: 1}, nil)
	require.NoError(t, err)
	many, err := Solve(context.Background(), in, optimize.Options{Seed: 5, Threads: 4}, nil)
	require.NoError(t, err)
	require.Equal(t, one.Actions, many.Actions)
	require.Equal(t, one.Fleet, many.Fleet)
	other, err := Solve(context.Background(), in, optimize.Options{Seed: 6}, nil)
	require.NoError(t, err)
	require.NotEqual(t, one.Actions[0].Low, other.Actions[0].Low)
	require.Equal(t, one.Actions[0].Curve, other.Actions[0].Curve)
}

// TestBandCoversTheTruth draws true scales around the estimate: the interval
// of the cost of waiting must hold the true cost about as often as it says.
func TestBandCoversTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 10))
	a := Action{ID: "a", PlannedCost: 100, AgeDays: 600, Modes: []Mode{{Weibull: asset.Weibull{Beta: 2, Eta: 1000}, FailureCost: 900, EtaSE: 120}}}
	in := Input{Days: 31, Band: Band{Replicates: 400}, Actions: []Action{a}}
	samples, complete := bootstrap(context.Background(), &in, 1, 2, func() {})
	require.True(t, complete)
	low, high := samples[0].low, samples[0].high
	inside := 0
	const trials = 400
	for range trials {
		truth := drawn(&a, rng).course(31).weighted(30, optimize.Weights{})
		if low[30] <= truth && truth <= high[30] {
			inside++
		}
	}
	require.InDelta(t, .9, float64(inside)/trials, .06)
}

func TestLargePlansGetFewerReplicates(t *testing.T) {
	t.Parallel()
	for actions, want := range map[int]int{0: 400, 38: 400, 200: 200, 2000: 50} {
		in := Input{Actions: make([]Action, actions)}
		require.Equal(t, want, in.replicates())
	}
	in := Input{Band: Band{Replicates: 77}, Actions: make([]Action, 2000)}
	require.Equal(t, 77, in.replicates())
}

func TestCancelKeepsThePlan(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := two()
	out, err := Solve(ctx, in, optimize.Options{}, nil)
	require.NoError(t, err)
	require.True(t, out.Certificate.Verified)
	require.Zero(t, out.Replicates)
	require.Nil(t, out.Actions[0].Low, "no band rather than a poor one")
}

func TestBadInputIsNamed(t *testing.T) {
	t.Parallel()
	minus, nan := -1.0, math.NaN()
	for field, spoil := range map[string]func(*Input){
		"start_date":                       func(in *Input) { in.StartDate = "soon" },
		"days":                             func(in *Input) { in.Days = 0 },
		"working_day":                      func(in *Input) { in.WorkingDay = in.WorkingDay[1:] },
		"band.confidence":                  func(in *Input) { in.Band.Confidence = 1 },
		"band.replicates":                  func(in *Input) { in.Band.Replicates = -1 },
		"weights.preset":                   func(in *Input) { in.Weights.Preset = "best" },
		"weights":                          func(in *Input) { in.Weights = optimize.Weights{Preset: optimize.PresetCustom} },
		"actions[1].id":                    func(in *Input) { in.Actions[1].ID = "old" },
		"actions[0].modes":                 func(in *Input) { in.Actions[0].Modes = nil },
		"actions[0].modes[0].weibull.beta": func(in *Input) { in.Actions[0].Modes[0].Weibull.Beta = nan },
		"actions[0].modes[0].eta_se":       func(in *Input) { in.Actions[0].Modes[0].EtaSE = -1 },
		"actions[0].planned_cost":          func(in *Input) { in.Actions[0].PlannedCost = 0 },
		"actions[0].age_days":              func(in *Input) { in.Actions[0].AgeDays = math.Inf(1) },
		"actions[0].restoration":           func(in *Input) { in.Actions[0].Restoration = &minus },
		"actions[0].kijima":                func(in *Input) { in.Actions[0].Kijima = 3 },
		"pins[0].action_id":                func(in *Input) { in.Pins = []Choice{{ActionID: "?"}} },
		"pins[0].day":                      func(in *Input) { in.Pins = []Choice{{ActionID: "old", Day: 40}} },
		"warm_start[0].action_id":          func(in *Input) { in.WarmStart = []Choice{{ActionID: "?"}} },
	} {
		in := two()
		spoil(&in)
		_, err := Solve(context.Background(), in, optimize.Options{}, nil)
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, fault.Invalid, f.Code)
		require.Equal(t, field, f.Args["field"])
	}
}

func FuzzInput(f *testing.F) {
	raw, err := os.ReadFile("testdata/conformance/input.json")
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"start_date":"2026-01-01","days":3,"actions":[{"id":"a","planned_cost":1,"modes":[{"weibull":{"Beta":0.3,"Eta":0.01},"failure_cost":1e15}]}]}`))
	p, _ := optimize.Lookup(Kind)
	f.Fuzz(func(t *testing.T, data []byte) {
		var in Input
		if json.Unmarshal(data, &in) == nil && (in.Days > 130 || len(in.Actions) > 5 || in.Band.Replicates > 60 || in.Band.Replicates == 0) {
			return
		}
		res, err := p.Solve(context.Background(), data, optimize.Options{Threads: 1}, nil)
		if err != nil {
			require.NotEqual(t, fault.Internal, fault.CodeOf(err), "%v", err)
			return
		}
		require.NoError(t, p.Verify(data, res.Output))
	})
}
