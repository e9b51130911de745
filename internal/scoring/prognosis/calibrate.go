package prognosis

import (
	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// The rows of past lives that calibrate are those at which a fleet in service is
// found: old enough to have a course, and not so far from the end that any
// prediction at the cap is right.
const (
	leastAge  = 20  // rows
	inService = 1.5 // most cycles left, in caps
)

// outcomes are predictions of lives that the model had not seen, and the capped
// truth.
type outcomes struct{ predicted, actual []float64 }

// predictHeld appends the outcomes of one life.
func (m *Model) predictHeld(o *outcomes, u Unit, phase int) {
	m.walk(u, phase, func(f *follower, left float64) {
		if f.signals.Age() < leastAge || left > inService*m.config.Cap {
			return
		}
		o.predicted = append(o.predicted, min(max(m.trees.Raw(f.describe()), 0), m.config.Cap))
		o.actual = append(o.actual, min(left, m.config.Cap))
	})
}

// coverage is what the interval must have held among the calibrating rows for
// 90 % to be promised: the lives to come are never quite like the past ones.
const coverage = 0.91

// levels are tried in turn as the probability asked of the shortest interval.
// Having been picked for its length, that interval holds less than asked.
var levels = []float64{0.86, 0.87, 0.88, 0.89, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96}

// calibrate keeps the outcomes and finds the level at which intervals made from
// the other folds hold the truth of a fold often enough.
func (m *Model) calibrate(folds []outcomes) error {
	all := joined(folds, -1)
	var err error
	if m.past, err = conformal.NewLocal(all.predicted, all.actual, m.config.Cap); err != nil {
		return err
	}
	held := make([]int, len(levels))
	for k, fold := range folds {
		rest := joined(folds, k)
		if len(fold.predicted) == 0 || len(rest.predicted) == 0 {
			continue
		}
		local, err := conformal.NewLocal(rest.predicted, rest.actual, m.config.Cap)
		if err != nil {
			return err
		}
		for i, p := range fold.predicted {
			d := local.At(p)
			for l, level := range levels {
				lo, hi := d.Shortest(level)
				if fold.actual[i] >= min(lo, p) && fold.actual[i] <= max(hi, p) {
					held[l]++
				}
			}
		}
	}
	m.level = levels[len(levels)-1]
	for l := len(levels) - 1; l >= 0; l-- {
		if float64(held[l]) >= coverage*float64(len(all.predicted)) {
			m.level = levels[l]
		}
	}
	return nil
}

// joined returns the outcomes of all folds but one.
func joined(folds []outcomes, but int) (all outcomes) {
	for k, o := range folds {
		if k != but {
			all.predicted, all.actual = append(all.predicted, o.predicted...), append(all.actual, o.actual...)
		}
	}
	return all
}
