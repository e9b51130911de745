package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/optria-iq/optria/internal/scoring/classify"
)

// ai4iModes are the labelled causes of failure. Random failures are left out:
// by the description of the data they have no cause in the signals.
var ai4iModes = []string{"TWF", "HDF", "PWF", "OSF", "unexplained"}

// ai4iConfig names the signals and the physics of milling: power, heat flow and
// strain.
func ai4iConfig(seed uint64) classify.Config {
	return classify.Config{
		Signals: []string{"Type", "Air_temperature", "Process_temperature", "Rotational_speed", "Torque", "Tool_wear"},
		Derived: []classify.Derived{
			{Name: "power", Of: classify.Product, A: 3, B: 4},
			{Name: "temperature difference", Of: classify.Difference, A: 2, B: 1},
			{Name: "strain", Of: classify.Product, A: 5, B: 4},
		},
		Modes: ai4iModes, Seed: seed,
	}
}

// ai4i is the data set: rows × signals, the modes of each row and whether the
// machine failed.
type ai4i struct {
	rows   [][]float64
	modes  [][]bool
	failed []bool
}

// measureAI4I predicts every row from the other four of five stratified folds.
func measureAI4I(ctx context.Context, dir string, seed uint64) ([]Row, error) {
	data, err := readAI4I(filepath.Join(dir, "ai4i2020.csv"))
	if err != nil {
		return nil, err
	}
	p := make([]float64, len(data.rows))
	for _, held := range classify.StratifiedFolds(data.failed, 5, seed) {
		m, err := classify.Fit(ctx, except(data.rows, held), except(data.modes, held), nil, ai4iConfig(seed))
		if err != nil {
			return nil, err
		}
		for _, i := range held {
			p[i] = m.Probability(data.rows[i])
		}
	}
	got := classify.Evaluate(p, data.failed)
	note := fmt.Sprintf("%d rows, 5-fold stratified", len(data.rows))
	return []Row{
		{Set: "AI4I", Metric: "average precision", Value: got.AveragePrecision, Goal: Goal{Must: .83, Aim: .89}, Note: note},
		{Set: "AI4I", Metric: "Brier score", Value: got.Brier, Goal: Goal{Must: .012, Aim: .008, Lower: true}, Note: note},
		{Set: "AI4I", Metric: "calibration error", Value: got.CalibrationError, Note: "ten bins of equal width"},
	}, nil
}

// except returns the rows that are not held out.
func except[T any](rows []T, held []int) []T {
	out := make([]bool, len(rows))
	for _, i := range held {
		out[i] = true
	}
	var rest []T
	for i, r := range rows {
		if !out[i] {
			rest = append(rest, r)
		}
	}
	return rest
}

func readAI4I(path string) (ai4i, error) {
	lines, err := readTable(path)
	if err != nil {
		return ai4i{}, err
	}
	var out ai4i
	quality := map[string]float64{"L": 0, "M": 1, "H": 2}
	for n, line := range lines {
		row := make([]float64, 6)
		var bad error
		for k, name := range ai4iConfig(0).Signals {
			if k == 0 {
				row[0] = quality[line[name]]
				continue
			}
			v, err := strconv.ParseFloat(line[name], 64)
			bad = errors.Join(bad, err)
			row[k] = v
		}
		if bad != nil {
			return ai4i{}, fmt.Errorf("line %d: %w", n+2, bad)
		}
		failed, named := line["Machine.failure"] == "1", false
		modes := make([]bool, len(ai4iModes))
		for k, name := range ai4iModes {
			modes[k] = line[name] == "1"
			named = named || modes[k]
		}
		modes[len(modes)-1] = failed && !named
		out.rows, out.modes, out.failed = append(out.rows, row), append(out.modes, modes), append(out.failed, failed)
	}
	return out, nil
}

// readTable reads a CSV file with a head as one map per line.
func readTable(path string) ([]map[string]string, error) {
	f, err := os.Open(path) // #nosec G304 -- the data folder of the command line
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read table: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("the table is empty")
	}
	out := make([]map[string]string, 0, len(all)-1)
	for _, line := range all[1:] {
		cells := make(map[string]string, len(line))
		for i, head := range all[0] {
			cells[head] = line[i]
		}
		out = append(out, cells)
	}
	return out, nil
}
