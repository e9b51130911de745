// Package classify learns from snapshots of an asset's signals which failure
// modes are at hand: one gradient-boosted classifier per mode on the signals and
// physical features made of them, with probabilities calibrated on rows that
// the boosters had not seen. The modes are taken as independent causes:
// P(failure) = 1 − Π(1 − P_m).
//
// Columns are signals in any unit as long as it is the same everywhere; NaN is a
// missing value. The same rows, Config and seed give the same model bit for bit.
package classify

import (
	"context"
	"errors"
	"fmt"

	"github.com/optria-iq/optria/internal/scoring/gbt"
)

// Config says what the columns and modes are. Zero fields take the value in
// brackets.
type Config struct {
	Signals []string  `json:"signals"` // names of the columns
	Derived []Derived `json:"derived"` // physical features of them
	Modes   []string  `json:"modes"`   // names of the failure modes
	Folds   int       `json:"folds"`   // of the rows held out for the calibration [4]
	Rounds  int       `json:"rounds"`  // trees of one booster [150]
	Bags    int       `json:"bags"`    // boosters averaged for one mode [2]
	Seed    uint64    `json:"seed"`
}

// leastEvents is how often a mode must have occurred for its signals to be
// learnt; a rarer one keeps its share of the rows as its probability.
const leastEvents = 10

// Model tells the failure modes of a snapshot. It is safe for concurrent use.
type Model struct {
	config Config
	modes  []mode
}

// mode is the classifier of one failure mode; without boosters its probability
// is the same for every row.
type mode struct {
	boosters []*gbt.Model
	scale    platt
	share    float64
}

// Fit learns from rows × signals and, for each row, whether each mode occurred.
// Rows of one group, such as the days of one asset, resemble each other and are
// held out together for the calibration; nil groups mean independent rows. It
// fails on ragged data, on names that do not match the columns, when no mode
// ever occurred and when ctx ends.
func Fit(ctx context.Context, rows [][]float64, occurred [][]bool, groups []int, c Config) (*Model, error) {
	c = c.withDefaults()
	if err := c.check(rows, occurred, groups); err != nil {
		return nil, fmt.Errorf("classify failure modes: %w", err)
	}
	features := make([][]float64, len(rows))
	for i, row := range rows {
		features[i] = c.features(row)
	}
	m := &Model{config: c}
	for k := range c.Modes {
		targets := make([]float64, len(rows))
		for i := range rows {
			if occurred[i][k] {
				targets[i] = 1
			}
		}
		learnt, err := fitMode(ctx, features, targets, groups, c, uint64(k))
		if err != nil {
			return nil, fmt.Errorf("classify failure mode %s: %w", c.Modes[k], err)
		}
		m.modes = append(m.modes, learnt)
	}
	return m, nil
}

func (c Config) withDefaults() Config {
	if c.Folds == 0 {
		c.Folds = 4
	}
	if c.Rounds == 0 {
		c.Rounds = 150
	}
	if c.Bags == 0 {
		c.Bags = 2
	}
	return c
}

func (c Config) check(rows [][]float64, occurred [][]bool, groups []int) error {
	switch {
	case len(rows) == 0 || len(c.Signals) == 0 || len(c.Modes) == 0:
		return errors.New("no rows, no signals or no modes")
	case len(occurred) != len(rows):
		return fmt.Errorf("%d rows but %d labels", len(rows), len(occurred))
	case groups != nil && len(groups) != len(rows):
		return fmt.Errorf("%d rows but %d groups", len(rows), len(groups))
	case c.Folds < 2 || c.Rounds < 1 || c.Bags < 1:
		return errors.New("folds must be at least 2, rounds and bags at least 1")
	}
	for _, d := range c.Derived {
		if err := d.check(len(c.Signals)); err != nil {
			return err
		}
	}
	events := 0
	for i := range rows {
		if len(rows[i]) != len(c.Signals) || len(occurred[i]) != len(c.Modes) {
			return fmt.Errorf("row %d has %d columns and %d labels for %d signals and %d modes",
				i+1, len(rows[i]), len(occurred[i]), len(c.Signals), len(c.Modes))
		}
		for _, hit := range occurred[i] {
			if hit {
				events++
			}
		}
	}
	if events == 0 {
		return errors.New("no failure to learn from")
	}
	return nil
}

// fitMode fits the boosters of one mode on all rows and calibrates them on the
// raw predictions of boosters that had not seen the row.
func fitMode(ctx context.Context, features [][]float64, targets []float64, groups []int, c Config, k uint64) (mode, error) {
	m := mode{share: mean(targets)}
	if m.share*float64(len(targets)) < leastEvents {
		return m, nil
	}
	hits := make([]bool, len(targets))
	for i, t := range targets {
		hits[i] = t == 1
	}
	var raw []float64
	var seen []bool
	for f, held := range groupFolds(hits, groups, c.Folds, c.Seed+k) {
		if len(held) == 0 || len(held) == len(targets) {
			continue // fewer groups than folds
		}
		train, labels := without(features, targets, held)
		part, err := boost(ctx, train, labels, c, k<<16+uint64(f)+1)
		if err != nil {
			return mode{}, err
		}
		for _, i := range held {
			raw, seen = append(raw, rawMean(part, features[i])), append(seen, hits[i])
		}
	}
	m.scale = fitPlatt(raw, seen)
	var err error
	m.boosters, err = boost(ctx, features, targets, c, k<<16)
	return m, err
}

// boost fits the boosters of one mode, which differ in the rows and columns
// that their trees see. The trees are small: few conditions make a mode, and
// few rows show it.
func boost(ctx context.Context, features [][]float64, targets []float64, c Config, stream uint64) ([]*gbt.Model, error) {
	out := make([]*gbt.Model, c.Bags)
	for b := range out {
		m, err := gbt.Fit(ctx, features, targets, nil, gbt.Config{
			Loss: gbt.Logistic, Trees: c.Rounds, LearningRate: 0.06, MaxLeaves: 6, MaxDepth: 3,
			MinRows: 4, L2: 1, RowShare: 0.8, ColumnShare: 0.7,
			Seed: c.Seed + stream<<8 + uint64(b),
		})
		if err != nil {
			return nil, err
		}
		out[b] = m
	}
	return out, nil
}

func rawMean(boosters []*gbt.Model, features []float64) float64 {
	sum := 0.0
	for _, b := range boosters {
		sum += b.Raw(features)
	}
	return sum / float64(len(boosters))
}

// without returns the rows that are not held out.
func without(features [][]float64, targets []float64, held []int) (rest [][]float64, labels []float64) {
	out := make([]bool, len(features))
	for _, i := range held {
		out[i] = true
	}
	for i := range features {
		if !out[i] {
			rest, labels = append(rest, features[i]), append(labels, targets[i])
		}
	}
	return rest, labels
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
