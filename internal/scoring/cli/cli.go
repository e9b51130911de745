// Package cli is the command-line face of the scoring engine. It reads and
// writes files and standard streams only; cmd/optria calls it.
package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// Exit codes of Score.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = "usage: optria score weibull -i FILE.json   (- reads standard input)\nsubcommands: weibull"

// Score runs `optria score <subcommand>` and returns the exit code: 0 on
// success, 1 when the data cannot be scored, 2 when the call is wrong.
func Score(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "weibull":
		return weibull(args[1:], stdin, stdout, stderr)
	case "-h", "-help", "--help", "help":
		fmt.Fprintln(stdout, usage)
		return exitOK
	}
	fmt.Fprintf(stderr, "score: no subcommand %q; there is: weibull\n", args[0])
	return exitUsage
}

// lives is the input of weibull.
type lives struct {
	Failures []float64 `json:"failures"`
	Censored []float64 `json:"censored"`
}

// fitted is the output of weibull. Intervals are [lo, hi] at 95 %; the plain
// ones are Wald bounds on the logarithm, those marked lr likelihood-ratio.
type fitted struct {
	R       int        `json:"r"`
	N       int        `json:"n"`
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
	path := flags.String("i", "", "JSON file with failures and censored lives, - for standard input")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *path == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, usage)
		return exitUsage
	}
	in, err := readLives(*path, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "score weibull: %v\n", err)
		return exitFailure
	}
	fit, err := survival.Fit(in.Failures, in.Censored)
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

func readLives(path string, stdin io.Reader) (in lives, err error) {
	raw, err := readAll(path, stdin)
	if err != nil {
		return in, fmt.Errorf("read lives: %w", err)
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return in, fmt.Errorf("parse lives: %w", err)
	}
	return in, nil
}

func readAll(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path) // #nosec G304 -- the file named on the command line
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
