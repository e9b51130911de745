package survival

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Errors of Fit and FitLives.
var (
	ErrNoFailures  = errors.New("no failures to fit")
	ErrNotPositive = errors.New("a life is not a positive finite number")
	ErrInterval    = errors.New("an interval does not end after it starts")
	ErrWeight      = errors.New("a weight does not lie above 0 and up to 1e9, or there is not one for each life")
	ErrDegenerate  = errors.New("lives too alike for a finite shape")
)

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// FitResult is a maximum-likelihood fit with 95 % bounds. Wald bounds are
// symmetric in the logarithm; likelihood-ratio bounds are better with few
// failures. Failures and Lives are counted by weight.
type FitResult struct {
	Weibull
	Failures float64
	Lives    float64
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
	return FitLives(Lives{Failures: failures, Censored: censored})
}

// FitLives estimates a Weibull life from any mixture of exact, right-censored
// and interval data. It fails with one of the errors of this package.
func FitLives(l Lives) (FitResult, error) {
	s, err := newSample(l)
	if err != nil {
		return FitResult{}, fmt.Errorf("fit Weibull: %w", err)
	}
	top, at := climb(s.spans, s.start, nil)
	r := FitResult{Weibull: top.weibull(), Failures: s.failures, Lives: s.lives, LogLik: at.value}
	det := at.second[0][0]*at.second[1][1] - at.second[0][1]*at.second[1][0]
	// A likelihood that is flat at its top does not tell one life from another.
	if !r.Valid() || r.Beta >= maxShape || r.Beta < minShape || !(det > 1e-12*s.failures) {
		return FitResult{}, fmt.Errorf("fit Weibull: %w", ErrDegenerate)
	}
	r.waldBounds(at, det)
	r.ratioBounds(s.spans)
	r.toOriginal(s)
	return r, nil
}

// A fit beyond these shapes is called degenerate: lives that alike, or that
// scattered, carry no information on the shape.
const (
	maxShape = 1e4
	minShape = 1e-6
)

// waldBounds inverts the observed information in (α, γ) and carries it over to
// β = γ and ln η = α/γ.
func (r *FitResult) waldBounds(at slope, det float64) {
	vAlpha, vGamma, cov := -at.second[1][1]/det, -at.second[0][0]/det, at.second[0][1]/det
	lnEta := math.Log(r.Eta)
	vLnEta := (vAlpha - 2*lnEta*cov + lnEta*lnEta*vGamma) / (r.Beta * r.Beta)
	covLn := (cov - lnEta*vGamma) / r.Beta // of ln η and β
	r.SEBeta, r.SEEta = math.Sqrt(vGamma), r.Eta*math.Sqrt(vLnEta)
	z := distuv.UnitNormal.Quantile(0.975)
	r.BetaWald = logInterval(r.Beta, z*r.SEBeta/r.Beta)
	r.EtaWald = logInterval(r.Eta, z*math.Sqrt(vLnEta))
	// ln B10 = ln η + ln(−ln 0.9)/β; its variance by the delta method.
	byBeta := -math.Log(-math.Log(0.9)) / (r.Beta * r.Beta)
	se := math.Sqrt(vLnEta + byBeta*byBeta*vGamma + 2*byBeta*covLn)
	r.B10Wald = logInterval(r.Quantile(0.1), z*se)
}

func logInterval(v, half float64) Interval {
	return Interval{Lo: v * math.Exp(-half), Hi: v * math.Exp(half)}
}

// ratioBounds finds where twice the drop in profile likelihood reaches the
// 95 % point of χ² with one degree of freedom. For a given β the other
// coordinate is α, for a given η it is the ray α = γ·ln η.
func (r *FitResult) ratioBounds(spans []span) {
	limit := r.LogLik - distuv.ChiSquared{K: 1}.Quantile(0.95)/2
	lnEta := math.Log(r.Eta)
	r.BetaLR = bracket(r.Beta, func(b float64) float64 {
		_, best := climb(spans, point{b * lnEta, b}, &point{1, 0})
		return limit - best.value
	})
	r.EtaLR = bracket(r.Eta, func(e float64) float64 {
		ray := point{math.Log(e), 1}
		_, best := climb(spans, point{r.Beta * ray[0], r.Beta}, &ray)
		return limit - best.value
	})
}

// toOriginal returns from units of the largest life to the caller's unit. The
// density scales with 1/unit, hence the log-likelihood's shift.
func (r *FitResult) toOriginal(s sample) {
	r.LogLik -= s.exact * math.Log(s.unit)
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
		in, below := x, f(x)
		for range 200 {
			out := in * step
			above := f(out)
			if above > 0 || math.IsNaN(above) {
				return crossing(f, in, out, below, above)
			}
			in, below = out, above
		}
		return in
	}
	return Interval{Lo: side(1 / 1.25), Hi: side(1.25)}
}

// crossing returns the root of f between in, where it is below < 0, and out,
// where it is above > 0, by false position in the logarithm with the Illinois
// rule; where a value is not finite it halves instead.
func crossing(f func(float64) float64, in, out, below, above float64) float64 {
	a, b := math.Log(in), math.Log(out)
	last := 0.0 // sign of the value before
	for range 200 {
		mid := (a*above - b*below) / (above - below)
		if !(mid > min(a, b) && mid < max(a, b)) {
			mid = (a + b) / 2
		}
		v := f(math.Exp(mid))
		if v == 0 || math.Abs(b-a) <= 1e-13 {
			return math.Exp(mid)
		}
		if v < 0 {
			if last < 0 {
				above /= 2
			}
			a, below = mid, v
		} else {
			if last > 0 {
				below /= 2
			}
			b, above = mid, v
		}
		if math.Abs(v) <= 1e-13 {
			return math.Exp(mid)
		}
		last = v
	}
	return math.Exp((a + b) / 2)
}
