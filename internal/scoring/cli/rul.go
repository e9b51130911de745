package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/optria-iq/optria/internal/scoring/bench"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

const rulUsage = "--train FILE --test FILE [--seed N] -o predictions.csv   (C-MAPSS text; - writes standard output)"

// horizons are the cycles within which the failure probability is printed.
var horizons = []float64{10, 20, 30, 50}

// remainingLife learns from the lives of one file and predicts the remaining
// life of every unit of another at its last cycle.
func remainingLife(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("score rul", flag.ContinueOnError)
	flags.SetOutput(stderr)
	train := flags.String("train", "", "lives that ran to failure, C-MAPSS text")
	test := flags.String("test", "", "lives to be predicted at their last cycle, C-MAPSS text")
	seed := flags.Uint64("seed", 1, "seed of everything random")
	out := flags.String("o", "", "CSV file for the predictions, - for standard output")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *train == "" || *test == "" || *out == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "usage: optria score rul", rulUsage)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := predictFile(ctx, *train, *test, *out, *seed, stdout); err != nil {
		fmt.Fprintf(stderr, "score rul: %v\n", err)
		return exitFailure
	}
	return exitOK
}

func predictFile(ctx context.Context, train, test, out string, seed uint64, stdout io.Writer) error {
	past, err := bench.ReadTurbofans(train)
	if err != nil {
		return fmt.Errorf("read training lives: %w", err)
	}
	present, err := bench.ReadTurbofans(test)
	if err != nil {
		return fmt.Errorf("read lives to be predicted: %w", err)
	}
	model, err := prognosis.Fit(ctx, past, bench.TurbofanConfig(seed))
	if err != nil {
		return err
	}
	if out == "-" {
		return writePredictions(stdout, model, present)
	}
	file, err := os.Create(out) // #nosec G304 -- the file named on the command line
	if err != nil {
		return fmt.Errorf("create predictions: %w", err)
	}
	return errors.Join(writePredictions(file, model, present), file.Close())
}

func writePredictions(w io.Writer, model *prognosis.Model, lives []prognosis.Unit) error {
	table := csv.NewWriter(w)
	rows := [][]string{{"unit", "rul", "lo90", "hi90", "p10", "p20", "p30", "p50"}}
	for _, life := range lives {
		p, err := model.Predict(life.Rows)
		if err != nil {
			return fmt.Errorf("predict unit %s: %w", life.ID, err)
		}
		row := []string{life.ID, decimal(p.Remaining), decimal(p.Lo), decimal(p.Hi)}
		for _, h := range horizons {
			row = append(row, decimal(p.FailureWithin(h)))
		}
		rows = append(rows, row)
	}
	if err := table.WriteAll(rows); err != nil {
		return fmt.Errorf("write predictions: %w", err)
	}
	return nil
}
