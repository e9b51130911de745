package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// oracle is one published or independently computed fit.
type oracle struct {
	Beta            float64    `json:"beta"`
	Eta             float64    `json:"eta"`
	LogLik          float64    `json:"loglik"`
	SEBeta          float64    `json:"se_beta"`
	SEEta           float64    `json:"se_eta"`
	BetaCI          [2]float64 `json:"beta_ci95"`
	EtaCI           [2]float64 `json:"eta_ci95"`
	B1              float64    `json:"B1"`
	B10             float64    `json:"B10"`
	B50             float64    `json:"B50"`
	B10CI           [2]float64 `json:"B10_ci95_wald"`
	Failures        []float64  `json:"failures"`
	Censored        []float64  `json:"censored"`
	FailureWeights  []float64  `json:"wf"`
	CensoredWeights []float64  `json:"wc"`
}

func (o oracle) lives() survival.Lives {
	return survival.Lives{
		Failures: o.Failures, FailureWeights: o.FailureWeights,
		Censored: o.Censored, CensoredWeights: o.CensoredWeights,
	}
}

// measureWeibull compares the fit of each case with its oracle. No oracle has
// likelihood-ratio bounds: for those a search of its own tells how far the
// likelihood drops there.
func measureWeibull(_ context.Context, dir string, _ uint64) ([]Row, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "weibull_oracle.json")) // #nosec G304 -- the data folder of the command line
	if err != nil {
		return nil, fmt.Errorf("read Weibull cases: %w", err)
	}
	var cases map[string]oracle
	if err := json.Unmarshal(raw, &cases); err != nil {
		return nil, fmt.Errorf("parse Weibull cases: %w", err)
	}
	var parameters, wald, quantiles, ratio float64
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		o := cases[name]
		fit, err := survival.FitLives(o.lives())
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", name, err)
		}
		parameters = max(parameters, relative(fit.Beta, o.Beta), relative(fit.Eta, o.Eta))
		quantiles = max(quantiles, relative(fit.LogLik, o.LogLik), relative(fit.Quantile(0.01), o.B1),
			relative(fit.Quantile(0.1), o.B10), relative(fit.Quantile(0.5), o.B50))
		wald = max(wald, relative(fit.SEBeta, o.SEBeta), relative(fit.SEEta, o.SEEta),
			apart(fit.BetaWald, o.BetaCI), apart(fit.EtaWald, o.EtaCI), apart(fit.B10Wald, o.B10CI))
		ratio = max(ratio, dropError(fit, o.lives()))
	}
	note := fmt.Sprintf("%d cases", len(cases))
	within := func(must, aim float64) Goal { return Goal{Must: must, Aim: aim, Lower: true} }
	return []Row{
		{Set: "Weibull", Metric: "β, η: relative error", Value: parameters, Goal: within(1e-4, 1e-6), Note: note},
		{Set: "Weibull", Metric: "logL, B1, B10, B50: relative error", Value: quantiles, Goal: within(1e-4, 1e-6), Note: note},
		{Set: "Weibull", Metric: "standard errors, Wald bounds: relative error", Value: wald, Goal: within(1e-2, 1e-3), Note: note},
		{Set: "Weibull", Metric: "likelihood-ratio bounds: error of the drop", Value: ratio, Goal: within(1e-2, 1e-3), Note: "against a search of the profile"},
	}, nil
}

// relative returns the relative error, 0 where the oracle says nothing.
func relative(got, want float64) float64 {
	if want == 0 {
		return 0
	}
	return math.Abs(got/want - 1)
}

func apart(got survival.Interval, want [2]float64) float64 {
	return max(relative(got.Lo, want[0]), relative(got.Hi, want[1]))
}

// dropError returns how far the drop of the profile log-likelihood at the
// likelihood-ratio bounds is from half the 95 % point of χ² with one degree.
func dropError(fit survival.FitResult, l survival.Lives) float64 {
	const drop = 3.841458820694124 / 2
	worst := 0.0
	for _, b := range []float64{fit.BetaLR.Lo, fit.BetaLR.Hi} {
		top := highest(fit.Eta, func(eta float64) float64 { return logLikelihood(survival.Weibull{Beta: b, Eta: eta}, l) })
		worst = max(worst, math.Abs(fit.LogLik-top-drop))
	}
	for _, e := range []float64{fit.EtaLR.Lo, fit.EtaLR.Hi} {
		top := highest(fit.Beta, func(beta float64) float64 { return logLikelihood(survival.Weibull{Beta: beta, Eta: e}, l) })
		worst = max(worst, math.Abs(fit.LogLik-top-drop))
	}
	return worst
}

// logLikelihood is Σ w·ln f(t) − Σ w·H(t).
func logLikelihood(w survival.Weibull, l survival.Lives) float64 {
	weight := func(list []float64, i int) float64 {
		if list == nil {
			return 1
		}
		return list[i]
	}
	sum := 0.0
	for i, t := range l.Failures {
		sum += weight(l.FailureWeights, i) * (math.Log(w.Beta) - math.Log(t) + math.Log(w.CumHazard(t)) - w.CumHazard(t))
	}
	for i, t := range l.Censored {
		sum -= weight(l.CensoredWeights, i) * w.CumHazard(t)
	}
	return sum
}

// highest returns the maximum of a function with one peak within a factor of
// 20 of x, by golden-section search in the logarithm.
func highest(x float64, f func(float64) float64) float64 {
	const golden = 0.6180339887498949
	lo, hi := math.Log(x)-3, math.Log(x)+3
	for hi-lo > 1e-9 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if f(math.Exp(a)) < f(math.Exp(b)) {
			lo = a
		} else {
			hi = b
		}
	}
	return f(math.Exp((lo + hi) / 2))
}
