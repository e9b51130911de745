package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/scoring/classify"
)

var (
	azureErrors     = []string{"error1", "error2", "error3", "error4", "error5"}
	azureComponents = []string{"comp1", "comp2", "comp3", "comp4"}
)

// azureSplit is where training ends. Every as-of time is a midnight; labels of
// the training days end before it and test days begin there.
var azureSplit = time.Date(2015, 9, 1, 0, 0, 0, 0, time.UTC)

// azureMachine is the history of one machine: times of each kind of event in
// ascending order.
type azureMachine struct {
	id, model int
	age       float64 // years
	errors    [][]time.Time
	replaced  [][]time.Time
	failures  [][]time.Time
}

// measureAzure predicts, at every midnight of the last four months, whether a
// component fails within a day and within a week, from the eight months before.
// Within a day it is nearly certain: in these simulated data an error announces
// every failure.
func measureAzure(ctx context.Context, dir string, seed uint64) ([]Row, error) {
	machines, err := readAzure(dir)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, days := range []int{1, 7} {
		train := azureDays(machines, time.Date(2015, 1, 8, 0, 0, 0, 0, time.UTC), azureSplit.AddDate(0, 0, -days), days)
		test := azureDays(machines, azureSplit, time.Date(2015, 12, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -days), days)
		c := classify.Config{Signals: azureSignals(), Modes: azureComponents, Folds: 3, Rounds: 80, Bags: 1, Seed: seed}
		m, err := classify.Fit(ctx, train.rows, train.modes, train.machine, c)
		if err != nil {
			return nil, err
		}
		p := make([]float64, len(test.rows))
		for i, row := range test.rows {
			p[i] = m.Probability(row)
		}
		got := classify.Evaluate(p, anyMode(test.modes))
		set := fmt.Sprintf("Azure PdM %d d", days)
		note := fmt.Sprintf("%d machine days from September on; %.3f of them failed", len(p), got.Share)
		out = append(out,
			Row{Set: set, Metric: "average precision", Value: got.AveragePrecision, Note: note},
			Row{Set: set, Metric: "AUC", Value: got.AUC, Note: note},
			Row{Set: set, Metric: "Brier skill", Value: 1 - got.Brier/(got.Share*(1-got.Share)), Note: "against the share of failures"},
			Row{Set: set, Metric: "calibration error", Value: got.CalibrationError, Note: "ten bins of equal width"})
	}
	return out, nil
}

// machineDays are rows of features with the components that failed afterwards.
type machineDays struct {
	rows    [][]float64
	modes   [][]bool
	machine []int
}

func azureDays(machines []azureMachine, from, to time.Time, horizon int) machineDays {
	var out machineDays
	for _, m := range machines {
		for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
			modes := make([]bool, len(azureComponents))
			for k, times := range m.failures {
				modes[k] = between(times, day, day.AddDate(0, 0, horizon)) > 0
			}
			out.rows, out.modes, out.machine = append(out.rows, m.features(day)), append(out.modes, modes), append(out.machine, m.id)
		}
	}
	return out
}

// azureSignals names the columns of features.
func azureSignals() []string {
	out := []string{"model", "age"}
	for _, e := range azureErrors {
		out = append(out, e+" hours ago", e+" of a day", e+" of a week")
	}
	for _, c := range azureComponents {
		out = append(out, c+" age", c+" failures")
	}
	return out
}

// features look back from a time; events at that time or later do not count.
func (m azureMachine) features(at time.Time) []float64 {
	out := []float64{float64(m.model), m.age}
	past := time.Time{}
	for _, times := range m.errors {
		out = append(out, since(times, at), float64(between(times, at.AddDate(0, 0, -1), at)), float64(between(times, at.AddDate(0, 0, -7), at)))
	}
	for k := range m.replaced {
		out = append(out, since(m.replaced[k], at), float64(between(m.failures[k], past, at)))
	}
	return out
}

// before returns how many of the ascending times lie before at.
func before(times []time.Time, at time.Time) int {
	n, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
	return n
}

// between counts the times from the first moment on and before the second.
func between(times []time.Time, from, to time.Time) int {
	return before(times, to) - before(times, from)
}

// since returns the hours from the last time before at, NaN when there is none.
func since(times []time.Time, at time.Time) float64 {
	n := before(times, at)
	if n == 0 {
		return math.NaN()
	}
	return at.Sub(times[n-1]).Hours()
}

func anyMode(modes [][]bool) []bool {
	out := make([]bool, len(modes))
	for i, m := range modes {
		out[i] = slices.Contains(m, true)
	}
	return out
}

func readAzure(dir string) ([]azureMachine, error) {
	machines, err := readAzureMachines(filepath.Join(dir, "PdM_machines.csv"))
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		file, column string
		kinds        []string
		of           func(*azureMachine) [][]time.Time
	}{
		{"PdM_errors.csv", "errorID", azureErrors, func(m *azureMachine) [][]time.Time { return m.errors }},
		{"PdM_maint.csv", "comp", azureComponents, func(m *azureMachine) [][]time.Time { return m.replaced }},
		{"PdM_failures.csv", "failure", azureComponents, func(m *azureMachine) [][]time.Time { return m.failures }},
	} {
		lines, err := readFile(filepath.Join(dir, f.file), readTable)
		if err != nil {
			return nil, err
		}
		for n, line := range lines {
			i := slices.IndexFunc(machines, func(m azureMachine) bool { return strconv.Itoa(m.id) == line["machineID"] })
			k := slices.Index(f.kinds, line[f.column])
			at, err := time.Parse(time.DateTime, line["datetime"])
			if err != nil || i < 0 || k < 0 {
				return nil, fmt.Errorf("%s, line %d: unknown machine, event or time in %v", f.file, n+2, line)
			}
			times := f.of(&machines[i])
			times[k] = append(times[k], at)
		}
	}
	for i := range machines {
		for _, list := range slices.Concat(machines[i].errors, machines[i].replaced, machines[i].failures) {
			slices.SortFunc(list, time.Time.Compare)
		}
	}
	return machines, nil
}

func readAzureMachines(path string) ([]azureMachine, error) {
	lines, err := readFile(path, readTable)
	if err != nil {
		return nil, err
	}
	var machines []azureMachine
	for n, line := range lines {
		id, errID := strconv.Atoi(line["machineID"])
		model, errModel := strconv.Atoi(strings.TrimPrefix(line["model"], "model"))
		age, errAge := strconv.ParseFloat(line["age"], 64)
		if err := errors.Join(errID, errModel, errAge); err != nil {
			return nil, fmt.Errorf("machine of line %d: %w", n+2, err)
		}
		machines = append(machines, azureMachine{
			id: id, model: model, age: age, errors: make([][]time.Time, len(azureErrors)),
			replaced: make([][]time.Time, len(azureComponents)), failures: make([][]time.Time, len(azureComponents)),
		})
	}
	return machines, nil
}
