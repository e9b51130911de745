package prognosis

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// TestMetricsByHand compares the figures of a few predictions with sums done by
// hand.
func TestMetricsByHand(t *testing.T) {
	t.Parallel()
	past, err := conformal.NewLocal([]float64{20, 40}, []float64{20, 100}, 100)
	require.NoError(t, err)
	scored := func(unit string, age int, truth, predicted float64) Scored {
		return Scored{Unit: unit, Age: age, Truth: truth, Prediction: Prediction{
			Remaining: predicted, Lo: predicted - 5, Hi: predicted + 5, past: past,
		}}
	}
	m := Evaluate([]Scored{
		scored("A", 3, 10, 20), scored("A", 1, 130, 100), scored("A", 2, 40, 38),
		scored("B", 1, 70, 20), scored("B", 2, 69, 21), scored("B", 3, 68, 30),
	})
	require.Equal(t, 6, m.N)
	require.InDelta(t, 32.53716, m.RMSECapped, 1e-4, "√(6352/6)")
	require.InDelta(t, 34.76588, m.RMSE, 1e-4, "√(7252/6): 130 was beyond the cap")
	require.InDelta(t, 10, m.MeanWidth, 1e-12)
	require.InDelta(t, 2.0/6, m.Coverage90, 1e-12)
	require.InDelta(t, 0.5, m.Coverage90Below50, 1e-12)
	require.InDelta(t, 0.5, m.Missed, 0, "A was never at 30 three times running")
	require.InDelta(t, 0.5, m.Premature, 0, "B was, with 68 cycles left")
	require.Equal(t, 68.0, m.LeadP05)
	require.InDelta(t, 1.71828, phm08(10), 1e-5)
	require.InDelta(t, 1.71828, phm08(-13), 1e-5)
	n := 0
	for _, b := range m.Calibration {
		n += b.N
	}
	require.Equal(t, 6, n)
	require.Equal(t, Metrics{}, Evaluate(nil))
}

func TestTruncateCutsWhereAFleetIsFound(t *testing.T) {
	t.Parallel()
	var all []Scored
	for _, unit := range []string{"A", "B"} {
		for age := 1; age <= 200; age++ {
			all = append(all, Scored{Unit: unit, Age: age, Truth: float64(200 - age)})
		}
	}
	all = append(all, Scored{Unit: "short", Age: 1, Truth: 30})
	cut := Truncate(all, 150, 50, 1)
	require.Len(t, cut, 100)
	ages := map[int]bool{}
	for _, s := range cut {
		require.True(t, s.Truth >= 6 && s.Truth <= 150 && s.Age >= 20, "%+v", s)
		ages[s.Age] = true
	}
	require.Greater(t, len(ages), 40, "spread over the life")
	require.Equal(t, cut, Truncate(all, 150, 50, 1))
}
