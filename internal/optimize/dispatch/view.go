package dispatch

import (
	"cmp"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// View implements optimize.Engine. Periods are days; starts are fractions of
// them.
func (engine) View(in Input, out Output) (optimize.View, error) {
	v := optimize.View{
		Certificate: out.Certificate, Start: in.StartDate, Periods: in.Days, PeriodHours: 24,
		Total: out.Objective.Total, Risk: out.Objective.Unserved + out.Objective.Lateness, Terms: out.Objective.parts(),
	}
	if out.Published != nil {
		v.Baseline = out.Published.parts()
	}
	rates := map[string]float64{}
	for _, t := range in.Technicians {
		rates[t.ID] = t.CostPerHour
	}
	for k := range out.Decisions {
		v.Lines = append(v.Lines, in.line(k, &out.Decisions[k], rates))
	}
	slices.SortStableFunc(v.Lines, func(a, b optimize.Line) int { return cmp.Compare(b.Value, a.Value) })
	v.Figures = out.figures()
	for _, u := range out.Utilisation {
		l := optimize.Load{Resource: u.TechnicianID, Unit: "h", Used: make([]float64, in.Days), Available: make([]float64, in.Days)}
		for d := range in.Days {
			l.Used[d], l.Available[d] = u.UsedByDay[d]/60, u.OpenByDay[d]/60
		}
		v.Loads = append(v.Loads, l)
	}
	for _, p := range out.Prices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.Skill, Step: 1, Value: p.Value, Exact: p.Exact})
	}
	for _, p := range out.PinPrices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.JobID, Pin: true, Value: p.Value, Exact: p.Exact})
	}
	return v, nil
}

// parts lists the terms under their keys.
func (t Terms) parts() []optimize.Term {
	return []optimize.Term{
		{Key: "unserved", Money: t.Unserved}, {Key: "lateness", Money: t.Lateness}, {Key: "travel", Money: t.Travel},
		{Key: "overtime", Money: t.Overtime}, {Key: "changes", Money: t.Stability},
	}
}

func (in *Input) line(k int, d *Decision, rates map[string]float64) optimize.Line {
	j := &in.Jobs[k]
	l := optimize.Line{
		Subject: j.ID, AssetID: j.AssetID, SiteID: j.SiteID, Title: j.Title, Verdict: optimize.VerdictUnserved, Start: -1, End: -1,
		Pinned: d.Pinned, Hours: j.Duration / 60 * float64(j.crew()), ExpectedCost: d.Cost.Total, Reasons: d.Reasons,
	}
	if d.PublishedStart != nil {
		was := *d.PublishedStart / minutesPerDay
		l.Was = &was
	}
	if d.Unserved {
		if r := d.Relaxation; r != nil && len(l.Reasons) < optimize.MaxReasons {
			l.Reasons = append(slices.Clone(l.Reasons), optimize.Reason{Code: ReasonWouldFit, Constraint: r.TechnicianID, Money: r.Cost, Day: int(r.Start / minutesPerDay)})
		}
		return l
	}
	l.Verdict, l.Start, l.End = optimize.VerdictDo, d.Start/minutesPerDay, d.End/minutesPerDay
	l.Resource, l.TravelHours = d.Technicians[0], d.Travel/60
	if len(d.Technicians) > 1 {
		l.Crew = d.Technicians
	}
	for _, id := range d.Technicians {
		l.PlannedCost += j.Duration / 60 * rates[id]
	}
	l.PlannedCost += d.Travel / 60 / float64(len(d.Technicians)) * sumOf(d.Technicians, rates)
	l.ExpectedCost += l.PlannedCost
	l.Value = in.unserved(k) - d.Cost.Lateness
	return l
}

func sumOf(ids []string, values map[string]float64) float64 {
	sum := 0.0
	for _, id := range ids {
		sum += values[id]
	}
	return sum
}

func (o *Output) figures() []optimize.Figure {
	var planned, unserved, travel, overtime, work, available float64
	for k := range o.Decisions {
		if o.Decisions[k].Unserved {
			unserved++
		} else {
			planned++
		}
	}
	for _, u := range o.Utilisation {
		work += u.Work / 60
		travel += u.Travel / 60
		overtime += u.Overtime / 60
		available += u.Available / 60
	}
	figures := []optimize.Figure{
		{Key: optimize.FigurePlanned, Value: planned}, {Key: "unserved", Value: unserved}, {Key: optimize.FigureLabour, Value: work, Unit: "h"},
		{Key: optimize.FigureTravel, Value: travel, Unit: "h"}, {Key: optimize.FigureOvertime, Value: overtime, Unit: "h"},
		{Key: optimize.FigureChanges, Value: float64(o.Changes)},
	}
	if available > 0 {
		figures = append(figures, optimize.Figure{Key: "utilisation", Value: 100 * (work + travel - overtime) / available, Unit: "%"})
	}
	return figures
}
