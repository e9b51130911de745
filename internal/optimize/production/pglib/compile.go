package pglib

import (
	"encoding/json"

	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// compile states the instance for the core: one unit per thermal generator in
// the order of their names, the renewable generators as one free supply.
func (in *Instance) compile() ([]string, *commitment.Problem) {
	names := sortedKeys(in.Thermal)
	p := &commitment.Problem{Periods: in.Periods, Reserve: in.Reserves}
	for _, name := range names {
		p.Units = append(p.Units, in.Thermal[name].unit(name, in.Periods))
	}
	b := commitment.Balance{Demand: in.Demand, Least: make([]float64, in.Periods), Most: make([]float64, in.Periods)}
	for _, name := range sortedKeys(in.Renewable) {
		w := in.Renewable[name]
		for t := range in.Periods {
			b.Least[t] += w.PowerMin[t]
			b.Most[t] += w.PowerMax[t]
		}
	}
	p.Balances = []commitment.Balance{b}
	return names, p
}

func (g *Thermal) unit(name string, periods int) commitment.Unit {
	last := len(g.Startup) - 1
	u := commitment.Unit{
		Name: name, Kind: g.kind(), Min: *g.PowerMin, Max: *g.PowerMax, RampUp: *g.RampUp, RampDown: *g.RampDown, StartMax: *g.RampStartup, StopMax: *g.RampShutdown,
		MinUp: max(1, int(*g.UpMin)), MinDown: max(1, int(*g.DownMin)), Running: *g.OnBefore == 1, Load: *g.PowerBefore, Since: int(*g.DownBefore),
		StartCost: *g.Startup[last].Cost,
	}
	if u.Running {
		u.Since = int(*g.UpBefore)
	}
	if last > 0 {
		u.StartSaving = g.startSaving
	}
	var points []commitment.Point
	for _, x := range g.Production {
		points = append(points, commitment.Point{Load: *x.MW, Cost: *x.Cost})
	}
	u.Curve = [][]commitment.Point{commitment.Envelope(points)}
	if *g.MustRun == 1 {
		u.Must = make([]commitment.Must, periods)
		for t := range u.Must {
			u.Must[t] = commitment.On
		}
	}
	return u
}

// startSaving is what a start costs less than the coldest category allows,
// equations (7), (15) and (16): a category is open after a stop as long ago as
// its lag says; before period lag(s+1) it is open without a stop, except to a
// unit whose time off before the horizon already reaches the next category.
func (g *Thermal) startSaving(stop, t int) float64 {
	coldest := *g.Startup[len(g.Startup)-1].Cost
	best := coldest
	for s := range len(g.Startup) - 1 {
		lag, next, period := int(*g.Startup[s].Lag), int(*g.Startup[s+1].Lag), t+1
		open := t-stop >= lag && t-stop < next
		if period < next {
			open = *g.OnBefore == 1 || period <= next-int(*g.DownBefore)
		}
		if open {
			best = min(best, *g.Startup[s].Cost)
		}
	}
	return coldest - best
}

// kind describes everything about a generator but its name.
func (g *Thermal) kind() string {
	text, err := json.Marshal(g)
	if err != nil {
		return "" // only identical generators are treated alike
	}
	return string(text)
}
