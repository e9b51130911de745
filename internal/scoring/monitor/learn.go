package monitor

import (
	"fmt"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/aakr"
)

// Learn returns a detector that also expects these rows, as when an engineer
// finds that an alarm was expected operation, and how many of them were new to
// its memory. The memory keeps its size: the vectors it misses least make
// room. Limits stay as they were, and so does what is expected of a signal from
// the other signals. Rows with missing readings are passed over.
// A subspace cannot take single rows in: it is fitted again.
func (d *Detector) Learn(rows [][]float64) (*Detector, int, error) {
	m, ok := d.model.(*similarity)
	if !ok {
		return nil, 0, fmt.Errorf("learn rows: the detector watches a subspace: fit it again with these rows")
	}
	if err := sameWidth(rows, d.intake.Width, 0); err != nil {
		return nil, 0, fmt.Errorf("learn rows: %w", err)
	}
	memory, err := aakr.Restore(slices.Clone(m.memory.Memory()), m.scale, m.memory.Width())
	if err != nil {
		return nil, 0, fmt.Errorf("learn rows: %w", err)
	}
	size, fresh := max(memory.Size(), memorySize), 0
	for _, r := range rows {
		row, _ := d.intake.admit(r)
		if slices.ContainsFunc(row, math.IsNaN) {
			continue
		}
		added, err := memory.Learn(row, size)
		if err != nil {
			return nil, 0, fmt.Errorf("learn rows: %w", err)
		}
		if added {
			fresh++
		}
	}
	model, out := *m, *d
	model.memory = memory
	out.model = &model
	return &out, fresh, nil
}
