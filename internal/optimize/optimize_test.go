package optimize_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	_ "github.com/optria-iq/optria/internal/optimize/all"
)

func TestSpecsAreCompleteAndOrdered(t *testing.T) {
	specs := optimize.Specs()
	require.NotEmpty(t, specs)
	for k, s := range specs {
		require.NotEmpty(t, s.Kind)
		require.NotEmpty(t, s.TitleKey)
		require.NotEmpty(t, s.SummaryKey)
		require.NotEmpty(t, s.Objectives)
		if k > 0 {
			require.Less(t, specs[k-1].Kind, s.Kind)
		}
		for _, f := range s.Constraints {
			require.NotEmpty(t, f.LabelKey, f.Name)
			require.LessOrEqual(t, f.Min, f.Default, f.Name)
			require.GreaterOrEqual(t, f.Max, f.Default, f.Name)
		}
		p, ok := optimize.Lookup(s.Kind)
		require.True(t, ok)
		require.Panics(t, func() { optimize.Register(p) })
	}
	_, ok := optimize.Lookup("nothing")
	require.False(t, ok)
}

func TestThrottledLetsTenPerSecondThrough(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	report := optimize.Throttled(func(optimize.Progress) { mu.Lock(); calls++; mu.Unlock() })
	for range 10_000 {
		report(optimize.Progress{})
	}
	require.LessOrEqual(t, calls, 3)
	require.Positive(t, calls)
	optimize.Throttled(nil)(optimize.Progress{})
}

func TestGap(t *testing.T) {
	require.InDelta(t, .1, optimize.Gap(100, 90), 1e-12)
	require.InDelta(t, .1, optimize.Gap(-100, -110), 1e-12)
	require.Zero(t, optimize.Gap(5, 6))
	require.InDelta(t, 2, optimize.Gap(0, -2), 1e-12)
}
