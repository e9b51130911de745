package web

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/web/chart"
)

// probabilityPlot draws the calibration of P(fail ≤ 30 days): what was
// predicted against what share came true. It reads from the left in every
// language.
func probabilityPlot(p Page, r learning.Report) *chart.Plot {
	bins := r.Candidate.Calibration
	if len(bins) == 0 {
		return nil
	}
	percent := func(v float64) string { return p.Loc().Pct(v) }
	in := chart.ScatterInput{Height: 260, XFormat: percent, YFormat: percent, Alt: p.T("models.plot.probability.alt"),
		Lines: []chart.Line{{Class: "ln-alt", Label: p.T("models.plot.ideal"), Points: []chart.Point{{}, {X: 1, Y: 1}}}}}
	for _, b := range bins {
		in.Spots = append(in.Spots, chart.Spot{Point: chart.Point{X: b.Predicted, Y: b.Observed}, Label: p.Loc().Int(b.N),
			Hint: p.T("models.plot.bin", "Predicted", percent(b.Predicted), "Observed", percent(b.Observed), "N", p.Loc().Int(b.N))})
	}
	plot := chart.NewScatter(in)
	return &plot
}

// lifeBins is how many groups the predictions are gathered in for the plot of
// remaining life.
const lifeBins = 14

// lifePlot draws actual against predicted remaining life: per group of actual
// life the middle prediction and the middle 90 % of the intervals.
func lifePlot(p Page, r learning.Report) *chart.Plot {
	points := slices.Clone(r.Scatter)
	if len(points) < lifeBins {
		return nil
	}
	slices.SortStableFunc(points, func(a, b learning.Point) int { return cmp.Compare(a.Actual, b.Actual) })
	var middle, high, low, ideal []chart.Point
	for group := range slices.Chunk(points, (len(points)+lifeBins-1)/lifeBins) {
		actual := median(group, func(q learning.Point) float64 { return min(q.Actual, r.Candidate.Cap) })
		middle = append(middle, chart.Point{X: actual, Y: median(group, func(q learning.Point) float64 { return q.Predicted })})
		high = append(high, chart.Point{X: actual, Y: median(group, func(q learning.Point) float64 { return q.Hi })})
		low = append(low, chart.Point{X: actual, Y: median(group, func(q learning.Point) float64 { return q.Lo })})
		ideal = append(ideal, chart.Point{X: actual, Y: actual})
	}
	in := chart.Input{Dir: chart.LTR, Height: 260, Alt: p.T("models.plot.life.alt"), YFormat: func(v float64) string { return p.Loc().Num(v, 0) },
		Areas: []chart.Area{{Class: "band", Label: p.T("models.plot.interval"), High: high, Low: low}},
		Lines: []chart.Line{{Class: "ln-alt", Label: p.T("models.plot.ideal"), Points: ideal}, {Class: "ln-main", Label: p.T("models.plot.predicted"), Points: middle}}}
	for _, at := range ticksOf(ideal[0].X, ideal[len(ideal)-1].X) {
		in.XTicks = append(in.XTicks, chart.Mark{At: at, Label: p.Loc().Num(at, 0)})
	}
	plot := chart.NewPlot(in)
	plot.LTR = true
	return &plot
}

// ticksOf cuts a range into four.
func ticksOf(from, to float64) []float64 {
	var out []float64
	for i := range 5 {
		out = append(out, math.Round(from+(to-from)*float64(i)/4))
	}
	return slices.Compact(out)
}

func median(group []learning.Point, of func(learning.Point) float64) float64 {
	values := make([]float64, 0, len(group))
	for _, q := range group {
		values = append(values, of(q))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// driftPlot draws input and residual drift over time, 1 at their limits.
func driftPlot(p Page, checks []driftRow) *chart.Plot {
	if len(checks) < 2 {
		return nil
	}
	var input, residual []chart.Point
	for _, c := range slices.Backward(checks) {
		at := float64(c.At.Unix())
		input, residual = append(input, chart.Point{X: at, Y: c.Input}), append(residual, chart.Point{X: at, Y: c.Residual})
	}
	zero := 0.0
	in := chart.Input{Dir: chart.For(p.Lang), Height: 220, Alt: p.T("models.drift.alt"), YMin: &zero,
		YFormat: func(v float64) string { return p.Loc().Num(v, 1) }, Limit: &chart.Mark{At: 1, Label: p.T("models.drift.limit")},
		Lines: []chart.Line{{Class: "ln-main", Label: p.T("models.drift.input"), Points: input}, {Class: "ln-warn", Label: p.T("models.drift.residual"), Points: residual}}}
	oldest, newest := checks[len(checks)-1].At, checks[0].At
	for _, at := range []float64{float64(oldest.Unix()), float64(newest.Unix())} {
		label := p.Loc().ShortDate(oldest)
		if at == float64(newest.Unix()) {
			label = p.Loc().ShortDate(newest)
		}
		in.XTicks = append(in.XTicks, chart.Mark{At: at, Label: label})
	}
	plot := chart.NewPlot(in)
	return &plot
}
