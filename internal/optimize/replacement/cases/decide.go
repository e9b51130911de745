package cases

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/replacement"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// The ranges in which the formulas hold to the last digits.
const (
	leastShape, mostShape = 0.15, 100
	leastSize, mostSize   = 1e-9, 1e15
)

func ageReplacement(c Case, a *Answer) error {
	in, err := decode[struct {
		Eta     float64 `json:"eta"`
		Beta    float64 `json:"beta"`
		Planned float64 `json:"cost_planned"`
		Failure float64 `json:"cost_failure"`
	}](c)
	if err != nil {
		return err
	}
	if err = c.check(want{"eta", in.Eta, leastSize, mostSize}, want{"beta", in.Beta, leastShape, mostShape},
		want{"cost_planned", in.Planned, leastSize, mostSize}, want{"cost_failure", in.Failure, 0, mostSize}); err != nil {
		return err
	}
	modes := []replacement.Mode{{Beta: in.Beta, Eta: in.Eta, Evidence: 1, Cost: in.Failure}}
	o := replacement.Optimal(in.Planned, modes)
	// The closed form by the incomplete gamma function shares nothing with the
	// quadrature behind the optimum.
	mean := survival.Weibull{Beta: in.Beta, Eta: in.Eta}.Mean()
	rate := func(t float64) float64 {
		z := math.Pow(t/in.Eta, in.Beta)
		return (in.Planned + (in.Failure-in.Planned)*-math.Expm1(-z)) / (mean * mathext.GammaIncReg(1/in.Beta, z))
	}
	return a.decide(o, rate, in.Failure/mean, in.Eta)
}

func overhaul(c Case, a *Answer) error {
	in, err := decode[struct {
		Alpha    float64 `json:"alpha"`
		Beta     float64 `json:"beta"`
		Repair   float64 `json:"cost_minimal_repair"`
		Overhaul float64 `json:"cost_overhaul"`
	}](c)
	if err != nil {
		return err
	}
	if err = c.check(want{"alpha", in.Alpha, leastSize, mostSize}, want{"beta", in.Beta, leastShape, mostShape},
		want{"cost_minimal_repair", in.Repair, leastSize, mostSize}, want{"cost_overhaul", in.Overhaul, leastSize, mostSize}); err != nil {
		return err
	}
	o := replacement.Overhaul(in.Beta, in.Alpha, in.Repair, in.Overhaul)
	rate := func(t float64) float64 { return (in.Repair*math.Pow(t/in.Alpha, in.Beta) + in.Overhaul) / t }
	never := math.Inf(1)
	switch {
	case in.Beta < 1:
		never = 0
	case in.Beta == 1:
		never = in.Repair / in.Alpha
	}
	return a.decide(o, rate, never, in.Alpha)
}

// curvePoints is how many points the curve of a decision has.
const curvePoints = 100

// decide fills in a decision after checking it against the cost rate as a
// formula of its own: the rate of the optimum is right, and neither the points
// of the curve nor never deciding (limit) beat it.
func (a *Answer) decide(o replacement.Optimum, rate func(float64) float64, limit, scale float64) error {
	at, span := limit, 3*scale
	if !math.IsInf(o.Age, 1) {
		at, span = rate(o.Age), 2*o.Age
	}
	const slack = 1e-9
	if !(math.Abs(at-o.Rate) <= slack*math.Abs(at)) || o.Rate > limit*(1+slack) {
		return unverified(o, "rate", at)
	}
	for k := 1; k <= curvePoints; k++ {
		t := span * float64(k) / curvePoints
		r := rate(t)
		if r < o.Rate*(1-slack) {
			return unverified(o, fmt.Sprintf("rate at %g", t), r)
		}
		if !math.IsInf(r, 0) {
			a.Curve = append(a.Curve, [2]float64{t, r})
		}
	}
	a.Values["t_opt"], a.Values["cost_rate"] = Number(o.Age), Number(o.Rate)
	return nil
}

func unverified(o replacement.Optimum, what string, value float64) error {
	return fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("optimum %g at %g: verifier finds %s %g", o.Rate, o.Age, what, value))
}

func conditional(c Case, a *Answer) error {
	in, err := decode[struct {
		Eta      float64  `json:"eta"`
		Beta     float64  `json:"beta"`
		Age      float64  `json:"age"`
		Horizon  float64  `json:"horizon"`
		Evidence *float64 `json:"evidence"`
	}](c)
	if err != nil {
		return err
	}
	m := 1.0
	if in.Evidence != nil {
		m = *in.Evidence
	}
	if err = c.check(want{"eta", in.Eta, leastSize, mostSize}, want{"beta", in.Beta, leastShape, mostShape}, want{"age", in.Age, 0, mostSize},
		want{"horizon", in.Horizon, 0, mostSize}, want{"evidence", m, leastSize, 1e6}); err != nil {
		return err
	}
	w := replacement.NewWalk([]replacement.Mode{{Beta: in.Beta, Eta: in.Eta, Evidence: m}}, in.Age)
	w.To(in.Horizon)
	a.Values["p_fail"], a.Values["mean_life"] = Number(w.Failed[0]), Number(w.Life)
	return nil
}
