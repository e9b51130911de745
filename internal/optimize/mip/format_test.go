package mip_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

// reader rebuilds a model from a file, independently of the writers: columns
// and rows by name, in the order of their names' numbers.
type reader struct {
	cost, lower, upper map[string]float64
	integer            map[string]bool
	rows               map[string]*row
	order              []string
	offset             float64
}

type row struct {
	lower, upper float64
	terms        map[string]float64
}

func newReader() *reader {
	return &reader{cost: map[string]float64{}, lower: map[string]float64{}, upper: map[string]float64{}, integer: map[string]bool{}, rows: map[string]*row{}}
}

func (r *reader) column(name string) {
	if _, known := r.cost[name]; !known {
		r.order = append(r.order, name)
		r.cost[name], r.lower[name], r.upper[name] = 0, 0, math.Inf(1)
	}
}

func (r *reader) model() *mip.Model {
	m, at := mip.New("read"), map[string]int{}
	m.Offset = r.offset
	for _, name := range r.order {
		at[name] = m.Column(r.cost[name], r.lower[name], r.upper[name], r.integer[name])
	}
	for _, w := range r.rows {
		var terms []mip.Term
		for name, v := range w.terms {
			terms = append(terms, mip.Term{Column: at[name], Value: v})
		}
		m.Row(w.lower, w.upper, terms...)
	}
	return m
}

func value(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

func readMPS(t *testing.T, text string) *mip.Model {
	t.Helper()
	r, section, integers, kinds := newReader(), "", false, map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, " ") {
			if len(f) > 0 {
				section = f[0]
			}
			continue
		}
		switch section {
		case "ROWS":
			kinds[f[1]] = f[0]
			if f[0] != "N" {
				w := &row{lower: math.Inf(-1), upper: math.Inf(1), terms: map[string]float64{}}
				r.rows[f[1]] = w
				r.side(f[0], w, 0)
			}
		case "COLUMNS":
			if f[1] == "'MARKER'" {
				integers = f[2] == "'INTORG'"
				continue
			}
			r.column(f[0])
			r.integer[f[0]] = integers
			if f[1] == "obj" {
				r.cost[f[0]] = value(t, f[2])
			} else if w := r.rows[f[1]]; w != nil {
				w.terms[f[0]] = value(t, f[2])
			}
		case "RHS":
			if f[1] == "obj" {
				r.offset = -value(t, f[2])
			} else {
				r.side(kinds[f[1]], r.rows[f[1]], value(t, f[2]))
			}
		case "RANGES":
			r.rows[f[1]].lower = r.rows[f[1]].upper - value(t, f[2])
		case "BOUNDS":
			r.bound(t, f)
		}
	}
	return r.model()
}

func (r *reader) side(kind string, w *row, v float64) {
	if kind == "L" || kind == "E" {
		w.upper = v
	}
	if kind == "G" || kind == "E" {
		w.lower = v
	}
}

func (r *reader) bound(t *testing.T, f []string) {
	t.Helper()
	switch f[0] {
	case "FX":
		r.lower[f[2]], r.upper[f[2]] = value(t, f[3]), value(t, f[3])
	case "FR", "MI":
		r.lower[f[2]] = math.Inf(-1)
	case "LO":
		r.lower[f[2]] = value(t, f[3])
	case "UP":
		r.upper[f[2]] = value(t, f[3])
	}
}

func readLP(t *testing.T, text string) *mip.Model {
	t.Helper()
	r, section := newReader(), ""
	text = strings.ReplaceAll(text, "\n  ", "  ") // continued expressions
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, " ") {
			section = line
			continue
		}
		f := strings.Fields(line)
		switch section {
		case "Minimize":
			for name, v := range r.expression(t, f[1:]) {
				r.cost[name] = v
			}
		case "Subject To":
			n := len(f)
			w := &row{lower: math.Inf(-1), upper: math.Inf(1), terms: r.expression(t, f[1:n-2])}
			r.rows[f[0]] = w
			r.side(map[string]string{"=": "E", "<=": "L", ">=": "G"}[f[n-2]], w, value(t, f[n-1]))
		case "Bounds":
			switch {
			case f[1] == "=":
				r.column(f[0])
				r.lower[f[0]], r.upper[f[0]] = value(t, f[2]), value(t, f[2])
			case f[1] == "free":
				r.column(f[0])
				r.lower[f[0]] = math.Inf(-1)
			default:
				r.column(f[2])
				r.lower[f[2]], r.upper[f[2]] = value(t, f[0]), value(t, f[4])
			}
		case "General":
			r.integer[f[0]] = true
		}
	}
	return r.model()
}

