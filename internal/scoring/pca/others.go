package pca

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Others predicts every signal from all the other signals of the same row: the
// linear regression that their covariance implies, with the variance floor of
// the model on its diagonal (ridge). A fault of one signal does not move what
// that signal is expected to read.
type Others struct {
	precision *mat.SymDense // inverse covariance of the p signals
}

// Others builds the predictions from the model's covariance of a row.
func (m *Model) Others() (*Others, error) {
	p := len(m.Mean)
	cov := mat.NewSymDense(p, nil)
	for k, v := range m.Loadings {
		cov.SymRankOne(cov, m.Values[k], mat.NewVecDense(p, v[:p]))
	}
	for j := range p {
		cov.SetSym(j, j, cov.At(j, j)+floor)
	}
	var c mat.Cholesky
	if !c.Factorize(cov) {
		return nil, errors.New("the covariance of the signals has no inverse")
	}
	o := &Others{precision: mat.NewSymDense(p, nil)}
	if err := c.InverseTo(o.precision); err != nil {
		return nil, fmt.Errorf("invert the covariance of the signals: %w", err)
	}
	return o, nil
}

// Predict writes, per signal of a row in standard units, what the others say
// it should be into expected, and by how much it differs in standard
// deviations of that difference into residual.
func (o *Others) Predict(expected, residual, row []float64) {
	p := len(row)
	var product mat.VecDense
	product.MulVec(o.precision, mat.NewVecDense(p, row))
	for j := range row {
		own := o.precision.At(j, j)
		expected[j] = row[j] - product.AtVec(j)/own
		residual[j] = product.AtVec(j) / math.Sqrt(own)
	}
}
