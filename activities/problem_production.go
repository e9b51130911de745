package activities

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production"
)

// Longest horizons, in days, that are planned by the hour and by shifts of
// eight hours; longer ones are planned by the day, so that the number of
// periods stays below about 250.
const (
	hourlyDays = 10
	shiftDays  = 31
)

// settledHours is how long a unit is taken to have been in its state before
// the horizon: long enough for every limit on starts and stops.
const settledHours = 240

// grid divides a horizon into equal periods.
type grid struct {
	horizon
	hours   int // of a period, a divisor of 24
	periods int
}

func newGrid(h horizon) grid {
	g := grid{horizon: h, hours: 24}
	switch {
	case h.days <= hourlyDays:
		g.hours = 1
	case h.days <= shiftDays:
		g.hours = 8
	}
	g.periods = h.days * 24 / g.hours
	return g
}

// spread averages a day's values by hour over the periods; offFactor
// multiplies them on days off.
func (g grid) spread(day [24]float64, offFactor float64) []float64 {
	out := make([]float64, g.periods)
	for t := range out {
		first := t * g.hours
		for h := range g.hours {
			out[t] += day[(first+h)%24] / float64(g.hours)
		}
		if !g.working[first/24] {
			out[t] *= offFactor
		}
	}
	return out
}

