package mip

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// lpTerms is how many terms stand on one line of an LP file.
const lpTerms = 8

// WriteLP writes the model in the CPLEX LP format with columns c0, c1 … and
// rows r0, r1 …. A range becomes two rows, the second with the suffix "_low";
// an objective offset becomes a column fixed at 1, and a row without entries
// keeps its sides behind a column that counts nothing.
func (m *Model) WriteLP(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprint(b, "Minimize\n obj:")
	m.lpObjective(b)
	fmt.Fprint(b, "\nSubject To\n")
	for i := range m.RowLower {
		m.lpRow(b, i)
	}
	fmt.Fprint(b, "Bounds\n")
	m.lpBounds(b)
	m.lpIntegers(b)
	fmt.Fprint(b, "End\n")
	return b.Flush()
}

func (m *Model) lpObjective(b *bufio.Writer) {
	for j, cost := range m.Cost {
		if cost != 0 {
			lpTerm(b, j, cost, fmt.Sprintf("c%d", j))
		}
	}
	if m.Offset != 0 {
		lpTerm(b, 0, m.Offset, "offset")
	}
	fmt.Fprintf(b, " + 0 %s", m.lpNothing()) // an objective must not be empty
}

// lpNothing names a column for terms that count nothing.
func (m *Model) lpNothing() string {
	if m.Columns() == 0 {
		return "nothing"
	}
	return "c0"
}

func lpTerm(b *bufio.Writer, position int, value float64, name string) {
	sign := '+'
	if value < 0 {
		sign = '-'
	}
	if position > 0 && position%lpTerms == 0 {
		fmt.Fprint(b, "\n ")
	}
	fmt.Fprintf(b, " %c %s %s", sign, number(math.Abs(value)), name)
}

func (m *Model) lpRow(b *bufio.Writer, i int) {
	lower, upper := m.RowLower[i], m.RowUpper[i]
	switch {
	case lower == upper:
		m.lpSide(b, fmt.Sprintf("r%d", i), i, "=", upper)
		return
	case !math.IsInf(upper, 1):
		m.lpSide(b, fmt.Sprintf("r%d", i), i, "<=", upper)
		if !math.IsInf(lower, -1) {
			m.lpSide(b, fmt.Sprintf("r%d_low", i), i, ">=", lower)
		}
	case !math.IsInf(lower, -1):
		m.lpSide(b, fmt.Sprintf("r%d", i), i, ">=", lower)
	}
}

func (m *Model) lpSide(b *bufio.Writer, name string, i int, relation string, side float64) {
	fmt.Fprintf(b, " %s:", name)
	if m.RowStart[i] == m.RowStart[i+1] {
		fmt.Fprintf(b, " 0 %s", m.lpNothing())
	}
	for k := m.RowStart[i]; k < m.RowStart[i+1]; k++ {
		lpTerm(b, int(k-m.RowStart[i]), m.Value[k], fmt.Sprintf("c%d", m.Index[k]))
	}
	fmt.Fprintf(b, " %s %s\n", relation, number(side))
}

func (m *Model) lpBounds(b *bufio.Writer) {
	if m.Offset != 0 {
		fmt.Fprint(b, " offset = 1\n")
	}
	if m.Columns() == 0 {
		fmt.Fprintf(b, " %s = 0\n", m.lpNothing())
	}
	for j := range m.Cost {
		lower, upper := m.Lower[j], m.Upper[j]
		switch {
		case lower == upper:
			fmt.Fprintf(b, " c%d = %s\n", j, number(lower))
		case math.IsInf(lower, -1) && math.IsInf(upper, 1):
			fmt.Fprintf(b, " c%d free\n", j)
		default:
			fmt.Fprintf(b, " %s <= c%d <= %s\n", lpNumber(lower), j, lpNumber(upper))
		}
	}
}

func lpNumber(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+inf"
	case math.IsInf(v, -1):
		return "-inf"
	default:
		return number(v)
	}
}

func (m *Model) lpIntegers(b *bufio.Writer) {
	header := false
	for j, integer := range m.Integer {
		if !integer {
			continue
		}
		if !header {
			fmt.Fprint(b, "General\n")
			header = true
		}
		fmt.Fprintf(b, " c%d\n", j)
	}
}
