package gbt_test

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/gbt"
)

// table draws rows of six columns; the target depends on the first three, and on
// whether the fourth, which is often missing, is there.
func table(n int, seed uint64) (rows [][]float64, targets []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		x := make([]float64, 6)
		for j := range x {
			x[j] = rng.NormFloat64()
		}
		y := 3*x[0] + math.Abs(x[1])*x[2]
		if rng.Float64() < 0.3 {
			x[3] = math.NaN()
			y += 4
		}
		x[5] = math.Round(x[5])
		rows, targets = append(rows, x), append(targets, y+0.1*rng.NormFloat64())
	}
	return rows, targets
}

func fit(t *testing.T, rows [][]float64, targets, weights []float64, c gbt.Config) *gbt.Model {
	t.Helper()
	m, err := gbt.Fit(context.Background(), rows, targets, weights, c)
	require.NoError(t, err)
	return m
}

func TestSquaredLossLearnsInteractionAndMissing(t *testing.T) {
	t.Parallel()
	rows, targets := table(4000, 1)
	m := fit(t, rows, targets, nil, gbt.Config{Trees: 300, LearningRate: 0.1, RowShare: 0.7, ColumnShare: 0.8, Seed: 3})
	fresh, want := table(1000, 2)
	sum := 0.0
	for i, row := range fresh {
		d := m.Predict(row) - want[i]
		sum += d * d
	}
	require.Less(t, math.Sqrt(sum/1000), 0.5, "the target varies by about 3.7")
}

func TestLogisticLossIsCalibrated(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	draw := func(n int) (rows [][]float64, targets, truth []float64) {
		for range n {
			x := []float64{rng.NormFloat64(), rng.NormFloat64()}
			p := 1 / (1 + math.Exp(-2*x[0]+1))
			y := 0.0
			if rng.Float64() < p {
				y = 1
			}
			rows, targets, truth = append(rows, x), append(targets, y), append(truth, p)
		}
		return rows, targets, truth
	}
	rows, targets, _ := draw(6000)
	m := fit(t, rows, targets, nil, gbt.Config{Loss: gbt.Logistic, Trees: 80, LearningRate: 0.08, MaxLeaves: 6})
	fresh, _, truth := draw(1000)
	off := 0.0
	for i, row := range fresh {
		p := m.Predict(row)
		require.InDelta(t, p, 1/(1+math.Exp(-m.Raw(row))), 1e-12)
		off += math.Abs(p-truth[i]) / 1000
	}
	require.Less(t, off, 0.04)
}

// TestWeights holds a weighted row against the same row given several times.
func TestWeights(t *testing.T) {
	t.Parallel()
	rows, targets := table(300, 5)
	weights := make([]float64, len(rows))
	var longRows [][]float64
	var longTargets []float64
	for i := range rows {
		weights[i] = float64(i % 3)
		for range i % 3 {
			longRows, longTargets = append(longRows, rows[i]), append(longTargets, targets[i])
		}
	}
	c := gbt.Config{Trees: 20, MaxLeaves: 4, MinRows: 1, Bins: 255}
	weighted, repeated := fit(t, rows, targets, weights, c), fit(t, longRows, longTargets, nil, c)
	off := 0.0
	for i, row := range rows {
		off += math.Abs(weighted.Predict(row)-repeated.Predict(row)) * weights[i] / 300
	}
	require.Less(t, off, 0.05, "only the cuts of the bins differ")
}

func TestSameModelOnAnyNumberOfCores(t *testing.T) { // not parallel: it changes GOMAXPROCS
	rows, targets := table(3000, 6)
	c := gbt.Config{Trees: 15, RowShare: 0.6, ColumnShare: 0.7, Seed: 9}
	var stored [][]byte
	for _, cores := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(cores)
		b, err := fit(t, rows, targets, nil, c).MarshalBinary()
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
		stored = append(stored, b)
	}
	require.Equal(t, stored[0], stored[1])
	require.Equal(t, stored[0], stored[2])
	c.Seed++
	other, err := fit(t, rows, targets, nil, c).MarshalBinary()
	require.NoError(t, err)
	require.NotEqual(t, stored[0], other, "the seed draws the samples")
}

func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	rows := [][]float64{
		{nan, 1, inf, 1e300}, {nan, 1, -inf, -1e300}, {nan, 1, nan, 1e9}, {nan, 1, 0, math.SmallestNonzeroFloat64},
	}
	m := fit(t, rows, []float64{1, 2, 3, 4}, nil, gbt.Config{MinRows: 1, L2: -1, Trees: 50, LearningRate: 0.5})
	for i, row := range append(rows, nil, []float64{inf, inf, inf, inf}, []float64{-1e9}) {
		require.False(t, math.IsNaN(m.Predict(row)), i)
		require.InDelta(t, m.Raw(row), total(m.Explain(row)), 1e-9)
	}
	require.InDelta(t, 1, m.Predict(rows[0]), 1e-4)
	require.InDelta(t, 3, m.Predict(rows[2]), 1e-4)

	one := fit(t, rows[:1], []float64{7}, nil, gbt.Config{})
	require.Equal(t, 7.0, one.Predict(rows[1]))
	certain := fit(t, rows, []float64{1, 1, 1, 1}, nil, gbt.Config{Loss: gbt.Logistic})
	require.Greater(t, certain.Predict(rows[0]), 0.99)
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	rows := [][]float64{{1, 2}, {3, 4}}
	tests := []struct {
		name             string
		rows             [][]float64
		targets, weights []float64
		c                gbt.Config
		says             string
	}{
		{"nothing", nil, nil, nil, gbt.Config{}, "no rows"},
		{"no columns", [][]float64{{}}, []float64{1}, nil, gbt.Config{}, "no columns"},
		{"ragged", [][]float64{{1, 2}, {3}}, []float64{1, 2}, nil, gbt.Config{}, "row 2 has 1 columns"},
		{"targets short", rows, []float64{1}, nil, gbt.Config{}, "1 targets"},
		{"NaN target", rows, []float64{1, math.NaN()}, nil, gbt.Config{}, "target NaN of row 2"},
		{"no class", rows, []float64{0, 2}, nil, gbt.Config{Loss: gbt.Logistic}, "target 2 of row 2"},
		{"negative weight", rows, []float64{1, 2}, []float64{1, -1}, gbt.Config{}, "weight -1 of row 2"},
		{"no weight", rows, []float64{1, 2}, []float64{0, 0}, gbt.Config{}, "positive finite sum"},
		{"share", rows, []float64{1, 2}, nil, gbt.Config{RowShare: 2}, "share"},
		{"bins", rows, []float64{1, 2}, nil, gbt.Config{Bins: 300}, "bins"},
		{"rate", rows, []float64{1, 2}, nil, gbt.Config{LearningRate: math.NaN()}, "learning rate"},
		{"depth", rows, []float64{1, 2}, nil, gbt.Config{MaxDepth: 99}, "depth"},
		{"loss", rows, []float64{1, 2}, nil, gbt.Config{Loss: 9}, "unknown loss"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := gbt.Fit(context.Background(), tc.rows, tc.targets, tc.weights, tc.c)
			require.ErrorContains(t, err, tc.says)
		})
	}
	ended, stop := context.WithCancel(context.Background())
	stop()
	_, err := gbt.Fit(ended, rows, []float64{1, 2}, nil, gbt.Config{})
	require.ErrorIs(t, err, context.Canceled)
}

func total(e gbt.Explanation) float64 {
	sum := e.Base
	for _, c := range e.Contributions {
		sum += c
	}
	return sum
}
