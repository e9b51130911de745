package cnaim_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

func of(v float64) *float64 { return &v }

func score(t *testing.T, e cnaim.Equipment) cnaim.Result {
	t.Helper()
	r, err := cnaim.Score(e)
	require.NoError(t, err)
	return r
}

// TestWorkedCases holds the cases published with the methodology (example E4)
// and with its open implementation.
func TestWorkedCases(t *testing.T) {
	t.Parallel()
	r := score(t, cnaim.Equipment{Type: "132kV Transformer (GM)", YearOfManufacture: 1980, Age: 43})
	require.InDelta(t, 3.931585, r.Health, 1e-6)
	require.InDelta(t, 0.012446, r.PoF, 1e-6)

	r = score(t, cnaim.Equipment{
		Type: "33kV Transformer (GM)", YearOfManufacture: 1970, Age: 40,
		AltitudeM: of(100), DistanceFromCoastKM: of(5), CorrosionCategory: 3, DailyTaps: of(7),
	})
	main, taps := r.Components[0], r.Components[1]
	require.InDelta(t, 54.545454, main.ExpectedLife, 1e-6)
	require.InDelta(t, 0.0439614133, main.AgeingRate, 1e-10)
	require.InDelta(t, 2.90173651, main.InitialHealth, 1e-8)
	require.InDelta(t, 60.606060, taps.ExpectedLife, 1e-6)
	require.InDelta(t, 2.43382404, taps.Health, 1e-8)
	require.InDelta(t, 2.90173651, r.Health, 1e-8)

	require.InDelta(t, 0.0005, score(t, cnaim.Equipment{Type: "33kV RMU", Age: 10}).PoF, 5e-6)
	require.InDelta(t, 0.00094, score(t, cnaim.Equipment{Type: "132kV CB (Air Insulated Busbars)(ID) (GM)", Age: 10}).PoF, 5e-6)
}

// TestConsequenceCases holds published costs of failure.
func TestConsequenceCases(t *testing.T) {
	t.Parallel()
	yes := true
	primary := score(t, cnaim.Equipment{Type: "6.6/11kV CB (GM) Primary", Age: 1, Site: cnaim.Site{
		Access: "normal", Insulation: "oil", DistanceToWaterM: of(95), Bunded: &yes, Customers: of(750), KVAPerCustomer: of(51),
	}}).Consequence
	require.InDelta(t, 7586, primary.Financial, 1e-9)
	require.InDelta(t, 23502, primary.Safety, 1e-9)
	require.InDelta(t, 750.295, primary.Environmental, 1e-9)
	require.InDelta(t, 759937.5, primary.Network, 1e-6)

	big := score(t, cnaim.Equipment{Type: "132kV Transformer (GM)", Age: 1, Site: cnaim.Site{
		RatingKVA: of(20e3), Windings: "132/33kV", DistanceToWaterM: of(95), Bunded: &yes, LoadMVA: of(75),
	}}).Consequence
	require.InDelta(t, 14038, big.Environmental, 1e-9)
	require.InDelta(t, 288051.25, big.Network, 1e-6)
	require.InDelta(t, 263015*0.9, big.Financial, 1e-6)

	small := score(t, cnaim.Equipment{Type: "20kV Transformer (GM)", Age: 1, Site: cnaim.Site{
		RatingKVA: of(20), DistanceToWaterM: of(95), Bunded: &yes, Access: "underground", LocationRisk: "high", TypeRisk: "high",
	}}).Consequence
	require.InDelta(t, 8997.25*2, small.Financial, 1e-9)
	require.InDelta(t, 1142.7, small.Environmental, 1e-9)
	require.InDelta(t, 4823*1.6, small.Safety, 1e-9)
}

// TestEveryTypeIsComplete scores each type as it is and at its worst.
func TestEveryTypeIsComplete(t *testing.T) {
	t.Parallel()
	require.Len(t, cnaim.Types(), 28)
	for _, name := range cnaim.Types() {
		known := score(t, cnaim.Equipment{Type: name, Age: 20})
		require.Greater(t, known.PoF, 0.0, name)
		require.Greater(t, known.Consequence.Network, 0.0, name)
		require.InDelta(t, known.Typical.Total(), known.Consequence.Total(), 0.1*known.Typical.Total()+60e3, name)
		worst := cnaim.Equipment{Type: name, Age: 20, Observed: map[string]string{}, Measured: map[string]string{}}
		for _, in := range cnaim.Inspections(name) {
			target := worst.Observed
			if in.Measured {
				target = worst.Measured
			}
			target[in.Item] = in.Results[len(in.Results)-1]
		}
		bad := score(t, worst)
		require.GreaterOrEqual(t, bad.Health, 8.0, name)
		require.Greater(t, bad.PoF, known.PoF, name)
		require.Equal(t, 5, bad.Band, name)
	}
}

