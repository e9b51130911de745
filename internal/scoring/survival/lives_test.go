package survival_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// mixed is a population of every kind of censoring.
func mixed() survival.Lives {
	return survival.Lives{
		Failures: []float64{54, 187, 216, 240}, FailureWeights: []float64{1, 2, 1, 3},
		Censored: []float64{500, 100}, CensoredWeights: []float64{6, 2.5},
		Intervals: []survival.Bracket{{After: 0, Until: 60}, {After: 200, Until: 350, Weight: 2}, {After: 400, Until: math.Inf(1)}},
	}
}

// logLikLives is the textbook likelihood of mixed data, written independently.
func logLikLives(w survival.Weibull, l survival.Lives) float64 {
	sum := 0.0
	for i, t := range l.Failures {
		sum += l.FailureWeights[i] * math.Log(w.PDF(t))
	}
	for i, t := range l.Censored {
		sum -= l.CensoredWeights[i] * w.CumHazard(t)
	}
	for _, b := range l.Intervals {
		upper := 0.0
		if !math.IsInf(b.Until, 1) {
			upper = w.Survival(b.Until)
		}
		sum += max(b.Weight, 1) * math.Log(w.Survival(b.After)-upper)
	}
	return sum
}

// TestMixedFitIsTheMaximum moves away from the fit in every direction, and
// checks the curvature against the standard errors.
func TestMixedFitIsTheMaximum(t *testing.T) {
	t.Parallel()
	l := mixed()
	fit, err := survival.FitLives(l)
	require.NoError(t, err)
	require.InDelta(t, logLikLives(fit.Weibull, l), fit.LogLik, 1e-9)
	require.InDelta(t, 10, fit.Failures, 1e-12)
	require.InDelta(t, 19.5, fit.Lives, 1e-12)
	at := func(b, e float64) float64 {
		return logLikLives(survival.Weibull{Beta: fit.Beta * (1 + b), Eta: fit.Eta * (1 + e)}, l)
	}
	const h = 1e-4
	bb := (at(h, 0) - 2*at(0, 0) + at(-h, 0)) / (h * h)
	ee := (at(0, h) - 2*at(0, 0) + at(0, -h)) / (h * h)
	be := (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h * h)
	det := bb*ee - be*be
	require.InEpsilon(t, math.Sqrt(-ee/det), fit.SEBeta/fit.Beta, 1e-4)
	require.InEpsilon(t, math.Sqrt(-bb/det), fit.SEEta/fit.Eta, 1e-4)
	require.InDelta(t, 0, (at(h, 0)-at(-h, 0))/(2*h), 1e-6)
	require.InDelta(t, 0, (at(0, h)-at(0, -h))/(2*h), 1e-6)
}

// TestMixedRatioBounds profiles on a fine grid.
func TestMixedRatioBounds(t *testing.T) {
	t.Parallel()
	l := mixed()
	fit, err := survival.FitLives(l)
	require.NoError(t, err)
	best := func(at func(f float64) survival.Weibull) float64 {
		top := math.Inf(-1)
		for f := 0.1; f < 8; f *= 1.001 {
			top = max(top, logLikLives(at(f), l))
		}
		return top
	}
	const drop = 3.841458820694124 / 2
	for _, b := range []float64{fit.BetaLR.Lo, fit.BetaLR.Hi} {
		got := best(func(f float64) survival.Weibull { return survival.Weibull{Beta: b, Eta: fit.Eta * f} })
		require.InDelta(t, fit.LogLik-drop, got, 1e-4)
	}
	for _, e := range []float64{fit.EtaLR.Lo, fit.EtaLR.Hi} {
		got := best(func(f float64) survival.Weibull { return survival.Weibull{Beta: fit.Beta * f, Eta: e} })
		require.InDelta(t, fit.LogLik-drop, got, 1e-4)
	}
}

func TestWeightsCountLives(t *testing.T) {
	t.Parallel()
	weighted, err := survival.FitLives(survival.Lives{
		Failures: []float64{3, 5, 9}, FailureWeights: []float64{2, 3, 1},
		Censored: []float64{4, 10}, CensoredWeights: []float64{1, 4},
	})
	require.NoError(t, err)
	plain, err := survival.Fit([]float64{3, 3, 5, 5, 5, 9}, []float64{4, 10, 10, 10, 10})
	require.NoError(t, err)
	require.InEpsilon(t, plain.Beta, weighted.Beta, 1e-12)
	require.InEpsilon(t, plain.EtaLR.Hi, weighted.EtaLR.Hi, 1e-10)
	require.InEpsilon(t, plain.B10Wald.Lo, weighted.B10Wald.Lo, 1e-10)
	require.Equal(t, plain.Lives, weighted.Lives)
}

