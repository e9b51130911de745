package regime_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/regime"
)

// plant draws rows at one of the given operating points with a little noise: two
// operating columns, one signal whose level and spread depend on the regime, and
// one constant.
func plant(points [][]float64, noise float64, n int) (rows [][]float64, of []int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		k := rng.IntN(len(points))
		p := points[k]
		rows = append(rows, []float64{
			p[0] + noise*rng.NormFloat64(), p[1] + noise*rng.NormFloat64(),
			100*float64(k) + float64(k+1)*rng.NormFloat64(), 7,
		})
		of = append(of, k)
	}
	return rows, of
}

func TestFindsAsManyRegimesAsThereAre(t *testing.T) {
	t.Parallel()
	all := [][]float64{{0, 0}, {10, 0.25}, {20, 0.7}, {25, 0.62}, {35, 0.84}, {42, 0.84}}
	for want := 1; want <= len(all); want++ {
		rows, of := plant(all[:want], 0.002, 3000)
		m, err := regime.Fit(rows, []int{0, 1}, 1)
		require.NoError(t, err)
		require.Len(t, m.Centroids, want)
		names := map[[2]int]bool{}
		sum, ss := 0.0, 0.0
		z := make([]float64, 4)
		for i, row := range rows {
			names[[2]int{of[i], m.Of(row)}] = true
			m.Standardise(z, row)
			sum, ss = sum+z[2], ss+z[2]*z[2]
			require.Zero(t, z[3], "a constant signal")
		}
		require.Len(t, names, want, "every regime is one cluster")
		require.InDelta(t, 0, sum/3000, 0.01)
		require.InDelta(t, 1, ss/3000, 0.02)
		require.True(t, m.Constant(3))
		require.False(t, m.Constant(2))
	}
}

func TestOneRegimeWithoutStructure(t *testing.T) {
	t.Parallel()
	rows, _ := plant([][]float64{{0, 0}}, 1, 2000)
	for _, operating := range [][]int{nil, {0, 1}, {3}} {
		m, err := regime.Fit(rows, operating, 1)
		require.NoError(t, err)
		require.Len(t, m.Centroids, 1)
	}
}

func TestWildReadingsDoNotSetTheScale(t *testing.T) {
	t.Parallel()
	rows, _ := plant([][]float64{{0, 0}}, 1, 2000)
	rows[10][2], rows[20][2], rows[30][2], rows[40][2] = 1e9, math.NaN(), math.Inf(1), -1e9
	rows[50][0], rows[60][1] = math.Inf(-1), math.NaN()
	m, err := regime.Fit(rows, []int{0, 1}, 1)
	require.NoError(t, err)
	z := make([]float64, 4)
	for i, row := range rows {
		m.Standardise(z, row)
		switch i {
		case 10, 40:
			require.Equal(t, math.Copysign(10, row[2]), z[2], "held within the limit")
		case 20, 30:
			require.True(t, math.IsNaN(z[2]), "missing")
		default:
			require.Less(t, math.Abs(z[2]), 5.0)
		}
	}
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	_, err := regime.Fit(nil, nil, 1)
	require.ErrorContains(t, err, "no rows")
	_, err = regime.Fit([][]float64{{1, 2}, {1}}, nil, 1)
	require.ErrorContains(t, err, "row 2 has 1 columns")
	_, err = regime.Fit([][]float64{{1, 2}}, []int{2}, 1)
	require.ErrorContains(t, err, "operating column 2")
	m, err := regime.Fit([][]float64{{1, 2}}, []int{1}, 1)
	require.NoError(t, err)
	require.NoError(t, m.Check(2))
	require.Error(t, m.Check(3))
	require.Error(t, (&regime.Model{}).Check(2))
	require.True(t, m.Constant(0))
}

func TestClusterOfFewPoints(t *testing.T) {
	t.Parallel()
	c := regime.Cluster([][]float64{{1}, {1}, {9}}, 2, 3)
	require.ElementsMatch(t, [][]float64{{1}, {9}}, c)
	require.Len(t, regime.Cluster([][]float64{{1}}, 2, 3), 1)
	k, d2 := regime.Nearest(c, []float64{8})
	require.Equal(t, 1.0, d2)
	require.Equal(t, 9.0, c[k][0])
}
