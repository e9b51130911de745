package optimize_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// TestCompareSeesAnotherLoad: units that start and end alike differ when they
// run at another load or stand still between; rounding is no difference.
func TestCompareSeesAnotherLoad(t *testing.T) {
	t.Parallel()
	view := func(loads map[string][]float64) optimize.View {
		var v optimize.View
		for _, unit := range []string{"a", "b", "c"} {
			p := optimize.Profile{Subject: unit, Maximum: 100, Load: loads[unit]}
			for _, load := range p.Load {
				p.On = append(p.On, load > 0)
			}
			v.Profiles = append(v.Profiles, p)
			v.Lines = append(v.Lines, optimize.Line{Subject: unit, Verdict: optimize.VerdictRun, Start: 0, End: 4})
		}
		return v
	}
	base := view(map[string][]float64{"a": {50, 50, 50, 50}, "b": {60, 60, 60, 60}, "c": {70, 70, 70, 70}})
	other := view(map[string][]float64{"a": {50, 55, 45, 50}, "b": {60, 0, 60, 60}, "c": {70, 70 + 1e-7, 70, 70}})

	c := optimize.Compare(base, other)
	require.Equal(t, 1, c.Same)
	require.Len(t, c.Changed, 2)
	require.Equal(t, "a", c.Changed[0].Subject)
	require.Equal(t, 2, c.Changed[0].Periods)
	require.Equal(t, "b", c.Changed[1].Subject)
	require.Equal(t, 1, c.Changed[1].Periods)
	require.Equal(t, 3, optimize.Compare(base, base).Same)

	short := view(map[string][]float64{"a": {50, 50}, "b": {60, 60, 60, 60}, "c": {70, 70, 70, 70}})
	require.Equal(t, 2, optimize.Compare(base, short).Changed[0].Periods, "a period that one plan lacks differs")

	moved := view(map[string][]float64{"a": {50, 50, 50, 50}, "b": {60, 60, 60, 60}, "c": {70, 70, 70, 70}})
	moved.Lines[0].Start = 1
	text, err := json.Marshal(optimize.Compare(base, moved).Changed)
	require.NoError(t, err)
	require.NotContains(t, string(text), "periods", "a change without a profile reads as before")
}
