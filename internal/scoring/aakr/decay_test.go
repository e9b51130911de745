package aakr

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecayIsTheExponential(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1.0, decay(0))
	for d := 0.0; d < negligible; d += 0.00137 {
		require.InEpsilon(t, math.Exp(-d), decay(d), 1e-8)
	}
	require.InEpsilon(t, math.Exp(-negligible), decay(math.Nextafter(negligible, 0)), 1e-8)
}

func TestClippedSquare(t *testing.T) {
	t.Parallel()
	for d, want := range map[float64]float64{0: 0, -2: 4, 3: 9, 3.1: 9, -1e200: 9, math.Inf(1): 9} {
		require.Equal(t, want, clipped(d), d)
	}
	require.Equal(t, 9.0, clipped(math.NaN()))
}
