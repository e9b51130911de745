package production

import (
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// RiskSegments is the number of equal steps from no load to rated load between
// which the expected failure cost of a unit is interpolated; the steps go on
// above. The hazard is convex, so a chord never lies below it; at MinLoad,
// MaxLoad and the steps it is exact. With a cubic law and near rated load the
// chord is at most 0.4 % above it.
const RiskSegments = 16

// compiled is an input in the terms of the core.
type compiled struct {
	in      *Input
	problem *commitment.Problem
	cost    float64 // weights
	risk    float64
	rules   map[[2]int]rule // why a unit is held, by unit and period
}

// rule names what holds a unit in a period.
type rule struct {
	code       optimize.ReasonCode
	constraint string
}

// compile states the input for the core, and lists the rules that contradict
// each other without any search.
func compile(in *Input) (*compiled, []optimize.Conflict) {
	c := &compiled{in: in, problem: &commitment.Problem{Periods: in.Periods}, rules: map[[2]int]rule{}}
	c.cost, c.risk = in.Weights.Values()
	index := map[string]int{}
	for k, g := range in.Targets {
		index[g.ID] = k
		c.problem.Balances = append(c.problem.Balances, c.balance(g))
	}
	var conflicts []optimize.Conflict
	for i := range in.Units {
		u := c.unit(&in.Units[i])
		u.Balance = index[in.Units[i].Target]
		conflicts = append(conflicts, c.hold(i, &u)...)
		c.problem.Units = append(c.problem.Units, u)
	}
	return c, conflicts
}

func (c *compiled) balance(g Target) commitment.Balance {
	b := commitment.Balance{Demand: g.Demand, Surplus: true}
	if g.ShortfallCost != nil {
		b.Shortfall = make([]float64, c.in.Periods)
		for t := range b.Shortfall {
			b.Shortfall[t] = c.cost * *g.ShortfallCost * c.in.PeriodHours
		}
	}
	if s := g.Storage; s != nil {
		h := c.in.PeriodHours
		b.Storage = &commitment.Storage{Capacity: s.Capacity / h, Initial: s.Level / h, Final: s.MinFinal / h}
	}
	return b
}

func (c *compiled) unit(u *Unit) commitment.Unit {
	inf, h := math.Inf(1), c.in.PeriodHours
	out := commitment.Unit{
		Name: u.ID, Min: u.MinLoad, Max: u.MaxLoad, RampUp: inf, RampDown: inf, StartMax: u.MaxLoad, StopMax: u.MaxLoad,
		Running: u.Running, Load: u.Load, StartCost: c.cost * u.StartCost, Curve: c.curves(u),
	}
	if u.RampUp != nil {
		out.RampUp = *u.RampUp * h
		out.StartMax = math.Min(u.MaxLoad, u.MinLoad+out.RampUp)
	}
	if u.RampDown != nil {
		out.RampDown = *u.RampDown * h
		out.StopMax = math.Min(u.MaxLoad, u.MinLoad+out.RampDown)
	}
	most := c.in.Periods + 1 // a longer minimum time means the same
	out.MinUp, out.MinDown = min(most, max(1, periods(u.MinUpHours, h))), min(most, max(1, periods(u.MinDownHours, h)))
	if u.Running {
		out.Since = max(0, out.MinUp-periods(u.MinUpHours-u.StateHours, h))
	} else {
		out.Since = max(0, out.MinDown-periods(u.MinDownHours-u.StateHours, h))
	}
	if u.AttendedStart && c.in.Attended != nil {
		out.NoStart = make([]bool, c.in.Periods)
		for t, here := range c.in.Attended {
			out.NoStart[t] = !here
		}
	}
	return out
}

// periods is the number of whole periods that cover some hours.
func periods(hours, period float64) int {
	return max(0, int(math.Ceil(hours/period-1e-9)))
}

// curves states the weighted cost of running per period; periods of one tariff
// share a curve.
func (c *compiled) curves(u *Unit) [][]commitment.Point {
	loads := u.corners()
	shared := map[float64][]commitment.Point{}
	list := make([][]commitment.Point, c.in.Periods)
	for t, tariff := range u.Tariff {
		curve, known := shared[tariff]
		if !known {
			for _, load := range loads {
				energy := u.power(load)*tariff/1000 + u.FuelPerUnit*load
				curve = append(curve, commitment.Point{Load: load, Cost: c.in.PeriodHours * (c.cost*energy + c.risk*u.hazardCost(load))})
			}
			curve = commitment.Envelope(curve)
			shared[tariff] = curve
		}
		list[t] = curve
	}
	return list
}

// riskLoads lists the loads at which the failure cost is exact.
func (u *Unit) riskLoads() []float64 {
	list := []float64{u.MinLoad, u.MaxLoad}
	offer := func(v float64) {
		if v > u.MinLoad && v < u.MaxLoad {
			list = append(list, v)
		}
	}
	for k := 1; float64(k) < u.MaxLoad/u.RatedLoad*RiskSegments; k++ {
		offer(u.RatedLoad * float64(k) / RiskSegments)
	}
	for _, v := range u.RiskLoads {
		offer(v)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// corners lists the loads at which the cost of running bends.
func (u *Unit) corners() []float64 {
	list := u.riskLoads()
	for _, p := range u.Energy {
		if p.Load > u.MinLoad && p.Load < u.MaxLoad {
			list = append(list, p.Load)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// power is the electric power at a load, kW.
func (u *Unit) power(load float64) float64 {
	for k := 1; k < len(u.Energy); k++ {
		if a, b := u.Energy[k-1], u.Energy[k]; load <= b.Load || k == len(u.Energy)-1 {
			return a.KW + (b.KW-a.KW)/(b.Load-a.Load)*(load-a.Load)
		}
	}
	return 0
}

// hazardCost is the expected failure cost per hour at a load, interpolated
// between the loads of riskLoads.
func (u *Unit) hazardCost(load float64) float64 {
	loads := u.riskLoads()
	k, exact := slices.BinarySearch(loads, load)
	if exact || k == 0 || k == len(loads) {
		return u.powerLaw(load, true)
	}
	a, b := loads[k-1], loads[k]
	ya, yb := u.powerLaw(a, true), u.powerLaw(b, true)
	return ya + (yb-ya)/(b-a)*(load-a)
}

// powerLaw is the sum over the failure modes of hazard at a load, per hour,
// times its consequence in SAR when costed.
func (u *Unit) powerLaw(load float64, costed bool) float64 {
	sum := 0.0
	for _, f := range u.Failures {
		rate := f.RatePerHour * factor(f) * math.Pow(load/u.RatedLoad, f.Exponent)
		if costed {
			rate *= f.Consequence
		}
		sum += rate
	}
	return sum
}

func factor(f FailureMode) float64 {
	if f.Factor == 0 {
		return 1
	}
	return f.Factor
}

// hold applies outages and pins to unit i of the core, and lists the pins that
// an outage forbids.
func (c *compiled) hold(i int, out *commitment.Unit) []optimize.Conflict {
	u := &c.in.Units[i]
	must := func(t int, m commitment.Must, r rule) {
		if out.Must == nil {
			out.Must = make([]commitment.Must, c.in.Periods)
		}
		out.Must[t], c.rules[[2]int{i, t}] = m, r
	}
	for _, o := range u.Outages {
		for t := o.From; t < o.To; t++ {
			must(t, commitment.Off, rule{ReasonOutage, o.ID})
		}
	}
	var conflicts []optimize.Conflict
	for _, p := range c.in.Pins {
		if p.UnitID != u.ID {
			continue
		}
		for t := p.From; t < p.To; t++ {
			if p.Off {
				must(t, commitment.Off, rule{optimize.ReasonPinned, u.ID})
				continue
			}
			if r, held := c.rules[[2]int{i, t}]; held {
				conflicts = append(conflicts, optimize.Conflict{Code: r.code, Constraint: r.constraint, ActionIDs: []string{u.ID}, Day: t, Amount: 1},
					optimize.Conflict{Code: optimize.ReasonPinned, Constraint: u.ID, ActionIDs: []string{u.ID}, Day: t, Amount: 1})
				break
			}
			must(t, commitment.On, rule{optimize.ReasonPinned, u.ID})
			if p.Load != nil {
				c.pinLoad(out, t, *p.Load)
			}
		}
	}
	return conflicts
}

func (c *compiled) pinLoad(out *commitment.Unit, t int, load float64) {
	if out.Floor == nil {
		out.Floor, out.Ceiling = make([]float64, c.in.Periods), make([]float64, c.in.Periods)
		for k := range out.Floor {
			out.Floor[k], out.Ceiling[k] = out.Min, out.Max
		}
	}
	out.Floor[t], out.Ceiling[t] = load, load
}
