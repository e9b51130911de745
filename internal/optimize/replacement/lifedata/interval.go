package lifedata

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// Interval says that Units lives ended after Left and by Right; +Inf means
// that they had not ended when last seen.
type Interval struct {
	Left, Right, Units float64
}

// FitIntervals returns the maximum-likelihood Weibull life of interval data
// and its log-likelihood Σ units·ln(S(left) − S(right)), by Newton's method in
// the logarithms of both parameters.
func FitIntervals(data []Interval) (survival.Weibull, float64, error) {
	if err := checkIntervals(data); err != nil {
		return survival.Weibull{}, 0, err
	}
	p := startOf(data)
	value, gradient := likelihood(data, p)
	for range 200 {
		step, ok := newtonStep(data, p, gradient)
		if !ok {
			return survival.Weibull{}, 0, ErrNoEstimate
		}
		next := [2]float64{p[0] + step[0], p[1] + step[1]}
		better, slope := likelihood(data, next)
		for cut := 0; !(better >= value) && cut < 60; cut++ {
			step[0], step[1] = step[0]/2, step[1]/2
			next = [2]float64{p[0] + step[0], p[1] + step[1]}
			better, slope = likelihood(data, next)
		}
		p, value, gradient = next, better, slope
		if math.Abs(step[0])+math.Abs(step[1]) < 1e-13 || math.Abs(p[0]) > 30 {
			break
		}
	}
	w := survival.Weibull{Beta: math.Exp(p[0]), Eta: math.Exp(p[1])}
	// A likelihood that is flat at its top does not tell one life from another.
	if _, det := curvature(data, p); !w.Valid() || math.Abs(p[0]) > 30 || !(det > 1e-6) {
		return survival.Weibull{}, 0, ErrNoEstimate
	}
	return w, value, nil
}

func checkIntervals(data []Interval) error {
	closed := 0.0
	for _, d := range data {
		switch {
		case !(d.Left >= 0) || math.IsInf(d.Left, 0) || math.IsNaN(d.Right) || !(d.Units >= 0) || math.IsInf(d.Units, 0):
			return ErrNoTime
		case d.Right <= d.Left:
			return ErrOrder
		case !math.IsInf(d.Right, 1):
			closed += d.Units
		}
	}
	if closed < 2 {
		return ErrTooFew
	}
	return nil
}

// startOf takes an exponential life with as many failures per exposure.
func startOf(data []Interval) [2]float64 {
	failures, exposure := 0.0, 0.0
	for _, d := range data {
		if math.IsInf(d.Right, 1) {
			exposure += d.Units * d.Left
			continue
		}
		failures += d.Units
		exposure += d.Units * (d.Left + d.Right) / 2
	}
	return [2]float64{0, math.Log(exposure / failures)}
}

// likelihood returns the log-likelihood and its gradient in (ln β, ln η).
func likelihood(data []Interval, p [2]float64) (value float64, gradient [2]float64) {
	beta := math.Exp(p[0])
	// at returns S(t) and its derivatives.
	at := func(t float64) (s, byBeta, byEta float64) {
		if t <= 0 {
			return 1, 0, 0
		}
		if math.IsInf(t, 1) {
			return 0, 0, 0
		}
		z := math.Log(t) - p[1]
		h := math.Exp(beta * z)
		s = math.Exp(-h)
		return s, -s * h * z * beta, s * h * beta
	}
	for _, d := range data {
		if d.Units == 0 {
			continue
		}
		s, sb, se := at(d.Left)
		r, rb, re := at(d.Right)
		mass := s - r
		value += d.Units * math.Log(mass)
		gradient[0] += d.Units * (sb - rb) / mass
		gradient[1] += d.Units * (se - re) / mass
	}
	return value, gradient
}

// curvature returns the second derivatives of the likelihood, by a central
// difference of its gradient, and their determinant.
func curvature(data []Interval, p [2]float64) (c [2][2]float64, det float64) {
	const h = 1e-5
	for k := range p {
		up, down := p, p
		up[k] += h
		down[k] -= h
		_, a := likelihood(data, up)
		_, b := likelihood(data, down)
		for j := range a {
			c[j][k] = (a[j] - b[j]) / (2 * h)
		}
	}
	return c, c[0][0]*c[1][1] - c[0][1]*c[1][0]
}

// newtonStep solves the quadratic model; where it opens upwards it follows
// the gradient instead.
func newtonStep(data []Interval, p, gradient [2]float64) ([2]float64, bool) {
	c, det := curvature(data, p)
	size := math.Hypot(gradient[0], gradient[1])
	switch {
	case math.IsNaN(det) || math.IsNaN(size):
		return [2]float64{}, false
	case c[0][0] < 0 && det > 0:
		return [2]float64{-(c[1][1]*gradient[0] - c[0][1]*gradient[1]) / det, -(c[0][0]*gradient[1] - c[1][0]*gradient[0]) / det}, true
	case size == 0:
		return [2]float64{}, true
	}
	return [2]float64{.1 * gradient[0] / size, .1 * gradient[1] / size}, true
}
