// Package prognosis predicts the remaining life of one of a fleet's machines
// from the lives of those that ran to failure. Signals are standardised per
// operating regime, condensed into degradation indices, described by windows
// that look only backwards, and put to gradient-boosted trees; the interval and
// the failure probability are what came true of the nearest out-of-fold
// predictions. One configuration serves every fleet.
package prognosis

import (
	"errors"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/scoring/conformal"
	"github.com/optria-iq/optria/internal/scoring/gbt"
	"github.com/optria-iq/optria/internal/scoring/regime"
)

// Unit is one life: rows × signals in ascending time, one row per cycle (or
// day). NaN is missing. A row further back is one cycle earlier.
type Unit struct {
	ID   string
	Rows [][]float64
	// Remaining is the number of cycles left after the last row: 0 when the
	// unit failed there. Lives whose end is unknown are not for training.
	Remaining float64
}

// Config says what a model learns from. Zero fields take the value in brackets.
type Config struct {
	Signals   []string // names of the columns of Unit.Rows
	Operating []int    // columns that describe the operating point; may be empty
	Cap       float64  // longest remaining life that is predicted as a number, cycles [125]
	Folds     int      // groups of whole lives for the out-of-fold predictions [5]
	Trees     int      // boosting rounds [250]
	Seed      uint64
}

// leastUnits is the number of lives below which no model is learned: every fold
// needs lives to learn from and to predict.
const leastUnits = 5

func (c Config) withDefaults(units int) Config {
	if c.Cap == 0 {
		c.Cap = 125
	}
	if c.Folds == 0 {
		c.Folds = 5
	}
	c.Folds = min(c.Folds, units)
	if c.Trees == 0 {
		c.Trees = 250
	}
	return c
}

func (c Config) check(units []Unit) error {
	switch {
	case len(units) < leastUnits:
		return fmt.Errorf("prognosis: %d lives that ran to failure, at least %d are needed", len(units), leastUnits)
	case len(c.Signals) == 0:
		return errors.New("prognosis: no signals")
	case !(c.Cap > 1) || math.IsInf(c.Cap, 0):
		return fmt.Errorf("prognosis: cap %v must be finite and above 1 cycle", c.Cap)
	case c.Folds < 2:
		return fmt.Errorf("prognosis: %d folds, at least 2 are needed", c.Folds)
	}
	seen := make(map[string]bool, len(units))
	for _, u := range units {
		if seen[u.ID] {
			return fmt.Errorf("prognosis: two lives are called %q", u.ID)
		}
		seen[u.ID] = true
		if err := checkRows(u.Rows, len(c.Signals)); err != nil {
			return fmt.Errorf("prognosis: life %q: %w", u.ID, err)
		}
		if !(u.Remaining >= 0) || math.IsInf(u.Remaining, 0) {
			return fmt.Errorf("prognosis: life %q: %v cycles left is not a number from 0 up", u.ID, u.Remaining)
		}
	}
	return nil
}

func checkRows(rows [][]float64, columns int) error {
	if len(rows) == 0 {
		return errors.New("no rows")
	}
	for i, row := range rows {
		if len(row) != columns {
			return fmt.Errorf("row %d has %d values, there are %d signals", i+1, len(row), columns)
		}
	}
	return nil
}

// Model is a fitted fleet model. It is safe for concurrent use.
type Model struct {
	config  Config
	scaler  *regime.Model
	signals []int // columns that the indices are made of: neither operating nor constant
	indices []index
	joint   joint
	trees   *gbt.Model
	past    *conformal.Local // out-of-fold predictions and what came true
	level   float64          // probability asked of the shortest interval
	lives   []pastLife
}

// Signals returns the names of the columns that the rows must have, in order.
func (m *Model) Signals() []string { return m.config.Signals }

// Cap returns the longest remaining life that is predicted as a number.
func (m *Model) Cap() float64 { return m.config.Cap }

// CalibrationSize returns the number of out-of-fold predictions behind the
// interval and the failure probability.
func (m *Model) CalibrationSize() int { return m.past.Size() }
