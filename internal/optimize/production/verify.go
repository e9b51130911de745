package production

import (
	"errors"
	"fmt"
	"math"
)

// The verifier shares no code with the solver: it walks the raw input period
// by period and unit by unit. Its plainness is the point.

// verifySlack is the violation that Verify accepts, scaled by the size of a
// limit above 1; halala is the money by which sums may differ.
const (
	verifySlack = 1e-6
	halala      = 0.01
)

func beyond(v, limit float64) bool { return v > limit+verifySlack*math.Max(1, math.Abs(limit)) }

// Verify recomputes profiles from the raw input and returns their terms, or an
// error naming the first rule that is broken.
func Verify(in Input, runs []Run) (Terms, error) {
	byUnit := map[string]Run{}
	for _, r := range runs {
		byUnit[r.UnitID] = r
	}
	if len(runs) != len(in.Units) || len(byUnit) != len(in.Units) {
		return Terms{}, fmt.Errorf("plan has %d profiles for %d units", len(runs), len(in.Units))
	}
	for _, u := range in.Units {
		r, known := byUnit[u.ID]
		if !known || len(r.On) != in.Periods || len(r.Load) != in.Periods {
			return Terms{}, fmt.Errorf("unit %s: want a profile of %d periods", u.ID, in.Periods)
		}
		for _, check := range []func(Input, Unit, Run) error{verifyLoads, verifyTimes, verifyRamps, verifyHeld} {
			if err := check(in, u, r); err != nil {
				return Terms{}, fmt.Errorf("unit %s: %w", u.ID, err)
			}
		}
	}
	terms, missing := verifyCost(in, byUnit)
	for _, g := range in.Targets {
		if g.ShortfallCost == nil && missing[g.ID] > verifySlack*in.PeriodHours*math.Max(1, largest(g.Demand))*float64(in.Periods) {
			return Terms{}, fmt.Errorf("target %s misses %g", g.ID, missing[g.ID])
		}
	}
	return terms, nil
}

func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		most = math.Max(most, v)
	}
	return most
}

func verifyLoads(_ Input, u Unit, r Run) error {
	for t, load := range r.Load {
		switch {
		case math.IsNaN(load) || math.IsInf(load, 0):
			return fmt.Errorf("load in period %d is not a number", t)
		case !r.On[t] && load != 0:
			return fmt.Errorf("off in period %d with load %g", t, load)
		case r.On[t] && (beyond(load, u.MaxLoad) || beyond(u.MinLoad, load)):
			return fmt.Errorf("load %g in period %d is outside %g to %g", load, t, u.MinLoad, u.MaxLoad)
		}
	}
	return nil
}

// verifyTimes checks minimum times and that attended starts are attended.
func verifyTimes(in Input, u Unit, r Run) error {
	state, hours := u.Running, u.StateHours
	for t, on := range r.On {
		if on != state {
			least := u.MinDownHours
			if state {
				least = u.MinUpHours
			}
			if hours < least-1e-6 {
				return fmt.Errorf("changes state in period %d after %g h, minimum %g", t, hours, least)
			}
			if on && u.AttendedStart && in.Attended != nil && !in.Attended[t] {
				return fmt.Errorf("starts in period %d without a crew", t)
			}
			state, hours = on, 0
		}
		hours += in.PeriodHours
	}
	return nil
}

// verifyRamps checks the change of load; off counts as the minimum load.
func verifyRamps(in Input, u Unit, r Run) error {
	before := u.MinLoad
	if u.Running {
		before = u.Load
	}
	for t, on := range r.On {
		load := u.MinLoad
		if on {
			load = r.Load[t]
		}
		if u.RampUp != nil && beyond(load-before, *u.RampUp*in.PeriodHours) {
			return fmt.Errorf("load rises by %g to period %d, at most %g", load-before, t, *u.RampUp*in.PeriodHours)
		}
		if u.RampDown != nil && beyond(before-load, *u.RampDown*in.PeriodHours) {
			return fmt.Errorf("load falls by %g to period %d, at most %g", before-load, t, *u.RampDown*in.PeriodHours)
		}
		before = load
	}
	return nil
}

// verifyHeld checks outages and pins.
func verifyHeld(in Input, u Unit, r Run) error {
	for _, o := range u.Outages {
		for t := o.From; t < o.To; t++ {
			if r.On[t] {
				return fmt.Errorf("runs in period %d of outage %s", t, o.ID)
			}
		}
	}
	for _, p := range in.Pins {
		for t := p.From; p.UnitID == u.ID && t < p.To; t++ {
			if r.On[t] == p.Off || p.Load != nil && math.Abs(r.Load[t]-*p.Load) > verifySlack*math.Max(1, *p.Load) {
				return fmt.Errorf("leaves its pin in period %d", t)
			}
		}
	}
	return nil
}

