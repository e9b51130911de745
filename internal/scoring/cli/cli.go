// Package cli is the command-line face of the scoring engine. It reads and
// writes files and standard streams only; cmd/optria calls it.
package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes of Score.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// subcommand is one word after "optria score".
type subcommand struct {
	name  string
	usage string // arguments and what they mean, one line
	run   func(args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

// subcommands are listed in this order; each is defined in the file of its name.
var subcommands = []subcommand{
	{"rul", rulUsage, remainingLife},
	{"weibull", weibullUsage, weibull},
	{"cnaim", cnaimUsage, rateEquipment},
	{"failure", failureUsage, failureModes},
	{"anomaly", anomalyUsage, anomaly},
}

// Score runs `optria score <subcommand>` and returns the exit code: 0 on
// success, 1 when the data cannot be scored, 2 when the call is wrong.
func Score(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	names := make([]string, 0, len(subcommands))
	for _, s := range subcommands {
		if s.name == args[0] {
			return s.run(args[1:], stdin, stdout, stderr)
		}
		names = append(names, s.name)
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		usage(stdout)
		return exitOK
	}
	fmt.Fprintf(stderr, "score: no subcommand %q; there is: %s\n", args[0], strings.Join(names, ", "))
	return exitUsage
}

func usage(w io.Writer) {
	for _, s := range subcommands {
		fmt.Fprintf(w, "usage: optria score %s %s\n", s.name, s.usage)
	}
}

func readAll(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path) // #nosec G304 -- the file named on the command line
}
