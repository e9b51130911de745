package lifedata

import (
	"errors"
	"math"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// Interval says that Units lives ended after Left and by Right; +Inf means
// that they had not ended when last seen.
type Interval struct {
	Left, Right, Units float64
}

// FitIntervals returns the maximum-likelihood Weibull life of interval data
// and its log-likelihood Σ units·ln(S(left) − S(right)).
func FitIntervals(data []Interval) (survival.Weibull, float64, error) {
	if err := checkIntervals(data); err != nil {
		return survival.Weibull{}, 0, err
	}
	var lives survival.Lives
	for _, d := range data {
		if d.Units > 0 {
			lives.Intervals = append(lives.Intervals, survival.Bracket{After: d.Left, Until: d.Right, Weight: d.Units})
		}
	}
	fit, err := survival.FitLives(lives)
	if errors.Is(err, survival.ErrDegenerate) {
		err = ErrNoEstimate
	}
	return fit.Weibull, fit.LogLik, err
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
