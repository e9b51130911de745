package pca_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/pca"
)

// factored returns rows of p signals that follow two independent factors, each
// an autoregression, with noise of their own.
func factored(n, p int, rng *rand.Rand) [][]float64 {
	rows := make([][]float64, n)
	a, b := 0.0, 0.0
	for i := range rows {
		a = 0.7*a + rng.NormFloat64()
		b = 0.4*b + rng.NormFloat64()
		rows[i] = make([]float64, p)
		for j := range p {
			common := a
			if j%2 == 1 {
				common = 1.5*b - 0.3*a
			}
			rows[i][j] = 100*float64(j+1) + float64(j+1)*(common+0.3*rng.NormFloat64())
		}
	}
	return rows
}

func fit(t *testing.T, rows [][]float64, c pca.Config) *pca.Model {
	t.Helper()
	m, err := pca.Fit(rows, c)
	require.NoError(t, err)
	return m
}

func scoresOf(m *pca.Model, window [][]float64) []float64 {
	vector := m.Vector(make([]float64, len(m.Values)), window)
	return m.Scores(make([]float64, len(m.Values)), vector)
}

// TestTwoSignalsByHand uses points on a cross whose axes are the diagonals.
func TestTwoSignalsByHand(t *testing.T) {
	t.Parallel()
	m := fit(t, [][]float64{{2, 2}, {-2, -2}, {1, -1}, {-1, 1}}, pca.Config{Explained: 0.7})
	// Covariance in standard units: 1 and ρ = (8−2)/(8+2) = 0.6, hence the
	// variances 1.6 along the diagonal and 0.4 across it.
	require.InDeltaSlice(t, []float64{1.6, 0.4}, m.Values, 1e-9)
	require.Equal(t, 1, m.Components)
	scale := math.Sqrt(10.0 / 3)
	s := scoresOf(m, [][]float64{{3 * scale, scale}})
	require.InDelta(t, 16/2/1.6, m.T2(s), 1e-9, "(3+1)²/2 over 1.6")
	require.InDelta(t, 2.0, m.SPE(s), 1e-9, "(3−1)²/2")
	expected := m.Expected(make([]float64, 2), s)
	require.InDeltaSlice(t, []float64{2 * scale, 2 * scale}, expected, 1e-9)
}

func TestParallelAnalysisFindsTheFactors(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	require.Equal(t, 2, fit(t, factored(500, 12, rng), pca.Config{Parallel: true, Seed: 1}).Components)
	noise := make([][]float64, 400)
	for i := range noise {
		noise[i] = []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
	}
	require.Equal(t, 1, fit(t, noise, pca.Config{Parallel: true, Seed: 1}).Components, "never none")
}

func TestExplainedShareSetsTheComponents(t *testing.T) {
	t.Parallel()
	rows := factored(300, 8, rand.New(rand.NewPCG(2, 2)))
	last := 0
	for _, share := range []float64{0.3, 0.8, 0.99, 1} {
		m := fit(t, rows, pca.Config{Explained: share})
		held, total := 0.0, 0.0
		for k, v := range m.Values {
			if total += v; k < m.Components {
				held += v
			}
		}
		require.GreaterOrEqual(t, held, share*total-1e-9)
		require.GreaterOrEqual(t, m.Components, last)
		last = m.Components
	}
	require.Equal(t, 8, last)
}

// TestLimitsHold sets limits on normal rows of their own and counts further
// normal rows beyond them.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 2))
	for _, lags := range []int{0, 2} {
		m := fit(t, factored(600, 10, rng), pca.Config{Lags: lags, Explained: 0.8})
		t2, spe, exact, err := m.Limits(factored(2000, 10, rng), 0.05)
		require.NoError(t, err)
		require.True(t, exact)
		rows, far, off := factored(4000, 10, rng), 0, 0
		for i := lags; i < len(rows); i++ {
			s := scoresOf(m, rows[i-lags:i+1])
			if m.T2(s) > t2 {
				far++
			}
			if m.SPE(s) > spe {
				off++
			}
		}
		require.InDelta(t, 0.05, float64(far)/4000, 0.02, "T² with %d lags", lags)
		require.InDelta(t, 0.05, float64(off)/4000, 0.02, "SPE with %d lags", lags)
	}
}

// TestContributionsNameTheSignal plants a fault on one signal.
func TestContributionsNameTheSignal(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 2))
	for _, lags := range []int{0, 1} {
		m := fit(t, factored(600, 10, rng), pca.Config{Lags: lags, Explained: 0.8})
		index := m.SPEIndex()
		for fault := range 10 {
			rows := factored(20, 10, rng)
			for _, r := range rows {
				r[fault] += 6 * float64(fault+1)
			}
			s := scoresOf(m, rows[20-lags-1:])
			require.InDelta(t, m.SPE(s), index.Value(s), 1e-9)
			require.InDelta(t, m.T2(s), m.T2Index().Value(s), 1e-9)
			parts := index.Contributions(make([]float64, 10), s)
			require.Equal(t, slices.Max(parts), parts[fault], "fault %d: %v", fault, parts)
			require.GreaterOrEqual(t, slices.Min(parts), 0.0)
		}
	}
}

