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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/bench"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// dataVariable names the folder of the public instances.
const dataVariable = "OPTRIA_BENCH_DATA"

// Bench runs "optria bench" with the arguments after the word bench, of which
// the first must be opt. It returns the exit code: 0 when every set ran, 1
// when something is missing or a solve failed, 2 for bad arguments.
func Bench(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	c, file, err := parseBench(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "optria bench:", err)
		}
		return exitBadInput
	}
	c.Formats, c.Progress = table{}, stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows, err := bench.Run(ctx, c)
	err = errors.Join(err, writeRows(rows, file, stdout))
	if err != nil {
		fmt.Fprintln(stderr, "optria bench:", err)
	}
	if err != nil || slices.ContainsFunc(rows, func(r bench.Row) bool { return r.Err != nil }) {
		return exitFailed
	}
	return exitPlan
}

func parseBench(args []string, stderr io.Writer) (c bench.Config, file string, err error) {
	if len(args) == 0 || args[0] != "opt" {
		return c, "", errors.New("want: optria bench opt --data DIR, or optria bench ai --data DIR")
	}
	sets, seeds := "", ""
	fs := flag.NewFlagSet("optria bench opt", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.Data, "data", os.Getenv(dataVariable), "folder of the public instances, else "+dataVariable)
	fs.StringVar(&sets, "set", bench.SetAll, "sets, separated by commas: "+strings.Join(bench.Sets(), ", ")+" or "+bench.SetAll)
	fs.StringVar(&c.Instances, "instances", "", "only instances whose name fits this glob")
	fs.StringVar(&seeds, "seeds", "1", "seeds of the search, separated by commas")
	fs.DurationVar(&c.Options.TimeLimit, "time-limit", time.Minute, "stop each solve after this long")
	fs.IntVar(&c.Options.Threads, "threads", 2, "cores to keep busy")
	fs.Float64Var(&c.Options.RelGap, "gap", optimize.OptimalGap, "stop each solve at this relative gap")
	fs.Int64Var(&c.Options.MaxIterations, "iterations", 0, "iteration budget for runs that repeat exactly")
	fs.DurationVar(&c.Options.Work, "work", 0, "budget of counted work in place of the clock, as the time that a reference core takes; repeats exactly")
	fs.StringVar(&c.Options.Solver, "solver", optimize.SolverAuto, "auto, heuristic or exact")
	fs.StringVar(&file, "csv", "", "also write every row to this file")
	if err = fs.Parse(args[1:]); err != nil {
		return c, "", err
	}
	if fs.NArg() > 0 {
		return c, "", fmt.Errorf("unknown argument %q", fs.Arg(0))
	}
	if c.Sets, err = parseSets(sets); err != nil {
		return c, "", err
	}
	c.Seeds, err = parseSeeds(seeds)
	return c, file, err
}

func parseSets(list string) ([]string, error) {
	var sets []string
	for _, name := range strings.Split(list, ",") {
		switch {
		case name == bench.SetAll:
			sets = append(sets, bench.Sets()...)
		case slices.Contains(bench.Sets(), name):
			sets = append(sets, name)
		default:
			return nil, fmt.Errorf("unknown set %q, know %s and %s", name, strings.Join(bench.Sets(), ", "), bench.SetAll)
		}
	}
	return sets, nil
}

func parseSeeds(list string) ([]int64, error) {
	var seeds []int64
	for _, text := range strings.Split(list, ",") {
		seed, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("seeds: want whole numbers separated by commas, have %q", text)
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

// table is the formats of "optria solve" as the benchmarks see them.
type table struct{}

// Has implements bench.Formats.
func (table) Has(name string) bool { return formats[name] != nil }

// Solve implements bench.Formats.
func (table) Solve(ctx context.Context, name, problem string, data []byte, opt optimize.Options, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	return formats[name].solve(ctx, arguments{format: name, problem: problem, options: opt}, data, report)
}

// Model implements bench.Formats.
func (table) Model(name, problem string, data []byte) (*mip.Model, error) {
	if formats[name].model == nil {
		return nil, fmt.Errorf("format %s has no exact model", name)
	}
	return formats[name].model(arguments{format: name, problem: problem}, data)
}

func writeRows(rows []bench.Row, file string, stdout io.Writer) error {
	if err := bench.WriteTable(stdout, rows); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	if file == "" {
		return nil
	}
	f, err := os.Create(file) // #nosec G304 -- the file that the user names
	if err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return errors.Join(bench.WriteCSV(f, rows), f.Close())
}
