package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/optria-iq/optria/internal/scoring/ai4i"
	"github.com/optria-iq/optria/internal/scoring/classify"
)

// measureAI4I predicts every row from the other four of five stratified folds.
func measureAI4I(ctx context.Context, dir string, seed uint64) ([]Row, error) {
	data, err := readFile(filepath.Join(dir, "ai4i2020.csv"), ai4i.Read)
	if err != nil {
		return nil, err
	}
	p := make([]float64, len(data.Rows))
	for _, held := range classify.StratifiedFolds(data.Failed, 5, seed) {
		m, err := classify.Fit(ctx, except(data.Rows, held), except(data.Modes, held), nil, ai4i.Config(seed))
		if err != nil {
			return nil, err
		}
		for _, i := range held {
			p[i] = m.Probability(data.Rows[i])
		}
	}
	got := classify.Evaluate(p, data.Failed)
	note := fmt.Sprintf("%d rows, 5-fold stratified", len(data.Rows))
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

// readTable reads a CSV table with a head as one map per line.
func readTable(r io.Reader) ([]map[string]string, error) {
	all, err := csv.NewReader(r).ReadAll()
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
