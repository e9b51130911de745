package bench

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

func TestRemainingLivesAreRead(t *testing.T) {
	t.Parallel()
	left, err := readLeft(strings.NewReader("112 \n\n98\n"))
	require.NoError(t, err)
	require.Equal(t, []float64{112, 98}, left)
	_, err = readLeft(strings.NewReader("112\nx\n"))
	require.ErrorContains(t, err, "line 2")
}

func TestLeadingSignals(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"s2", "s3"}, leading([]prognosis.Contribution{
		{Signal: "s1", Value: 1}, {Signal: prognosis.AgeSignal, Value: 50}, {Signal: "s2", Value: -9}, {Signal: "s3", Value: 4},
	}, 2))
}

// TestPlantedFault: only signals that move when lives end are drifted, in their
// direction, and the original rows stay as they were.
func TestPlantedFault(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	unit := prognosis.Unit{ID: "1"}
	for i := range 200 {
		row := make([]float64, 24)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		row[5] -= float64(i) / 20
		row[7] = 3
		unit.Rows = append(unit.Rows, row)
	}
	drifts := endingDrifts([]prognosis.Unit{unit})
	require.Len(t, drifts, 1)
	require.Equal(t, "s3", drifts[0].name)
	require.Negative(t, drifts[0].size)
	before := unit.Rows[youngRows-1][5]
	planted := drifts[0].into(unit.Rows[:youngRows])
	require.Equal(t, before, unit.Rows[youngRows-1][5])
	require.InDelta(t, before+drifts[0].size, planted[youngRows-1][5], 1e-9)
	require.Equal(t, unit.Rows[youngRows-faultRows-1], planted[youngRows-faultRows-1])
}