// VerifyOutput checks a whole output: profiles, terms, targets, frontier and
// certificate.
func VerifyOutput(in Input, out Output) error {
	if err := in.Validate(); err != nil {
		return err
	}
	terms, err := Verify(in, out.runs())
	if err != nil {
		return err
	}
	if err := agree("objective", out.Objective, terms); err != nil {
		return err
	}
	c := out.Certificate
	if math.Abs(c.Objective-terms.Weighted) > halala || c.BoundKnown && c.Bound > c.Objective+halala {
		return fmt.Errorf("certificate: objective %g and bound %g for a plan of %g", c.Objective, c.Bound, terms.Weighted)
	}
	if len(out.Supplies) != len(in.Targets) {
		return fmt.Errorf("plan has %d targets, input %d", len(out.Supplies), len(in.Targets))
	}
	for k, g := range in.Targets {
		if err := verifySupply(in, g, out.Supplies[k], out.runs()); err != nil {
			return fmt.Errorf("target %s: %w", g.ID, err)
		}
	}
	if out.Baseline != nil {
		base, ok := baseline(in)
		if !ok {
			return errors.New("baseline without a current profile")
		}
		if err := agree("baseline", *out.Baseline, base); err != nil {
			return err
		}
	}
	return verifyFrontier(in, out.Frontier)
}

func agree(what string, a, b Terms) error {
	for k, pair := range [][2]float64{{a.Energy, b.Energy}, {a.Starts, b.Starts}, {a.Shortfall, b.Shortfall}, {a.Failure, b.Failure},
		{a.Total, b.Total}, {a.Weighted, b.Weighted}, {a.FailureExact, b.FailureExact}} {
		if !(math.Abs(pair[0]-pair[1]) <= halala+1e-9*math.Abs(pair[1])) {
			return fmt.Errorf("%s: term %d is %.4f, verifier finds %.4f", what, k, pair[0], pair[1])
		}
	}
	return nil
}

// verifySupply checks that production, shortfall, surplus and storage of a
// target add up in every period.
func verifySupply(in Input, g Target, s Supply, runs []Run) error {
	if s.Target != g.ID || len(s.Produced) != in.Periods || len(s.Shortfall) != in.Periods || len(s.Surplus) != in.Periods || len(s.Level) != in.Periods {
		return fmt.Errorf("want %d periods", in.Periods)
	}
	stock, capacity, final := 0.0, 0.0, 0.0
	if g.Storage != nil {
		stock, capacity, final = g.Storage.Level, g.Storage.Capacity, g.Storage.MinFinal
	}
	for t := range s.Produced {
		made := 0.0
		for i, u := range in.Units {
			if u.Target == g.ID {
				made += runs[i].Load[t]
			}
		}
		next := stock + in.PeriodHours*(made+s.Shortfall[t]-s.Surplus[t]-g.Demand[t])
		switch {
		case beyond(math.Abs(made-s.Produced[t]), 0), beyond(math.Abs(next-s.Level[t]), verifySlack*math.Max(capacity, made)):
			return fmt.Errorf("period %d does not add up", t)
		case s.Shortfall[t] < 0, s.Surplus[t] < 0, beyond(s.Level[t], capacity), beyond(0, s.Level[t]), t == in.Periods-1 && beyond(final, s.Level[t]):
			return fmt.Errorf("period %d is out of range", t)
		}
		stock = s.Level[t]
	}
	return nil
}

// verifyFrontier checks each point's plan and that none beats another.
func verifyFrontier(in Input, points []Point) error {
	for k, p := range points {
		terms, err := Verify(in, p.Runs)
		if err != nil {
			return fmt.Errorf("frontier point %d: %w", k, err)
		}
		if math.Abs(p.Cost-terms.production()) > halala || math.Abs(p.Risk-terms.Failure) > halala {
			return fmt.Errorf("frontier point %d: cost %g and risk %g, verifier finds %g and %g", k, p.Cost, p.Risk, terms.production(), terms.Failure)
		}
		if k > 0 && (p.Cost < points[k-1].Cost || p.Risk >= points[k-1].Risk) {
			return fmt.Errorf("frontier point %d is dominated", k)
		}
	}
	return nil
}

// baseline costs the current profile, when every unit has one.
func baseline(in Input) (Terms, bool) {
	runs := map[string]Run{}
	for _, u := range in.Units {
		if u.Current == nil {
			return Terms{}, false
		}
		r := Run{UnitID: u.ID, Load: u.Current, On: make([]bool, in.Periods)}
		for t, load := range u.Current {
			r.On[t] = load > 0
		}
		runs[u.ID] = r
	}
	terms, _ := verifyCost(in, runs)
	return terms, true
}
