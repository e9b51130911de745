package aakr_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/aakr"
)

// healthy returns rows of four signals that follow one load.
func healthy(n int, rng *rand.Rand) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		load := math.Sin(float64(i) / 15)
		rows[i] = []float64{50 + 10*load, 5 - load, 200 + 40*load, 1 + 0.2*load}
		for j, sd := range []float64{0.5, 0.05, 2, 0.01} {
			rows[i][j] += sd * rng.NormFloat64()
		}
	}
	return rows
}

var scale = []float64{7, 0.7, 28, 0.14}

func TestReconstructionFollowsTheLoad(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	m, err := aakr.Fit(healthy(400, rng), scale, 80)
	require.NoError(t, err)
	require.LessOrEqual(t, m.Size(), 80)
	require.Greater(t, m.Size(), 60)
	for _, row := range healthy(200, rng) {
		got := m.Reconstruct(make([]float64, 4), row)
		for j := range row {
			require.InDelta(t, row[j], got[j], 0.45*scale[j])
		}
	}
}

// TestFaultStaysWithItsSignal moves one signal far away: its own expectation
// must stay healthy and those of the others must hardly move.
func TestFaultStaysWithItsSignal(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 1))
	m, err := aakr.Fit(healthy(400, rng), scale, 80)
	require.NoError(t, err)
	for _, row := range healthy(100, rng) {
		for fault := range row {
			bad := append([]float64(nil), row...)
			bad[fault] += 8 * scale[fault]
			got := m.Reconstruct(make([]float64, 4), bad)
			for j := range row {
				require.InDelta(t, row[j], got[j], 0.8*scale[j], "fault %d, signal %d", fault, j)
			}
		}
	}
}

func TestFarQueriesStayWithinMemory(t *testing.T) {
	t.Parallel()
	m, err := aakr.Fit([][]float64{{1, 10}, {2, 20}, {3, 30}}, []float64{1, 10}, 2)
	require.NoError(t, err)
	require.Equal(t, 2, m.Size())
	for _, x := range [][]float64{{1e12, -1e12}, {-5, 5}, {2, 1e300}} {
		got := m.Reconstruct(make([]float64, 2), x)
		require.True(t, got[0] >= 1 && got[0] <= 3 && got[1] >= 10 && got[1] <= 30, "%v", got)
	}
	one, err := aakr.Fit([][]float64{{4}}, []float64{1}, 5)
	require.NoError(t, err)
	require.Equal(t, []float64{4}, one.Reconstruct(make([]float64, 1), []float64{9}))
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rows  [][]float64
		scale []float64
		size  int
	}{
		"no rows":    {nil, []float64{1}, 3},
		"no room":    {[][]float64{{1}}, []float64{1}, 0},
		"ragged":     {[][]float64{{1, 2}, {1}}, []float64{1, 1}, 3},
		"zero scale": {[][]float64{{1}}, []float64{0}, 3},
		"NaN scale":  {[][]float64{{1}}, []float64{math.NaN()}, 3},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := aakr.Fit(tc.rows, tc.scale, tc.size)
			require.Error(t, err)
		})
	}
}

func TestRestoredMemoryReconstructsTheSame(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	m, err := aakr.Fit(healthy(400, rng), scale, 80)
	require.NoError(t, err)
	for _, width := range []float64{m.Width(), 0} {
		again, err := aakr.Restore(m.Memory(), scale, width)
		require.NoError(t, err)
		for _, row := range healthy(50, rng) {
			require.Equal(t, m.Reconstruct(make([]float64, 4), row), again.Reconstruct(make([]float64, 4), row))
		}
	}
	for name, restore := range map[string]func() error{
		"no vectors":  func() error { _, err := aakr.Restore(nil, scale, 1); return err },
		"other width": func() error { _, err := aakr.Restore([][]float64{{1}}, scale, 1); return err },
		"no scale":    func() error { _, err := aakr.Restore([][]float64{{1}}, []float64{0}, 1); return err },
		"no size":     func() error { _, err := aakr.Restore(m.Memory(), scale, math.NaN()); return err },
	} {
		require.Error(t, restore(), name)
	}
}
