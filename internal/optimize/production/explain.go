package production

import (
	"cmp"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// leastMoney is the difference in SAR below which nothing is worth a reason.
const leastMoney = 1

// reasons explains the profile of unit i by what other profiles of the same
// unit would cost while the rest of the plan stays. Numbers only; pages hold
// the words.
func (s *solved) reasons(i int, p Profile, supply Supply) []optimize.Reason {
	u := &s.in.Units[i]
	var list []optimize.Reason
	offer := func(code optimize.ReasonCode, money float64) {
		if money >= leastMoney {
			list = append(list, optimize.Reason{Code: code, Money: money, P: p.PFail, Constraint: u.Target})
		}
	}
	if slices.Contains(p.On, true) {
		offer(ReasonServesTarget, p.Value)
		offer(ReasonWear, s.atRated(i, p).Failure-p.Cost.Failure)
		offer(ReasonTariff, s.evenly(i, p)-p.Cost.Energy)
	} else {
		low, on := make([]float64, s.in.Periods), make([]bool, s.in.Periods)
		for t := range low {
			low[t], on[t] = u.MinLoad, true
		}
		offer(ReasonIdle, s.unitTerms(i, on, low).Total+s.missed(i, supply, low)-p.Cost.Total)
	}
	if u.Current != nil {
		on := make([]bool, s.in.Periods)
		for t, load := range u.Current {
			on[t] = load > 0
		}
		offer(ReasonLessRisk, s.unitTerms(i, on, u.Current).Failure-p.Cost.Failure)
	}
	slices.SortStableFunc(list, func(a, b optimize.Reason) int { return cmp.Compare(b.Money, a.Money) })
	list = append(s.rulesOf(i, p), list...)
	if len(list) == 0 {
		list = append(list, s.faint(i, p))
	}
	return list[:min(len(list), optimize.MaxReasons)]
}

// rulesOf lists what holds the unit: pins, then outages.
func (s *solved) rulesOf(i int, p Profile) []optimize.Reason {
	u := &s.in.Units[i]
	var list []optimize.Reason
	for _, pin := range s.in.Pins {
		if pin.UnitID == u.ID && len(list) == 0 {
			list = append(list, optimize.Reason{Code: optimize.ReasonPinned, Day: pin.From, Constraint: u.ID, Money: max(0, -p.Value)})
		}
	}
	for _, o := range u.Outages {
		if len(list) < 2 {
			list = append(list, optimize.Reason{Code: ReasonOutage, Constraint: o.ID, Day: o.From})
		}
	}
	return list
}

// faint is the reason of a unit for which little is at stake either way.
func (s *solved) faint(i int, p Profile) optimize.Reason {
	r := optimize.Reason{Code: ReasonIdle, P: p.PFail, Constraint: s.in.Units[i].Target}
	if slices.Contains(p.On, true) {
		r.Code, r.Money = ReasonServesTarget, max(0, p.Value)
	}
	return r
}

// atRated costs the same periods at rated load, or the nearest that the unit
// can run.
func (s *solved) atRated(i int, p Profile) Terms {
	u := &s.in.Units[i]
	load := make([]float64, s.in.Periods)
	for t, on := range p.On {
		if on {
			load[t] = min(max(u.RatedLoad, u.MinLoad), u.MaxLoad)
		}
	}
	return s.unitTerms(i, p.On, load)
}

// evenly is the cost of the unit's energy if it were used evenly over the
// horizon.
func (s *solved) evenly(i int, p Profile) float64 {
	u, h := &s.in.Units[i], s.in.PeriodHours
	used, fuel, tariff := 0.0, 0.0, 0.0
	for t, on := range p.On {
		tariff += u.Tariff[t] / float64(s.in.Periods)
		if on {
			used += u.power(p.Load[t]) * h
			fuel += u.FuelPerUnit * p.Load[t] * h
		}
	}
	return used*tariff/1000 + fuel
}
