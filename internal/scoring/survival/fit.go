package survival

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Errors of Fit.
var (
	ErrNoFailures  = errors.New("no failures to fit")
	ErrNotPositive = errors.New("a life is not a positive finite number")
	ErrDegenerate  = errors.New("lives too alike for a finite shape")
)

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// FitResult is a maximum-likelihood fit with 95 % bounds. Wald bounds are
// symmetric in the logarithm; likelihood-ratio bounds are better with few
// failures.
type FitResult struct {
	Weibull
	Failures int
	Lives    int
	LogLik   float64
	SEBeta   float64
	SEEta    float64
	BetaWald Interval
	EtaWald  Interval
	BetaLR   Interval
	EtaLR    Interval
	B10Wald  Interval
}

// Fit estimates a Weibull life from failure times and right-censored times.
// It fails with ErrNoFailures, ErrNotPositive or ErrDegenerate.
func Fit(failures, censored []float64) (FitResult, error) {
	s, err := newSample(failures, censored)
	if err != nil {
		return FitResult{}, fmt.Errorf("fit Weibull: %w", err)
	}
	beta, err := s.shape()
	if err != nil {
		return FitResult{}, fmt.Errorf("fit Weibull: %w", err)
	}
	eta := s.scaleFor(beta)
	r := FitResult{Failures: int(s.r), Lives: len(s.lnT), LogLik: s.logLik(beta, eta)}
	r.Weibull = Weibull{Beta: beta, Eta: eta}
	if err := r.waldBounds(s); err != nil {
		return FitResult{}, fmt.Errorf("bound Weibull fit: %w", err)
	}
	r.ratioBounds(s)
	r.toOriginal(s)
	return r, nil
}

// sample holds lives in units of the largest one, which keeps their powers in
// (0, 1] whatever the unit.
type sample struct {
	unit   float64
	lnT    []float64 // ln of all scaled lives
	r      float64   // number of failures
	sumLnF float64   // Σ ln t over failures
}

func newSample(failures, censored []float64) (sample, error) {
	if len(failures) == 0 {
		return sample{}, ErrNoFailures
	}
	s := sample{r: float64(len(failures))}
	for _, list := range [][]float64{failures, censored} {
		for _, t := range list {
			if !(t > 0) || math.IsInf(t, 0) {
				return sample{}, ErrNotPositive
			}
			s.unit = max(s.unit, t)
		}
	}
	for _, t := range failures {
		s.lnT = append(s.lnT, math.Log(t/s.unit))
		s.sumLnF += math.Log(t / s.unit)
	}
	for _, t := range censored {
		s.lnT = append(s.lnT, math.Log(t/s.unit))
	}
	return s, nil
}

// powers returns Σ z^β, Σ z^β ln z and Σ z^β (ln z)² with z = t/eta.
func (s sample) powers(beta, eta float64) (s0, s1, s2 float64) {
	lnEta := math.Log(eta)
	for _, l := range s.lnT {
		lz := l - lnEta
		p := math.Exp(beta * lz)
		s0 += p
		s1 += p * lz
		s2 += p * lz * lz
	}
	return s0, s1, s2
}

func (s sample) scaleFor(beta float64) float64 {
	s0, _, _ := s.powers(beta, 1)
	return math.Pow(s0/s.r, 1/beta)
}

func (s sample) logLik(beta, eta float64) float64 {
	s0, _, _ := s.powers(beta, eta)
	return s.r*math.Log(beta) - s.r*beta*math.Log(eta) + (beta-1)*s.sumLnF - s0
}

// profile is the log-likelihood maximised over the scale.
func (s sample) profile(beta float64) float64 { return s.logLik(beta, s.scaleFor(beta)) }

// maxShape is where a fit is called degenerate: lives that alike carry no
// information on the shape.
const maxShape = 1e4

// shape solves 1/β + mean(ln t_f) − Σ t^β ln t / Σ t^β = 0, whose left side
// falls strictly with β, so bisection cannot miss the one root. It is used
// rather than a general optimiser because it reaches full precision.
func (s sample) shape() (float64, error) {
	score := func(b float64) float64 {
		s0, s1, _ := s.powers(b, 1)
		return 1/b + s.sumLnF/s.r - s1/s0
	}
	if score(maxShape) > 0 {
		return 0, ErrDegenerate
	}
	return bisect(score, 1e-6, maxShape), nil
}

