package web

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

// chartPageSize is the number of charts on one page of curves or profiles.
const chartPageSize = 12

// curvesView is the tab of the cost of time, one chart per subject.
type curvesView struct {
	Items []curveView
	Pager Pager
	Text  string
}

// curveView is the cost of every choice of one subject's time.
type curveView struct {
	subjectName
	Why     string
	Verdict chipView
	Plot    chart.Plot
	Unit    string
}

// newCurvesView draws the curves in the order of the decisions, those of other
// subjects after them.
func newCurvesView(p Page, x solvedPlan, b plantBook) *curvesView {
	rank := map[string]int{}
	for i, l := range x.view.Lines {
		rank[l.Subject] = i - len(x.view.Lines)
	}
	key := "results.curves.moves"
	var curves []optimize.Curve
	for _, c := range x.view.Curves {
		if len(c.X) > 1 {
			curves = append(curves, c)
		}
		if len(c.Low) > 0 {
			key = "results.curves.text"
		}
	}
	slices.SortStableFunc(curves, func(a, b optimize.Curve) int { return cmp.Compare(rank[a.Subject], rank[b.Subject]) })
	v := &curvesView{Pager: NewPager(p.URL, chartPageSize, len(curves)), Text: wordFor(p, key, x.run.Problem)}
	for _, c := range pageOf(curves, v.Pager) {
		l, ok := x.line(c.Subject)
		if !ok {
			l = optimize.Line{Subject: c.Subject, Start: -1}
		}
		item := curveView{subjectName: b.subject(p.Lang, l)}
		if ok {
			item.Why, item.Verdict = whyPath(x, l.Subject), verdictChip(p, x, l)
		}
		item.Plot, item.Unit = curvePlot(p, x, l, c)
		v.Items = append(v.Items, item)
	}
	return v
}

// curvePlot draws a curve with its band. Choices that a constraint forbids are
// drawn apart; a dot marks the chosen one.
func curvePlot(p Page, x solvedPlan, l optimize.Line, c optimize.Curve) (plot chart.Plot, unit string) {
	if len(c.X) < 2 {
		return chart.Plot{Empty: true}, ""
	}
	all, open := make([]chart.Point, len(c.X)), make([]chart.Point, len(c.X))
	closed := false
	for i, at := range c.X {
		all[i] = chart.Point{X: at, Y: c.Y[i]}
		open[i] = all[i]
		if len(c.Closed) > i && c.Closed[i] && at != l.Start {
			open[i].Y, closed = math.NaN(), true
		}
	}
	high, low := bandOf(c)
	format, unit := moneyAxis(p, all, high, low)
	in := chart.Input{Dir: chart.For(p.Lang), Height: 180, YFormat: format, Alt: p.T("runs.curve.alt"), XTicks: timeTicks(p, x.time, c.X)}
	if closed {
		in.Lines = append(in.Lines, chart.Line{Class: "ln-muted", Label: p.T("runs.curve.closed"), Points: all})
	}
	if len(high) > 0 {
		in.Areas = append(in.Areas, chart.Area{Class: "band", Label: p.T("results.curves.band"), High: high, Low: low})
	}
	in.Lines = append(in.Lines, chart.Line{Class: "ln-main", Label: wordFor(p, "results.curves.expected", x.run.Problem), Points: open})
	if i := slices.Index(c.X, l.Start); i >= 0 {
		in.Dot = &all[i]
	}
	return chart.NewPlot(in), unit
}

func bandOf(c optimize.Curve) (high, low []chart.Point) {
	if len(c.Low) != len(c.X) || len(c.High) != len(c.X) {
		return nil, nil
	}
	for i, at := range c.X {
		high, low = append(high, chart.Point{X: at, Y: c.High[i]}), append(low, chart.Point{X: at, Y: c.Low[i]})
	}
	return high, low
}

// timeTicks labels the two ends and the middle of a time axis, with the time
// of day where the axis is short.
func timeTicks(p Page, h horizon, periods []float64) []chart.Mark {
	first, last := periods[0], periods[len(periods)-1]
	var out []chart.Mark
	for _, at := range []float64{first, (first + last) / 2, last} {
		label := p.Loc().ShortDate(h.at(at))
		if (last-first)*h.hours <= shortDays*24 && !h.daily() {
			label = h.moment(p, at)
		}
		out = append(out, chart.Mark{At: at, Label: label})
	}
	return out
}

// profilesView is the tab of the operation of units, one chart per unit.
type profilesView struct {
	Items []profileView
	Pager Pager
}