func buildProduction(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (any, error) {
	x, err := loadRunning(ctx, tx, q, p, r)
	if err != nil {
		return nil, err
	}
	return x.production(r)
}

// production turns the plant into the question which units run when, and at
// what load. Of a target whose units are not all asked about, the others keep
// to the current profile.
func (x *running) production(r request) (production.Input, error) {
	g := newGrid(newHorizon(x.calendar, r.run.WindowStart, int(r.run.WindowDays)))
	in := production.Input{
		Start: g.start.Format(time.DateOnly), Periods: g.periods, PeriodHours: float64(g.hours),
		Weights: optimize.Weights{Cost: r.weight("weight_cost"), Risk: r.weight("weight_risk")},
	}
	if points, ok := r.constraints.Value(r.spec, "frontier_points"); ok {
		in.FrontierPoints = int(points)
	}
	for _, target := range x.targets {
		group := x.group(target, g, r)
		goal := production.Target{ID: target.ID.String(), SiteID: target.SiteID.String(), Name: target.NameEn, Unit: target.Unit,
			Demand: g.spread(x.hours[target.ID], target.WeekendFactor), ShortfallCost: &target.ShortfallSar}
		if target.StorageCapacity > 0 {
			goal.Storage = &production.Storage{Capacity: target.StorageCapacity, Level: target.StorageLevel, MinFinal: target.StorageLevel}
		}
		share(goal.Demand, group)
		asked := 0
		for _, u := range group {
			if !r.constraints.Covers(target.SiteID, uuid.MustParse(u.AssetID)) {
				for t := range goal.Demand {
					goal.Demand[t] = max(0, goal.Demand[t]-u.Current[t])
				}
				continue
			}
			in.Units = append(in.Units, u)
			in.WarmStart = append(in.WarmStart, today(u))
			asked++
		}
		if asked > 0 {
			in.Targets = append(in.Targets, goal)
		}
	}
	if len(in.Units) == 0 {
		return in, fault.New(fault.Invalid, KeyNoUnits)
	}
	return in, nil
}

// today is the current profile of a unit, from which the search starts.
func today(u production.Unit) production.Run {
	run := production.Run{UnitID: u.ID, Load: u.Current, On: make([]bool, len(u.Current))}
	for t, load := range u.Current {
		run.On[t] = load > 0
	}
	return run
}

// group lists the units of a target, by tag.
func (x *running) group(target db.ProductionTarget, g grid, r request) []production.Unit {
	var units []production.Unit
	tariff := g.spread(x.tariffs[target.SiteID], 1)
	for _, o := range x.units {
		a, ok := x.assetOf(o.AssetID)
		if !ok || o.TargetID != target.ID {
			continue
		}
		units = append(units, production.Unit{
			ID: a.ID.String(), AssetID: a.ID.String(), SiteID: a.SiteID.String(), Tag: a.Tag, Target: target.ID.String(),
			MinLoad: o.LoadMin, RatedLoad: o.LoadRated, MaxLoad: o.LoadMax, RampUp: o.RampUp, RampDown: o.RampDown,
			MinUpHours: o.MinUpHours, MinDownHours: o.MinDownHours, StartCost: o.StartCostSar, FuelPerUnit: o.FuelSarPerUnit,
			Energy: []production.EnergyPoint{{Load: 0, KW: o.EnergyFixedKw}, {Load: o.LoadMax, KW: o.EnergyFixedKw + o.EnergyKwhPerUnit*o.LoadMax}},
			Tariff: tariff, Running: o.Running, StateHours: settledHours,
			Failures: x.failures(a, o, g, r.now), Outages: x.outages(a, g),
		})
	}
	slices.SortFunc(units, func(a, b production.Unit) int { return strings.Compare(a.Tag, b.Tag) })
	return units
}

// failures is the hazard of a unit at rated load: that of its Weibull life in
// the middle of the horizon, times the evidence of its score. An asset without
// a priced failure has none.
func (x *running) failures(a db.Asset, o db.AssetOperation, g grid, now time.Time) []production.FailureMode {
	cost, ok := x.priced(a.ID)
	if !ok {
		return nil
	}
	return []production.FailureMode{{
		Mode: a.ClassCode, RatePerHour: hazardPerHour(weibullOf(a), ageAt(a, g.start)+float64(g.days)/2), Factor: x.evidence(a.ID, now),
		Exponent: o.StressExponent, Consequence: cost.FailureTotal(),
	}}
}

// hazardPerHour is the hazard β/η·(a/η)^(β−1) of a Weibull life at an age in
// days, per hour, at most 1.
func hazardPerHour(w asset.Weibull, age float64) float64 {
	age = math.Max(age, 1) // a shape below 1 has no hazard at birth
	return math.Min(1, w.Beta/w.Eta*math.Pow(age/w.Eta, w.Beta-1)/24)
}

// outages are the planned outages of an asset by its open work orders. An
// order on a day on which its site may not be out waits.
func (x *running) outages(a db.Asset, g grid) []production.Outage {
	cost, ok := x.priced(a.ID)
	if !ok || cost.PlannedHours <= 0 {
		return nil
	}
	length := int(math.Ceil(cost.PlannedHours / float64(g.hours)))
	var out []production.Outage
	for _, w := range x.orders {
		if w.AssetID != a.ID || x.embargoed(a.SiteID, w.StartOn) {
			continue
		}
		from := max(0, dayOf(g.start, w.StartOn)) * 24 / g.hours
		if from < g.periods {
			out = append(out, production.Outage{ID: w.ID.String(), From: from, To: min(from+length, g.periods)})
		}
	}
	return out
}

// share fills in the current profile: the units that are available share the
// demand evenly, as few of them as their least load asks for. Before the
// horizon they ran as in its first period.
func share(demand []float64, units []production.Unit) {
	for i := range units {
		units[i].Current = make([]float64, len(demand))
	}
	for t, rate := range demand {
		var free []*production.Unit
		for i := range units {
			out := slices.ContainsFunc(units[i].Outages, func(o production.Outage) bool { return o.From <= t && t < o.To })
			if !out && rate > 0 {
				free = append(free, &units[i])
			}
		}
		for len(free) > 1 && rate/float64(len(free)) < free[len(free)-1].MinLoad {
			free = free[:len(free)-1]
		}
		for _, u := range free {
			u.Current[t] = min(max(rate/float64(len(free)), u.MinLoad), u.MaxLoad)
		}
	}
	for i := range units {
		if u := &units[i]; u.Running && len(demand) > 0 {
			u.Load = min(max(u.Current[0], u.MinLoad), u.MaxLoad)
		}
	}
}
