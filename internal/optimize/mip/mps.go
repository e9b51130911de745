package mip

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
)

// WriteMPS writes the model in free MPS with columns c0, c1 … and rows r0,
// r1 …; ranges and an objective offset are kept.
func (m *Model) WriteMPS(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	name := m.Name
	if name == "" {
		name = "model"
	}
	fmt.Fprintf(b, "NAME %s FREE\nROWS\n N obj\n", name)
	for i := range m.RowLower {
		fmt.Fprintf(b, " %c r%d\n", m.rowKind(i), i)
	}
	m.writeColumns(b)
	m.writeSides(b)
	m.writeBounds(b)
	fmt.Fprintln(b, "ENDATA")
	return b.Flush()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func (m *Model) rowKind(i int) byte {
	switch {
	case m.RowLower[i] == m.RowUpper[i]:
		return 'E'
	case !math.IsInf(m.RowUpper[i], 1):
		return 'L'
	case !math.IsInf(m.RowLower[i], -1):
		return 'G'
	default:
		return 'N'
	}
}

// byColumn returns the transposed entries: start, row and value per column.
func (m *Model) byColumn() (start, rows []int32, values []float64) {
	start = make([]int32, m.Columns()+1)
	for _, j := range m.Index {
		start[j+1]++
	}
	for j := 0; j < m.Columns(); j++ {
		start[j+1] += start[j]
	}
	rows, values = make([]int32, len(m.Index)), make([]float64, len(m.Index))
	next := append([]int32(nil), start...)
	for i := range m.RowLower {
		for k := m.RowStart[i]; k < m.RowStart[i+1]; k++ {
			at := next[m.Index[k]]
			rows[at], values[at] = int32(i), m.Value[k]
			next[m.Index[k]]++
		}
	}
	return start, rows, values
}

func (m *Model) writeColumns(b *bufio.Writer) {
	start, rows, values := m.byColumn()
	fmt.Fprintln(b, "COLUMNS")
	marker, inside := 0, false
	mark := func() {
		kind := "INTORG"
		if inside {
			kind = "INTEND"
		}
		fmt.Fprintf(b, " M%d 'MARKER' '%s'\n", marker, kind)
		marker++
		inside = !inside
	}
	for j := range m.Cost {
		if m.Integer[j] != inside {
			mark()
		}
		fmt.Fprintf(b, " c%d obj %s\n", j, number(m.Cost[j]))
		for k := start[j]; k < start[j+1]; k++ {
			fmt.Fprintf(b, " c%d r%d %s\n", j, rows[k], number(values[k]))
		}
	}
	if inside {
		mark()
	}
}

func (m *Model) writeSides(b *bufio.Writer) {
	fmt.Fprintln(b, "RHS")
	if m.Offset != 0 {
		fmt.Fprintf(b, " RHS obj %s\n", number(-m.Offset))
	}
	for i := range m.RowLower {
		side := m.RowUpper[i]
		if m.rowKind(i) == 'G' {
			side = m.RowLower[i]
		}
		if side != 0 && !math.IsInf(side, 0) {
			fmt.Fprintf(b, " RHS r%d %s\n", i, number(side))
		}
	}
	header := false
	for i := range m.RowLower {
		if m.rowKind(i) == 'L' && !math.IsInf(m.RowLower[i], -1) {
			if !header {
				fmt.Fprintln(b, "RANGES")
				header = true
			}
			fmt.Fprintf(b, " RNG r%d %s\n", i, number(m.RowUpper[i]-m.RowLower[i]))
		}
	}
}

func (m *Model) writeBounds(b *bufio.Writer) {
	fmt.Fprintln(b, "BOUNDS")
	for j := range m.Cost {
		lower, upper := m.Lower[j], m.Upper[j]
		switch {
		case lower == upper:
			fmt.Fprintf(b, " FX BND c%d %s\n", j, number(lower))
			continue
		case math.IsInf(lower, -1) && math.IsInf(upper, 1):
			fmt.Fprintf(b, " FR BND c%d\n", j)
			continue
		case math.IsInf(lower, -1):
			fmt.Fprintf(b, " MI BND c%d\n", j)
		case lower != 0:
			fmt.Fprintf(b, " LO BND c%d %s\n", j, number(lower))
		}
		if !math.IsInf(upper, 1) {
			fmt.Fprintf(b, " UP BND c%d %s\n", j, number(upper))
		} else if m.Integer[j] {
			fmt.Fprintf(b, " PL BND c%d\n", j)
		}
	}
}