// profileView is the load of one unit over time.
type profileView struct {
	subjectName
	Why, Unit        string
	Verdict          chipView
	Plot             chart.Plot
	Minimum, Maximum float64
	Mean, WasMean    float64
	HasWas           bool
	HoursOn          float64
}

func newProfilesView(p Page, x solvedPlan, b plantBook) *profilesView {
	v := &profilesView{Pager: NewPager(p.URL, chartPageSize, len(x.view.Profiles))}
	for _, u := range pageOf(x.view.Profiles, v.Pager) {
		l, ok := x.line(u.Subject)
		if !ok {
			l = optimize.Line{Subject: u.Subject, AssetID: u.AssetID, Verdict: optimize.VerdictRun}
		}
		item := profileView{subjectName: b.subject(p.Lang, l), Why: whyPath(x, u.Subject), Unit: unitOf(p, u.Unit), Verdict: verdictChip(p, x, l),
			Plot: profilePlot(p, x, u), Minimum: u.Minimum, Maximum: u.Maximum, Mean: mean(u.Load), WasMean: mean(u.Was), HasWas: len(u.Was) > 0}
		for _, on := range u.On {
			if on {
				item.HoursOn += x.time.hours
			}
		}
		v.Items = append(v.Items, item)
	}
	return v
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// profilePlot draws the load as steps beside the current profile, between the
// least and the greatest load of the unit.
func profilePlot(p Page, x solvedPlan, u optimize.Profile) chart.Plot {
	steps := func(values []float64) []chart.Point {
		var out []chart.Point
		for i, v := range values {
			out = append(out, chart.Point{X: float64(i), Y: v}, chart.Point{X: float64(i + 1), Y: v})
		}
		return out
	}
	flat := func(v float64) []chart.Point {
		return []chart.Point{{X: 0, Y: v}, {X: float64(len(u.Load)), Y: v}}
	}
	zero := 0.0
	in := chart.Input{Dir: chart.For(p.Lang), Height: 170, YMin: &zero, Alt: p.T("results.profile.alt"),
		YFormat: func(v float64) string { return p.Loc().Num(v, 1) }, XTicks: timeTicks(p, x.time, []float64{0, float64(len(u.Load))}),
		Lines: []chart.Line{{Class: "ln-cap", Label: p.T("results.profile.limits"), Points: flat(u.Maximum)}, {Class: "ln-cap", Points: flat(u.Minimum)}}}
	if len(u.Was) > 0 {
		in.Lines = append(in.Lines, chart.Line{Class: "ln-warn", Label: p.T("results.profile.was"), Points: steps(u.Was)})
	}
	in.Lines = append(in.Lines, chart.Line{Class: "ln-main", Label: p.T("results.profile.load"), Points: steps(u.Load)})
	return chart.NewPlot(in)
}

// frontierView is the tab of the plans that no other beats in cost and risk.
type frontierView struct {
	Plot         chart.Plot
	XUnit, YUnit string
	Points       []frontierRow
}

// frontierRow is one such plan.
type frontierRow struct {
	optimize.FrontierPoint
	N     int
	Total float64
	Main  bool
}

// newFrontierView draws cost against risk. The point nearest to the shown plan
// is marked.
func newFrontierView(p Page, x solvedPlan) *frontierView {
	v := &frontierView{}
	points := slices.Clone(x.view.Frontier)
	slices.SortFunc(points, func(a, b optimize.FrontierPoint) int { return cmp.Compare(a.Risk, b.Risk) })
	in := chart.ScatterInput{Join: true, Alt: p.T("results.frontier.alt")}
	var risks, costs []chart.Point
	nearest, best := -1, math.Inf(1)
	for i, f := range points {
		risks, costs = append(risks, chart.Point{Y: f.Risk}), append(costs, chart.Point{Y: f.Cost})
		if d := math.Hypot(f.Risk-x.view.Risk, f.Cost-(x.view.Total-x.view.Risk)); d < best {
			nearest, best = i, d
		}
	}
	in.XFormat, v.XUnit = moneyAxis(p, risks)
	in.YFormat, v.YUnit = moneyAxis(p, costs)
	for i, f := range points {
		v.Points = append(v.Points, frontierRow{FrontierPoint: f, N: i + 1, Total: f.Cost + f.Risk, Main: i == nearest})
		in.Spots = append(in.Spots, chart.Spot{Point: chart.Point{X: f.Risk, Y: f.Cost}, Label: p.Loc().Int(i + 1), Main: i == nearest,
			Hint: p.T("results.frontier.hint", "Cost", p.Loc().MoneyCompact(f.Cost), "Risk", p.Loc().MoneyCompact(f.Risk))})
	}
	v.Plot = chart.NewScatter(in)
	return v
}
