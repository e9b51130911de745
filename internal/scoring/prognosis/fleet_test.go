package prognosis_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

var signals = []string{"load", "temperature", "vibration", "pressure", "flow", "serial"}

// fleet draws lives that wear at different rates from an unknown moment on. The
// load switches between two operating points that move every signal; serial is
// constant.
func fleet(n int, seed uint64) []prognosis.Unit {
	rng := rand.New(rand.NewPCG(seed, 7))
	units := make([]prognosis.Unit, n)
	for u := range units {
		length := 120 + rng.IntN(120)
		onset, offset := 0.2+0.4*rng.Float64(), 0.3*rng.NormFloat64()
		var rows [][]float64
		for t := range length {
			wear := max(0, float64(t)/float64(length-1)-onset) / (1 - onset)
			wear = 8 * wear * wear
			load := float64(rng.IntN(2))
			noise := rng.NormFloat64
			rows = append(rows, []float64{
				load + 0.001*noise(), 60 + 20*load + offset + wear + noise(), 2 + load + 0.8*wear + noise(),
				9 - 3*load - 0.5*wear + noise(), 100 + 50*load + noise(), 4711,
			})
		}
		units[u] = prognosis.Unit{ID: fmt.Sprintf("P-%03d", u+1), Rows: rows}
	}
	return units
}

func config() prognosis.Config {
	return prognosis.Config{Signals: signals, Operating: []int{0}, Cap: 80, Folds: 3, Trees: 80, Seed: 5}
}

func fit(t testing.TB, units []prognosis.Unit, c prognosis.Config) *prognosis.Model {
	t.Helper()
	m, err := prognosis.Fit(context.Background(), units, c)
	require.NoError(t, err)
	return m
}

func predict(t testing.TB, m *prognosis.Model, rows [][]float64) prognosis.Prediction {
	t.Helper()
	p, err := m.Predict(rows)
	require.NoError(t, err)
	return p
}

func sum(p prognosis.Prediction) float64 {
	total := p.Base
	for _, c := range p.Contributions {
		total += c.Value
	}
	return total
}

func sane(t *testing.T, p prognosis.Prediction) {
	t.Helper()
	require.False(t, math.IsNaN(p.Remaining+p.Lo+p.Hi+p.Raw+p.Base))
	require.True(t, p.Lo <= p.Remaining && p.Remaining <= p.Hi && p.Lo >= 0, "%+v", p)
	require.InDelta(t, p.Raw, sum(p), 1e-9)
	last := 0.0
	for h := -1.0; h < 200; h += 7 {
		q := p.FailureWithin(h)
		require.True(t, q >= last && q <= 1, "P(fail ≤ %v) = %v after %v", h, q, last)
		last = q
	}
}
