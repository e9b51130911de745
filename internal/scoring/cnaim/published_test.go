package cnaim_test

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// TestPublishedWeightings holds every type against the derived tables of the
// methodology: the probability of failure at the typical health of bands 3 to 5
// (Table 237), the typical cost of failure (Table 236) and the ageing rate of
// the normal expected life (Table 239).
func TestPublishedWeightings(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/published.csv")
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // read only
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+len(cnaim.Types()))
	for _, line := range lines[1:] {
		number := func(i int) float64 {
			v, err := strconv.ParseFloat(line[i], 64)
			require.NoError(t, err)
			return v
		}
		// Altitude 150 m, outdoors and corrosion 3 make a location factor of 1.
		r := score(t, cnaim.Equipment{
			Type: line[0], YearOfManufacture: 1970, Placement: "outdoor", AltitudeM: of(150), CorrosionCategory: 3,
		})
		for i, health := range []float64{6, 7.25, 9} {
			x := r.C * health
			require.InDelta(t, number(1+i), r.K*(1+x+x*x/2+x*x*x/6), 1.5e-6, line[0])
		}
		require.InDelta(t, number(4), r.Typical.Total(), 3, line[0])
		require.InDelta(t, number(5), r.Components[0].AgeingRate, 1e-8, line[0])
		if !strings.Contains(line[0], "Transformer") {
			require.Len(t, r.Components, 1)
		}
	}
}
