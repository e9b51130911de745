package aakr

import (
	"fmt"
	"math"
	"slices"
)

// Learn takes a row that proved healthy (all finite) into memory and returns
// whether it was worth it: a row within a kernel width of a stored vector adds
// nothing. When that makes more than size vectors, the one nearest to another,
// which the memory misses least, is evicted; the new row stays.
func (m *Model) Learn(row []float64, size int) (bool, error) {
	if len(row) != len(m.inverse) {
		return false, fmt.Errorf("learn: row of %d signals, memory of %d", len(row), len(m.inverse))
	}
	for j, v := range row {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false, fmt.Errorf("learn: signal %d is %v", j+1, v)
		}
	}
	for _, v := range m.memory {
		if m.distance2(row, v) <= m.width*m.width {
			return false, nil
		}
	}
	m.memory = append(slices.Clip(m.memory), slices.Clone(row)) // a restored memory stays as it was
	for len(m.memory) > max(size, 1) {
		i := m.mostRedundant()
		m.memory = slices.Delete(m.memory, i, i+1)
	}
	return true, nil
}

// mostRedundant returns the vector with the nearest neighbour, the older of
// the two; the last one is never chosen.
func (m *Model) mostRedundant() int {
	best, least := 0, math.Inf(1)
	for i := range m.memory[:len(m.memory)-1] {
		for k := i + 1; k < len(m.memory); k++ {
			if d := m.distance2(m.memory[i], m.memory[k]); d < least {
				best, least = i, d
			}
		}
	}
	return best
}
