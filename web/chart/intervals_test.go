package chart_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/web/chart"
)

func TestIntervalsShareOneScaleThatHoldsZero(t *testing.T) {
	t.Parallel()
	rows := []chart.IntervalRow{
		{Spans: []chart.Interval{{Label: "promised", Lo: -10, Mid: 20, Hi: 60}, {Label: "realised", Lo: 0, Mid: 0, Hi: 0}}},
		{Spans: []chart.Interval{{Label: "promised", Lo: 40, Mid: 90, Hi: 100}}},
	}
	ltr, rtl := chart.NewIntervals(chart.LTR, "alt", rows), chart.NewIntervals(chart.RTL, "alt", rows)
	require.Len(t, ltr.Legend, 2, "each label once")
	require.InDelta(t, 100-ltr.Zero, rtl.Zero, 1e-9)
	for i, row := range ltr.Rows {
		for j, p := range row.Placed {
			require.GreaterOrEqual(t, p.X, 0.0)
			require.LessOrEqual(t, p.X+p.W, 100.0)
			require.LessOrEqual(t, p.X-1e-9, p.Dot)
			require.GreaterOrEqual(t, p.X+p.W+1e-9, p.Dot)
			require.InDelta(t, 100-p.Dot, rtl.Rows[i].Placed[j].Dot, 1e-9, "the drawing mirrors")
		}
	}
	require.InDelta(t, ltr.Zero, ltr.Rows[0].Placed[1].Dot, 1e-9)
	require.Less(t, ltr.Rows[0].Placed[0].X, ltr.Zero, "a loss lies before zero")
	require.True(t, chart.NewIntervals(chart.LTR, "alt", nil).Empty)
	require.NotPanics(t, func() { chart.NewIntervals(chart.LTR, "alt", []chart.IntervalRow{{Spans: []chart.Interval{{}}}}) })
}
