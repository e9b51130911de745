package pglib

import (
	"fmt"
	"math"
)

// slack is the violation that Verify accepts, in MW, scaled by the size of a
// side above 1.
const slack = 1e-6

// Verify recomputes a solution from the raw instance, equation by equation
// and without any code of the solver, and returns its cost or the first broken
// rule.
func Verify(in *Instance, s *Solution) (float64, error) {
	if len(s.Commitment) != len(in.Thermal) || len(s.Power) != len(in.Thermal)+len(in.Renewable) {
		return 0, fmt.Errorf("solution has %d commitments and %d outputs for %d thermal and %d renewable generators",
			len(s.Commitment), len(s.Power), len(in.Thermal), len(in.Renewable))
	}
	total, supply, headroom := 0.0, make([]float64, in.Periods), make([]float64, in.Periods)
	for _, name := range sortedKeys(in.Thermal) {
		g := in.Thermal[name]
		on, power := s.Commitment[name], s.Power[name]
		if len(on) != in.Periods || len(power) != in.Periods {
			return 0, fmt.Errorf("generator %s: want %d periods", name, in.Periods)
		}
		if err := verifyStates(g, on); err != nil {
			return 0, fmt.Errorf("generator %s: %w", name, err)
		}
		room, err := verifyPower(g, on, power)
		if err != nil {
			return 0, fmt.Errorf("generator %s: %w", name, err)
		}
		total += verifyStarts(g, on)
		for t := range power {
			supply[t] += power[t]
			headroom[t] += room[t]
			if on[t] == 1 {
				total += verifyProduction(g, power[t])
			}
		}
	}
	for _, name := range sortedKeys(in.Renewable) {
		w, power := in.Renewable[name], s.Power[name]
		if len(power) != in.Periods {
			return 0, fmt.Errorf("generator %s: want %d periods", name, in.Periods)
		}
		for t, v := range power {
			if !(v >= w.PowerMin[t]-slack && v <= w.PowerMax[t]+slack) {
				return 0, fmt.Errorf("generator %s: output %g in period %d is outside %g to %g", name, v, t+1, w.PowerMin[t], w.PowerMax[t])
			}
			supply[t] += v
		}
	}
	for t := range supply {
		if math.Abs(supply[t]-in.Demand[t]) > slack*math.Max(1, in.Demand[t]) {
			return 0, fmt.Errorf("period %d: output %g for a demand of %g", t+1, supply[t], in.Demand[t])
		}
		if headroom[t] < in.Reserves[t]-slack*math.Max(1, in.Reserves[t]) {
			return 0, fmt.Errorf("period %d: reserve %g, want %g", t+1, headroom[t], in.Reserves[t])
		}
	}
	return total, nil
}

// verifyStates checks must-run and minimum times, (4), (5), (11), (13), (14).
func verifyStates(g *Thermal, on []int) error {
	state, since := int(*g.OnBefore), int(*g.DownBefore)
	if state == 1 {
		since = int(*g.UpBefore)
	}
	for t, v := range on {
		if v != 0 && v != 1 {
			return fmt.Errorf("commitment %d in period %d", v, t+1)
		}
		if v == 0 && *g.MustRun == 1 {
			return fmt.Errorf("off in period %d but must run", t+1)
		}
		if v == state {
			since++
			continue
		}
		least := int(*g.DownMin)
		if state == 1 {
			least = int(*g.UpMin)
		}
		if since < least {
			return fmt.Errorf("changes state in period %d after %d periods, minimum %d", t+1, since, least)
		}
		state, since = v, 1
	}
	return nil
}

// verifyPower checks limits and ramps, (8) to (10) and (17) to (20), and
// returns the reserve that the generator can give per period.
func verifyPower(g *Thermal, on []int, power []float64) ([]float64, error) {
	low, high := *g.PowerMin, *g.PowerMax
	room := make([]float64, len(on))
	before, ran := 0.0, *g.OnBefore == 1
	if ran {
		before = *g.PowerBefore - low
	}
	for t, v := range on {
		above := power[t] - low*float64(v)
		most := (high - low) * float64(v)
		if v == 1 && !ran {
			most -= math.Max(0, high-*g.RampStartup)
		}
		if v == 1 && t+1 < len(on) && on[t+1] == 0 {
			most = math.Min(most, high-low-math.Max(0, high-*g.RampShutdown))
		}
		most = math.Min(most, before+*g.RampUp)
		if !(above >= -slack && above <= most+slack) {
			return nil, fmt.Errorf("output %g in period %d, at most %g above the minimum", power[t], t+1, most)
		}
		if before-above > *g.RampDown+slack {
			return nil, fmt.Errorf("output falls by %g to period %d, at most %g", before-above, t+1, *g.RampDown)
		}
		if t == 0 && ran && v == 0 && before > high-low-math.Max(0, high-*g.RampShutdown)+slack {
			return nil, fmt.Errorf("stops in period 1 from an output of %g", *g.PowerBefore)
		}
		room[t] = math.Max(0, most-above)
		before, ran = above, v == 1
	}
	return room, nil
}

// verifyStarts adds up the start costs, each by the cheapest category that
// (7) and (15) open.
func verifyStarts(g *Thermal, on []int) float64 {
	total, ran := 0.0, *g.OnBefore == 1
	var stops []int // periods in which the generator went off
	last := len(g.Startup) - 1
	for t, v := range on {
		period := t + 1
		if v == 0 && ran {
			stops = append(stops, period)
		}
		if v == 1 && !ran {
			cost := *g.Startup[last].Cost
			for s := range last {
				if verifyOpen(g, s, period, stops) {
					cost = math.Min(cost, *g.Startup[s].Cost)
				}
			}
			total += cost
		}
		ran = v == 1
	}
	return total
}

// verifyOpen says whether a start in a period may count as category s.
func verifyOpen(g *Thermal, s, period int, stops []int) bool {
	lag, next := int(*g.Startup[s].Lag), int(*g.Startup[s+1].Lag)
	if period < next {
		first := max(1, next-int(*g.DownBefore)+1)
		return period < first || period > next-1
	}
	for _, w := range stops {
		if off := period - w; off >= lag && off < next {
			return true
		}
	}
	return false
}

// verifyProduction is the cost of an output by (21) to (23): the cheapest mix
// of points of the curve.
func verifyProduction(g *Thermal, power float64) float64 {
	best := math.Inf(1)
	first, last := *g.Production[0].MW, *g.Production[len(g.Production)-1].MW
	power = math.Min(math.Max(power, first), last)
	for _, a := range g.Production {
		for _, b := range g.Production {
			switch {
			case *a.MW == power:
				best = math.Min(best, *a.Cost)
			case *a.MW < power && power <= *b.MW:
				best = math.Min(best, *a.Cost+(*b.Cost-*a.Cost)*(power-*a.MW)/(*b.MW-*a.MW))
			}
		}
	}
	return best
}
