package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/conformal"
	"github.com/optria-iq/optria/internal/scoring/pca"
)

const (
	manySignals = 30   // from here on signals are also watched together
	explained   = 0.85 // share of the variance within the subspace
	halfReach   = 0.5  // of the least residual that matters: some signal must exceed it
)

// subspace is how the signals of an asset with many of them vary together when
// healthy: principal components of the standardised rows, and what their
// statistics were on held-out rows (the roots of T² and SPE of smoothed rows).
// Many small deviations, none of which matters by itself, show here.
type subspace struct {
	model   *pca.Model
	columns []int // of the baseline: all but operating variables
	t2, spe []float64
}

// learnSubspace fits the directions to standardised healthy rows; nil with few
// signals or with fewer rows than signals.
func (b *Baseline) learnSubspace(rows [][]float64) *subspace {
	s := &subspace{columns: b.judged()}
	if len(s.columns) < manySignals || len(rows) <= len(s.columns) {
		return nil
	}
	table := make([][]float64, len(rows))
	for r, row := range rows {
		table[r] = s.pick(make([]float64, len(s.columns)), row)
	}
	model, err := pca.Fit(table, pca.Config{Explained: explained})
	if err != nil {
		return nil // unreachable with finite rows; the residuals judge alone
	}
	for _, v := range append([][]float64{model.Mean, model.Scale, model.Values}, model.Loadings...) {
		rounded(v)
	}
	s.model = model
	return s
}

// judged lists the columns that can be anomalous.
func (b *Baseline) judged() []int {
	var out []int
	for j, c := range b.columns {
		if !c.operating {
			out = append(out, j)
		}
	}
	return out
}

func (s *subspace) pick(dst, row []float64) []float64 {
	for i, j := range s.columns {
		dst[i] = row[j]
	}
	return dst
}

// together is the course of both statistics over the rows of a comparison,
// each as the root of its ratio to the limit times the tenant's factor, and
// what is needed to go on: the smoothed row and its coordinates.
type together struct {
	*subspace
	t2, spe              []float64
	picked, state, score []float64
}

// watch prepares the statistics of n rows; nil without a subspace.
func (s *subspace) watch(n int) *together {
	if s == nil {
		return nil
	}
	p := len(s.columns)
	return &together{subspace: s, t2: make([]float64, n), spe: make([]float64, n),
		picked: make([]float64, p), state: make([]float64, p), score: make([]float64, p)}
}

// next smooths a standardised row into the state and records both statistics
// of row r.
func (w *together) next(r int, row []float64) {
	w.model.Standardise(w.picked, w.pick(w.picked, row))
	for i, v := range w.picked {
		w.state[i] += smoothing * (v - w.state[i])
	}
	w.model.Scores(w.score, w.state)
	w.t2[r], w.spe[r] = math.Sqrt(w.model.T2(w.score)), math.Sqrt(w.model.SPE(w.score))
}

// hold keeps the statistics of a held-out row for the limits.
func (w *together) hold(r int) {
	w.subspace.t2 = append(w.subspace.t2, float64(float32(w.t2[r])))
	w.subspace.spe = append(w.subspace.spe, float64(float32(w.spe[r])))
}

// limits turns both courses into ratios to their limits.
func (w *together) limits(set Settings) {
	for _, c := range []struct{ course, healthy []float64 }{{w.t2, w.subspace.t2}, {w.spe, w.subspace.spe}} {
		limit, _ := conformal.Limit(c.healthy, set.AnomalyAlpha)
		limit = max(limit*set.AnomalyFactor, 1e-9)
		for r := range c.course {
			c.course[r] /= limit
		}
	}
}

// jointly is the larger ratio of both statistics of row r, as far as at least
// one signal has moved half of what matters.
func (c *comparison) jointly(r int) (t2, spe float64) {
	if c.joint == nil {
		return 0, 0
	}
	material := 0.0
	for j, e := range c.smooth[r] {
		moved := math.Abs(e) * c.columns[j].spread[c.regime[r]]
		material = max(material, moved/max(halfReach*c.reach[j], 1e-12))
	}
	return min(c.joint.t2[r], material), min(c.joint.spe[r], material)
}

// jointFindings says which statistic of the signals together is over its limit
// now, naming the signal that contributes most.
func (c *comparison) jointFindings() []Reason {
	if c.joint == nil || !c.ok {
		return nil
	}
	t2, spe := c.jointly(len(c.smooth) - 1)
	w := c.joint
	var out []Reason
	for _, s := range []struct {
		code  Code
		ratio float64
		index func() *pca.Index
	}{{CodeT2, t2, w.model.T2Index}, {CodeSPE, spe, w.model.SPEIndex}} {
		if s.ratio <= anomalyEdge {
			continue
		}
		shares := s.index().Contributions(make([]float64, len(w.columns)), w.score)
		top := 0
		for i, v := range shares {
			if v > shares[top] {
				top = i
			}
		}
		out = append(out, Reason{Code: s.code, Signal: c.Signals[w.columns[top]], Value: s.ratio, Limit: anomalyEdge})
	}
	return out
}
