package production

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// The figures that only this problem gives.
const (
	figureEnergy    = "energy"         // MWh
	figureStarts    = "starts"         // count
	figureServed    = "demand_met"     // % of the demand
	figureAvoided   = "avoided_loss"   // SAR of expected cost below the current profile
	figureLessRisk  = "avoided_risk"   // SAR of expected failure cost below the current profile
	figureExactRisk = "power_law_risk" // SAR of expected failure cost by the power law itself
)

// View implements optimize.Engine.
func (engine) View(in Input, out Output) (optimize.View, error) {
	v := optimize.View{
		Certificate: out.Certificate, Start: in.Start, Periods: in.Periods, PeriodHours: in.PeriodHours,
		Total: out.Objective.Total, Risk: out.Objective.Failure, Terms: out.Objective.parts(), Figures: figures(in, out),
	}
	if out.Baseline != nil {
		v.Baseline = out.Baseline.parts()
	}
	for i, p := range out.Profiles {
		u := in.Units[i]
		v.Lines = append(v.Lines, line(u, p))
		v.Profiles = append(v.Profiles, optimize.Profile{Subject: u.ID, AssetID: u.AssetID, On: p.On, Load: p.Load, Was: u.Current,
			Minimum: u.MinLoad, Maximum: u.MaxLoad, Unit: in.unitOf(u.Target) + "/h"})
	}
	slices.SortStableFunc(v.Lines, func(a, b optimize.Line) int { return cmp.Compare(b.Value, a.Value) })
	for k, s := range out.Supplies {
		v.Loads = append(v.Loads, optimize.Load{Resource: s.Target, Unit: in.Targets[k].Unit + "/h", Used: s.Produced, Available: in.capacity(s.Target)})
		if s.MarginalPrice != nil {
			v.Curves = append(v.Curves, optimize.Curve{Subject: s.Target, X: count(in.Periods), Y: s.MarginalPrice})
		}
	}
	for _, p := range out.Frontier {
		v.Frontier = append(v.Frontier, optimize.FrontierPoint{RiskWeight: p.RiskWeight, Cost: p.Cost, Risk: p.Risk, Production: p.Production,
			Gap: p.Gap, BoundKnown: p.BoundKnown})
	}
	for _, p := range out.Prices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.Resource, Step: p.Step, Unit: p.Unit, Value: p.Value, Exact: p.Exact})
	}
	for _, p := range out.PinPrices {
		v.Prices = append(v.Prices, optimize.Price{Subject: p.UnitID, Pin: true, Value: p.Value, Exact: p.Exact})
	}
	return v, nil
}

// parts lists the terms under their keys.
func (t Terms) parts() []optimize.Term {
	return []optimize.Term{
		{Key: "energy", Money: t.Energy}, {Key: "starts", Money: t.Starts}, {Key: "shortfall", Money: t.Shortfall}, {Key: "failure", Money: t.Failure},
	}
}

// line says when a unit runs; a unit that stays off has no start.
func line(u Unit, p Profile) optimize.Line {
	l := optimize.Line{
		Subject: u.ID, AssetID: u.AssetID, SiteID: u.SiteID, Verdict: optimize.VerdictRun, Resource: u.Target, Start: -1, End: -1, Pinned: p.Pinned,
		PlannedCost: p.Cost.production(), ExpectedCost: p.Cost.Total, Value: p.Value, P: p.PFail, Reasons: p.Reasons,
	}
	for t, on := range p.On {
		if !on {
			continue
		}
		if l.Start < 0 {
			l.Start = float64(t)
		}
		l.End = float64(t + 1)
	}
	for t, load := range u.Current {
		if load > 0 {
			was := float64(t)
			l.Was = &was
			break
		}
	}
	return l
}

func count(n int) []float64 {
	x := make([]float64, n)
	for t := range x {
		x[t] = float64(t)
	}
	return x
}

// capacity is what the units of a target can produce together per period,
// those in an outage left out.
func (in *Input) capacity(target string) []float64 {
	sum := make([]float64, in.Periods)
	for _, u := range in.Units {
		if u.Target != target {
			continue
		}
		for t := range sum {
			out := slices.ContainsFunc(u.Outages, func(o Outage) bool { return t >= o.From && t < o.To })
			if !out {
				sum[t] += u.MaxLoad
			}
		}
	}
	return sum
}

func figures(in Input, out Output) []optimize.Figure {
	var energy, starts, wanted, missed, changes float64
	for i, p := range out.Profiles {
		u := in.Units[i]
		starts += float64(p.Starts)
		changed := false
		for t, load := range p.Load {
			if p.On[t] {
				energy += u.power(load) * in.PeriodHours / 1000
			}
			changed = changed || u.Current != nil && math.Abs(load-u.Current[t]) > 1e-6*math.Max(1, u.MaxLoad)
		}
		if changed {
			changes++
		}
	}
	for k, s := range out.Supplies {
		for t, v := range s.Shortfall {
			missed += v
			wanted += in.Targets[k].Demand[t]
		}
	}
	served := 100.0
	if wanted > 0 {
		served = 100 * math.Max(0, 1-missed/wanted)
	}
	list := []optimize.Figure{
		{Key: figureEnergy, Value: energy, Unit: "MWh"}, {Key: figureStarts, Value: starts}, {Key: figureServed, Value: served, Unit: "%"},
		{Key: figureExactRisk, Value: out.Objective.FailureExact, Unit: "SAR"}, {Key: optimize.FigureChanges, Value: changes},
	}
	if b := out.Baseline; b != nil {
		list = append(list, optimize.Figure{Key: figureAvoided, Value: b.Total - out.Objective.Total, Unit: "SAR"},
			optimize.Figure{Key: figureLessRisk, Value: b.Failure - out.Objective.Failure, Unit: "SAR"})
	}
	return list
}
