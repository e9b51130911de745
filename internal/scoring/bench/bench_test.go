package bench

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Row{
		"aim":    {Value: 10.9, Goal: Goal{Must: 12.5, Aim: 11, Lower: true}},
		"must":   {Value: 0.8, Goal: Goal{Must: 0.76, Aim: 0.82}},
		"missed": {Value: 0.97, Goal: Goal{Must: 0.87, Most: 0.96, Band: true}},
		"":       {Value: 1},
	} {
		require.Equal(t, want, r.Verdict(), "%+v", r)
	}
	var out strings.Builder
	require.NoError(t, WriteTable(&out, []Row{{Set: "FD001", Metric: "RMSE", Value: math.Pi, Goal: Goal{Must: 12.5, Aim: 11, Lower: true}}}))
	require.Contains(t, out.String(), "3.142")
}
