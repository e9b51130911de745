package web

import (
	"math"
	"time"

	"github.com/optria-iq/optria/web/chart"
)

// LandingView is the Data of public/landing: an illustration drawn with the
// product's own chart parts from invented numbers, and labelled as such.
type LandingView struct {
	Gantt chart.Gantt
	Risk  chart.Plot
	Solve chart.Plot
	KPIs  []LandingKPI
}

// LandingKPI is one figure of the illustration.
type LandingKPI struct {
	Icon, Label, Value, Unit, Delta string
	Tone                            string
	Spark                           chart.Spark
}

// illustrationStart is a Sunday, the first day of the Saudi working week.
var illustrationStart = time.Date(2026, time.November, 8, 9, 0, 0, 0, time.UTC)

// NewLandingView builds the illustration in the language of the page.
func NewLandingView(p Page) LandingView {
	dir := chart.For(p.Lang)
	amount, unit := p.loc.Compact(4_120_000)
	return LandingView{
		Gantt: landingGantt(p, dir), Risk: landingRisk(p, dir), Solve: landingSolve(p, dir),
		KPIs: []LandingKPI{
			{Icon: "wallet", Label: p.T("landing.shot.cost"), Value: amount, Unit: unit, Delta: p.loc.Pct(0.062), Tone: "ok", Spark: chart.NewSpark(dir, []float64{112, 108, 109, 101, 97, 98, 92, 88, 86, 84, 80, 78})},
			{Icon: "badge-check", Label: p.T("landing.shot.gap"), Value: p.loc.Pct(0.022), Delta: p.loc.Pct(0.031), Tone: "accent", Spark: chart.NewSpark(dir, []float64{60, 42, 33, 27, 21, 17, 13, 10, 7, 5, 4, 2.2})},
			{Icon: "shield-alert", Label: p.T("landing.shot.risk"), Value: "37", Delta: "14", Tone: "risk4", Spark: chart.NewSpark(dir, []float64{51, 53, 50, 52, 49, 48, 46, 45, 43, 41, 39, 37})},
		},
	}
}

func landingGantt(p Page, dir chart.Direction) chart.Gantt {
	was := func(a, b float64) *[2]float64 { return &[2]float64{a, b} }
	in := chart.GanttInput{
		Dir: dir, Alt: p.T("landing.shot.alt"),
		Rows: []chart.Row{
			{Tag: "NKL-K-101", Name: p.T("landing.job1"), Level: 5}, {Tag: "RML-P-401A", Name: p.T("landing.job2"), Level: 4},
			{Tag: "SHQ-RO-01", Name: p.T("landing.job3"), Level: 4}, {Tag: "RFJ-GT11", Name: p.T("landing.job4"), Level: 3}, {Tag: "NKL-E-111", Name: p.T("landing.job5"), Level: 2},
		},
		Jobs: []chart.Job{
			{ID: "1", Row: 0, Risk: 5, Start: 2, End: 4.7, Was: was(6.9, 9.6), Label: p.T("landing.job1")},
			{ID: "2", Row: 1, Risk: 4, Start: 1, End: 2.6, Was: was(3.6, 5.2), Label: p.T("landing.job2")},
			{ID: "3", Row: 2, Risk: 4, Start: 3, End: 4.9, Was: was(8, 9.9), Label: p.T("landing.job3")},
			{ID: "4", Row: 3, Risk: 3, Start: 7, End: 9.2, Was: was(4.4, 6.6), Label: p.T("landing.job4")},
			{ID: "5", Row: 4, Risk: 2, Start: 8.2, End: 10, Was: was(8, 9.8), Label: p.T("landing.job5")},
		},
	}
	for i := range 11 {
		day := illustrationStart.AddDate(0, 0, i)
		in.Days = append(in.Days, chart.Day{
			Weekday: p.loc.Weekday(day), Number: p.loc.Int(day.Day()),
			Off: day.Weekday() == time.Friday || day.Weekday() == time.Saturday,
		})
	}
	now := 1.43
	in.Now = &now
	return chart.NewGantt(in)
}

func landingRisk(p Page, dir chart.Direction) chart.Plot {
	var past, none, plan, high, low []chart.Point
	for i := range 31 {
		x := float64(i)
		past = append(past, chart.Point{X: x, Y: 50 + 9*math.Sin(x/5.3) + 3*math.Sin(x*1.35) + x*.2})
	}
	last := past[30].Y
	for i := range 13 {
		x := float64(i)
		none = append(none, chart.Point{X: 30 + x, Y: last + x*1.3 + math.Sin(x)})
		y := last - x*1.5 + math.Sin(x*.9)
		plan = append(plan, chart.Point{X: 30 + x, Y: y})
		high, low = append(high, chart.Point{X: 30 + x, Y: y + 1 + x*.55}), append(low, chart.Point{X: 30 + x, Y: y - 1 - x*.55})
	}
	return chart.NewPlot(chart.Input{
		Dir: dir, Height: 150, Alt: p.T("landing.shot.risk"),
		YFormat: func(v float64) string { return p.loc.Num(v, 0) },
		Areas:   []chart.Area{{Class: "band-good", High: high, Low: low}},
		Lines: []chart.Line{
			{Class: "ln-warn", Label: p.T("landing.shot.without"), Points: none},
			{Class: "ln-good", Label: p.T("landing.shot.with"), Points: plan},
			{Class: "ln-main", Points: past},
		},
		Now: &chart.Mark{At: 30, Label: p.T("chart.now")}, Dot: &chart.Point{X: 30, Y: last},
	})
}

func landingSolve(p Page, dir chart.Direction) chart.Plot {
	steps := func(values ...float64) []chart.Point {
		out := make([]chart.Point, len(values))
		for i, v := range values {
			out[i] = chart.Point{X: float64(i), Y: v}
		}
		return out
	}
	return chart.NewPlot(chart.Input{
		Dir: dir, Height: 92, Alt: p.T("landing.shot.gap"),
		YFormat: func(v float64) string { return p.loc.Num(v, 0) },
		Lines: []chart.Line{
			{Class: "ln-main", Label: p.T("landing.shot.best"), Step: true, Points: steps(92, 84, 84, 71, 66, 66, 58, 54, 54, 50, 47, 46, 46, 44, 43.5, 43)},
			{Class: "ln-good", Label: p.T("landing.shot.bound"), Step: true, Points: steps(8, 14, 19, 24, 27, 29, 31, 32, 33.5, 35, 36, 37, 38, 38.8, 39.4, 40)},
		},
	})
}