// waldBounds inverts the observed information.
func (r *FitResult) waldBounds(s sample) error {
	s0, s1, s2 := s.powers(r.Beta, r.Eta)
	bb := s.r/(r.Beta*r.Beta) + s2
	ee := -s.r*r.Beta/(r.Eta*r.Eta) + r.Beta*(r.Beta+1)/(r.Eta*r.Eta)*s0
	be := s.r/r.Eta - s0/r.Eta - r.Beta/r.Eta*s1
	det := bb*ee - be*be
	if !(det > 0) {
		return ErrDegenerate
	}
	vb, ve, cov := ee/det, bb/det, -be/det
	r.SEBeta, r.SEEta = math.Sqrt(vb), math.Sqrt(ve)
	z := distuv.UnitNormal.Quantile(0.975)
	r.BetaWald = logInterval(r.Beta, z*r.SEBeta/r.Beta)
	r.EtaWald = logInterval(r.Eta, z*r.SEEta/r.Eta)
	// ln B10 = ln η + ln(−ln 0.9)/β; its variance by the delta method.
	k := math.Log(-math.Log(0.9))
	gb, ge := -k/(r.Beta*r.Beta), 1/r.Eta
	se := math.Sqrt(gb*gb*vb + ge*ge*ve + 2*gb*ge*cov)
	r.B10Wald = logInterval(r.Quantile(0.1), z*se)
	return nil
}

func logInterval(v, half float64) Interval {
	return Interval{Lo: v * math.Exp(-half), Hi: v * math.Exp(half)}
}

// ratioBounds finds where twice the drop in profile likelihood reaches the
// 95 % point of χ² with one degree of freedom.
func (r *FitResult) ratioBounds(s sample) {
	drop := distuv.ChiSquared{K: 1}.Quantile(0.95) / 2
	top := r.LogLik
	r.BetaLR = bracket(r.Beta, func(b float64) float64 { return top - drop - s.profile(b) })
	r.EtaLR = bracket(r.Eta, func(e float64) float64 { return top - drop - s.logLik(s.shapeFor(e), e) })
}

// shapeFor maximises the likelihood over the shape for a given scale; the
// derivative r/β − r ln η + Σ ln t_f − Σ z^β ln z falls strictly with β.
func (s sample) shapeFor(eta float64) float64 {
	score := func(b float64) float64 {
		_, s1, _ := s.powers(b, eta)
		return s.r/b - s.r*math.Log(eta) + s.sumLnF - s1
	}
	return bisect(score, 1e-6, maxShape)
}

// toOriginal returns from units of the largest life to the caller's unit. The
// density scales with 1/unit, hence the log-likelihood's shift.
func (r *FitResult) toOriginal(s sample) {
	r.LogLik -= s.r * math.Log(s.unit)
	r.Eta *= s.unit
	r.SEEta *= s.unit
	for _, b := range []*Interval{&r.EtaWald, &r.EtaLR, &r.B10Wald} {
		b.Lo *= s.unit
		b.Hi *= s.unit
	}
}

// bracket finds the two roots of f around its minimum at x, in steps of the
// logarithm. A side without a root is left at the last point tried.
func bracket(x float64, f func(float64) float64) Interval {
	side := func(step float64) float64 {
		in := x
		for range 200 {
			out := in * step
			if v := f(out); v > 0 {
				return bisect(func(t float64) float64 {
					if step < 1 {
						return f(t)
					}
					return -f(t)
				}, min(in, out), max(in, out))
			}
			in = out
		}
		return in
	}
	return Interval{Lo: side(1 / 1.25), Hi: side(1.25)}
}

// bisect returns the root of a function that falls from positive at lo to
// negative at hi, halving the interval in the logarithm to full precision.
func bisect(f func(float64) float64, lo, hi float64) float64 {
	for range 200 {
		mid := math.Sqrt(lo) * math.Sqrt(hi)
		if mid <= lo || mid >= hi {
			break
		}
		if v := f(mid); v > 0 || math.IsNaN(v) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
