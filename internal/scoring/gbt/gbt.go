// Package gbt learns and evaluates gradient-boosted regression trees on
// histograms (Friedman, Annals of Statistics 29, 2001; second-order leaves after
// Chen and Guestrin, KDD 2016; leaf-wise growth on binned columns after Ke et
// al., NeurIPS 2017). Squared loss predicts a mean, logistic loss a probability.
//
// Every prediction can be explained: Explain returns exact path-dependent Shapley
// values (Lundberg et al., 2018) that sum to the raw prediction. The same rows,
// Config and seed give the same model bit for bit on any number of cores.
package gbt

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Loss names what a model minimises.
type Loss uint8

const (
	// Squared loss: targets are any finite numbers, a prediction is their mean.
	Squared Loss = iota
	// Logistic loss: targets lie in [0, 1], a prediction is a probability and
	// its raw value the log-odds.
	Logistic
)

// Config holds the hyper-parameters. Zero fields take the value in brackets.
type Config struct {
	Loss         Loss
	Trees        int     // number of boosting rounds [200]
	LearningRate float64 // shrinkage of every leaf [0.05]
	MaxLeaves    int     // leaves of a tree [31]
	MaxDepth     int     // splits from the root to a leaf [8]
	MinRows      int     // fewest sampled rows in a leaf [20]
	L2           float64 // added to the hessian sum of a leaf [1]; negative means 0
	RowShare     float64 // share of the rows that a tree sees, in (0, 1] [1]
	ColumnShare  float64 // share of the columns that a tree sees, in (0, 1] [1]
	Bins         int     // bins of a column without the one of missing values, 2–255 [255]
	Seed         uint64  // of the row and column samples
}

// Model is a fitted ensemble. It is safe for concurrent use.
type Model struct {
	loss    Loss
	columns int
	initial float64
	trees   []tree
	base    float64 // mean raw prediction over the training rows, as the trees' covers have it
}

// Fit learns a model from rows × columns of features (NaN = missing, infinities
// are ordered like numbers), one target per row and optionally one non-negative
// weight per row (nil = 1 each). It fails on ragged or empty rows, on targets
// that are not finite or outside the range of the loss, and when ctx ends.
func Fit(ctx context.Context, rows [][]float64, targets, weights []float64, c Config) (*Model, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	weights, err := checkData(rows, targets, weights, c.Loss)
	if err != nil {
		return nil, err
	}
	m := &Model{loss: c.Loss, columns: len(rows[0]), initial: initial(targets, weights, c.Loss)}
	g := newGrower(binColumns(rows, c.Bins), c)
	raw := make([]float64, len(rows))
	for i := range raw {
		raw[i] = m.initial
	}
	for t := range c.Trees {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("fit boosted trees: %w", err)
		}
		gradients(g.grad, g.hess, raw, targets, weights, c.Loss)
		grown := g.grow(t)
		if len(grown.nodes) == 1 && grown.nodes[0].value == 0 {
			continue
		}
		m.trees = append(m.trees, grown)
		advance(raw, rows, &grown)
	}
	m.base = m.expected()
	return m, nil
}

// Columns returns the number of features that a row must have.
func (m *Model) Columns() int { return m.columns }

// Raw returns the raw prediction: the mean for Squared, the log-odds for
// Logistic. Columns that row lacks count as missing.
func (m *Model) Raw(row []float64) float64 {
	sum := m.initial
	for i := range m.trees {
		sum += m.trees[i].predict(row)
	}
	return sum
}

// Predict returns the prediction: the mean for Squared, a probability for
// Logistic. Columns that row lacks count as missing.
func (m *Model) Predict(row []float64) float64 {
	raw := m.Raw(row)
	if m.loss == Logistic {
		return sigmoid(raw)
	}
	return raw
}

func (c Config) withDefaults() Config {
	if c.Trees == 0 {
		c.Trees = 200
	}
	if c.LearningRate == 0 {
		c.LearningRate = 0.05
	}
	if c.MaxLeaves == 0 {
		c.MaxLeaves = 31
	}
	if c.MaxDepth == 0 {
		c.MaxDepth = 8
	}
	if c.MinRows == 0 {
		c.MinRows = 20
	}
	if c.L2 == 0 {
		c.L2 = 1
	}
	c.L2 = max(c.L2, 0)
	if c.RowShare == 0 {
		c.RowShare = 1
	}
	if c.ColumnShare == 0 {
		c.ColumnShare = 1
	}
	if c.Bins == 0 {
		c.Bins = maxBins
	}
	return c
}

func (c Config) check() error {
	inShare := func(v float64) bool { return v > 0 && v <= 1 }
	switch {
	case c.Loss > Logistic:
		return fmt.Errorf("boosted trees: unknown loss %d", c.Loss)
	case c.Trees < 0 || c.MaxDepth < 0 || c.MaxDepth > maxDepth || c.MaxLeaves < 1 || c.MinRows < 1:
		return fmt.Errorf("boosted trees: trees, leaves and rows must be positive and depth at most %d", maxDepth)
	case !(c.LearningRate > 0) || math.IsInf(c.LearningRate, 0) || math.IsNaN(c.L2) || math.IsInf(c.L2, 0):
		return errors.New("boosted trees: learning rate must be positive and finite, L2 finite")
	case !inShare(c.RowShare) || !inShare(c.ColumnShare):
		return errors.New("boosted trees: row and column share must lie in (0, 1]")
	case c.Bins < 2 || c.Bins > maxBins:
		return fmt.Errorf("boosted trees: bins must lie in 2–%d", maxBins)
	}
	return nil
}

// checkData returns the weights, 1 each when there are none.
func checkData(rows [][]float64, targets, weights []float64, loss Loss) ([]float64, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, errors.New("boosted trees: no rows or no columns to learn from")
	}
	if len(targets) != len(rows) || (weights != nil && len(weights) != len(rows)) {
		return nil, fmt.Errorf("boosted trees: %d rows, %d targets, %d weights", len(rows), len(targets), len(weights))
	}
	if len(rows[0]) > math.MaxUint16 {
		return nil, fmt.Errorf("boosted trees: %d columns, at most %d", len(rows[0]), math.MaxUint16)
	}
	if weights == nil {
		weights = make([]float64, len(rows))
		for i := range weights {
			weights[i] = 1
		}
	}
	total := 0.0
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return nil, fmt.Errorf("boosted trees: row %d has %d columns, the first has %d", i+1, len(row), len(rows[0]))
		}
		t, w := targets[i], weights[i]
		if math.IsNaN(t) || math.IsInf(t, 0) || (loss == Logistic && (t < 0 || t > 1)) {
			return nil, fmt.Errorf("boosted trees: target %v of row %d is out of range", t, i+1)
		}
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("boosted trees: weight %v of row %d is not a finite number from 0 up", w, i+1)
		}
		total += w
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, errors.New("boosted trees: the weights must have a positive finite sum")
	}
	return weights, nil
}
