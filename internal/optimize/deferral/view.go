package deferral

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// View implements optimize.Engine. Periods are days. Curves and moves are
// weighted as the plan was; terms are plain money.
func (engine) View(in Input, out Output) (optimize.View, error) {
	if len(out.Actions) != len(in.Actions) {
		return optimize.View{}, fmt.Errorf("plan has %d actions, input %d", len(out.Actions), len(in.Actions))
	}
	v := optimize.View{
		Certificate: out.Certificate, Start: in.StartDate, Periods: in.Days, PeriodHours: 24,
		Total: out.Objective.Total, Risk: out.Objective.Failure, Terms: out.Objective.parts(), Figures: figures(in, out),
	}
	if out.Baseline != nil {
		v.Baseline = out.Baseline.parts()
	}
	for i := range out.Actions {
		v.Lines = append(v.Lines, line(&in.Actions[i], &out.Actions[i]))
		v.Curves = append(v.Curves, curve(&out.Actions[i]))
	}
	slices.SortStableFunc(v.Lines, func(a, b optimize.Line) int { return cmp.Compare(b.Value, a.Value) })
	for _, p := range out.PinPrices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.ActionID, Pin: true, Value: p.Value, Exact: true})
	}
	return v, nil
}

// parts lists the terms under their keys.
func (t Terms) parts() []optimize.Term {
	return []optimize.Term{
		{Key: "work", Money: t.Work}, {Key: "failure", Money: t.Failure}, {Key: "life_used", Money: t.Life}, {Key: "age_left", Money: t.Left},
	}
}

func line(a *Action, d *Deferral) optimize.Line {
	l := optimize.Line{
		Subject: a.ID, AssetID: a.AssetID, SiteID: a.SiteID, Title: a.Title, Verdict: d.Verdict, Start: float64(d.Until), End: float64(d.Until + 1),
		Pinned: d.Pinned, Hours: a.WorkHours, PlannedCost: a.PlannedCost, ExpectedCost: d.Cost.Total, Value: d.Curve[len(d.Curve)-1] - d.Curve[d.Day],
		P: d.PFailEnd, Reasons: d.Reasons,
	}
	if d.Verdict != optimize.VerdictDo {
		l.End = l.Start // nothing is under way
	}
	if a.BaselineDay != nil {
		was := float64(*a.BaselineDay)
		l.Was = &was
	}
	for n, c := range d.Curve {
		if !d.Closed[n] {
			l.Moves = append(l.Moves, optimize.Move{Period: n, Delta: c - d.Curve[d.Day]})
		}
	}
	return l
}

func curve(d *Deferral) optimize.Curve {
	c := optimize.Curve{Subject: d.ActionID, Y: d.Curve, Low: d.Low, High: d.High, Closed: d.Closed, X: make([]float64, len(d.Curve))}
	for n := range c.X {
		c.X[n] = float64(n)
	}
	return c
}

// figures are the verdicts counted, the labour, and what deferring the whole
// plan by 7, 30 and 90 days costs, with its band.
func figures(in Input, out Output) []optimize.Figure {
	var labour, now, wait, same, changes float64
	for i, d := range out.Actions {
		labour += in.Actions[i].WorkHours
		switch d.Verdict {
		case optimize.VerdictDo:
			now++
		case optimize.VerdictWait:
			wait++
		default:
			same++
		}
		if was := in.Actions[i].BaselineDay; was != nil && *was != d.Day {
			changes++
		}
	}
	list := []optimize.Figure{
		{Key: "due_now", Value: now}, {Key: "can_wait", Value: wait}, {Key: "no_difference", Value: same},
		{Key: optimize.FigureLabour, Value: labour, Unit: "h"}, {Key: optimize.FigureChanges, Value: changes},
	}
	for _, f := range out.Fleet {
		key := fmt.Sprintf("deferral_%d", f.Days)
		list = append(list, optimize.Figure{Key: key, Value: f.Cost, Unit: "SAR"})
		if out.Replicates > 0 {
			list = append(list, optimize.Figure{Key: key + "_low", Value: f.Low, Unit: "SAR"}, optimize.Figure{Key: key + "_high", Value: f.High, Unit: "SAR"})
		}
	}
	return list
}
