package reliability

import (
	"errors"
	"math"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// History is what is known of the lives of a population, in days: those that
// ended in a failure, and those that are only known to have lasted that long,
// because the asset was renewed before or still runs.
type History struct {
	Failures []float64
	Censored []float64
}

// Range is an interval in the unit of its value.
type Range struct{ Lo, Hi float64 }

// Proposal is the Weibull life that a history makes most likely. The bounds of
// Beta and EtaDays are likelihood ratio bounds and those of B10Days are Wald
// bounds, all at 95 %. B10Days is the age by which a tenth has failed.
type Proposal struct {
	Beta, EtaDays, B10Days float64
	BetaRange, EtaRange    Range
	B10Range               Range
	Failures, Censored     int
	LogLik                 float64 // of the proposed parameters
	PresentLogLik          float64 // of the parameters that the asset has now
	PresentSupported       bool    // the history does not speak against them at 95 %
	PresentComparable      bool    // false when the present parameters make the history impossible
}

// jointDrop is half the 95 % point of χ² with two degrees of freedom: by how
// much the log-likelihood of both parameters may fall below its maximum.
const jointDrop = 2.995732273553991

// Reasons for which a history proposes nothing. The texts are in the messages.
var (
	ErrTooFewFailures = errors.New("fewer failures than a fit needs")
	ErrAlike          = errors.New("lives too alike for a usable shape")
)

// leastFailures is how many failures a proposal needs: with fewer, chance alone
// decides the shape.
const leastFailures = 3

// Propose fits a Weibull life to a history and compares it with the present
// one. It fails with ErrTooFewFailures or ErrAlike when the history does not
// carry a fit.
func Propose(h History, present asset.Weibull) (Proposal, error) {
	if len(h.Failures) < leastFailures {
		return Proposal{}, ErrTooFewFailures
	}
	fit, err := survival.Fit(h.Failures, h.Censored)
	if errors.Is(err, survival.ErrDegenerate) || err == nil && fit.Beta > MostBeta {
		return Proposal{}, ErrAlike
	}
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{
		Beta: fit.Beta, EtaDays: fit.Eta, B10Days: fit.Quantile(0.1),
		BetaRange: Range(fit.BetaLR), EtaRange: Range(fit.EtaLR), B10Range: Range(fit.B10Wald),
		Failures: len(h.Failures), Censored: len(h.Censored), LogLik: fit.LogLik,
	}
	p.PresentLogLik = h.logLik(survival.Weibull{Beta: present.Beta, Eta: present.Eta})
	p.PresentComparable = finite(p.PresentLogLik)
	p.PresentSupported = p.PresentComparable && p.LogLik-p.PresentLogLik <= jointDrop
	return p, nil
}

// logLik is the log-likelihood of a history: the density at every failure and
// the survival to every censored age.
func (h History) logLik(w survival.Weibull) float64 {
	sum := 0.0
	for _, t := range h.Failures {
		sum += math.Log(w.PDF(t))
	}
	for _, t := range h.Censored {
		sum -= w.CumHazard(t)
	}
	return sum
}
