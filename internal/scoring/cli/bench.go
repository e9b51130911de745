package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/optria-iq/optria/internal/scoring/bench"
)

// dataVariable names the folder of the public data.
const dataVariable = "OPTRIA_BENCH_DATA"

// Bench runs "optria bench ai" with the arguments after the word ai, prints the
// table and writes it to a file when one is named. It returns the exit code: 0
// when every family was measured, 1 when one could not be, 2 for a wrong call.
func Bench(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	c, file, err := parseBench(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "optria bench ai:", err)
		}
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows, err := bench.Run(ctx, c)
	err = errors.Join(err, writeTable(rows, file, stdout))
	if err != nil {
		fmt.Fprintln(stderr, "optria bench ai:", err)
		return exitFailure
	}
	return exitOK
}

func parseBench(args []string, stderr io.Writer) (c bench.Config, file string, err error) {
	sets := ""
	fs := flag.NewFlagSet("optria bench ai", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.Data, "data", os.Getenv(dataVariable), "folder of the public data, else "+dataVariable)
	fs.StringVar(&sets, "set", "all", "families, separated by commas: "+strings.Join(bench.Families(), ", ")+" or all")
	fs.Uint64Var(&c.Seed, "seed", 1, "seed of everything random")
	fs.StringVar(&file, "o", "", "file to write the table to as well")
	if err := fs.Parse(args); err != nil {
		return c, "", err
	}
	if c.Data == "" {
		return c, "", errors.New("no data folder: give --data DIR or set " + dataVariable)
	}
	c.Families = bench.Families()
	if sets != "all" {
		c.Families = strings.Split(sets, ",")
	}
	for _, name := range c.Families {
		if !slices.Contains(bench.Families(), name) {
			return c, "", fmt.Errorf("unknown family %q, know %s and all", name, strings.Join(bench.Families(), ", "))
		}
	}
	c.Progress = stderr
	return c, file, nil
}

func writeTable(rows []bench.Row, file string, stdout io.Writer) error {
	err := bench.WriteTable(stdout, rows)
	if file == "" {
		return err
	}
	out, openErr := os.Create(file) // #nosec G304 -- the file named on the command line
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	return errors.Join(err, bench.WriteTable(out, rows), out.Close())
}
