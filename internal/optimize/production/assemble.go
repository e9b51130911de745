package production

import (
	"context"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// output assembles everything but frontier and prices.
func (s *solved) output(ctx context.Context, opt optimize.Options) (Output, error) {
	s.problem.Settle(s.outcome.Plan)
	out := Output{Certificate: s.certificate(), Objective: s.terms}
	if base, ok := baseline(*s.in); ok {
		out.Baseline = &base
	}
	out.Supplies = s.supplies()
	if opt.Solver != optimize.SolverHeuristic && ctx.Err() == nil {
		if err := s.addMarginal(ctx, out.Supplies, opt); err != nil {
			return Output{}, err
		}
	}
	for i := range s.in.Units {
		out.Profiles = append(out.Profiles, s.profile(i, out.Supplies))
	}
	return out, nil
}

func (s *solved) supplies() []Supply {
	h, p := s.in.PeriodHours, s.outcome.Plan
	var list []Supply
	for k, g := range s.in.Targets {
		x := Supply{Target: g.ID, Produced: make([]float64, s.in.Periods), Shortfall: p.Shortfall[k], Surplus: p.Surplus[k], Level: make([]float64, s.in.Periods)}
		for t := range s.in.Periods {
			for i := range s.problem.Units {
				if s.problem.Units[i].Balance == k {
					x.Produced[t] += s.runs[i].Load[t]
				}
			}
			x.Level[t] = p.Level[k][t] * h
		}
		list = append(list, x)
	}
	return list
}

// addMarginal fills in the marginal prices where the solver gives duals.
func (s *solved) addMarginal(ctx context.Context, supplies []Supply, opt optimize.Options) error {
	opt = opt.WithBudget(max(opt.Budget()/10, minSolve))
	prices, err := commitment.Marginal(ctx, s.problem, s.outcome.Plan, opt)
	if err != nil {
		return err
	}
	for k := range prices {
		for t := range prices[k] {
			prices[k][t] = math.Max(0, prices[k][t]/s.in.PeriodHours)
		}
		supplies[k].MarginalPrice = prices[k]
	}
	return nil
}

func (s *solved) profile(i int, supplies []Supply) Profile {
	u, run := &s.in.Units[i], s.runs[i]
	p := Profile{Run: run, Cost: s.unitTerms(i, run.On, run.Load)}
	state, hazard := u.Running, 0.0
	for t, on := range run.On {
		if on {
			hazard += u.powerLaw(run.Load[t], false) * s.in.PeriodHours
			if !state {
				p.Starts++
			}
		}
		state = on
	}
	p.PFail = -math.Expm1(-hazard)
	for _, pin := range s.in.Pins {
		p.Pinned = p.Pinned || pin.UnitID == u.ID
	}
	supply := supplies[s.problem.Units[i].Balance]
	p.Value = s.missed(i, supply, nil) - p.Cost.Total
	p.Reasons = s.reasons(i, p, supply)
	return p
}

// unitTerms costs one unit at states and loads, without shortfall.
func (s *solved) unitTerms(i int, on []bool, load []float64) Terms {
	u, h := &s.in.Units[i], s.in.PeriodHours
	var sum Terms
	state := u.Running
	for t, now := range on {
		if now {
			sum.Energy += h * (u.power(load[t])*u.Tariff[t]/1000 + u.FuelPerUnit*load[t])
			sum.Failure += h * u.hazardCost(load[t])
			sum.FailureExact += h * u.powerLaw(load[t], true)
			if !state {
				sum.Starts += u.StartCost
			}
		}
		state = now
	}
	sum.Total = sum.Energy + sum.Starts + sum.Failure
	sum.Weighted = s.cost*(sum.Energy+sum.Starts) + s.risk*sum.Failure
	return sum
}

// missed is what the target of unit i would lose more, SAR, if the unit ran at
// other loads (nil is off) and all others as planned. Demand that must be met
// counts at the dearest price of the targets.
func (s *solved) missed(i int, supply Supply, load []float64) float64 {
	k := s.problem.Units[i].Balance
	made := make([]float64, s.in.Periods)
	for t := range made {
		made[t] = supply.Produced[t] - s.runs[i].Load[t]
		if load != nil {
			made[t] += load[t]
		}
	}
	before, after := 0.0, 0.0
	for _, v := range supply.Shortfall {
		before += v
	}
	for _, v := range s.problem.Missing(k, made) {
		after += v
	}
	return (after - before) * s.in.PeriodHours * s.shortfallPrice(k)
}

// shortfallPrice is the SAR lost per unit missing at a target.
func (s *solved) shortfallPrice(k int) float64 {
	if c := s.in.Targets[k].ShortfallCost; c != nil {
		return *c
	}
	most := 0.0
	for _, g := range s.in.Targets {
		if g.ShortfallCost != nil {
			most = math.Max(most, *g.ShortfallCost)
		}
	}
	return most
}
