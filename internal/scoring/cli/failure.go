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

	"github.com/optria-iq/optria/internal/scoring/ai4i"
	"github.com/optria-iq/optria/internal/scoring/classify"
)

const failureUsage = "--format ai4i --train FILE --test FILE [--seed N] -o predictions.csv   (- writes standard output)"

// failureModes learns failure modes from the snapshots of one file and tells
// them in those of another, whose labels, if it has any, are not looked at.
func failureModes(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("score failure", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("format", "", "ai4i")
	train := flags.String("train", "", "labelled snapshots")
	test := flags.String("test", "", "snapshots to be judged")
	seed := flags.Uint64("seed", 1, "seed of everything random")
	out := flags.String("o", "", "CSV file for the predictions, - for standard output")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *format != "ai4i" || *train == "" || *test == "" || *out == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "usage: optria score failure", failureUsage)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := judgeFile(ctx, *train, *test, *out, *seed, stdout); err != nil {
		fmt.Fprintf(stderr, "score failure: %v\n", err)
		return exitFailure
	}
	return exitOK
}

func judgeFile(ctx context.Context, train, test, out string, seed uint64, stdout io.Writer) error {
	past, err := readSnapshots(train)
	if err != nil {
		return fmt.Errorf("read labelled snapshots: %w", err)
	}
	if past.Failed == nil {
		return fmt.Errorf("%s has no labels to learn from", train)
	}
	present, err := readSnapshots(test)
	if err != nil {
		return fmt.Errorf("read snapshots to be judged: %w", err)
	}
	model, err := classify.Fit(ctx, past.Rows, past.Modes, nil, ai4i.Config(seed))
	if err != nil {
		return err
	}
	if out == "-" {
		return writeFailures(stdout, model, present)
	}
	file, err := os.Create(out) // #nosec G304 -- the file named on the command line
	if err != nil {
		return fmt.Errorf("create predictions: %w", err)
	}
	return errors.Join(writeFailures(file, model, present), file.Close())
}

func readSnapshots(path string) (ai4i.Data, error) {
	file, err := os.Open(path) // #nosec G304 -- the file named on the command line
	if err != nil {
		return ai4i.Data{}, err
	}
	data, err := ai4i.Read(file)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return data, errors.Join(err, file.Close())
}

// writeFailures writes one line per snapshot: the probability of any failure,
// the most probable mode with its own, and the signal that speaks most for it.
func writeFailures(w io.Writer, model *classify.Model, data ai4i.Data) error {
	rows := [][]string{{"id", "probability", "mode", "mode_probability", "signal"}}
	for i, row := range data.Rows {
		p := model.Predict(row)
		first, speaks := p.Modes[0], ""
		for _, c := range first.Contributions {
			if c.Value > 0 {
				speaks = c.Signal
				break
			}
		}
		rows = append(rows, []string{data.IDs[i], decimal(p.Probability), first.Name, decimal(first.Probability), speaks})
	}
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write predictions: %w", err)
	}
	return nil
}
