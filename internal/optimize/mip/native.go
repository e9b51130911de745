package mip

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// solveNative runs a HiGHS executable on files in a folder of its own: the
// model as MPS, the options, the hint and the solution in HiGHS's raw format.
// The executable reports points only when it ends, so a kill keeps none.
func solveNative(ctx context.Context, binary string, m *Model, o Options, c *collector) error {
	c.best.Solver = "HiGHS (native)"
	dir, err := os.MkdirTemp("", "optria-mip-")
	if err != nil {
		return fmt.Errorf("make solver folder: %w", err)
	}
	defer os.RemoveAll(dir)
	args, err := nativeFiles(dir, m, o)
	if err != nil {
		return err
	}
	if o.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.TimeLimit+o.Grace)
		defer cancel()
	}
	cmd := exec.Command(binary, args...) // #nosec G204 -- the solver that the operator installed
	cmd.Dir = dir
	isolate(cmd)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err = cmd.Start(); err != nil {
		return fmt.Errorf("start native solver: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-ctx.Done():
		kill(cmd)
		<-done
		c.best.Status = Killed
		return nil
	}
	if err != nil {
		return fmt.Errorf("native solver: %w: %s", err, lastLine(log.String()))
	}
	if version := nativeVersion.FindStringSubmatch(log.String()); version != nil {
		c.best.Solver = "HiGHS " + version[1] + " (native)"
	}
	return c.readNative(filepath.Join(dir, "solution.txt"), log.String())
}

func nativeFiles(dir string, m *Model, o Options) ([]string, error) {
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := writeFile(path("model.mps"), m.WriteMPS); err != nil {
		return nil, err
	}
	if err := writeFile(path("options.txt"), o.writeOptions); err != nil {
		return nil, err
	}
	args := []string{"--model_file", path("model.mps"), "--options_file", path("options.txt"), "--solution_file", path("solution.txt")}
	if m.Hint != nil {
		if err := writeFile(path("hint.txt"), m.writeHint); err != nil {
			return nil, err
		}
		args = append(args, "--read_solution_file", path("hint.txt"))
	}
	return args, nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path) // #nosec G304 -- in the run's own temporary folder
	if err != nil {
		return fmt.Errorf("write solver file: %w", err)
	}
	return errors.Join(write(f), f.Close())
}

func (o Options) writeOptions(w io.Writer) error {
	values := o.values()
	values["threads"] = 1
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if _, err := fmt.Fprintf(w, "%s = %v\n", name, values[name]); err != nil {
			return fmt.Errorf("write solver options: %w", err)
		}
	}
	return nil
}

// writeHint writes the start point in HiGHS's raw solution format; unknown
// values become the bound nearest to zero.
func (m *Model) writeHint(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "Model status\nUnknown\n\n# Primal solution values\nFeasible\nObjective 0\n# Columns %d\n", m.Columns())
	for j, v := range m.Hint {
		if math.IsNaN(v) {
			v = math.Min(math.Max(0, m.Lower[j]), m.Upper[j])
		}
		fmt.Fprintf(b, "c%d %s\n", j, number(v))
	}
	fmt.Fprintf(b, "# Rows 0\n")
	return b.Flush()
}

// nativeVersion is how the executable introduces itself on its log.
var nativeVersion = regexp.MustCompile(`HiGHS (\d+\.\d+\.\d+)`)

var nativeStatus = map[string]Status{
	"Optimal": Optimal, "Infeasible": Infeasible, "Unbounded": Unbounded, "Time limit reached": TimeLimit,
}

// readNative reads the raw solution file and the bound from the log.
func (c *collector) readNative(path, log string) error {
	text, err := os.ReadFile(path) // #nosec G304 -- in the run's own temporary folder
	if err != nil {
		return fmt.Errorf("read native solution: %w", err)
	}
	for _, line := range strings.Split(log, "\n") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Dual bound"); ok {
			if b, perr := strconv.ParseFloat(strings.TrimSpace(rest), 64); perr == nil {
				c.bound(b, 0)
			}
		}
	}
	status, x, err := parseSolution(string(text), c.model.Columns())
	if err != nil {
		return err
	}
	if c.best.Status = nativeStatus[status]; c.best.Status == "" {
		c.best.Status = Status(strings.ToLower(strings.ReplaceAll(status, " ", "_")))
	}
	if x == nil {
		return nil
	}
	return c.point(x)
}

// parseSolution returns the status and, when there is a feasible point, its
// values.
func parseSolution(text string, columns int) (string, []float64, error) {
	lines := strings.Split(text, "\n")
	status := ""
	for i, line := range lines {
		switch {
		case line == "Model status" && i+1 < len(lines):
			status = strings.TrimSpace(lines[i+1])
		case line == "# Primal solution values" && i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "Feasible":
			return status, nil, nil
		case strings.HasPrefix(line, "# Columns"):
			x, err := parseColumns(lines[i+1:], columns)
			return status, x, err
		}
	}
	return status, nil, nil
}

func parseColumns(lines []string, columns int) ([]float64, error) {
	x := make([]float64, columns)
	for n := 0; n < columns; n++ {
		if n >= len(lines) {
			return nil, errors.New("native solution: file ends early")
		}
		fields := strings.Fields(lines[n])
		if len(fields) != 2 || !strings.HasPrefix(fields[0], "c") {
			return nil, fmt.Errorf("native solution: malformed line %q", lines[n])
		}
		j, err := strconv.Atoi(fields[0][1:])
		if err != nil || j < 0 || j >= columns {
			return nil, fmt.Errorf("native solution: unknown column %q", fields[0])
		}
		if x[j], err = strconv.ParseFloat(fields[1], 64); err != nil {
			return nil, fmt.Errorf("native solution: column %q: %w", fields[0], err)
		}
	}
	return x, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
