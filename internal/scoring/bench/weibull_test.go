package bench

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWeibullRowsHoldTheOracle measures against a wrong oracle: the error must
// show in every row but that of the bounds, which are checked by a search.
func TestWeibullRowsHoldTheOracle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(s string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "weibull_oracle.json"), []byte(s), 0o600))
	}
	write(`{"a":{"beta":3,"eta":10,"failures":[8,9,10,11],"censored":[12]}}`)
	rows, err := measureWeibull(t.Context(), dir, 1)
	require.NoError(t, err)
	require.Equal(t, "missed", rows[0].Verdict())
	require.Less(t, rows[3].Value, 1e-6, "the bounds need no oracle")
	write(`{"a":{"failures":[]}}`)
	_, err = measureWeibull(t.Context(), dir, 1)
	require.ErrorContains(t, err, "case a")
}

func TestCNAIMRow(t *testing.T) {
	t.Parallel()
	rows, err := measureCNAIM(t.Context(), "", 1)
	require.NoError(t, err)
	require.Equal(t, "aim", rows[0].Verdict(), "%v", rows[0].Value)
	require.False(t, math.IsNaN(rows[0].Value))
}
