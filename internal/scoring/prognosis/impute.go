package prognosis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// imputeRidge is added to the variances: a reading is not trusted to tell more
// about a missing one than its noise allows. Standardised signals have variance 1.
const imputeRidge = 0.1

// joint is the covariance of the standardised signals, signals × signals.
type joint [][]float64

// learnJoint sums over the rows that have all signals; without any, signals tell
// nothing about each other.
func (m *Model) learnJoint(units []Unit) joint {
	n := len(m.signals)
	sum, rows := mat.NewSymDense(n, nil), 0.0
	for _, u := range units {
		f := m.newFollower()
		for _, row := range u.Rows {
			f.standardise(row)
			if !slices.ContainsFunc(f.z, math.IsNaN) {
				sum.SymRankOne(sum, 1, mat.NewVecDense(n, f.z))
				rows++
			}
		}
	}
	out := make(joint, n)
	for i := range out {
		out[i] = make([]float64, n)
		for j := range out[i] {
			if rows > 0 {
				out[i][j] = sum.At(i, j) / rows
			}
		}
	}
	return out
}

// imputer fills missing signals with what the others let expect. It keeps the
// coefficients of the last pattern of missing signals: a lost sensor stays lost.
type imputer struct {
	cov          joint
	known, lost  []int
	coefficients mat.Dense // lost × known
}

// fill returns z with missing signals replaced; all missing stay missing. The
// result is valid until z changes.
func (p *imputer) fill(dst, z []float64) []float64 {
	if !slices.ContainsFunc(z, math.IsNaN) {
		return z
	}
	known, lost := make([]int, 0, len(z)), make([]int, 0, len(z))
	for i, v := range z {
		if math.IsNaN(v) {
			lost = append(lost, i)
		} else {
			known = append(known, i)
		}
	}
	copy(dst, z)
	if len(known) == 0 {
		return dst
	}
	if !slices.Equal(lost, p.lost) {
		p.known, p.lost = known, lost
		p.solve()
	}
	for a, i := range p.lost {
		dst[i] = 0
		for b, j := range p.known {
			dst[i] += p.coefficients.At(a, b) * z[j]
		}
	}
	return dst
}

// solve computes the regression of the lost on the known signals; without a
// solution the lost ones are taken for average.
func (p *imputer) solve() {
	k := len(p.known)
	among, across := mat.NewSymDense(k, nil), mat.NewDense(k, len(p.lost), nil)
	for a, i := range p.known {
		for b, j := range p.known[a:] {
			among.SetSym(a, a+b, p.cov[i][j])
		}
		among.SetSym(a, a, p.cov[i][i]+imputeRidge)
		for b, j := range p.lost {
			across.Set(a, b, p.cov[i][j])
		}
	}
	var chol mat.Cholesky
	var solution mat.Dense
	if !chol.Factorize(among) || chol.SolveTo(&solution, across) != nil {
		solution = *mat.NewDense(k, len(p.lost), nil)
	}
	p.coefficients = *mat.DenseCopyOf(solution.T())
}
