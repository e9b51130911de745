package gbt

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// given returns the mean prediction of a subtree when only the columns of the
// set are known: unknown splits go both ways by cover.
func given(t *tree, at int32, row []float64, set uint) float64 {
	n := &t.nodes[at]
	if n.right == 0 {
		return n.value
	}
	if set&(1<<n.column) == 0 {
		l, r := t.nodes[at+1].cover, t.nodes[n.right].cover
		return (l*given(t, at+1, row, set) + r*given(t, n.right, row, set)) / (l + r)
	}
	if n.goesLeft(row) {
		return given(t, at+1, row, set)
	}
	return given(t, n.right, row, set)
}

// TestExplainIsTheShapleyValue compares Explain with the definition: the mean
// over all orders of the columns of what a column adds.
func TestExplainIsTheShapleyValue(t *testing.T) {
	t.Parallel()
	const columns = 5
	rng := rand.New(rand.NewPCG(8, 8))
	rows, targets := make([][]float64, 800), make([]float64, 800)
	for i := range rows {
		x := make([]float64, columns)
		for j := range x {
			x[j] = rng.NormFloat64()
		}
		if i%4 == 0 {
			x[1] = math.NaN()
		}
		rows[i], targets[i] = x, x[0]*x[2]+math.Max(x[3], 0)
	}
	m, err := Fit(context.Background(), rows, targets, nil, Config{Trees: 12, MaxDepth: 7, MinRows: 3, RowShare: 0.8, LearningRate: 0.3})
	require.NoError(t, err)
	factorial := []float64{1, 1, 2, 6, 24, 120}
	for _, row := range rows[:40] {
		e := m.Explain(row)
		sum := e.Base
		for j := range columns {
			want := 0.0
			for set := range uint(1 << columns) {
				if set&(1<<j) != 0 {
					continue
				}
				size := bits.OnesCount(set)
				share := factorial[size] * factorial[columns-size-1] / factorial[columns]
				for k := range m.trees {
					want += share * (given(&m.trees[k], 0, row, set|1<<j) - given(&m.trees[k], 0, row, set))
				}
			}
			require.InDelta(t, want, e.Contributions[j], 1e-10)
			sum += e.Contributions[j]
		}
		require.InDelta(t, m.Raw(row), sum, 1e-10)
	}
}

func stored(t *testing.T) (m *Model, b []byte, rows [][]float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 5))
	rows, targets := make([][]float64, 200), make([]float64, 200)
	for i := range rows {
		rows[i] = []float64{rng.Float64(), rng.Float64(), math.NaN()}
		targets[i] = float64(i % 2)
	}
	m, err := Fit(context.Background(), rows, targets, nil, Config{Loss: Logistic, Trees: 4, MaxLeaves: 6})
	require.NoError(t, err)
	b, err = m.MarshalBinary()
	require.NoError(t, err)
	return m, b, rows
}

func TestStoredModelIsTheSame(t *testing.T) {
	t.Parallel()
	m, b, rows := stored(t)
	var back Model
	require.NoError(t, back.UnmarshalBinary(b))
	for _, row := range rows {
		require.Equal(t, m.Predict(row), back.Predict(row))
		require.Equal(t, m.Explain(row), back.Explain(row))
	}
	again, err := back.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, b, again)
}

func TestDamagedModelIsRefused(t *testing.T) {
	t.Parallel()
	_, b, _ := stored(t)
	var m Model
	for n := range b {
		require.Error(t, m.UnmarshalBinary(b[:n]))
	}
	for i := range b {
		damaged := append([]byte(nil), b...)
		damaged[i] ^= 0x41
		require.Error(t, m.UnmarshalBinary(damaged))
	}
	require.Equal(t, Model{}, m)
}

// FuzzUnmarshal repairs the checksum so that the structure itself is attacked.
func FuzzUnmarshal(f *testing.F) {
	m := Model{columns: 2, trees: []tree{{nodes: []node{{right: 2, cover: 3}, {value: 1, cover: 1}, {value: 2, cover: 2}}}}}
	b, err := m.MarshalBinary()
	require.NoError(f, err)
	f.Add(b[len(magic) : len(b)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		sealed := seal(append([]byte(magic), body...))
		var read Model
		if read.UnmarshalBinary(sealed) != nil {
			return
		}
		read.Explain([]float64{1, math.NaN()})
		again, err := read.MarshalBinary()
		require.NoError(t, err)
		var back Model
		require.NoError(t, back.UnmarshalBinary(again))
	})
}
