package scoring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// crowd is an asset of many temperatures that follow four common causes.
// After the given day of 90 half of them are shifted by a little.
func crowd(seed uint64, signals, day int, shift float64) []asset.Series {
	rng := rand.New(rand.NewPCG(seed, 5))
	out := make([]asset.Series, signals)
	gain := make([][4]float64, signals)
	for j := range out {
		out[j].Signal = signal(fmt.Sprintf("t%02d", j), "degC", 40, 80, 100, 120, asset.SenseHigh)
		for k := range gain[j] {
			gain[j][k] = rng.NormFloat64()
		}
	}
	var cause [4]float64
	noise := make([]float64, signals)
	const n = 90 * 48
	for i := range n {
		for k := range cause {
			cause[k] = 0.97*cause[k] + 0.24*rng.NormFloat64()
		}
		at := asOf.Add(-time.Duration(n-1-i) * 30 * time.Minute)
		for j := range out {
			noise[j] = 0.7*noise[j] + 0.7*rng.NormFloat64()
			v := 60 + 0.8*noise[j]
			for k, c := range cause {
				v += gain[j][k] * c
			}
			if i >= 48*day && j%2 == 0 {
				v += shift * math.Copysign(1, gain[j][0])
			}
			out[j].Readings = append(out[j].Readings, asset.Reading{Time: at, Value: v})
		}
	}
	return out
}

// TestManySmallShiftsShowTogether shifts every second of 32 signals by less
// than would matter in any one of them.
func TestManySmallShiftsShowTogether(t *testing.T) {
	t.Parallel()
	healthy := crowd(1, 32, 90, 0)
	b := stored(t, learned(t, healthy))
	in := pump(healthy)
	in.Baseline = b
	s := scoring.Score(in)
	requireSound(t, s)
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)

	in = pump(crowd(1, 32, 80, 5))
	in.Baseline = b
	s = scoring.Score(in)
	requireSound(t, s)
	require.True(t, s.Anomaly.Flag)
	require.Contains(t, codes(s.Anomaly.Reasons), scoring.CodeSPE)
	require.NotContains(t, codes(s.Anomaly.Reasons), scoring.CodeResidual)
	require.InDelta(t, 10, asOf.Sub(s.Anomaly.Since).Hours()/24, 1.5)

	_, err := b.Admit(in, asOf.AddDate(0, 0, -8), asOf)
	require.NoError(t, err)
	in.Baseline = stored(t, b)
	require.False(t, scoring.Score(in).Anomaly.Flag, "judged expected")
}
