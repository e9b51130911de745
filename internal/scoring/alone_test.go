package scoring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// fan is an asset with a single signal.
func fan(seed uint64, d damage) scoring.AssetInput {
	series := newPlant(seed).series([]asset.Signal{signal("fan_vib", "mm/s", 1.5, 5, 7.5, 11, asset.SenseHigh)})
	if d != nil {
		series[0].Readings = d(series[0].Readings)
	}
	in := pump(series)
	in.Modes = nil
	return in
}

// TestSingleSignalIsTestedForChange shifts the only signal of an asset by less
// than the residual would tell, but for days.
func TestSingleSignalIsTestedForChange(t *testing.T) {
	t.Parallel()
	only := 0
	for seed := range uint64(5) {
		small := scoring.Score(fan(seed, step(12, 0.75)))
		requireSound(t, small)
		require.True(t, small.Anomaly.Flag, "seed %d", seed)
		require.Contains(t, codes(small.Anomaly.Reasons), scoring.CodeCusum)
		if indexOf(small.Anomaly.Reasons, scoring.CodeResidual) < 0 {
			only++
		}
	}
	require.GreaterOrEqual(t, only, 2, "the sum finds what the residual alone does not")
}

func TestHealthySingleSignalStaysQuiet(t *testing.T) {
	t.Parallel()
	alarms := 0
	for seed := range uint64(60) {
		s := scoring.Score(fan(300+seed, nil))
		requireSound(t, s)
		if s.Anomaly.Flag {
			alarms++
			t.Logf("seed %d: %+v", seed, s.Anomaly.Reasons)
		}
	}
	require.LessOrEqual(t, alarms, 1)
}

// TestChangeTestsEndAfterRepair shifts the signal for a week that is over.
func TestChangeTestsEndAfterRepair(t *testing.T) {
	t.Parallel()
	week := func(r []asset.Reading) []asset.Reading {
		return step(8, -1.5)(step(15, 1.5)(r))
	}
	s := scoring.Score(fan(4, week))
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
	in := fan(4, nil)
	b, err := scoring.LearnBaseline(in)
	require.NoError(t, err)
	in = fan(4, step(12, 0.75))
	in.Baseline = stored(t, b)
	require.True(t, scoring.Score(in).Anomaly.Flag)
}
