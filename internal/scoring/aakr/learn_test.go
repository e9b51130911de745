package aakr_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/aakr"
)

// TestLearnedOperationIsExpected shows the memory an operating point it has
// never seen: before, the reconstruction stays in the old range, after, it
// follows; a row it knows adds nothing, and the memory keeps its size.
func TestLearnedOperationIsExpected(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	m, err := aakr.Fit(healthy(400, rng), scale, 60)
	require.NoError(t, err)
	novel := []float64{85, 2, 335, 1.7}
	before := m.Reconstruct(make([]float64, 4), novel)
	require.Less(t, before[0], 65.0)
	first := m.Memory()
	size := m.Size()

	added, err := m.Learn(novel, size)
	require.NoError(t, err)
	require.True(t, added)
	require.Equal(t, size, m.Size(), "one vector was evicted")
	require.Len(t, first, size, "the memory handed out before stays as it was")
	require.NotContains(t, first, novel)
	after := m.Reconstruct(make([]float64, 4), novel)
	for j := range novel {
		require.InDelta(t, novel[j], after[j], 0.3*scale[j])
	}
	for _, row := range healthy(100, rng) {
		got := m.Reconstruct(make([]float64, 4), row)
		require.InDelta(t, row[0], got[0], 0.5*scale[0], "what it knew it still knows")
	}

	added, err = m.Learn(novel, size)
	require.NoError(t, err)
	require.False(t, added)
}

func TestLearnRefuses(t *testing.T) {
	t.Parallel()
	m, err := aakr.Fit([][]float64{{1, 10}, {2, 20}}, []float64{1, 10}, 2)
	require.NoError(t, err)
	for _, row := range [][]float64{{1}, {math.NaN(), 1}, {1, math.Inf(1)}} {
		_, err := m.Learn(row, 2)
		require.Error(t, err)
	}
}

// TestMissingReadingIsInferred leaves one signal out of the query.
func TestMissingReadingIsInferred(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 1))
	m, err := aakr.Fit(healthy(400, rng), scale, 80)
	require.NoError(t, err)
	for _, row := range healthy(100, rng) {
		for gone := range row {
			query := append([]float64(nil), row...)
			query[gone] = math.NaN()
			got := m.Reconstruct(make([]float64, 4), query)
			require.InDelta(t, row[gone], got[gone], 0.8*scale[gone])
		}
	}
}
