package conformal_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// pairs draws predictions of 0–100 whose errors grow with the prediction.
func pairs(n int, rng *rand.Rand) (predicted, actual []float64) {
	for range n {
		p := 100 * rng.Float64()
		predicted, actual = append(predicted, p), append(actual, max(p+(1+p/10)*rng.NormFloat64(), 0))
	}
	return predicted, actual
}

func TestLocalFollowsTheSpread(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	l, err := conformal.NewLocal(untilWhenever(pairs(9000, rng)))
	require.NoError(t, err)
	require.Equal(t, 9000, l.Size())
	for _, p := range []float64{10, 50, 90} {
		sd := 1 + p/10
		d := l.At(p)
		lo, hi := d.Shortest(0.9)
		require.InDelta(t, 2*1.645*sd, hi-lo, 0.35*sd, "width at %v", p)
		require.InDelta(t, 0.5, d.Below(p), 0.08)
		require.InDelta(t, 0.84, d.Below(p+sd), 0.05)
		require.InDelta(t, p, d.Quantile(0.5), 0.2*sd)
	}
	fresh, truth := pairs(4000, rng)
	in := 0
	for i, p := range fresh {
		if lo, hi := l.At(p).Shortest(0.9); truth[i] >= lo && truth[i] <= hi {
			in++
		}
	}
	require.InDelta(t, 0.9, float64(in)/4000, 0.025)
}

func untilWhenever(p, a []float64) ([]float64, []float64, float64) { return p, a, math.Inf(1) }

func TestLocalAtTheLimit(t *testing.T) {
	t.Parallel()
	l, err := conformal.NewLocal([]float64{1, 2, 3, 4}, []float64{1, 5, 10, 12}, 10)
	require.NoError(t, err)
	d := l.At(3)
	lo, hi := d.Shortest(0.9)
	require.Equal(t, 3.0, lo, "1 + (3 − 1)")
	require.Equal(t, 10.0, hi, "values at the limit stay there")
	require.Equal(t, 2.5/5, d.Below(9.99))
	require.Equal(t, 4.5/5, d.Below(10))
	require.Equal(t, 0.5/5, d.Below(-1))
	require.Equal(t, 3.0, d.Quantile(-1))
	require.Equal(t, 10.0, d.Quantile(2))
	require.Equal(t, 0.0, l.At(-50).Quantile(0), "no value is below 0")
}

func TestLocalRefusesWhatItCannotOrder(t *testing.T) {
	t.Parallel()
	_, err := conformal.NewLocal(nil, nil, 1)
	require.ErrorContains(t, err, "0 predictions")
	_, err = conformal.NewLocal([]float64{1}, []float64{1, 2}, 1)
	require.ErrorContains(t, err, "2 outcomes")
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		_, err = conformal.NewLocal([]float64{1, v}, []float64{1, 2}, 1)
		require.ErrorContains(t, err, "not finite")
	}
}
