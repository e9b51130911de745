// Package commitment is the core of the production problem: which units run
// in which period and at what load, so that demand is met at the least cost.
// The product's own problem and the public unit commitment instances are both
// stated in its terms. Loads and demands are rates, the same unit everywhere;
// costs are money per period.
package commitment

import "math"

// Problem is one unit commitment problem.
type Problem struct {
	Periods  int
	Units    []Unit
	Balances []Balance
	// Reserve is, per period, the headroom that running units must keep above
	// their load together; nil asks for none.
	Reserve []float64
}

// Must is what a unit is held to in a period.
type Must int8

// A unit is free to run or not, held on, or held off.
const (
	Free Must = iota
	On
	Off
)

// Point is one corner of a cost curve: the cost of one period at a load.
type Point struct{ Load, Cost float64 }

// Unit is one machine that is either off or runs between Min and Max.
type Unit struct {
	Name string
	// Kind, when not empty, says that units of the same Kind are identical in
	// everything but their names.
	Kind     string
	Balance  int // index of the balance that it supplies
	Min, Max float64
	// RampUp and RampDown limit the change of load between two running
	// periods, StartMax and StopMax the load in the first and the last one.
	// A start or stop must also hold RampUp or RampDown, counted above Min.
	RampUp, RampDown, StartMax, StopMax float64
	MinUp, MinDown                      int // periods, at least 1
	// Running, Load and Since describe the period before the first: the state,
	// the load and the number of periods already spent in that state.
	Running bool
	Load    float64
	Since   int
	// StartCost is the cost of a cold start. StartSaving, when not nil, returns
	// what a start in period t costs less after a stop in period stop, both by
	// index; a unit that was off before the first period stopped in −Since.
	StartCost   float64
	StartSaving func(stop, t int) float64
	// Curve holds the cost curve from Min to Max, convex, per period; one
	// entry stands for every period.
	Curve [][]Point
	Must  []Must // per period; nil is Free throughout
	// NoStart marks the periods in which the unit must not start; nil is none.
	NoStart []bool
	// Floor and Ceiling narrow the load of a running unit per period; nil
	// leaves it between Min and Max.
	Floor, Ceiling []float64
}

// Balance is one product that units supply, with its demand per period.
type Balance struct {
	Demand []float64
	// Least and Most bound a free supply per period; nil means there is none.
	Least, Most []float64
	// Shortfall is the cost of one unit of rate missing for one period; nil
	// means that demand must be met.
	Shortfall []float64
	Surplus   bool // more than the demand may be supplied, at no cost
	Storage   *Storage
}

// Storage holds product between periods, in units of rate times one period.
type Storage struct{ Capacity, Initial, Final float64 }

// Plan is a solution: per unit and period, and per balance and period.
type Plan struct {
	On                                [][]bool
	Load                              [][]float64 // 0 while off
	Supply, Shortfall, Surplus, Level [][]float64
}

// begun returns what the minimum times of the state before the first period
// hold the unit to in period t.
func (u *Unit) begun(t int) Must {
	switch {
	case u.Running && t < u.MinUp-u.Since:
		return On
	case !u.Running && t < u.MinDown-u.Since:
		return Off
	default:
		return Free
	}
}

// asked returns what the problem itself holds the unit to in period t.
func (u *Unit) asked(t int) Must {
	if u.Must == nil {
		return Free
	}
	return u.Must[t]
}

// noStart says whether a start in period t is forbidden.
func (u *Unit) noStart(t int) bool { return u.NoStart != nil && u.NoStart[t] }

// between returns the limits of the load of a running unit in period t.
func (u *Unit) between(t int) (low, high float64) {
	low, high = u.Min, u.Max
	if u.Floor != nil {
		low = math.Max(low, u.Floor[t])
	}
	if u.Ceiling != nil {
		high = math.Min(high, u.Ceiling[t])
	}
	return low, high
}

// curve returns the cost curve of period t.
func (u *Unit) curve(t int) []Point {
	if len(u.Curve) == 1 {
		return u.Curve[0]
	}
	return u.Curve[t]
}

// ramps says whether the load of a running unit is bound to its load before.
func (u *Unit) ramps() (up, down bool) {
	reach := u.Max - u.Min
	return u.RampUp < reach, u.RampDown < reach
}

// loadBefore is the load above Min in the period before the first.
func (u *Unit) loadBefore() float64 {
	if u.Running {
		return u.Load - u.Min
	}
	return 0
}

// firstMost and lastMost are the greatest loads in the first and last period
// of a run.
func (u *Unit) firstMost() float64 { return math.Min(u.StartMax, u.Min+u.RampUp) }
func (u *Unit) lastMost() float64  { return math.Min(u.StopMax, u.Min+u.RampDown) }

// cost returns the cost of running for period t at a load, between the corners
// of the curve.
func (u *Unit) cost(t int, load float64) float64 {
	curve := u.curve(t)
	for k := 1; k < len(curve); k++ {
		if a, b := curve[k-1], curve[k]; load <= b.Load || k == len(curve)-1 {
			return a.Cost + (b.Cost-a.Cost)/(b.Load-a.Load)*(load-a.Load)
		}
	}
	return curve[0].Cost
}

// Envelope returns the lower convex envelope of points given by rising load.
func Envelope(points []Point) []Point {
	var hull []Point
	for _, p := range points {
		for len(hull) > 0 && hull[len(hull)-1].Load == p.Load {
			p.Cost = math.Min(p.Cost, hull[len(hull)-1].Cost)
			hull = hull[:len(hull)-1]
		}
		for len(hull) > 1 {
			a, b := hull[len(hull)-2], hull[len(hull)-1]
			if (b.Cost-a.Cost)*(p.Load-a.Load) < (p.Cost-a.Cost)*(b.Load-a.Load) {
				break
			}
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, p)
	}
	return hull
}
