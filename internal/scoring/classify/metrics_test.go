package classify_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/classify"
)

// TestMetricsByHand: ranked hit, miss, hit, miss gives precision 1 and 2/3.
func TestMetricsByHand(t *testing.T) {
	t.Parallel()
	m := classify.Evaluate([]float64{0.9, 0.8, 0.3, 0.1}, []bool{true, false, true, false})
	require.InDelta(t, (1+2.0/3)/2, m.AveragePrecision, 1e-12)
	require.InDelta(t, 0.75, m.AUC, 1e-12)
	require.InDelta(t, (0.01+0.64+0.49+0.01)/4, m.Brier, 1e-12)
	require.InDelta(t, (0.1+0.8+0.7+0.1)/4, m.CalibrationError, 1e-12)
	require.InDelta(t, 0.5, m.Share, 1e-12)

	tied := classify.Evaluate([]float64{0.25, 0.25, 0.25, 0.25}, []bool{true, false, false, false})
	require.InDelta(t, 0.25, tied.AveragePrecision, 1e-12)
	require.InDelta(t, 0.5, tied.AUC, 1e-12)
	require.InDelta(t, 0, tied.CalibrationError, 1e-12)
}

func TestFoldsAreStratified(t *testing.T) {
	t.Parallel()
	hit := make([]bool, 103)
	for i := range 23 {
		hit[4*i] = true
	}
	folds := classify.StratifiedFolds(hit, 5, 1)
	var all []int
	for _, f := range folds {
		hits := 0
		for _, i := range f {
			if hit[i] {
				hits++
			}
		}
		require.InDelta(t, 23.0/5, hits, 1)
		require.InDelta(t, 103.0/5, len(f), 1)
		all = append(all, f...)
	}
	slices.Sort(all)
	for i, row := range all {
		require.Equal(t, i, row, "every row once")
	}
	require.Equal(t, folds, classify.StratifiedFolds(hit, 5, 1))
	require.NotEqual(t, folds, classify.StratifiedFolds(hit, 5, 2))
}
