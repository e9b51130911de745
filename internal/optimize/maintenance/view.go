package maintenance

import (
	"cmp"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// View implements optimize.Engine. Periods are days.
func (engine) View(in Input, out Output) (optimize.View, error) {
	v := optimize.View{
		Certificate: out.Certificate, Start: in.StartDate, Periods: in.Days, PeriodHours: 24,
		Total: out.Objective.Total, Risk: out.Objective.Failure, Terms: out.Objective.parts(),
	}
	if out.Baseline != nil {
		v.Baseline = out.Baseline.parts()
	}
	for i, d := range out.Schedule {
		v.Lines = append(v.Lines, line(in.Actions[i], d, out.Curves[i], in.Days))
		v.Curves = append(v.Curves, curve(out.Curves[i]))
	}
	slices.SortStableFunc(v.Lines, func(a, b optimize.Line) int { return cmp.Compare(b.Value, a.Value) })
	v.Figures = figures(in, out)
	for _, l := range out.Load {
		v.Loads = append(v.Loads, optimize.Load{Resource: l.Resource, Unit: in.unitOf(l.Resource), Used: l.Used, Available: l.Available})
	}
	for _, p := range out.Prices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.Resource, Step: p.Step, Unit: in.unitOf(p.Resource), Value: p.Value, Exact: p.Exact})
	}
	for _, p := range out.PinPrices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.ActionID, Pin: true, Value: p.Value, Exact: p.Exact})
	}
	return v, nil
}

// parts lists the terms under their keys.
func (t Terms) parts() []optimize.Term {
	return []optimize.Term{
		{Key: "work", Money: t.PlannedWork}, {Key: "outage", Money: t.PlannedOutage}, {Key: "failure", Money: t.Failure},
		{Key: "rest", Money: t.Residual + t.Tail},
	}
}

func line(a Action, d Decision, c Curve, days int) optimize.Line {
	l := optimize.Line{
		Subject: d.ActionID, AssetID: d.AssetID, SiteID: d.SiteID, Title: a.Title, Verdict: optimize.VerdictDo, Resource: a.Skill,
		Start: float64(d.StartDay), End: float64(d.EndDay + 1), Pinned: d.Pinned, Hours: a.SkillHours,
		PlannedCost: d.Cost.PlannedWork + d.Cost.PlannedOutage, ExpectedCost: d.Cost.Total, Value: d.ValueAtStake, P: d.PFailHorizon,
		Reasons: d.Reasons, Moves: moves(c, days),
	}
	if d.Deferred {
		l.Verdict, l.Start, l.End = optimize.VerdictDefer, -1, -1
	}
	if a.BaselineDay != nil {
		was := float64(*a.BaselineDay)
		l.Was = &was
	}
	return l
}

// moves keeps the feasible days of a curve, whose last entry is deferral.
func moves(c Curve, days int) []optimize.Move {
	var out []optimize.Move
	for d, feasible := range c.Feasible {
		if !feasible {
			continue
		}
		m := optimize.Move{Period: d, Delta: c.Delta[d]}
		if d == days {
			m.Period = -1
		}
		out = append(out, m)
	}
	return out
}

// curve leaves out the last entry, deferral, which is no day.
func curve(c Curve) optimize.Curve {
	days := len(c.Delta) - 1
	out := optimize.Curve{Subject: c.ActionID, Y: c.Delta[:days], X: make([]float64, days), Closed: make([]bool, days)}
	for d := range days {
		out.X[d], out.Closed[d] = float64(d), !c.Feasible[d]
	}
	return out
}

func figures(in Input, out Output) []optimize.Figure {
	var downtime, labour, planned, deferred, changes float64
	for i, d := range out.Schedule {
		base, day := in.Actions[i].BaselineDay, d.StartDay
		if base != nil && day != *base || base == nil && !d.Deferred {
			changes++
		}
		if d.Deferred {
			deferred++
			continue
		}
		planned++
		downtime += in.Actions[i].OutageHours
		labour += in.Actions[i].SkillHours
	}
	return []optimize.Figure{
		{Key: optimize.FigureDowntime, Value: downtime, Unit: "h"}, {Key: optimize.FigureLabour, Value: labour, Unit: "h"},
		{Key: optimize.FigurePlanned, Value: planned}, {Key: optimize.FigureDeferred, Value: deferred}, {Key: optimize.FigureChanges, Value: changes},
	}
}

func (in *Input) unitOf(resource string) string {
	for _, r := range in.Resources {
		if r.ID == resource {
			return r.Unit
		}
	}
	return ""
}
