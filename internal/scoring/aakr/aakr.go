// Package aakr reconstructs what a set of signals should read from memory of
// how they read when healthy: auto-associative kernel regression (Hines and
// Garvey, 2006), the similarity method also known from MSET. The difference
// between reading and reconstruction is the residual that anomaly detection
// works on.
package aakr

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// clip bounds what one signal can add to a distance, in standard units. Without
// it a single failed signal would push the query away from all memory and drag
// the reconstruction of the sound signals with it.
const clip = 3.0

// negligible is the exponent beyond which a vector's weight, below 1e-13 of
// the nearest one's, is not worth computing.
const negligible = 30

// Model is a fitted memory matrix.
type Model struct {
	inverse []float64   // one per signal: distances are taken in units of its inverse
	memory  [][]float64 // selected vectors, in original units
	width   float64     // kernel bandwidth in standard units
}

// Fit selects up to size vectors from rows (samples × signals, all finite) and
// sets the kernel width from their spacing. scale holds one positive unit of
// distance per signal.
func Fit(rows [][]float64, scale []float64, size int) (*Model, error) {
	if len(rows) == 0 || size < 1 {
		return nil, fmt.Errorf("fit memory: no rows")
	}
	if err := check(rows, scale); err != nil {
		return nil, fmt.Errorf("fit memory: %w", err)
	}
	m := &Model{inverse: inverses(scale)}
	m.memory = selectMemory(rows, scale, size)
	m.width = m.spacing()
	return m, nil
}

// Size returns the number of vectors in memory.
func (m *Model) Size() int { return len(m.memory) }

// Reconstruct writes the expected value of every signal of x into dst, which
// must have the same length, and returns it. A NaN in x is a missing reading:
// the other signals alone decide what it should have been.
func (m *Model) Reconstruct(dst, x []float64) []float64 {
	var room [128]float64 // keeps the usual memory off the heap
	weights := room[:0]
	least := math.Inf(1)
	for _, v := range m.memory {
		d := m.distance2(x, v)
		weights = append(weights, d)
		least = min(least, d)
	}
	// Subtracting the least distance leaves the ratios of the weights as they
	// are and keeps a far query from underflowing to all zeros.
	h := 1 / (2 * m.width * m.width)
	total := 0.0
	for j := range dst {
		dst[j] = 0
	}
	for i, d := range weights {
		if d = (d - least) * h; d < negligible {
			w := decay(d)
			total += w
			floats.AddScaled(dst, w, m.memory[i])
		}
	}
	floats.Scale(1/total, dst)
	return dst
}

// distance2 is the squared distance with every signal's part clipped; that of a
// missing reading is the same for all vectors and so decides nothing. It is
// where scoring spends most of its time, hence two sums that do not wait for
// each other.
func (m *Model) distance2(a, b []float64) float64 {
	inverse := m.inverse
	a, b = a[:len(inverse)], b[:len(inverse)]
	even, odd, j := 0.0, 0.0, 0
	for ; j+1 < len(inverse); j += 2 {
		even += clipped((a[j] - b[j]) * inverse[j])
		odd += clipped((a[j+1] - b[j+1]) * inverse[j+1])
	}
	if j < len(inverse) {
		even += clipped((a[j] - b[j]) * inverse[j])
	}
	return even + odd
}

// clipped is d² but at most clip², also for NaN. Squares have no sign, so their
// bits are ordered like the numbers, with NaN last; this takes no branch.
func clipped(d float64) float64 {
	return math.Float64frombits(min(math.Float64bits(d*d), mostBits))
}

var mostBits = math.Float64bits(clip * clip)

// spacing returns the median distance from a memory vector to its third
// nearest neighbour: wide enough to average noise, narrow enough to follow
// the operating point.
func (m *Model) spacing() float64 {
	near := make([][neighbour]float64, len(m.memory)) // least distances, ascending
	for i := range near {
		near[i] = [neighbour]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
	}
	for i := range m.memory {
		for k := i + 1; k < len(m.memory); k++ {
			d := m.distance2(m.memory[i], m.memory[k])
			insert(&near[i], d)
			insert(&near[k], d)
		}
	}
	third := make([]float64, 0, len(near))
	for _, d := range near {
		if last := min(neighbour, len(near)-1); last > 0 {
			third = append(third, math.Sqrt(d[last-1]))
		}
	}
	if len(third) == 0 {
		return 1
	}
	slices.Sort(third)
	return max(third[len(third)/2], 0.1)
}

// neighbour is the rank of the vector whose distance sets the kernel width.
const neighbour = 3

// insert puts d in its place among the least distances.
func insert(least *[neighbour]float64, d float64) {
	for i := range least {
		if d < least[i] {
			d, least[i] = least[i], d
		}
	}
}

// selectMemory keeps the rows with the least and the greatest value of every
// signal, so that the reconstruction spans the healthy range, and fills up
// with rows evenly spaced in order of their norm. Ties keep the earlier row.
func selectMemory(rows [][]float64, scale []float64, size int) [][]float64 {
	chosen := make([]bool, len(rows))
	left := size
	take := func(i int) {
		if !chosen[i] && left > 0 {
			chosen[i] = true
			left--
		}
	}
	for j := range scale {
		lo, hi := 0, 0
		for i, r := range rows {
			if r[j] < rows[lo][j] {
				lo = i
			}
			if r[j] > rows[hi][j] {
				hi = i
			}
		}
		take(lo)
		take(hi)
	}
	order := byNorm(rows, scale)
	step := max(float64(len(order))/float64(max(left, 1)), 1)
	for f := step / 2; f < float64(len(order)); f += step {
		take(order[int(f)])
	}
	memory := make([][]float64, 0, size)
	for i, r := range rows {
		if chosen[i] {
			memory = append(memory, slices.Clone(r))
		}
	}
	return memory
}

// byNorm returns row numbers by ascending distance from the mean row.
func byNorm(rows [][]float64, scale []float64) []int {
	mean := make([]float64, len(scale))
	for _, r := range rows {
		floats.AddScaled(mean, 1/float64(len(rows)), r)
	}
	norm := make([]float64, len(rows))
	order := make([]int, len(rows))
	for i, r := range rows {
		order[i] = i
		for j := range r {
			d := (r[j] - mean[j]) / scale[j]
			norm[i] += d * d
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case norm[a] < norm[b]:
			return -1
		case norm[a] > norm[b]:
			return 1
		}
		return 0
	})
	return order
}
