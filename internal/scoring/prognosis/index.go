package prognosis

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/optria-iq/optria/internal/scoring/features"
	"github.com/optria-iq/optria/internal/scoring/regime"
)

// index is a degradation index: a weighted sum of the standardised signals that
// averages out noise no single signal would let the trees see through. Weights
// are regimes × signals: what a signal tells depends on the operating point.
type index [][]float64

// value returns the index at a row, NaN when signals are missing.
func (x index) value(regime int, signals []float64) float64 {
	sum := 0.0
	for i, v := range signals {
		sum += x[regime][i] * v
	}
	return sum
}

func (x index) check(regimes, signals int) error {
	if len(x) != regimes {
		return errors.New("a degradation index lacks regimes")
	}
	for _, w := range x {
		if len(w) != signals {
			return errors.New("a degradation index lacks signals")
		}
	}
	return nil
}

const (
	modes      = 2     // ways of failing that are told apart
	components = 3     // directions in which lives end
	prior      = 300.0 // weight, in rows, of the pull of a regression to its prior
	lateRows   = 20    // rows before the end that show how a life ended
)

// learnIndices finds the degradation indices: regressions of the remaining life
// on the signals, per regime, over all lives and over the lives that ended in
// either of two ways; and the principal directions in which lives moved away
// from their own beginning.
func (m *Model) learnIndices(units []Unit) ([]index, error) {
	ends := make([][]float64, len(units))
	scatter := mat.NewSymDense(len(m.signals), nil)
	for u, unit := range units {
		ends[u] = m.ending(unit, scatter)
	}
	ways := regime.Cluster(ends, modes, m.config.Seed)
	all, byWay := newRegressions(m, 1)[0], newRegressions(m, len(ways))
	for u, unit := range units {
		way, _ := regime.Nearest(ways, ends[u])
		m.signalRows(unit, func(k, back int, z []float64) {
			left := min(float64(back)+unit.Remaining, m.config.Cap)
			all.add(k, z, left)
			byWay[way].add(k, z, left)
		})
	}
	general, err := all.index(nil)
	if err != nil {
		return nil, err
	}
	out := []index{general}
	for _, r := range byWay {
		special, err := r.index(general)
		if err != nil {
			return nil, err
		}
		out = append(out, special)
	}
	directions, err := m.directions(scatter)
	return append(out, directions...), err
}

// signalRows calls visit with the regime, the rows that follow and the
// standardised signals, missing ones 0, at every row of a life.
func (m *Model) signalRows(u Unit, visit func(k, back int, z []float64)) {
	row, z := make([]float64, len(m.config.Signals)), make([]float64, len(m.signals))
	for t := range u.Rows {
		k := m.scaler.Standardise(row, u.Rows[t])
		for i, j := range m.signals {
			z[i] = 0
			if !math.IsNaN(row[j]) {
				z[i] = row[j]
			}
		}
		visit(k, len(u.Rows)-1-t, z)
	}
}

// ending returns how far the signals moved from the beginning of a life to its
// end and adds the outer products of its late rows to scatter.
func (m *Model) ending(u Unit, scatter *mat.SymDense) []float64 {
	life := features.NewLife(len(m.signals))
	shift := make([]float64, len(m.signals))
	m.signalRows(u, func(_, back int, z []float64) {
		life.Add(z)
		if back >= lateRows {
			return
		}
		for i := range shift {
			shift[i] = life.Shift(i)
		}
		scatter.SymRankOne(scatter, 1, mat.NewVecDense(len(shift), shift))
	})
	return shift
}

// directions returns the principal components of the scatter as indices with
// the same weights in every regime.
func (m *Model) directions(scatter *mat.SymDense) ([]index, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(scatter, true) {
		return nil, errors.New("the principal directions do not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	n := len(m.signals)
	out := make([]index, 0, components)
	for c := range min(components, n) {
		x := make(index, len(m.scaler.Centroids))
		for k := range x {
			x[k] = mat.Col(nil, n-1-c, &vectors)
		}
		out = append(out, x)
	}
	return out, nil
}

// regressions are the normal equations of the remaining life on the signals and
// a constant, one system per regime.
type regressions struct {
	xx []*mat.SymDense
	xy []*mat.VecDense
}

func newRegressions(m *Model, n int) []regressions {
	width := len(m.signals) + 1
	out := make([]regressions, n)
	for i := range out {
		for range m.scaler.Centroids {
			out[i].xx = append(out[i].xx, mat.NewSymDense(width, nil))
			out[i].xy = append(out[i].xy, mat.NewVecDense(width, nil))
		}
	}
	return out
}

func (r regressions) add(k int, z []float64, left float64) {
	x := mat.NewVecDense(len(z)+1, append(append(make([]float64, 0, len(z)+1), z...), 1))
	r.xx[k].SymRankOne(r.xx[k], 1, x)
	r.xy[k].AddScaledVec(r.xy[k], left, x)
}

// index solves the systems: that of all regimes together pulled towards 0, that
// of each regime towards what was found for all, or towards the general index
// when there is one. Weights are scaled to cycles of life gone.
func (r regressions) index(general index) (index, error) {
	width := r.xy[0].Len()
	whole, right := mat.NewSymDense(width, nil), mat.NewVecDense(width, nil)
	for k := range r.xx {
		whole.AddSym(whole, r.xx[k])
		right.AddVec(right, r.xy[k])
	}
	start, err := solve(whole, right, make([]float64, width-1))
	if err != nil {
		return nil, err
	}
	out := make(index, len(r.xx))
	for k := range out {
		from := start
		if general != nil {
			from = general[k]
		}
		if out[k], err = solve(r.xx[k], r.xy[k], from); err != nil {
			return nil, fmt.Errorf("regime %d: %w", k+1, err)
		}
	}
	return out, nil
}

// solve returns the slopes of a ridge regression that is pulled towards from.
func solve(xx *mat.SymDense, xy *mat.VecDense, from []float64) ([]float64, error) {
	n := len(from)
	a, b := mat.NewSymDense(n+1, nil), mat.VecDenseCopyOf(xy)
	a.CopySym(xx)
	for i := range n + 1 {
		a.SetSym(i, i, a.At(i, i)+prior)
		if i < n {
			b.SetVec(i, b.AtVec(i)+prior*from[i])
		}
	}
	a.SetSym(n, n, max(xx.At(n, n), 1e-9)) // the constant is not pulled
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return nil, errors.New("the regression on the signals has no solution")
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, b); err != nil {
		return nil, fmt.Errorf("solve the regression: %w", err)
	}
	return append([]float64(nil), w.RawVector().Data[:n]...), nil
}
