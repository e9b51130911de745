package scoring_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

func transformer() *cnaim.Equipment {
	load, ppm := 85.0, 3.1
	return &cnaim.Equipment{Type: "132kV Transformer (GM)", Age: 30, UtilisationPct: &load, FurfuralPPM: &ppm}
}

func TestElectricalEquipmentIsRatedByItsMethod(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	plain := scoring.Score(in)
	in.Electrical = transformer()
	want, err := cnaim.Score(*in.Electrical)
	require.NoError(t, err)
	s := scoring.Score(in)
	requireSound(t, s)
	require.Equal(t, scoring.ModelElectrical, s.Failure.ModelID)
	require.Equal(t, scoring.ModelElectricalRUL, s.RUL.ModelID)
	require.InDelta(t, want.FailureWithin(30), s.Failure.P30.Value, 1e-12)
	require.InDelta(t, want.FailureWithin(90), s.Failure.P90.Value, 1e-12)
	require.Equal(t, want.Modifiers, s.Failure.Modifiers)
	require.NotEmpty(t, s.Failure.Modifiers)
	require.InDelta(t, s.Failure.Value*s.Risk.FailureCost, s.Risk.Value, 1e-9, "its own cost model")
	require.Equal(t, plain.Risk.FailureCost, s.Risk.FailureCost)
	for _, sub := range s.Health.SubScores {
		if sub.Name == "age" {
			require.InDelta(t, (10-want.Health)/9.5, sub.Score, 1e-12)
		}
	}
	h := func(d float64) float64 { return math.Pow(d/900, 2) }
	require.InDelta(t, -math.Log1p(-s.Failure.Value)/(h(450)-h(420)), s.Failure.HazardRatio, 1e-9)
}

func TestElectricalWearShortensLifeAndHealth(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	in.Settings = scoring.DefaultSettings()
	in.Settings.RULCapDays = 365 * 100
	score := func(age float64) scoring.AssetScore {
		in.Electrical = transformer()
		in.Electrical.Age, in.Electrical.FurfuralPPM = age, nil
		s := scoring.Score(in)
		requireSound(t, s)
		return s
	}
	young, old := score(5), score(60)
	require.Greater(t, young.RUL.Value, old.RUL.Value)
	require.Greater(t, young.Health.Value, old.Health.Value)
	require.Less(t, young.Failure.Value, old.Failure.Value)
	// The median life left is where the hazard has reached the median of its
	// posterior; it must lie within what the plain probability allows.
	r, err := cnaim.Score(*in.Electrical)
	require.NoError(t, err)
	require.InDelta(t, 0.5, r.FailureWithin(old.RUL.Value), 0.06)
}

func TestEvidenceRaisesElectricalRisk(t *testing.T) {
	t.Parallel()
	in := pump(newPlant(3).series(pumpSignals(), ramp{"vib", 5.5, 20}))
	in.Electrical = transformer()
	s := scoring.Score(in)
	requireSound(t, s)
	require.InDelta(t, 1-math.Pow(1-s.Failure.AgeOnly, s.Failure.Evidence.Multiplier.Value), s.Failure.Value, 1e-9)
}

func TestUnusableElectricalFactsAreNamed(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	plain := scoring.Score(in)
	for name, e := range map[string]cnaim.Equipment{
		"type": {Type: "windmill"}, "age": {Type: transformer().Type, Age: math.NaN()},
	} {
		in.Electrical = &e
		s := scoring.Score(in)
		requireSound(t, s)
		require.Equal(t, plain.Failure.P30, s.Failure.P30)
		i := indexOf(s.Trust.Reasons, scoring.CodeElectrical)
		require.GreaterOrEqual(t, i, 0)
		require.Contains(t, s.Trust.Reasons[i].Detail, name)
	}
	in.Life = asset.Weibull{}
	in.Electrical = transformer()
	require.NotContains(t, codes(scoring.Score(in).Trust.Reasons), scoring.CodePriorLife)
}
