package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// writeTurbine writes a year in the form of the gas turbine set whose emission
// follows one input.
func writeTurbine(t *testing.T, dir, year string, seed uint64, gain float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 5))
	var b strings.Builder
	b.WriteString("AT,AP,AH,AFDP,GTEP,TIT,TAT,TEY,CDP,CO,NOX\n")
	for range 6 * driftBlock {
		at := 20 + 5*rng.NormFloat64()
		fmt.Fprintf(&b, "%.3f,1010,60,%.3f,25,1080,545,130,12,2,%.3f\n", at, 4+rng.NormFloat64(), 60+gain*at+rng.NormFloat64())
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gt_"+year+".csv"), []byte(b.String()), 0o600))
}

func TestDriftBenchmarkSeesAChangedRelation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeTurbine(t, dir, "2011", 1, 1)
	writeTurbine(t, dir, "2012", 2, 1)
	writeTurbine(t, dir, "2013", 3, 1.5)
	rows, err := measureDrift(t.Context(), dir, 1)
	require.NoError(t, err)
	values := map[string]float64{}
	for _, r := range rows {
		if _, seen := values[r.Metric]; !seen {
			values[r.Metric] = r.Value
		}
	}
	require.Zero(t, values["input drift, alarms"], "the inputs have not moved")
	require.Equal(t, 6.0, values["residual drift, alarms"])
	require.LessOrEqual(t, values["residual drift, false alarms"], 1.0)
	require.Equal(t, 1.0, values["first alarm, block"])

	require.NoError(t, os.WriteFile(filepath.Join(dir, "gt_2013.csv"), []byte("AT,NOX\n1,2\n"), 0o600))
	_, err = measureDrift(t.Context(), dir, 1)
	require.ErrorContains(t, err, "no column AP")
}