func TestModifiersExplainTheScore(t *testing.T) {
	t.Parallel()
	e := cnaim.Equipment{
		Type: "33kv transformer(GM)", YearOfManufacture: 1990, Age: 30,
		Observed: map[string]string{"main_tank": "some", "bushings": "some"},
		Measured: map[string]string{"partial_discharge": "medium"},
	}
	r := score(t, e)
	// Observed 1.4 + 0.2/1.5, measured 1.1: joined 1.5333 + 0.1/1.5 = 1.6.
	require.InDelta(t, 1.6, r.Components[0].Factor, 1e-12)
	require.InDelta(t, max(0.5*math.Exp(math.Log(11)/50*30)*1.6, 4), r.Health, 1e-12)
	require.Equal(t, "main_tank", r.Modifiers[0].Name)
	require.Equal(t, "condition", r.Modifiers[0].Affects)
	e.UtilisationPct, e.Site.LoadMVA = of(120), of(60)
	used := map[string]string{}
	for _, m := range score(t, e).Modifiers {
		used[m.Name] = m.Affects
	}
	require.Equal(t, "life", used["utilisation"])
	require.Equal(t, "life", used["location"])
	require.Equal(t, "cost", used["load"])
	e.UtilisationPct = nil
	require.InDelta(t, 4, r.Components[0].Collar, 1e-12)
	e.ReliabilityFactor = 1.5
	require.InDelta(t, 1.5*0.5*math.Exp(math.Log(11)/50*30)*1.6, score(t, e).Health, 1e-12)
}

func TestOilGasAndFurfural(t *testing.T) {
	t.Parallel()
	base := cnaim.Equipment{Type: "132kV Transformer (GM)", Age: 30}
	plain := score(t, base)

	good := base
	good.Oil = &cnaim.Oil{MoisturePPM: of(5), Acidity: of(0.01), BreakdownKV: of(80)}
	require.InDelta(t, 0.9, score(t, good).Components[0].Factor, 1e-12)
	partial := base
	partial.Oil = &cnaim.Oil{MoisturePPM: of(5)}
	require.Equal(t, plain.Health, score(t, partial).Health, "half a test is no praise")

	gas := base
	gas.Gases = &cnaim.Gases{Hydrogen: 150, Methane: 60, Ethylene: 60, Ethane: 60, Acetylene: 30}
	// 50·10 + 30·10·3 + 120·8 = 2360: collar 7 at most.
	require.InDelta(t, 7, score(t, gas).Health, 1e-12)
	gas.GasesBefore = &cnaim.Gases{}
	require.InDelta(t, 1.5, score(t, gas).Components[0].Factor, 1e-12)
	gas.GasesBefore = gas.Gases
	require.InDelta(t, 1, score(t, gas).Components[0].Factor, 1e-12)

	paper := base
	paper.FurfuralPPM = of(4.5)
	r := score(t, paper)
	require.InDelta(t, 1.1, r.Components[0].Factor, 1e-12)
	require.InDelta(t, 2.33*math.Pow(4.5, 0.68), r.Components[0].Collar, 1e-12)
}

