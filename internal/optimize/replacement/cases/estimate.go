package cases

import (
	"errors"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/replacement/lifedata"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// lives are observed lives.
type lives struct {
	Failures []float64 `json:"failures"`
	Censored []float64 `json:"censored"`
}

// blame names the input of a case whose data have no estimate.
func (c Case) blame(field string, err error) error {
	for _, known := range []error{lifedata.ErrTooFew, lifedata.ErrNoTime, lifedata.ErrOrder, lifedata.ErrNoEstimate,
		survival.ErrNoFailures, survival.ErrNotPositive, survival.ErrDegenerate} {
		if errors.Is(err, known) {
			return optimize.Invalid(c.field+"input."+field, err.Error())
		}
	}
	return err
}

func weibull(c Case, a *Answer) error {
	in, err := decode[lives](c)
	if err != nil {
		return err
	}
	fit, err := survival.Fit(in.Failures, in.Censored)
	if err != nil {
		return c.blame("failures", err)
	}
	a.Values["eta"], a.Values["beta"], a.Values["loglik"] = Number(fit.Eta), Number(fit.Beta), Number(fit.LogLik)
	return nil
}

func intervals(c Case, a *Answer) error {
	in, err := decode[struct {
		Left  []float64 `json:"left"`
		Right []Number  `json:"right"`
		Units []float64 `json:"units"`
	}](c)
	if err != nil {
		return err
	}
	if len(in.Right) != len(in.Left) || in.Units != nil && len(in.Units) != len(in.Left) {
		return optimize.Invalid(c.field+"input.right", "want as many entries as left")
	}
	data := make([]lifedata.Interval, len(in.Left))
	for k := range data {
		data[k] = lifedata.Interval{Left: in.Left[k], Right: float64(in.Right[k]), Units: 1}
		if in.Units != nil {
			data[k].Units = in.Units[k]
		}
	}
	w, loglik, err := lifedata.FitIntervals(data)
	if err != nil {
		return c.blame("left", err)
	}
	a.Values["eta"], a.Values["beta"], a.Values["loglik"] = Number(w.Eta), Number(w.Beta), Number(loglik)
	return nil
}

func kaplanMeier(c Case, a *Answer) error {
	in, err := decode[lives](c)
	if err != nil {
		return err
	}
	steps, err := lifedata.KaplanMeier(in.Failures, in.Censored)
	if err != nil {
		return c.blame("failures", err)
	}
	for _, s := range steps {
		a.Values[timeName("sf_", s.Time)] = Number(s.Value)
	}
	return nil
}

func meanCumulative(c Case, a *Answer) error {
	in, err := decode[struct {
		Systems [][]float64 `json:"systems"`
	}](c)
	if err != nil {
		return err
	}
	steps, err := lifedata.MeanCumulative(in.Systems)
	if err != nil {
		return c.blame("systems", err)
	}
	for _, s := range steps {
		a.Values[timeName("mcf_", s.Time)] = Number(s.Value)
	}
	return nil
}

// trendInput are the failures of one repairable system, by the time since new
// or since the failure before.
type trendInput struct {
	Times   []float64 `json:"times"`
	Between []float64 `json:"times_between_failures"`
	End     float64   `json:"end"`
	Target  float64   `json:"target_mtbf"`
}

func trend(c Case) (lifedata.Trend, trendInput, error) {
	in, err := decode[trendInput](c)
	if err != nil {
		return lifedata.Trend{}, in, err
	}
	times, field := in.Times, "times"
	if len(in.Between) > 0 {
		field, times = "times_between_failures", make([]float64, len(in.Between))
		sum := 0.0
		for k, d := range in.Between {
			if !(d >= 0) {
				return lifedata.Trend{}, in, optimize.Invalid(c.field+"input.times_between_failures", "want numbers of at least 0")
			}
			sum += d
			times[k] = sum
		}
	}
	tr, err := lifedata.NewTrend(times, in.End)
	if err != nil {
		return tr, in, c.blame(field, err)
	}
	return tr, in, nil
}

func laplace(c Case, a *Answer) error {
	tr, _, err := trend(c)
	a.Values["U"], a.Values["beta"], a.Values["lam"] = Number(tr.Laplace), Number(tr.Beta), Number(tr.Lambda)
	return err
}

func crow(c Case, a *Answer) error {
	tr, in, err := trend(c)
	if err != nil {
		return err
	}
	a.Values["beta"], a.Values["lam"], a.Values["growth_rate"] = Number(tr.Beta), Number(tr.Lambda), Number(1-tr.Beta)
	a.Values["DMTBF_C"], a.Values["DMTBF_I"] = Number(tr.CumulativeMTBF(tr.End)), Number(tr.InstantMTBF(tr.End))
	if in.Target > 0 {
		a.Values["time_to_target"] = Number(tr.TimeToTarget(in.Target))
	}
	return nil
}
