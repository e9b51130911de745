package maintenance

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// verifyCost recomputes the terms of one decision. rates remembers the
// renewal rates of jobs with the same life and money.
func verifyCost(in Input, a Action, s Start, out []bool, rates map[[4]float64]float64) Terms {
	nominal := a.PlannedCost + a.OutageHours*a.LossPerHour*a.PlannedFactor
	extra := a.FailureTotal - nominal
	key := [4]float64{a.Weibull.Beta, a.Weibull.Eta, nominal, a.FailureTotal}
	rate, known := rates[key]
	if !known {
		rate = verifyRate(a, nominal)
		rates[key] = rate
	}
	var t Terms
	if s.Deferred {
		h := float64(in.Days)
		t.Failure = (1 - verifySurvival(a, h)) * extra
		spentToHorizon := verifyLife(a, 0, h)
		t.Residual = rate * (h - spentToHorizon)
		least, life := math.Inf(1), 0.0
		for k := 0; k <= 365; k++ {
			if k > 0 {
				life += verifyLife(a, h+float64(k-1), h+float64(k))
			}
			least = math.Min(least, (verifySurvival(a, h)-verifySurvival(a, h+float64(k)))*extra-rate*life)
		}
		t.Tail = nominal + least
	} else {
		d := float64(s.StartDay)
		t.PlannedWork = a.PlannedCost
		profile, n := 0.0, 0.0
		for day, isOut := range out {
			if isOut {
				n++
				if a.OutageProfile == nil {
					profile++
				} else {
					profile += a.OutageProfile[day]
				}
			}
		}
		t.PlannedOutage = a.OutageHours * a.LossPerHour * a.PlannedFactor * profile / n
		t.Failure = (1 - verifySurvival(a, d)) * extra
		t.Residual = rate * (float64(in.Days) - verifyLife(a, 0, d))
	}
	t.Total = t.PlannedWork + t.PlannedOutage + t.Failure + t.Residual + t.Tail
	onCost, onRisk := in.Weights.Values()
	t.Weighted = onCost*(t.Total-t.Failure) + onRisk*t.Failure
	return t
}

func verifySurvival(a Action, u float64) float64 {
	m, b, eta := a.Evidence, a.Weibull.Beta, a.Weibull.Eta
	if m == 0 {
		m = 1
	}
	hazard := func(x float64) float64 { return math.Exp(b * (math.Log(x) - math.Log(eta))) }
	cumulative := hazard(a.AgeDays + u)
	if a.AgeDays > 0 {
		cumulative -= hazard(a.AgeDays)
	}
	return math.Exp(-m * cumulative)
}

// verifyLife integrates the survival from day x to day y by Gauss-Legendre.
// The substitution u = x + w⁴ keeps a shape below one smooth at a new asset.
func verifyLife(a Action, x, y float64) float64 {
	if y <= x {
		return 0
	}
	rule := &legendre64
	if y-x <= 1 || x > 0 && y <= 2*x {
		rule = &legendre12
	}
	half, sum := math.Sqrt(math.Sqrt(y-x))/2, 0.0
	for k, node := range rule.nodes {
		w := half * (node + 1)
		sum += rule.weights[k] * 4 * w * w * w * verifySurvival(a, x+w*w*w*w)
	}
	return half * sum
}

// gauss holds the nodes and weights of a Gauss-Legendre rule on [−1, 1].
type gauss struct{ nodes, weights []float64 }

var legendre12, legendre64 = newGauss(12), newGauss(64)

func newGauss(n int) gauss {
	g := gauss{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(g.nodes, g.weights, -1, 1)
	return g
}

// verifyRate finds the optimal replacement age of a new, healthy asset on a
// grid that is refined around its best point. The rate is flat there, so the
// last grid, finer than 1e-5 of the age, leaves far less than 1e-8 of it.
func verifyRate(a Action, nominal float64) float64 {
	b, eta, cf := a.Weibull.Beta, a.Weibull.Eta, a.FailureTotal
	never := cf / (eta * math.Gamma(1+1/b))
	if b <= 1 || cf <= nominal {
		return never
	}
	fresh := Action{Weibull: a.Weibull}
	best := never
	first, last := math.Log(1e-4*eta), math.Log(20*eta)
	for lo, hi := first, last; hi-lo > 1e-4; {
		at, least := lo, math.Inf(1)
		life, before := 0.0, 0.0
		for k := 0; k <= 40; k++ {
			x := lo + (hi-lo)*float64(k)/40
			tau := math.Exp(x)
			s := verifySurvival(fresh, tau)
			life += verifyLife(fresh, before, tau)
			before = tau
			if r := (nominal*s + cf*(1-s)) / life; r < least {
				at, least = x, r
			}
		}
		best = math.Min(best, least)
		lo, hi = math.Max(first, at-(hi-lo)/20), math.Min(last, at+(hi-lo)/20)
	}
	return best
}

// near compares money to 1e-6, relative to the larger of the two and to the
// scale of the plan.
func near(a, b, scale float64) bool {
	return math.Abs(a-b) <= 1e-6*math.Max(1, math.Max(scale, math.Max(math.Abs(a), math.Abs(b))))
}

// VerifyOutput refuses an output whose plan breaks a constraint or whose
// money the verifier does not find again: per decision, in total, and in the
// certificate.
func VerifyOutput(in Input, out Output) error {
	total, err := Verify(in, out.starts())
	if err != nil {
		return err
	}
	scale := math.Abs(total.PlannedWork) + math.Abs(total.PlannedOutage) + math.Abs(total.Failure) + math.Abs(total.Residual) + math.Abs(total.Tail)
	got := out.Objective
	for _, p := range []struct {
		name      string
		got, want float64
	}{
		{"planned work", got.PlannedWork, total.PlannedWork}, {"planned outage", got.PlannedOutage, total.PlannedOutage},
		{"failure", got.Failure, total.Failure}, {"residual", got.Residual, total.Residual}, {"tail", got.Tail, total.Tail},
		{"total", got.Total, total.Total}, {"weighted", got.Weighted, total.Weighted}, {"certificate", out.Certificate.Objective, total.Weighted},
	} {
		if !near(p.got, p.want, scale) {
			return fmt.Errorf("%s: plan says %.6f, verifier finds %.6f", p.name, p.got, p.want)
		}
	}
	sum := 0.0
	for _, d := range out.Schedule {
		sum += d.Cost.Weighted
	}
	if !near(sum, total.Weighted, scale) {
		return fmt.Errorf("decisions add up to %.6f, verifier finds %.6f", sum, total.Weighted)
	}
	if c := out.Certificate; c.BoundKnown && c.Bound > c.Objective+1e-6*math.Max(1, math.Abs(c.Objective)) {
		return fmt.Errorf("bound %.6f exceeds objective %.6f", c.Bound, c.Objective)
	}
	return nil
}
