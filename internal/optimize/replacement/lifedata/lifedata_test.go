package lifedata

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// TestIntervalsNarrowToExactLives compares with the fit of exact lives when
// every interval is narrow, and right-censored lives stay.
func TestIntervalsNarrowToExactLives(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var failures, censored []float64
	var data []Interval
	for range 40 {
		life := 100 * math.Pow(rng.ExpFloat64(), 1/2.5)
		if life > 120 {
			censored = append(censored, 120)
			data = append(data, Interval{120, math.Inf(1), 1})
			continue
		}
		failures = append(failures, life)
		data = append(data, Interval{life - 1e-4, life + 1e-4, 1})
	}
	exact, err := survival.Fit(failures, censored)
	require.NoError(t, err)
	got, _, err := FitIntervals(data)
	require.NoError(t, err)
	require.InEpsilon(t, exact.Beta, got.Beta, 1e-5)
	require.InEpsilon(t, exact.Eta, got.Eta, 1e-5)
}

// TestIntervalLikelihood compares with the log-likelihood written out.
func TestIntervalLikelihood(t *testing.T) {
	t.Parallel()
	data := []Interval{{0, 30, 15}, {30, 60, 17}, {60, 90, 19}, {90, math.Inf(1), 400}, {5, 6, 0}}
	w, best, err := FitIntervals(data)
	require.NoError(t, err)
	written := func(w survival.Weibull) float64 {
		sum := 0.0
		for _, d := range data {
			sum += d.Units * math.Log(w.CDF(d.Right)-w.CDF(d.Left))
		}
		return sum
	}
	require.InDelta(t, written(w), best, 1e-9)
	for _, f := range []float64{.999, 1.001} {
		require.Less(t, written(survival.Weibull{Beta: w.Beta * f, Eta: w.Eta}), best)
		require.Less(t, written(survival.Weibull{Beta: w.Beta, Eta: w.Eta * f}), best)
	}
}

// TestEmpiricalSurvivalWithoutCensoring is the share still alive.
func TestEmpiricalSurvivalWithoutCensoring(t *testing.T) {
	t.Parallel()
	steps, err := KaplanMeier([]float64{4, 1, 3, 2, 3}, nil)
	require.NoError(t, err)
	require.Len(t, steps, 4)
	for k, want := range []float64{.8, .6, .2, 0} {
		require.InDelta(t, want, steps[k].Value, 1e-12)
	}
	require.InDelta(t, .6, At(steps, 1, 2.5), 1e-12)
	require.InDelta(t, 1, At(steps, 1, .5), 1e-12)
}

// TestTrendOfASimulatedPowerLaw draws failures of a known power law.
func TestTrendOfASimulatedPowerLaw(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var times []float64
	for h := rng.ExpFloat64(); h < 2000; h += rng.ExpFloat64() {
		times = append(times, math.Pow(h/.01, 1/1.6))
	}
	slices.Sort(times)
	tr, err := NewTrend(times, math.Pow(2000/.01, 1/1.6))
	require.NoError(t, err)
	require.InDelta(t, 1.6, tr.Beta, .12)
	require.InEpsilon(t, float64(len(times)), tr.MeanCumulative(tr.End), 1e-9)
	require.Greater(t, tr.Laplace, 5.)
	require.InEpsilon(t, tr.CumulativeMTBF(tr.End), tr.InstantMTBF(tr.End)*tr.Beta, 1e-12)
	at := tr.TimeToTarget(3)
	require.InEpsilon(t, 3, tr.CumulativeMTBF(at), 1e-9)
}

func TestPoorDataAreRefused(t *testing.T) {
	t.Parallel()
	_, err := KaplanMeier(nil, []float64{1})
	require.ErrorIs(t, err, ErrTooFew)
	_, err = MeanCumulative([][]float64{{5}})
	require.ErrorIs(t, err, ErrTooFew)
	_, err = NewTrend([]float64{1, math.NaN()}, 0)
	require.ErrorIs(t, err, ErrNoTime)
	_, err = NewTrend([]float64{2, 2}, 0)
	require.ErrorIs(t, err, ErrNoEstimate)
	_, _, err = FitIntervals([]Interval{{1, math.NaN(), 3}})
	require.ErrorIs(t, err, ErrNoTime)
	_, _, err = FitIntervals([]Interval{{0, 1, 3}})
	require.ErrorIs(t, err, ErrNoEstimate, "all in one interval")
}
