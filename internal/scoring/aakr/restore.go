package aakr

import (
	"fmt"
	"math"
)

// Memory returns the vectors in memory, in original units. They are the
// model's own: do not change them.
func (m *Model) Memory() [][]float64 { return m.memory }

// Width returns the kernel bandwidth in standard units.
func (m *Model) Width() float64 { return m.width }

// Restore builds a model from vectors selected earlier. scale holds one
// positive unit of distance per signal; a width of zero is taken from the
// spacing of the vectors.
func Restore(memory [][]float64, scale []float64, width float64) (*Model, error) {
	if len(memory) == 0 {
		return nil, fmt.Errorf("restore memory: no vectors")
	}
	if err := check(memory, scale); err != nil {
		return nil, fmt.Errorf("restore memory: %w", err)
	}
	if !(width >= 0) || math.IsInf(width, 0) {
		return nil, fmt.Errorf("restore memory: kernel width %v is not a size", width)
	}
	m := &Model{inverse: inverses(scale), memory: memory, width: width}
	if width == 0 {
		m.width = m.spacing()
	}
	return m, nil
}

// check demands rows as wide as the scale and a positive scale.
func check(rows [][]float64, scale []float64) error {
	for _, r := range rows {
		if len(r) != len(scale) {
			return fmt.Errorf("row of %d signals, scale of %d", len(r), len(scale))
		}
	}
	for _, s := range scale {
		if !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("scale %v is not positive", s)
		}
	}
	return nil
}

func inverses(scale []float64) []float64 {
	out := make([]float64, len(scale))
	for j, s := range scale {
		out[j] = 1 / s
	}
	return out
}
