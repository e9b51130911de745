package prognosis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/gbt"
	"github.com/optria-iq/optria/internal/scoring/regime"
)

// Fit learns a fleet model from lives that ran to failure (or to a known number
// of cycles before it). The interval and the failure probability come from
// predictions of lives by models that have not seen them: the folds are made of
// whole lives.
func Fit(ctx context.Context, units []Unit, c Config) (*Model, error) {
	c = c.withDefaults(len(units))
	if err := c.check(units); err != nil {
		return nil, err
	}
	var past []outcomes
	for k, held := range folds(len(units), c.Folds, c.Seed) {
		m, err := learn(ctx, without(units, held), c)
		if err != nil {
			return nil, fmt.Errorf("prognosis: fold %d: %w", k+1, err)
		}
		var o outcomes
		for _, u := range held {
			m.predictHeld(&o, units[u], u)
		}
		past = append(past, o)
	}
	m, err := learn(ctx, units, c)
	if err != nil {
		return nil, fmt.Errorf("prognosis: %w", err)
	}
	if err := m.calibrate(past); err != nil {
		return nil, fmt.Errorf("prognosis: calibrate: %w", err)
	}
	return m, nil
}

// folds deals the numbers of the units at random into k groups.
func folds(units, k int, seed uint64) [][]int {
	rng := rand.New(rand.NewPCG(seed, 0xf01d)) // #nosec G404 -- seeded split, not cryptography
	out := make([][]int, k)
	for i, u := range rng.Perm(units) {
		out[i%k] = append(out[i%k], u)
	}
	return out
}

// without returns the units but for those held out.
func without(units []Unit, held []int) []Unit {
	out := make([]bool, len(units))
	for _, u := range held {
		out[u] = true
	}
	var rest []Unit
	for i, u := range units {
		if !out[i] {
			rest = append(rest, u)
		}
	}
	return rest
}

// The rows of a life that the trees learn from are thinned: neighbouring rows
// say almost the same, and trees that see all of them follow their noise. The
// end of a life, which is short and matters most, is seen more closely.
const (
	rowStride = 5
	endStride = 2
	endOfLife = 0.5 // caps
)

// leafRows is the fewest rows of a leaf: few in a small fleet, which has no
// others, and no more than it takes to average out noise in a large one.
func leafRows(rows int) int { return min(max(rows/100, 5), 40) }

// learn fits everything but the distribution of the outcomes.
func learn(ctx context.Context, units []Unit, c Config) (*Model, error) {
	var rows [][]float64
	for _, u := range units {
		rows = append(rows, u.Rows...)
	}
	scaler, err := regime.Fit(rows, c.Operating, c.Seed)
	if err != nil {
		return nil, fmt.Errorf("standardise: %w", err)
	}
	m := &Model{config: c, scaler: scaler, signals: described(scaler, c)}
	if len(m.signals) == 0 {
		return nil, errors.New("no signal moves in the lives given")
	}
	if m.indices, err = m.learnIndices(units); err != nil {
		return nil, fmt.Errorf("degradation indices: %w", err)
	}
	m.joint = m.learnJoint(units)
	var x [][]float64
	var y []float64
	for u, unit := range units {
		past := pastLife{unit: unit.ID}
		m.walk(unit, u, func(f *follower, left float64) {
			x, y = append(x, slices.Clone(f.describe())), append(y, min(left, c.Cap))
			past.left, past.states = append(past.left, left), append(past.states, f.state()...)
		})
		m.lives = append(m.lives, past)
	}
	m.trees, err = gbt.Fit(ctx, x, y, nil, gbt.Config{
		Trees: c.Trees, LearningRate: 0.04, MaxLeaves: 16, MinRows: leafRows(len(x)),
		RowShare: 0.5, ColumnShare: 0.6, Bins: 128, Seed: c.Seed,
	})
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	return m, nil
}

// described returns the columns whose course is described.
func described(scaler *regime.Model, c Config) (out []int) {
	operating := make(map[int]bool, len(c.Operating))
	for _, j := range c.Operating {
		operating[j] = true
	}
	for j := range c.Signals {
		if !operating[j] && !scaler.Constant(j) {
			out = append(out, j)
		}
	}
	return out
}

// walk calls visit at every rowStride-th row of a life, every endStride-th near
// its end, with the cycles left; lives of different phase begin at different rows.
func (m *Model) walk(u Unit, phase int, visit func(f *follower, left float64)) {
	f := m.newFollower()
	for t, row := range u.Rows {
		f.add(row)
		back, stride := len(u.Rows)-1-t, rowStride
		left := float64(back) + u.Remaining
		if left < endOfLife*m.config.Cap {
			stride = endStride
		}
		if back%stride == phase%stride {
			visit(f, left)
		}
	}
}
