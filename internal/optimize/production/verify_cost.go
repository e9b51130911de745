package production

import (
	"math"
	"sort"
)

// verifyCost adds up the terms of profiles, and what each target misses.
func verifyCost(in Input, runs map[string]Run) (Terms, map[string]float64) {
	var sum Terms
	for _, u := range in.Units {
		sum.add(verifyUnitCost(in, u, runs[u.ID]))
	}
	missing := map[string]float64{}
	wc, _ := in.Weights.Values()
	for _, g := range in.Targets {
		made := make([]float64, in.Periods)
		for _, u := range in.Units {
			for t := range made {
				if u.Target == g.ID {
					made[t] += runs[u.ID].Load[t]
				}
			}
		}
		missing[g.ID] = verifyMissing(in, g, made)
		if g.ShortfallCost != nil {
			lost := missing[g.ID] * *g.ShortfallCost
			sum.add(Terms{Shortfall: lost, Total: lost, Weighted: wc * lost})
		}
	}
	return sum, missing
}

func verifyUnitCost(in Input, u Unit, r Run) Terms {
	var sum Terms
	state := u.Running
	for t, on := range r.On {
		if on {
			load := r.Load[t]
			sum.Energy += in.PeriodHours * (verifyPower(u, load)*u.Tariff[t]/1000 + u.FuelPerUnit*load)
			sum.Failure += in.PeriodHours * verifyChord(u, load)
			sum.FailureExact += in.PeriodHours * verifyLaw(u, load)
			if !state {
				sum.Starts += u.StartCost
			}
		}
		state = on
	}
	wc, wr := in.Weights.Values()
	sum.Total = sum.Energy + sum.Starts + sum.Failure
	sum.Weighted = wc*(sum.Energy+sum.Starts) + wr*sum.Failure
	return sum
}

func verifyPower(u Unit, load float64) float64 {
	k := sort.Search(len(u.Energy)-2, func(k int) bool { return u.Energy[k+1].Load >= load })
	a, b := u.Energy[k], u.Energy[k+1]
	share := (load - a.Load) / (b.Load - a.Load)
	return (1-share)*a.KW + share*b.KW
}

// verifyLaw is the expected failure cost per hour by the power law.
func verifyLaw(u Unit, load float64) float64 {
	sum := 0.0
	for _, f := range u.Failures {
		condition := f.Factor
		if condition == 0 {
			condition = 1
		}
		sum += f.RatePerHour * condition * f.Consequence * math.Exp(f.Exponent*math.Log(load/u.RatedLoad))
	}
	return sum
}

// verifyChord is the expected failure cost per hour as the objective has it:
// the power law at the nearest loads on either side among the equal steps of
// rated load and the extra ones, and the straight line between.
func verifyChord(u Unit, load float64) float64 {
	low, high := u.MinLoad, u.MaxLoad
	if load < low || load > high { // of a current profile
		return verifyLaw(u, load)
	}
	near := func(v float64) {
		if v >= u.MinLoad && v <= load {
			low = math.Max(low, v)
		}
		if v <= u.MaxLoad && v >= load {
			high = math.Min(high, v)
		}
	}
	step := u.RatedLoad / RiskSegments
	near(step * math.Floor(load/step))
	near(step * math.Ceil(load/step))
	for _, v := range u.RiskLoads {
		near(v)
	}
	if high <= low {
		return verifyLaw(u, low)
	}
	share := (load - low) / (high - low)
	return (1-share)*verifyLaw(u, low) + share*verifyLaw(u, high)
}

// verifyMissing is what a target misses in all, units: the storage takes what
// is over and gives it back as soon as it can.
func verifyMissing(in Input, g Target, made []float64) float64 {
	stock, capacity, final := 0.0, 0.0, 0.0
	if g.Storage != nil {
		stock, capacity, final = g.Storage.Level, g.Storage.Capacity, g.Storage.MinFinal
	}
	missing := 0.0
	for t := range made {
		stock += in.PeriodHours * (made[t] - g.Demand[t])
		least := 0.0
		if t == in.Periods-1 {
			least = final
		}
		if stock < least {
			missing += least - stock
			stock = least
		}
		stock = math.Min(stock, capacity)
	}
	return missing
}
