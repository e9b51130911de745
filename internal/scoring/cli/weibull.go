package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

const weibullUsage = "-i FILE.json   (- reads standard input): " +
	`{"failures":[..],"censored":[..],"intervals":[[after,until],..],"wf":[..],"wc":[..]}`

// lives is the input of weibull. A life of an interval ended after the first
// and by the second time, a third number counts how many; wf and wc count the
// failures and the censored lives, absent means one each.
type lives struct {
	Failures        []float64   `json:"failures"`
	Censored        []float64   `json:"censored"`
	Intervals       [][]float64 `json:"intervals"`
	FailureWeights  []float64   `json:"wf"`
	CensoredWeights []float64   `json:"wc"`
}

// fitted is the output of weibull. Intervals are [lo, hi] at 95 %; the plain
// ones are Wald bounds on the logarithm, those marked lr likelihood-ratio.
type fitted struct {
	R       float64    `json:"r"`
	N       float64    `json:"n"`
	Beta    float64    `json:"beta"`
	Eta     float64    `json:"eta"`
	LogLik  float64    `json:"loglik"`
	SEBeta  float64    `json:"se_beta"`
	SEEta   float64    `json:"se_eta"`
	BetaCI  [2]float64 `json:"beta_ci95"`
	EtaCI   [2]float64 `json:"eta_ci95"`
	BetaLR  [2]float64 `json:"beta_lr95"`
	EtaLR   [2]float64 `json:"eta_lr95"`
	B1      float64    `json:"B1"`
	B10     float64    `json:"B10"`
	B10Wald [2]float64 `json:"B10_ci95_wald"`
	B50     float64    `json:"B50"`
}

func weibull(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("score weibull", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("i", "", "JSON file of lives, - for standard input")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *path == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "usage: optria score weibull", weibullUsage)
		return exitUsage
	}
	fit, err := fitFile(*path, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "score weibull: %v\n", err)
		return exitFailure
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(describe(fit)); err != nil {
		fmt.Fprintf(stderr, "score weibull: write result: %v\n", err)
		return exitFailure
	}
	return exitOK
}

func fitFile(path string, stdin io.Reader) (survival.FitResult, error) {
	raw, err := readAll(path, stdin)
	if err != nil {
		return survival.FitResult{}, fmt.Errorf("read lives: %w", err)
	}
	in, err := parseLives(raw)
	if err != nil {
		return survival.FitResult{}, fmt.Errorf("parse lives: %w", err)
	}
	return survival.FitLives(in)
}

// parseLives reads the input of weibull.
func parseLives(raw []byte) (survival.Lives, error) {
	var in lives
	if err := json.Unmarshal(raw, &in); err != nil {
		return survival.Lives{}, err
	}
	out := survival.Lives{
		Failures: in.Failures, FailureWeights: in.FailureWeights,
		Censored: in.Censored, CensoredWeights: in.CensoredWeights,
	}
	for i, pair := range in.Intervals {
		if len(pair) != 2 && len(pair) != 3 {
			return survival.Lives{}, fmt.Errorf("intervals[%d] has %d numbers, must be [after, until] or [after, until, lives]", i, len(pair))
		}
		b := survival.Bracket{After: pair[0], Until: pair[1], Weight: 1}
		if len(pair) == 3 {
			if b.Weight = pair[2]; !(b.Weight > 0) {
				return survival.Lives{}, fmt.Errorf("intervals[%d] counts %v lives, must be above 0", i, b.Weight)
			}
		}
		out.Intervals = append(out.Intervals, b)
	}
	return out, nil
}

func describe(f survival.FitResult) fitted {
	pair := func(i survival.Interval) [2]float64 { return [2]float64{i.Lo, i.Hi} }
	return fitted{
		R: f.Failures, N: f.Lives, Beta: f.Beta, Eta: f.Eta, LogLik: f.LogLik,
		SEBeta: f.SEBeta, SEEta: f.SEEta,
		BetaCI: pair(f.BetaWald), EtaCI: pair(f.EtaWald),
		BetaLR: pair(f.BetaLR), EtaLR: pair(f.EtaLR),
		B1: f.Quantile(0.01), B10: f.Quantile(0.1), B10Wald: pair(f.B10Wald), B50: f.Quantile(0.5),
	}
}
