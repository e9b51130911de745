package monitor

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/pca"
)

// subspace has one component per direction, the score in its standard units,
// and after them one per signal, its difference from what the other signals
// say it should be.
type subspace struct {
	model  *pca.Model
	others *pca.Others
}

func newSubspace(m *pca.Model) (*subspace, error) {
	others, err := m.Others()
	if err != nil {
		return nil, err
	}
	return &subspace{model: m, others: others}, nil
}

func (s *subspace) window() int     { return s.model.Lags + 1 }
func (s *subspace) directions() int { return len(s.model.Values) }
func (s *subspace) size() int       { return s.directions() + s.model.Signals() }

func (s *subspace) residual(dst, expected []float64, window [][]float64) {
	vector := s.vector(window)
	scores, signals := dst[:s.directions()], dst[s.directions():]
	s.model.Scores(scores, vector)
	for k := range scores {
		scores[k] /= math.Sqrt(s.model.Values[k])
	}
	s.others.Predict(expected, signals, vector[:len(signals)])
	newest := window[len(window)-1]
	for j := range signals {
		expected[j] = s.model.Mean[j] + s.model.Scale[j]*expected[j]
		signals[j] = within(signals[j], furthest)
		if math.IsNaN(newest[j]) {
			signals[j] = math.NaN()
		}
	}
}

// vector takes a missing reading for what it was last in the window, and for
// its mean when it was not seen there: a vector needs all of its variables.
func (s *subspace) vector(window [][]float64) []float64 {
	p := s.model.Signals()
	vector := make([]float64, s.directions())
	row := make([]float64, p)
	for l := range window {
		for j := range row {
			row[j] = s.model.Mean[j]
			for _, earlier := range window[:len(window)-l] {
				if !math.IsNaN(earlier[j]) {
					row[j] = earlier[j]
				}
			}
		}
		s.model.Standardise(vector[l*p:(l+1)*p], row)
	}
	for i, v := range vector {
		vector[i] = within(v, furthest)
	}
	return vector
}

func (s *subspace) groups() []group {
	k, d := s.model.Components, s.directions()
	out := []group{
		{Name: Level, From: d, To: s.size(), Largest: true},
		{Name: Noise, From: d, To: s.size(), Largest: true, Energy: true},
		{Name: T2, To: k},
	}
	if k < d {
		out = append(out, group{Name: SPE, From: k, To: d}, group{Name: SPENoise, From: k, To: d, Energy: true})
	}
	return out
}

// signals is where the components of the signals begin.
func (s *subspace) signals() int { return s.directions() }

func (s *subspace) blame(g group, unit []float64) *blame {
	if g.Largest || g.Energy {
		return nil
	}
	weights, scale := make([]float64, s.directions()), make([]float64, s.directions())
	for k := range scale {
		scale[k] = math.Sqrt(s.model.Values[k])
	}
	for k := g.From; k < g.To; k++ {
		weights[k] = 1 / (s.model.Values[k] * unit[k] * unit[k])
	}
	return &blame{index: s.model.NewIndex(weights), scale: scale}
}

// blame spreads a statistic of directions over the signals.
type blame struct {
	index *pca.Index
	scale []float64 // score per component
}

// parts writes the reconstruction contributions of the signals into dst.
func (b *blame) parts(dst, components []float64) []float64 {
	scores := make([]float64, len(b.scale))
	for k, v := range b.scale {
		scores[k] = components[k] * v
	}
	return b.index.Contributions(dst, scores)
}
