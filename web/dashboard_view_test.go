package web

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFleetIndexIsLogarithmicAndBounded(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ loss, fresh, want float64 }{
		{0, 100, 0}, {100, 0, 0}, {100, 100, 0}, {50, 100, 0}, {1e3, 10, 50}, {1e6, 100, 100}, {1e9, 1, 100},
	} {
		require.InDelta(t, x.want, fleetIndex(x.loss, x.fresh), 1e-9, "%v", x)
	}
}

func TestHealthToneFollowsTheBands(t *testing.T) {
	t.Parallel()
	for score, want := range map[float64]string{100: "risk-2", 85: "risk-2", 70: "risk-2", 69.9: "risk-3", 50: "risk-3", 25: "risk-4", 24: "risk-5", 0: "risk-5"} {
		require.Equal(t, want, healthTone(score), score)
	}
}