// TestNarrowIntervalsAreExactLives and wide ones still find the truth.
func TestNarrowIntervalsAreExactLives(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 2))
	truth := survival.Weibull{Beta: 1.8, Eta: 300}
	var narrow, yearly []survival.Bracket
	var exact []float64
	for range 500 {
		life := truth.Quantile(rng.Float64())
		exact = append(exact, life)
		narrow = append(narrow, survival.Bracket{After: life * (1 - 1e-7), Until: life * (1 + 1e-7)})
		after := math.Floor(life/100) * 100
		yearly = append(yearly, survival.Bracket{After: after, Until: after + 100})
	}
	a, err := survival.Fit(exact, nil)
	require.NoError(t, err)
	b, err := survival.FitLives(survival.Lives{Intervals: narrow})
	require.NoError(t, err)
	require.InEpsilon(t, a.Beta, b.Beta, 1e-6)
	require.InEpsilon(t, a.SEBeta, b.SEBeta, 1e-4)
	c, err := survival.FitLives(survival.Lives{Intervals: yearly})
	require.NoError(t, err)
	require.InDelta(t, truth.Beta, c.Beta, 4*c.SEBeta)
	require.InDelta(t, truth.Eta, c.Eta, 4*c.SEEta)
	require.Greater(t, c.SEBeta, a.SEBeta, "grouping loses information")
}

func TestFitLivesRefuses(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	tests := map[string]struct {
		lives survival.Lives
		want  error
	}{
		"empty":            {survival.Lives{}, survival.ErrNoFailures},
		"never failed":     {survival.Lives{Intervals: []survival.Bracket{{After: 3, Until: inf}}}, survival.ErrNoFailures},
		"backward":         {survival.Lives{Intervals: []survival.Bracket{{After: 3, Until: 2}}}, survival.ErrInterval},
		"no width":         {survival.Lives{Intervals: []survival.Bracket{{After: 3, Until: 3}}}, survival.ErrInterval},
		"NaN end":          {survival.Lives{Intervals: []survival.Bracket{{After: 3, Until: nan}}}, survival.ErrNotPositive},
		"negative start":   {survival.Lives{Intervals: []survival.Bracket{{After: -3, Until: 3}}}, survival.ErrNotPositive},
		"negative weight":  {survival.Lives{Intervals: []survival.Bracket{{After: 1, Until: 3, Weight: -1}}}, survival.ErrWeight},
		"missing weight":   {survival.Lives{Failures: []float64{1, 2}, FailureWeights: []float64{1}}, survival.ErrWeight},
		"infinite weight":  {survival.Lives{Failures: []float64{1}, FailureWeights: []float64{inf}}, survival.ErrWeight},
		"one interval":     {survival.Lives{Intervals: []survival.Bracket{{After: 1, Until: 3, Weight: 9}}}, survival.ErrDegenerate},
		"all left":         {survival.Lives{Intervals: []survival.Bracket{{Until: 3, Weight: 9}, {Until: 5}}}, survival.ErrDegenerate},
		"split for ever":   {survival.Lives{Intervals: []survival.Bracket{{Until: 3, Weight: 5}, {After: 9, Until: inf, Weight: 5}}}, survival.ErrDegenerate},
		"beyond magnitude": {survival.Lives{Failures: []float64{5e-324, 1e300}}, survival.ErrDegenerate},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := survival.FitLives(tc.lives)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

// FuzzFitLives looks for a fit that is neither refused nor finite.
func FuzzFitLives(f *testing.F) {
	f.Add(54.0, 187.0, 216.0, 500.0, 100.0, 300.0)
	f.Add(1.0, 1.0, 1.0, 1.0, 0.0, 1.0)
	f.Fuzz(func(t *testing.T, a, b, c, censored, after, until float64) {
		fit, err := survival.FitLives(survival.Lives{
			Failures: []float64{a, b, c}, Censored: []float64{censored},
			Intervals: []survival.Bracket{{After: after, Until: until}},
		})
		if err != nil {
			return
		}
		require.True(t, fit.Valid(), "%+v", fit)
		require.False(t, math.IsNaN(fit.LogLik) || math.IsNaN(fit.SEBeta), "%+v", fit)
		require.LessOrEqual(t, fit.BetaLR.Lo, fit.Beta)
		require.LessOrEqual(t, fit.Beta, fit.BetaLR.Hi)
	})
}
