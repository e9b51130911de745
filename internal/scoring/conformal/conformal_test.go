package conformal_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	nine := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	tests := []struct {
		name   string
		scores []float64
		alpha  float64
		want   float64
	}{
		{"rank 9 of 9", nine, 0.1, 9},
		{"rank 5 of 9", nine, 0.5, 5},
		{"too few", nine, 0.05, math.Inf(1)},
		{"none", nil, 0.1, math.Inf(1)},
		{"NaN left out", append([]float64{math.NaN()}, nine...), 0.1, 9},
		{"alpha 1", nine, 1, math.Inf(-1)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, conformal.Quantile(tc.scores, tc.alpha))
		})
	}
	require.Equal(t, 9.0, nine[0], "the input keeps its order")
}

func TestLimitFallsBackToTheLargest(t *testing.T) {
	t.Parallel()
	limit, exact := conformal.Limit([]float64{3, 1, 2}, 0.01)
	require.Equal(t, 3.0, limit)
	require.False(t, exact)
	limit, exact = conformal.Limit([]float64{3, 1, 2}, 0.5)
	require.Equal(t, 2.0, limit)
	require.True(t, exact)
	limit, exact = conformal.Limit(nil, 0.1)
	require.Zero(t, limit)
	require.False(t, exact)
}

// TestCoverage draws many calibration sets: the share of further scores above
// the limit must stay at alpha, less the 1/(n+1) of the finite sample.
func TestCoverage(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 3))
	const n, sets, alpha = 39, 8000, 0.1
	above := 0
	for range sets {
		scores := make([]float64, n)
		for i := range scores {
			scores[i] = rng.ExpFloat64()
		}
		if rng.ExpFloat64() > conformal.Quantile(scores, alpha) {
			above++
		}
	}
	require.InDelta(t, alpha, float64(above)/sets, 0.012)
}
