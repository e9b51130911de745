// Command optria is the whole product in one binary: the web tier, the
// background worker, a complete development stack, and the tools of operators
// and engineers. `optria help` lists the commands.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // mappings and tenants name IANA zones

	"github.com/optria-iq/optria/internal/config"
	optimizecli "github.com/optria-iq/optria/internal/optimize/cli"
	"github.com/optria-iq/optria/internal/optimize/mip"
	scoringcli "github.com/optria-iq/optria/internal/scoring/cli"
)

// command is one word after `optria`. It returns the exit code.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string) error
}

// errExit carries an exit code of a tool that has printed its own message.
type errExit int

func (e errExit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func commands() []command {
	return []command{
		{"dev", "start everything on this machine: PostgreSQL, Temporal, worker, web, demo tenants", runDev},
		{"web", "serve pages and the JSON API", runWeb},
		{"worker", "run background workflows", runWorker},
		{"migrate", "create or update the database schema (additive only)", runMigrate},
		{"seed", "load the demonstration tenants", runSeed},
		{"user", "create the first platform owner: optria user --email ADDRESS", runUser},
		{"import", "load a CSV or C-MAPSS file: optria import --tenant CODE --mapping FILE DATA", runImport},
		{"run", "ask for an optimization run over the API: optria run --url URL --problem KIND --wait", runRun},
		{"solve", "solve a problem file: optria solve --format roadef2020 IN.json -o OUT.txt", tool(optimizecli.Solve)},
		{"bench", "measure the engines: optria bench opt|ai --data DIR", tool(bench)},
		{"score", "score from files: optria score weibull -i FILE.json", tool(scoringcli.Score)},
		{"historian", "look after stored readings: optria historian status|pack|archive|restore", runHistorian},
		{"secrets", "look after the keys of credentials: optria secrets status|rotate|drop", runSecrets},
		{"audit", "check or export an audit chain: optria audit verify|export --tenant CODE", runAudit},
		{"verify", "say whether a plan dossier or an audit export is unchanged: optria verify FILE", runVerify},
		{"doctor", "say what is missing or misconfigured, and how to mend it", runDoctor},
	}
}

// bench leads to the benchmarks of the engine that the first argument names.
func bench(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "ai" {
		return scoringcli.Bench(args[1:], stdin, stdout, stderr)
	}
	return optimizecli.Bench(args, stdin, stdout, stderr)
}

func main() {
	if mip.ChildMain() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:])
		var exit errExit
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, &exit):
			return int(exit)
		}
		fmt.Fprintf(stderr, "optria %s: %v\n", c.name, err)
		return 1
	}
	fmt.Fprintf(stderr, "optria: no command %q\n\n", args[0])
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "OPTRIA IQ, the Industrial Operations Optimization Platform\n\nUsage: optria COMMAND [flags]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\nConfiguration is read from the environment; README.md lists every variable.")
}

// tool adapts the command-line cores of the engines.
func tool(f func(args []string, stdin io.Reader, stdout, stderr io.Writer) int) func(context.Context, []string) error {
	return func(_ context.Context, args []string) error {
		if code := f(args, os.Stdin, os.Stdout, os.Stderr); code != 0 {
			return errExit(code)
		}
		return nil
	}
}

// setup reads the configuration and installs the JSON logger.
func setup() (config.Config, *slog.Logger, error) {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return c, nil, fmt.Errorf("configuration:\n%w", err)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	slog.SetDefault(log)
	return c, log, nil
}
