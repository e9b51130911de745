package pca

import (
	"fmt"

	"gonum.org/v1/gonum/floats"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// Index is a quadratic statistic Σ w·t² of a vector with scores t along the
// directions: T² has the weights 1/λ on the retained directions, SPE has 1 on
// the others.
type Index struct {
	model   *Model
	weights []float64
	own     []float64 // Σ w·v² per variable: its part of the diagonal
}

// NewIndex builds the statistic with one weight per direction, 0 for a
// direction that takes no part.
func (m *Model) NewIndex(weights []float64) *Index {
	x := &Index{model: m, weights: weights, own: make([]float64, len(m.Values))}
	for k, w := range weights {
		for i, v := range m.Loadings[k] {
			x.own[i] += w * v * v
		}
	}
	return x
}

// T2Index is T² as an Index.
func (m *Model) T2Index() *Index {
	w := make([]float64, len(m.Values))
	for k := range w[:m.Components] {
		w[k] = 1 / m.Values[k]
	}
	return m.NewIndex(w)
}

// SPEIndex is SPE as an Index.
func (m *Model) SPEIndex() *Index {
	w := make([]float64, len(m.Values))
	for k := range w[m.Components:] {
		w[m.Components+k] = 1
	}
	return m.NewIndex(w)
}

// Value is the statistic of a vector with these scores.
func (x *Index) Value(scores []float64) float64 {
	sum := 0.0
	for k, w := range x.weights {
		sum += w * scores[k] * scores[k]
	}
	return sum
}

// Contributions writes, per signal, by how much the statistic of a vector with
// these scores would fall if that variable alone were set to its best value,
// summed over the lags, into dst of p and returns it. They are never negative
// (reconstruction-based contributions; Alcala and Qin, 2009).
func (x *Index) Contributions(dst, scores []float64) []float64 {
	gradient := make([]float64, len(x.own))
	for k, w := range x.weights {
		if w != 0 {
			floats.AddScaled(gradient, w*scores[k], x.model.Loadings[k])
		}
	}
	for j := range dst {
		dst[j] = 0
	}
	for i, g := range gradient {
		if x.own[i] > 1e-12 {
			dst[i%len(dst)] += g * g / x.own[i]
		}
	}
	return dst
}

// Limits returns the values of T² and SPE that a further normal row exceeds
// with probability at most alpha: conformal quantiles over rows (in ascending
// time, not those of Fit: limits taken on them are far too tight). exact is
// false when the rows are too few for that alpha and the largest value stands
// in.
func (m *Model) Limits(rows [][]float64, alpha float64) (t2, spe float64, exact bool, err error) {
	if len(rows) <= m.Lags {
		return 0, 0, false, fmt.Errorf("limits: %d rows with %d lags: give more rows", len(rows), m.Lags)
	}
	if err := sound(rows, len(m.Mean)); err != nil {
		return 0, 0, false, fmt.Errorf("limits: %w", err)
	}
	n := len(rows) - m.Lags
	within, outside := make([]float64, n), make([]float64, n)
	vector, scores := make([]float64, len(m.Values)), make([]float64, len(m.Values))
	for i := range n {
		m.Scores(scores, m.Vector(vector, rows[i:i+m.Lags+1]))
		within[i], outside[i] = m.T2(scores), m.SPE(scores)
	}
	t2, exact = conformal.Limit(within, alpha)
	spe, _ = conformal.Limit(outside, alpha)
	return t2, spe, exact, nil
}
