package features_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/features"
)

func describe(rows [][]float64) []float64 {
	l := features.NewLife(len(rows[0]))
	for _, row := range rows {
		l.Add(row)
	}
	out := make([]float64, features.Count(len(rows[0])))
	l.Describe(out)
	return out
}

// TestRamp checks every feature of a straight line, which has them in closed form.
func TestRamp(t *testing.T) {
	t.Parallel()
	const n = 100
	var rows [][]float64
	weighted, weight := 0.0, 0.0
	for i := range n {
		v := 3 + 0.5*float64(i)
		rows = append(rows, []float64{0, v})
		weighted, weight = weighted*0.875+v, weight*0.875+1
	}
	got := describe(rows)
	mean := func(from, to int) float64 { return 3 + 0.5*float64(from+to-1)/2 }
	want := []float64{
		weighted / weight, mean(90, 100), mean(70, 100), 0.5 * math.Sqrt((30*30-1)/12.0), 0.5, 0.5, mean(0, 100),
		mean(90, 100) - mean(0, 20), mean(70, 100) - mean(0, 20), mean(0, 20),
		mean(40, 100), 0.5 * math.Sqrt((10*10-1)/12.0), 0.5,
	}
	require.InDeltaSlice(t, want, got[features.PerCourse:2*features.PerCourse], 1e-9)
	require.InDeltaSlice(t, make([]float64, features.PerCourse), got[:features.PerCourse], 0)
	require.Equal(t, float64(n), got[2*features.PerCourse])
}

func TestMissingReadings(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	got := describe([][]float64{{nan, 1}, {nan, nan}, {nan, 3}})
	for k := range features.PerCourse {
		if k != 4 && k != 5 && k != 12 { // a slope without readings is 0
			require.True(t, math.IsNaN(got[k]), "feature %d of a course without readings", k)
		}
	}
	require.Equal(t, 2.0, got[features.PerCourse+1], "the mean of those that are there")
	require.Equal(t, 1.0, got[features.PerCourse+4], "the slope per row, gaps counted")
}

// TestSameWithAndWithoutTheFuture describes a life at each row and again after
// more rows were added to a copy that began the same.
func TestSameWithAndWithoutTheFuture(t *testing.T) {
	t.Parallel()
	var rows [][]float64
	for i := range 150 {
		rows = append(rows, []float64{math.Sin(float64(i)), float64(i % 7)})
	}
	l := features.NewLife(2)
	for i, row := range rows {
		l.Add(row)
		got := make([]float64, features.Count(2))
		l.Describe(got)
		require.Equal(t, describe(rows[:i+1]), got)
		require.Equal(t, got[0], l.Level(0))
		require.Equal(t, got[7], l.Shift(0))
	}
}
