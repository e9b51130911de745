package optimize_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// TestUsedUpBudgetStaysCounted: what has spent its work goes on counting, and
// never falls back on the clock.
func TestUsedUpBudgetStaysCounted(t *testing.T) {
	t.Parallel()
	m := optimize.NewMeter(optimize.Options{Work: time.Second, TimeLimit: time.Hour})
	m.Charge(3 * time.Second)
	require.Zero(t, m.Left())
	rest := optimize.Options{Work: time.Second, TimeLimit: time.Hour}.WithBudget(m.Left())
	require.True(t, rest.ByWork())
	require.True(t, rest.Counted())
	require.Equal(t, time.Hour, rest.TimeLimit)
	require.LessOrEqual(t, optimize.NewMeter(rest).Left(), time.Nanosecond)

	clock := optimize.NewMeter(optimize.Options{TimeLimit: time.Hour})
	clock.Charge(2 * time.Hour)
	require.Positive(t, clock.Left(), "a clock takes no notice of work")
	require.Equal(t, 2*time.Hour, clock.Charged())
	require.Equal(t, time.Minute, optimize.Options{TimeLimit: time.Hour}.WithBudget(time.Minute).TimeLimit)
}
