// Package mip states mixed-integer linear programs and solves them with HiGHS
// in a child process: the embedded WebAssembly build by default, a native
// binary when OPTRIA_HIGHS names one or "highs" is on the PATH. Every point
// handed back has been checked against the model as it was given.
package mip

import (
	"fmt"
	"math"
)

// Model is a program to minimise. Rows are compressed: row i has the entries
// RowStart[i] … RowStart[i+1]−1 of Index and Value. Build it with Column and
// Row.
type Model struct {
	Name               string
	Cost, Lower, Upper []float64
	Integer            []bool
	RowLower, RowUpper []float64
	RowStart, Index    []int32
	Value              []float64
	Offset             float64
	Hint               []float64 // start point, NaN where unknown; nil for none
}

// Term is one entry of a row.
type Term struct {
	Column int
	Value  float64
}

// New returns an empty model.
func New(name string) *Model { return &Model{Name: name, RowStart: []int32{0}} }

// Column adds a variable and returns its index. Bounds may be infinite.
func (m *Model) Column(cost, lower, upper float64, integer bool) int {
	m.Cost = append(m.Cost, cost)
	m.Lower = append(m.Lower, lower)
	m.Upper = append(m.Upper, upper)
	m.Integer = append(m.Integer, integer)
	return len(m.Cost) - 1
}

// Binary adds a variable that is 0 or 1.
func (m *Model) Binary(cost float64) int { return m.Column(cost, 0, 1, true) }

// Row adds lower ≤ Σ terms ≤ upper and returns its index.
func (m *Model) Row(lower, upper float64, terms ...Term) int {
	for _, t := range terms {
		if t.Value != 0 {
			m.Index = append(m.Index, int32(t.Column))
			m.Value = append(m.Value, t.Value)
		}
	}
	m.RowStart = append(m.RowStart, int32(len(m.Index)))
	m.RowLower = append(m.RowLower, lower)
	m.RowUpper = append(m.RowUpper, upper)
	return len(m.RowLower) - 1
}

// Columns returns the number of variables.
func (m *Model) Columns() int { return len(m.Cost) }

// Rows returns the number of constraints.
func (m *Model) Rows() int { return len(m.RowLower) }

// Relaxed returns the linear relaxation; it shares all other arrays.
func (m *Model) Relaxed() *Model {
	r := *m
	r.Integer = make([]bool, len(m.Integer))
	return &r
}

// Objective returns the cost of a point.
func (m *Model) Objective(x []float64) float64 {
	total := m.Offset
	for j, c := range m.Cost {
		total += c * x[j]
	}
	return total
}

// Tolerance is the absolute violation that Check accepts, scaled by the size
// of a row's sides when they exceed 1.
const Tolerance = 1e-6

// Check returns an error naming the first bound, integrality condition or row
// that x violates by more than Tolerance.
func (m *Model) Check(x []float64) error {
	if len(x) != m.Columns() {
		return fmt.Errorf("point has %d values, model has %d columns", len(x), m.Columns())
	}
	for j, v := range x {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return fmt.Errorf("column %d is not a number", j)
		case outside(v, m.Lower[j], m.Upper[j]):
			return fmt.Errorf("column %d = %g outside [%g, %g]", j, v, m.Lower[j], m.Upper[j])
		case m.Integer[j] && math.Abs(v-math.Round(v)) > Tolerance:
			return fmt.Errorf("column %d = %g is not an integer", j, v)
		}
	}
	for i := range m.RowLower {
		sum := 0.0
		for k := m.RowStart[i]; k < m.RowStart[i+1]; k++ {
			sum += m.Value[k] * x[m.Index[k]]
		}
		if outside(sum, m.RowLower[i], m.RowUpper[i]) {
			return fmt.Errorf("row %d = %g outside [%g, %g]", i, sum, m.RowLower[i], m.RowUpper[i])
		}
	}
	return nil
}

func outside(v, lower, upper float64) bool {
	return v < lower-Tolerance*math.Max(1, math.Abs(lower)) || v > upper+Tolerance*math.Max(1, math.Abs(upper))
}

// rounded returns x with its integer columns at whole numbers.
func (m *Model) rounded(x []float64) []float64 {
	out := append([]float64(nil), x...)
	for j, integer := range m.Integer {
		if integer && j < len(out) {
			out[j] = math.Round(out[j])
		}
	}
	return out
}

// validate refuses a model whose arrays do not fit together.
func (m *Model) validate() error {
	n, r := m.Columns(), m.Rows()
	if len(m.Lower) != n || len(m.Upper) != n || len(m.Integer) != n || len(m.RowUpper) != r || len(m.RowStart) != r+1 || len(m.Index) != len(m.Value) {
		return fmt.Errorf("model %q: array lengths do not agree", m.Name)
	}
	if m.Hint != nil && len(m.Hint) != n {
		return fmt.Errorf("model %q: hint has %d values, want %d", m.Name, len(m.Hint), n)
	}
	for k, j := range m.Index {
		if int(j) >= n || j < 0 || math.IsNaN(m.Value[k]) || math.IsInf(m.Value[k], 0) {
			return fmt.Errorf("model %q: entry %d is malformed", m.Name, k)
		}
	}
	for j, c := range m.Cost {
		if math.IsNaN(c) || math.IsInf(c, 0) || math.IsNaN(m.Lower[j]) || math.IsNaN(m.Upper[j]) {
			return fmt.Errorf("model %q: column %d is not a number", m.Name, j)
		}
	}
	return nil
}
