package learning

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/scoring/drift"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// seed of everything random in training: the same lives give the same model.
const seed = 1

// folds of the cross-validation over whole lives, and of the calibration inside
// each of them, which only its intervals need.
const (
	folds      = 4
	innerFolds = 3
)

// DriftWindow is the length of the windows in which inputs are watched.
const DriftWindow = 30 * 24 * time.Hour

// Memory is what a model keeps of its training besides the artefact: which
// lives it has learned from, which were kept aside, and what its inputs and
// errors looked like. It is stored as JSON.
type Memory struct {
	Lives     []string        `json:"lives"`
	Held      []string        `json:"held"`
	Rows      int             `json:"rows"`
	Cap       float64         `json:"cap_days"`
	Reference drift.Reference `json:"reference"`
	Residuals drift.Residuals `json:"residuals"`
	// CrossValidated are the figures of predicting each training life from the
	// others.
	CrossValidated prognosis.Metrics `json:"cross_validated"`
}

// Train fits the prognosis of a class on the lives that are not held out. The
// context ends it early; the same fleet always gives the same model.
func Train(ctx context.Context, f Fleet) (*prognosis.Model, Memory, error) {
	d, err := f.Divide()
	if err != nil {
		return nil, Memory{}, err
	}
	memory := Memory{Cap: d.Cap}
	units := make([]prognosis.Unit, 0, len(d.Train))
	for _, l := range d.Train {
		units = append(units, l.unit())
		memory.Lives = append(memory.Lives, l.ID)
		memory.Rows += len(l.Rows)
	}
	for _, l := range d.Held {
		memory.Held = append(memory.Held, l.ID)
	}
	config := prognosis.Config{Signals: f.Signals, Cap: d.Cap, Seed: seed}
	model, err := prognosis.Fit(ctx, units, config)
	if err != nil {
		return nil, memory, fmt.Errorf("fit prognosis of %s: %w", f.Class, err)
	}
	config.Folds = innerFolds
	metrics, scored, err := prognosis.CrossValidate(ctx, units, config, min(folds, len(units)))
	if err != nil {
		return nil, memory, fmt.Errorf("cross-validate prognosis of %s: %w", f.Class, err)
	}
	memory.CrossValidated = metrics
	if memory.Residuals, err = drift.LearnResiduals(blocksOf(scored, d)); err != nil && !errors.Is(err, drift.ErrFewBlocks) {
		return nil, memory, fmt.Errorf("learn residuals: %w", err)
	}
	windows := f.windows(d.Held[0].End)
	if memory.Reference, err = drift.Learn(f.Signals, windows); err != nil {
		return nil, memory, fmt.Errorf("learn inputs: %w", err)
	}
	return model, memory, nil
}

// blocksOf groups the errors of a cross-validation by life, in the order in
// which the lives ended.
func blocksOf(scored []prognosis.Scored, d Division) [][]float64 {
	byLife := map[string][]float64{}
	for _, s := range scored {
		byLife[s.Unit] = append(byLife[s.Unit], errorOf(s, d.Cap))
	}
	out := make([][]float64, 0, len(d.Train))
	for _, l := range d.Train {
		out = append(out, byLife[l.ID])
	}
	return out
}

// errorOf is predicted less actual remaining life, both limited to the cap.
func errorOf(s prognosis.Scored, limit float64) float64 {
	return min(s.Prediction.Remaining, limit) - min(s.Truth, limit)
}

// windows cuts what the whole fleet measured before a moment into windows of
// calendar time, as it will be watched later: all ages and all ends of lives
// side by side. Windows in which little was measured are left out.
func (f Fleet) windows(until time.Time) [][][]float64 {
	first := until
	for _, l := range f.Lives {
		if l.Start.Before(first) {
			first = l.Start
		}
	}
	n := int(until.Sub(first)/DriftWindow) + 1
	all := make([][][]float64, n)
	for _, l := range f.Lives {
		for i, row := range l.Rows {
			day := l.Start.AddDate(0, 0, i)
			if day.Before(until) && measuredRow(row) {
				w := int(day.Sub(first) / DriftWindow)
				all[w] = append(all[w], row)
			}
		}
	}
	kept := all[:0]
	for _, w := range all {
		if len(w) >= leastDays {
			kept = append(kept, w)
		}
	}
	return kept
}

func measuredRow(row []float64) bool {
	for _, v := range row {
		if !math.IsNaN(v) {
			return true
		}
	}
	return false
}

// Residual runs the watch of a model's errors over lives that ended after it
// was made, oldest first.
func (m Memory) Residual(ctx context.Context, model *prognosis.Model, lives []Life) (drift.Residual, error) {
	blocks := make([][]float64, 0, len(lives))
	for _, l := range lives {
		if !l.usable() {
			continue
		}
		scored, err := score(ctx, model, []Life{l})
		if err != nil {
			return drift.Residual{}, err
		}
		block := make([]float64, 0, len(scored))
		for _, s := range scored {
			block = append(block, errorOf(s, m.Cap))
		}
		blocks = append(blocks, block)
	}
	return m.Residuals.Check(blocks), nil
}