func TestFutureGrowsAndIsCapped(t *testing.T) {
	t.Parallel()
	r := score(t, cnaim.Equipment{Type: "132kV Transformer (GM)", YearOfManufacture: 1980, Age: 43})
	require.Equal(t, r.PoF, r.Future(0).PoF)
	before := r.Future(0)
	for year := 1.0; year < 120; year++ {
		now := r.Future(year)
		require.GreaterOrEqual(t, now.Health, before.Health)
		require.LessOrEqual(t, now.Health, 15.0)
		before = now
	}
	require.InDelta(t, 15, before.Health, 1e-12)
	// β₂ = β₁ for an asset as healthy as its age says; reduction 1 + (H−2)/7.
	rate := math.Log(11) / 50 / (1 + (r.Health-2)/7)
	require.InDelta(t, r.Health*math.Exp(5*rate), r.Future(5).Health, 1e-9)
	require.Equal(t, r.Health, r.Future(math.NaN()).Health)

	require.Zero(t, r.FailureWithin(-1))
	require.Zero(t, r.FailureWithin(math.NaN()))
	require.InDelta(t, r.PoF*30/365.25, r.FailureWithin(30), 0.01*r.PoF)
	require.Less(t, r.FailureWithin(30), r.FailureWithin(90))
	require.LessOrEqual(t, r.FailureWithin(math.Inf(1)), 1.0)
	fine := 0.0
	for i := range 10000 {
		fine += r.Future((float64(i)+0.5)*10/10000).PoF * 10 / 10000
	}
	require.InDelta(t, 1-math.Exp(-fine), r.FailureWithin(3652.5), 1e-7)
}

// TestBetterIsNeverWorse moves one input at a time.
func TestBetterIsNeverWorse(t *testing.T) {
	t.Parallel()
	for _, name := range cnaim.Types() {
		for _, in := range cnaim.Inspections(name) {
			last := 0.0
			for _, result := range in.Results {
				e := cnaim.Equipment{Type: name, Age: 35}
				if set := map[string]string{in.Item: result}; in.Measured {
					e.Measured = set
				} else {
					e.Observed = set
				}
				h := score(t, e).Health
				require.GreaterOrEqual(t, h, last, "%s %s %s", name, in.Item, result)
				last = h
			}
		}
		young, old := score(t, cnaim.Equipment{Type: name, Age: 5}), score(t, cnaim.Equipment{Type: name, Age: 50})
		require.Less(t, young.PoF, old.PoF, name)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const large = "132kV Transformer (GM)"
	tests := map[string]cnaim.Equipment{
		"type":                    {Type: "steam boiler"},
		"age":                     {Type: large, Age: math.NaN()},
		"tapchanger_age":          {Type: large, TapchangerAge: of(-1)},
		"reliability_factor":      {Type: large, ReliabilityFactor: 3},
		"corrosion_category":      {Type: large, CorrosionCategory: 9},
		"year_of_manufacture":     {Type: large, YearOfManufacture: -4},
		"altitude_m":              {Type: large, AltitudeM: of(math.Inf(1))},
		"placement":               {Type: large, Placement: "cellar"},
		"observed":                {Type: large, Observed: map[string]string{"wheels": "some"}},
		"observed.main_tank":      {Type: large, Observed: map[string]string{"main_tank": "rusty"}},
		"measured":                {Type: "33kV RMU", Measured: map[string]string{"main_tank": "some"}},
		"oil.breakdown_kv":        {Type: large, Oil: &cnaim.Oil{BreakdownKV: of(-2)}},
		"gases_before.ethane_ppm": {Type: large, GasesBefore: &cnaim.Gases{Ethane: math.Inf(1)}},
		"site.windings":           {Type: large, Site: cnaim.Site{Windings: "1/2"}},
		"site.load_mva":           {Type: large, Site: cnaim.Site{LoadMVA: of(math.NaN())}},
		"site.access":             {Type: large, Site: cnaim.Site{Access: "by boat"}},
	}
	for field, e := range tests {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			_, err := cnaim.Score(e)
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, field, f.Args["field"])
			require.ErrorContains(t, err, field)
		})
	}
}

// FuzzScore feeds attributes as they are stored.
func FuzzScore(f *testing.F) {
	f.Add(`{"type":"33kV RMU","age":12,"observed":{"external_condition":"some"},"site":{"customers":3}}`)
	f.Add(`{"type":"66kV Transformer (GM)","age":80,"gases":{"hydrogen_ppm":1e5},"furfural_ppm":9,"oil":{"acidity_mg_koh_g":2}}`)
	f.Fuzz(func(t *testing.T, s string) {
		var e cnaim.Equipment
		if json.Unmarshal([]byte(s), &e) != nil {
			return
		}
		r, err := cnaim.Score(e)
		if err != nil {
			return
		}
		for _, v := range []float64{r.Health, r.PoF, r.Risk, r.FailureWithin(30), r.Future(10).PoF} {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0) || v < 0, "%+v", r)
		}
		require.True(t, r.Health >= 0.5 && r.Health <= 10, "%v", r.Health)
	})
}