// expression reads "+ 3 c0 - 2 c1", where a leading sign may be missing.
func (r *reader) expression(t *testing.T, f []string) map[string]float64 {
	t.Helper()
	terms := map[string]float64{}
	if f[0] != "+" && f[0] != "-" {
		f = append([]string{"+"}, f...)
	}
	for ; len(f) >= 3; f = f[3:] {
		v := value(t, f[1])
		if f[0] == "-" {
			v = -v
		}
		r.column(f[2])
		terms[f[2]] += v
	}
	require.Empty(t, f)
	return terms
}

// mixed draws a model with every kind of column and row.
func mixed(seed uint64) *mip.Model {
	r := rand.New(rand.NewPCG(seed, 2))
	m := mip.New("mixed")
	m.Offset = float64(r.IntN(3) * 7)
	for range 9 {
		lower := []float64{0, -3, 1, math.Inf(-1)}[r.IntN(4)]
		upper := []float64{4, 9, math.Inf(1)}[r.IntN(3)]
		if r.IntN(6) == 0 {
			upper = max(lower, -2)
			lower = upper
		}
		m.Column(float64(r.IntN(11)-5), lower, upper, r.IntN(2) == 0)
	}
	for j := range m.Columns() { // nothing runs away
		m.Row(-20, 20, mip.Term{Column: j, Value: 1})
	}
	for range 4 {
		var terms []mip.Term
		for j := range m.Columns() {
			if r.IntN(2) == 0 {
				terms = append(terms, mip.Term{Column: j, Value: float64(r.IntN(9)-4) / 2})
			}
		}
		side := float64(r.IntN(30) - 10)
		lower, upper := math.Inf(-1), side
		switch r.IntN(4) {
		case 0:
			lower = side - 15
		case 1:
			lower, upper = side-25, math.Inf(1)
		case 2:
			lower, upper = 0, 0
		}
		m.Row(lower, upper, terms...)
	}
	return m
}

func optimum(t *testing.T, m *mip.Model) (mip.Status, float64) {
	t.Helper()
	res, err := mip.Solve(context.Background(), m, mip.Options{TimeLimit: time.Minute, Embedded: true}, nil)
	require.NoError(t, err)
	return res.Status, res.Objective
}

// TestFilesHoldTheModel: what either file says has the optimum of the model.
func TestFilesHoldTheModel(t *testing.T) {
	t.Parallel()
	feasible := 0
	for seed := range uint64(6) {
		m := mixed(seed)
		var mps, lp bytes.Buffer
		require.NoError(t, m.WriteMPS(&mps))
		require.NoError(t, m.WriteLP(&lp))
		status, want := optimum(t, m)
		for name, read := range map[string]*mip.Model{"mps": readMPS(t, mps.String()), "lp": readLP(t, lp.String())} {
			got, objective := optimum(t, read)
			require.Equal(t, status, got, "%s %d", name, seed)
			if status == mip.Optimal {
				require.InDelta(t, want, objective, 1e-6, "%s %d", name, seed)
			}
		}
		if status == mip.Optimal {
			feasible++
		}
	}
	require.Greater(t, feasible, 2)
}

// TestEmptyRowsAreKept: a row without entries whose sides exclude 0 makes a
// model infeasible, in files as well.
func TestEmptyRowsAreKept(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{0, 2} {
		m := mip.New("empty row")
		for range columns {
			m.Binary(1)
		}
		m.Row(1, 3)
		m.Row(0, 0)
		var mps, lp bytes.Buffer
		require.NoError(t, m.WriteMPS(&mps))
		require.NoError(t, m.WriteLP(&lp))
		for _, read := range []*mip.Model{readMPS(t, mps.String()), readLP(t, lp.String())} {
			status, _ := optimum(t, read)
			require.Equal(t, mip.Infeasible, status)
		}
	}
}

func TestWriteLP(t *testing.T) {
	t.Parallel()
	m := mip.New("tiny")
	m.Offset = 5
	a, b := m.Binary(-2), m.Column(1, math.Inf(-1), 7, false)
	m.Row(1, 3, mip.Term{Column: a, Value: 1}, mip.Term{Column: b, Value: 2})
	m.Row(4, 4, mip.Term{Column: b, Value: -1})
	m.Row(-1, math.Inf(1))
	var out bytes.Buffer
	require.NoError(t, m.WriteLP(&out))
	require.Equal(t, `Minimize
 obj: - 2 c0 + 1 c1 + 5 offset + 0 c0
Subject To
 r0: + 1 c0 + 2 c1 <= 3
 r0_low: + 1 c0 + 2 c1 >= 1
 r1: - 1 c1 = 4
 r2: 0 c0 >= -1
Bounds
 offset = 1
 0 <= c0 <= 1
 -inf <= c1 <= 7
General
 c0
End
`, out.String())
}
