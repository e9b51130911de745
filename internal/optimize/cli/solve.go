// Package cli is the body of "optria solve": it reads an instance in one of
// the public formats or in the product's own, solves it, writes the plan and
// prints one line of JSON with the certificate.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// The exit codes of Solve.
const (
	exitPlan       = 0
	exitFailed     = 1 // no plan in time, or a fault of the program
	exitBadInput   = 2
	exitInfeasible = 3
)

// summary is the line on standard output; bound and gap are null when no
// bound is known.
type summary struct {
	Objective *float64        `json:"objective"`
	Bound     *float64        `json:"bound"`
	Gap       *float64        `json:"gap"`
	Status    optimize.Status `json:"status"`
	Seconds   float64         `json:"seconds"`
	Seed      int64           `json:"seed"`
	Verified  bool            `json:"verified"`
}

// arguments are the parsed command line.
type arguments struct {
	format, problem, model, in, out string
	options                         optimize.Options
	quiet                           bool
}

// Solve runs "optria solve" with the arguments after the word solve. The
// input "-" is stdin; without -o the plan is not written. It returns the exit
// code: 0 with a plan, 1 without one, 2 for bad input, 3 when infeasible.
func Solve(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a, err := parse(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "optria solve:", err)
		}
		return exitBadInput
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	started := time.Now()
	cert, err := a.run(ctx, stdin, stderr)
	if err != nil {
		return explain(err, a, time.Since(started), stdout, stderr)
	}
	printSummary(stdout, cert)
	return exitPlan
}

func parse(args []string, stderr io.Writer) (arguments, error) {
	var a arguments
	fs := flag.NewFlagSet("optria solve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&a.format, "format", "optria", "input format: "+strings.Join(formatNames(), ", "))
	fs.StringVar(&a.problem, "problem", "maintenance_prioritization", "kind of problem of the optria format")
	fs.StringVar(&a.out, "o", "", "file for the plan")
	fs.StringVar(&a.model, "write-model", "", "also write the exact model to this file (.lp, else MPS)")
	fs.DurationVar(&a.options.TimeLimit, "time-limit", time.Minute, "stop after this long")
	fs.Int64Var(&a.options.Seed, "seed", 1, "seed of the search")
	fs.DurationVar(&a.options.Work, "work", 0, "budget of counted work in place of the clock, as the time that a reference core takes; repeats exactly")
	fs.IntVar(&a.options.Threads, "threads", 2, "cores to keep busy")
	fs.Float64Var(&a.options.RelGap, "gap", optimize.OptimalGap, "stop at this relative gap")
	fs.Int64Var(&a.options.MaxIterations, "iterations", 0, "iteration budget for runs that repeat exactly")
	fs.StringVar(&a.options.Solver, "solver", optimize.SolverAuto, "auto, heuristic or exact")
	fs.BoolVar(&a.options.Prices, "prices", false, "price resources and pins")
	fs.BoolVar(&a.quiet, "quiet", false, "no progress")
	for { // flags may follow the input file
		if err := fs.Parse(args); err != nil {
			return a, err
		}
		if fs.NArg() == 0 {
			break
		}
		if a.in != "" {
			return a, fmt.Errorf("more than one input: %s", fs.Arg(0))
		}
		a.in, args = fs.Arg(0), fs.Args()[1:]
	}
	switch {
	case a.in == "":
		return a, errors.New("want an input file")
	case formats[a.format] == nil:
		return a, fmt.Errorf("unknown format %q, know %s", a.format, strings.Join(formatNames(), ", "))
	case a.options.TimeLimit <= 0 || a.options.Threads < 1:
		return a, errors.New("want a time limit and threads above 0")
	}
	return a, nil
}

func formatNames() []string {
	names := make([]string, 0, len(formats))
	for name := range formats {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (a arguments) run(ctx context.Context, stdin io.Reader, stderr io.Writer) (optimize.Certificate, error) {
	data, err := a.read(stdin)
	if err != nil {
		return optimize.Certificate{}, fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	f := formats[a.format]
	if a.model != "" {
		if err = a.writeModel(f, data); err != nil {
			return optimize.Certificate{}, err
		}
	}
	cert, plan, err := f.solve(ctx, a, data, a.progress(stderr))
	if err != nil {
		return cert, err
	}
	if a.out != "" {
		if err = os.WriteFile(a.out, plan, 0o644); err != nil { // #nosec G306 -- a result file is for everyone, as the umask allows
			return cert, fmt.Errorf("write plan: %w", err)
		}
	}
	return cert, nil
}

// writeModel writes the exact model in the format that the name of the file
// asks for: LP for .lp, else MPS.
func (a arguments) writeModel(f *format, data []byte) error {
	if f.model == nil {
		return fault.Wrap(fault.Invalid, "optimize.input.malformed", fmt.Errorf("format %s has no exact model to write", a.format))
	}
	m, err := f.model(a, data)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	write := m.WriteMPS
	if strings.HasSuffix(a.model, ".lp") {
		write = m.WriteLP
	}
	if err = write(&text); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err = os.WriteFile(a.model, text.Bytes(), 0o644); err != nil { // #nosec G306 -- a model file is for everyone, as the umask allows
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}

func (a arguments) read(stdin io.Reader) ([]byte, error) {
	if a.in == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(a.in)
}

// progress prints at most one line per second.
func (a arguments) progress(w io.Writer) func(optimize.Progress) {
	last := time.Duration(-time.Second)
	return func(p optimize.Progress) {
		if a.quiet || p.Elapsed-last < time.Second {
			return
		}
		last = p.Elapsed
		incumbent, bound := "none", "none"
		if p.HasIncumbent {
			incumbent = fmt.Sprintf("%.6f", p.Incumbent)
		}
		if p.BoundKnown {
			bound = fmt.Sprintf("%.6f", p.Bound)
		}
		fmt.Fprintf(w, "%6.1fs %-9s incumbent %s bound %s\n", p.Elapsed.Seconds(), p.Phase, incumbent, bound)
	}
}

// explain prints why there is no plan and returns the exit code.
func explain(err error, a arguments, took time.Duration, stdout, stderr io.Writer) int {
	var f *fault.Error
	where := a.in
	if errors.As(err, &f) {
		if field, ok := f.Args["field"]; ok {
			fmt.Fprintf(stderr, "%s: field %v: %v\n", where, field, f.Args["reason"])
			return exitBadInput
		}
	}
	fmt.Fprintf(stderr, "%s: %s\n", where, reason(err))
	switch fault.CodeOf(err) {
	case fault.Invalid:
		return exitBadInput
	case fault.Conflict:
		printLine(stdout, summary{Status: optimize.StatusInfeasible, Seconds: took.Seconds(), Seed: a.options.Seed})
		return exitInfeasible
	default:
		return exitFailed
	}
}

// reason puts the JSON decoder's complaints into the form "field: reason".
func reason(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		return fmt.Sprintf("field %s: want %s, have %s", kind.Field, kind.Type, kind.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("field (byte %d): malformed JSON: %v", syntax.Offset, syntax)
	default:
		return err.Error()
	}
}

func printSummary(w io.Writer, c optimize.Certificate) {
	s := summary{Objective: &c.Objective, Status: c.Status, Seconds: c.Seconds, Seed: c.Seed, Verified: c.Verified}
	if c.BoundKnown {
		s.Bound, s.Gap = &c.Bound, &c.Gap
	}
	printLine(w, s)
}

func printLine(w io.Writer, s summary) {
	line, err := json.Marshal(s)
	if err != nil {
		line = []byte(`{"status":"error"}`)
	}
	fmt.Fprintf(w, "%s\n", line)
}
