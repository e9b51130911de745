package production

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// tradeOff is a plant with a cheap unit that wears and a dear one that does
// not: every share of the load between them is a choice between cost and risk.
func tradeOff() Input {
	lost := 40.
	in := Input{Start: "2026-03-01", Periods: 8, PeriodHours: 1, Weights: optimize.Weights{Preset: optimize.PresetCheapest},
		Targets: []Target{{ID: "t", Unit: "m3", Demand: []float64{60, 70, 80, 90, 100, 90, 70, 60}, ShortfallCost: &lost}}}
	for _, u := range []Unit{
		{ID: "cheap", FuelPerUnit: 1, Failures: []FailureMode{{Mode: "bearing", RatePerHour: .001, Exponent: 3, Consequence: 300000}}},
		{ID: "dear", FuelPerUnit: 3, StartCost: 50, Failures: []FailureMode{{Mode: "bearing", RatePerHour: .001, Exponent: 3, Consequence: 60000}}},
	} {
		u.AssetID, u.Target, u.MinLoad, u.RatedLoad, u.MaxLoad, u.MinUpHours, u.MinDownHours, u.StateHours = u.ID, "t", 20, 80, 100, 2, 2, 9
		u.Energy = []EnergyPoint{{0, 5}, {100, 105}}
		for range in.Periods {
			u.Tariff = append(u.Tariff, 200)
		}
		in.Units = append(in.Units, u)
	}
	return in
}

// TestFrontierTradesCostForRisk: where the plant allows, five points or more,
// each dearer and less risky than the one before, from full production to
// giving up demand, and each the best of all found under its own weight.
func TestFrontierTradesCostForRisk(t *testing.T) {
	t.Parallel()
	in := tradeOff()
	out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 2000, Seed: 1}, nil)
	require.NoError(t, err)
	points := out.Frontier
	require.GreaterOrEqual(t, len(points), 5)
	for k, p := range points {
		terms, err := Verify(in, p.Runs)
		require.NoError(t, err)
		require.InDelta(t, terms.production(), p.Cost, halala)
		require.InDelta(t, terms.Failure, p.Risk, halala)
		for _, o := range points {
			require.LessOrEqual(t, p.Cost+p.RiskWeight*p.Risk, (o.Cost+p.RiskWeight*o.Risk)*(1+1e-6)+halala, "weight %g", p.RiskWeight)
		}
		if k > 0 {
			require.Greater(t, p.Cost, points[k-1].Cost)
			require.Less(t, p.Risk, points[k-1].Risk)
		}
	}
	require.InDelta(t, 620, points[0].Production, 1e-6, "the cheapest plan serves all demand")
	require.Less(t, points[len(points)-1].Production, points[0].Production, "the plan of least risk gives up demand")
	again, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 2000, Seed: 1, Threads: 1}, nil)
	require.NoError(t, err)
	require.Equal(t, points, again.Frontier, "the number of threads changes nothing")
}

// TestSearchesSpendWhatTheirThreadsDo: two searches on one thread spend both,
// on two threads the longer.
func TestSearchesSpendWhatTheirThreadsDo(t *testing.T) {
	t.Parallel()
	spent := []time.Duration{3, 2, 2}
	require.EqualValues(t, 7, elapsed(spent, 1))
	require.EqualValues(t, 4, elapsed(spent, 2))
	require.EqualValues(t, 3, elapsed(spent, 3))
	require.Zero(t, elapsed(nil, 1))
}
