package survival

import "math"

// point is a Weibull life in the coordinates (α, γ) in which the log-likelihood
// of any mixture of exact, censored and interval data is concave: z = γ·ln t − α
// with γ = β and α = β·ln η (Burridge 1981, J. Royal Stat. Soc. B 43:41).
type point [2]float64

func (p point) weibull() Weibull { return Weibull{Beta: p[1], Eta: math.Exp(p[0] / p[1])} }

func (p point) plus(d point) point { return point{p[0] + d[0], p[1] + d[1]} }

// slope is a log-likelihood with its gradient and second derivatives.
type slope struct {
	value    float64
	gradient point
	second   [2][2]float64
}

// along returns the first and second derivative in the direction d.
func (s slope) along(d point) (first, second float64) {
	first = s.gradient[0]*d[0] + s.gradient[1]*d[1]
	second = s.second[0][0]*d[0]*d[0] + 2*s.second[0][1]*d[0]*d[1] + s.second[1][1]*d[1]*d[1]
	return first, second
}

// span is what is known of weight lives: they ended in (after, until], given by
// the logarithms of both, or at until when exact.
type span struct {
	after, until float64 // ln t; −Inf is time 0, +Inf never
	exact        bool
	weight       float64
}

// add counts weight·(value, gradient, second) of one term, whose derivatives
// are given by those in z: dz/dα = −1, dz/dγ = y.
func (s *slope) add(weight, value, first, second, y float64) {
	s.value += weight * value
	s.gradient[0] -= weight * first
	s.gradient[1] += weight * first * y
	s.second[0][0] += weight * second
	s.second[0][1] -= weight * second * y
	s.second[1][1] += weight * second * y * y
	s.second[1][0] = s.second[0][1]
}

// likelihood evaluates the log-likelihood at p; outside γ > 0 it is −Inf.
func likelihood(spans []span, p point) slope {
	var s slope
	if !(p[1] > 0) {
		s.value = math.Inf(-1)
		return s
	}
	for _, d := range spans {
		switch {
		case d.exact:
			s.addExact(d, p)
		case math.IsInf(d.until, 1):
			s.addCensored(d, p)
		default:
			s.addInterval(d, p)
		}
	}
	if math.IsNaN(s.value) {
		s.value = math.Inf(-1)
	}
	return s
}

// addExact adds ln f(t) = ln γ − y + z − e^z.
func (s *slope) addExact(d span, p point) {
	z := p[1]*d.until - p[0]
	h := math.Exp(z)
	s.add(d.weight, math.Log(p[1])-d.until+z-h, 1-h, -h, d.until)
	s.gradient[1] += d.weight / p[1]
	s.second[1][1] -= d.weight / (p[1] * p[1])
}

// addCensored adds ln S(t) = −e^z.
func (s *slope) addCensored(d span, p point) {
	if math.IsInf(d.after, -1) {
		return
	}
	h := math.Exp(p[1]*d.after - p[0])
	s.add(d.weight, -h, -h, -h, d.after)
}

// addInterval adds ln(S(a) − S(b)) = −A + ln(1 − e^(A−B)) with the cumulative
// hazards A and B at the ends.
func (s *slope) addInterval(d span, p point) {
	s.addCensored(d, p)
	a, before := 0.0, 0.0 // A and ln a, whose product is 0 at time 0
	if !math.IsInf(d.after, -1) {
		a, before = math.Exp(p[1]*d.after-p[0]), d.after
	}
	b := math.Exp(p[1]*d.until - p[0])
	width := b - a
	s.value += d.weight * math.Log(-math.Expm1(-width))
	// q = d ln(1−e^−D)/dD and its derivative, without overflow for large D.
	q := 1 / math.Expm1(width)
	slope2 := -q * (1 + q)
	if math.IsInf(width, 1) {
		q, slope2 = 0, 0
	}
	// Derivatives of D = B − A in α and γ.
	first := point{-width, d.until*b - before*a}
	second := [2][2]float64{
		{width, -first[1]},
		{-first[1], d.until*d.until*b - before*before*a},
	}
	for i := range first {
		s.gradient[i] += d.weight * q * first[i]
		for j := range first {
			s.second[i][j] += d.weight * (q*second[i][j] + slope2*first[i]*first[j])
		}
	}
}

// climb maximises from p in the direction d, or over both coordinates without
// one, by Newton's method with halved steps; the function is concave, so that
// it meets the one maximum.
func climb(spans []span, p point, d *point) (point, slope) {
	now := likelihood(spans, p)
	for range 400 {
		// Near the top a better point may seem worse by rounding.
		slack := 1e-13 * math.Abs(now.value)
		step := now.step(d)
		next := p.plus(step)
		there := likelihood(spans, next)
		for cut := 0; !(there.value >= now.value-slack) && cut < 60; cut++ {
			step = point{step[0] / 2, step[1] / 2}
			next = p.plus(step)
			there = likelihood(spans, next)
		}
		if !(there.value >= now.value-slack) {
			break
		}
		// A small Newton step that no longer gains is the last one: the error
		// left is its square.
		size := (math.Abs(step[0]) + math.Abs(step[1])) / (1 + math.Abs(p[0]) + math.Abs(p[1]))
		done := size <= 1e-13 || size <= 1e-7 && there.value <= now.value
		p, now = next, there
		if done || p[1] > maxShape {
			break
		}
	}
	return p, now
}

// step returns the Newton step, along d when given.
func (s slope) step(d *point) point {
	if d != nil {
		first, second := s.along(*d)
		size := -first / second
		if !(second < 0) || math.IsInf(size, 0) {
			size = math.Copysign(1, first)
		}
		return point{size * d[0], size * d[1]}
	}
	h, g := s.second, s.gradient
	det := h[0][0]*h[1][1] - h[0][1]*h[1][0]
	if !(h[0][0] < 0 && det > 0) {
		n := math.Hypot(g[0], g[1])
		if n == 0 {
			return point{}
		}
		return point{g[0] / n, g[1] / n}
	}
	return point{-(h[1][1]*g[0] - h[0][1]*g[1]) / det, -(h[0][0]*g[1] - h[1][0]*g[0]) / det}
}