func TestStillSignalStaysFinite(t *testing.T) {
	t.Parallel()
	rows := factored(200, 4, rand.New(rand.NewPCG(5, 2)))
	for _, r := range rows {
		r[2] = 7
	}
	m := fit(t, rows, pca.Config{Lags: 1, Explained: 0.9})
	s := scoresOf(m, rows[:2])
	require.False(t, math.IsNaN(m.T2(s)+m.SPE(s)))
	moved := slices.Clone(rows[1])
	moved[2] = 8
	require.Greater(t, m.SPE(scoresOf(m, [][]float64{rows[0], moved})), 100*m.SPE(s))
}

func TestFitIsDeterministic(t *testing.T) {
	t.Parallel()
	rows := factored(200, 6, rand.New(rand.NewPCG(6, 2)))
	c := pca.Config{Lags: 2, Parallel: true, Seed: 9}
	require.Equal(t, fit(t, rows, c), fit(t, rows, c))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	rows := factored(30, 3, rand.New(rand.NewPCG(7, 2)))
	with := func(v float64) [][]float64 {
		out := slices.Clone(rows)
		out[4] = []float64{1, v, 2}
		return out
	}
	tests := map[string]struct {
		rows [][]float64
		c    pca.Config
		says string
	}{
		"none":     {nil, pca.Config{Explained: 0.9}, "no rows"},
		"few":      {rows[:3], pca.Config{Explained: 0.9}, "more rows"},
		"lags":     {rows, pca.Config{Explained: 0.9, Lags: -1}, "lags"},
		"share":    {rows, pca.Config{Explained: 1.2}, "(0, 1]"},
		"NaN":      {with(math.NaN()), pca.Config{Explained: 0.9}, "row 5, signal 2"},
		"infinite": {with(math.Inf(-1)), pca.Config{Explained: 0.9}, "row 5, signal 2"},
		"ragged":   {append(slices.Clone(rows), []float64{1}), pca.Config{Explained: 0.9}, "row 31"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pca.Fit(tc.rows, tc.c)
			require.ErrorContains(t, err, tc.says)
		})
	}
	m := fit(t, rows, pca.Config{Lags: 1, Explained: 0.9})
	_, _, _, err := m.Limits(rows[:1], 0.05)
	require.ErrorContains(t, err, "more rows")
	_, _, _, err = m.Limits([][]float64{{1, 2}, {3, 4}}, 0.05)
	require.ErrorContains(t, err, "want 3")
}

// TestOthersPredictASignalWithoutIt compares with the regression of one signal
// on the others, by hand for two of known correlation, and moves a signal.
func TestOthersPredictASignalWithoutIt(t *testing.T) {
	t.Parallel()
	m := fit(t, [][]float64{{2, 2}, {-2, -2}, {1, -1}, {-1, 1}}, pca.Config{Explained: 1})
	o, err := m.Others()
	require.NoError(t, err)
	expected, residual := make([]float64, 2), make([]float64, 2)
	o.Predict(expected, residual, []float64{3, 1})
	// Correlation 0.6 over a variance of 1.01: 0.01 is the floor.
	require.InDelta(t, 0.6/1.01*1, expected[0], 1e-9)
	require.InDelta(t, 0.6/1.01*3, expected[1], 1e-9)
	sd := math.Sqrt(1.01 - 0.36/1.01)
	require.InDelta(t, (3-expected[0])/sd, residual[0], 1e-9)

	rng := rand.New(rand.NewPCG(8, 2))
	m = fit(t, factored(600, 10, rng), pca.Config{Lags: 1, Explained: 0.8})
	o, err = m.Others()
	require.NoError(t, err)
	row := m.Standardise(make([]float64, 10), factored(1, 10, rng)[0])
	before, after, r := make([]float64, 10), make([]float64, 10), make([]float64, 10)
	o.Predict(before, r, row)
	row[4] += 9
	o.Predict(after, r, row)
	require.InDelta(t, before[4], after[4], 1e-9)
	require.Equal(t, slices.Max(r), r[4])
}

func TestCheckRefusesBrokenModels(t *testing.T) {
	t.Parallel()
	fresh := func() *pca.Model {
		return fit(t, factored(60, 3, rand.New(rand.NewPCG(9, 2))), pca.Config{Lags: 1, Explained: 0.8})
	}
	require.NoError(t, fresh().Check())
	for name, spoil := range map[string]func(*pca.Model){
		"no signals": func(m *pca.Model) { m.Mean = nil },
		"scale":      func(m *pca.Model) { m.Scale = m.Scale[:2] },
		"lags":       func(m *pca.Model) { m.Lags = 3 },
		"components": func(m *pca.Model) { m.Components = 7 },
		"variance":   func(m *pca.Model) { m.Values[1] = 0 },
		"direction":  func(m *pca.Model) { m.Loadings[5] = m.Loadings[5][:3] },
		"mean":       func(m *pca.Model) { m.Mean[0] = math.NaN() },
		"loading":    func(m *pca.Model) { m.Loadings[2][1] = math.Inf(1) },
	} {
		m := fresh()
		spoil(m)
		require.Error(t, m.Check(), name)
	}
}
