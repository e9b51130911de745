// Package monitor watches a table of signals for behaviour that its normal
// period does not explain. Below thirty signals it compares every reading with
// what a memory of healthy rows (auto-associative kernel regression) or, where
// that is closer, a regression on the other signals says it should be; from
// thirty up also with the directions in which healthy rows vary (principal
// components of the row and the rows just before it, T² and SPE). Residuals are
// smoothed (EWMA), so that a small lasting shift counts as much as a large
// brief one, and their energy is smoothed too, so that growing noise counts.
//
// Limits are conformal quantiles of the statistics on normal rows that the
// model has not seen, times a factor. A signal that wanders off slowly even
// when healthy, as temperatures do, gets a limit that allows for wandering as
// far again as it did in the normal period.
package monitor

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/pca"
)

const (
	leastRows     = 60   // of the normal period
	manySignals   = 30   // from here on the subspace is monitored
	rowsPerVector = 3    // normal rows per variable that lags or a subspace need
	explained     = 0.85 // share of the variance within the subspace
	memorySize    = 80   // vectors of healthy rows
	blocks        = 4    // parts of the normal period, each held out once
	trainShare    = 0.6  // of the normal rows when the subspace needs its own calibration
)

// Config sets how a Detector is built; a zero field takes its default.
type Config struct {
	Signals   []string // names, one per column; may be nil
	Smoothing float64  // EWMA weight of one row, default 0.15
	Alpha     float64  // rate at which normal rows exceed the plain quantile, default 0.01
	Factor    float64  // by which limits exceed the quantile, default 1.3
	Leave     float64  // the score below which an alarm ends, default 0.8, at least the plain quantile's
	Lags      int      // earlier rows in a vector of the subspace, default 2, −1 for none
	Horizon   int      // rows over which signals may wander on, default as many as the normal rows
}

func (c Config) filled(rows int) Config {
	set := func(v *float64, fallback float64) {
		if *v == 0 {
			*v = fallback
		}
	}
	set(&c.Smoothing, 0.15)
	set(&c.Alpha, 0.01)
	set(&c.Factor, 1.3)
	set(&c.Leave, 0.8)
	if c.Lags == 0 {
		c.Lags = 2
	}
	c.Lags = max(c.Lags, 0)
	c.Leave = max(c.Leave, min(1/c.Factor, 1))
	if c.Horizon == 0 {
		c.Horizon = rows
	}
	return c
}

func (c Config) check(signals int) error {
	inUnit := func(v float64) bool { return v > 0 && v <= 1 }
	switch {
	case len(c.Signals) > 0 && len(c.Signals) != signals:
		return fmt.Errorf("%d signal names for %d columns", len(c.Signals), signals)
	case !inUnit(c.Smoothing):
		return fmt.Errorf("smoothing %v is outside (0, 1]", c.Smoothing)
	case !inUnit(c.Alpha):
		return fmt.Errorf("alpha %v is outside (0, 1]", c.Alpha)
	case !(c.Factor > 0) || math.IsInf(c.Factor, 0):
		return fmt.Errorf("factor %v is not positive", c.Factor)
	case !inUnit(c.Leave):
		return fmt.Errorf("leave %v is outside (0, 1]", c.Leave)
	case c.Horizon < 0:
		return fmt.Errorf("horizon %d is negative", c.Horizon)
	}
	return nil
}

// Detector judges rows. It is made by Fit or UnmarshalBinary and may be used
// by several goroutines at once.
type Detector struct {
	config  Config
	intake  intake
	model   residuals
	units   units
	groups  []group // the statistics with their limits
	normal  int     // rows of the normal period
	held    int     // rows that set the limits
	unusual int     // bad values among all of them
}

// group is one statistic: the largest or the root mean square of the scaled
// residuals of some components.
type group struct {
	Name     string
	From, To int
	Energy   bool // of the squared residuals
	Largest  bool
	Limit    float64
	blame    *blame // how it spreads over the signals; nil when every component is one
}

// Fit learns from normal rows (samples × signals in ascending time; NaN for a
// missing reading) and sets the limits on parts of them that were held out.
func Fit(normal [][]float64, c Config) (*Detector, error) {
	d, rows, err := begin(normal, c)
	if err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	train, held, err := d.holdOut(rows)
	if err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	if err := d.finish(train, held); err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	return d, nil
}

// FitCalibrated learns from normal rows and sets the limits on other normal
// rows, calibrate, of the same signals.
func FitCalibrated(normal, calibrate [][]float64, c Config) (*Detector, error) {
	d, rows, err := begin(normal, c)
	if err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	if err := sameWidth(calibrate, len(normal[0]), leastRows); err != nil {
		return nil, fmt.Errorf("fit detector: calibration rows: %w", err)
	}
	others, bad := d.intake.fill(calibrate)
	d.unusual += bad
	if d.model, err = d.newModel(rows); err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	var held [][][]float64
	if m, ok := d.model.(*similarity); ok {
		m.choice, held = choose([][][]float64{d.components(m.choosing(false), others)}, [][][]float64{d.components(m.choosing(true), others)})
	} else {
		held = [][][]float64{d.components(d.model, others)}
	}
	if err := d.finish(rows, held); err != nil {
		return nil, fmt.Errorf("fit detector: %w", err)
	}
	return d, nil
}

// begin checks the normal rows and makes them complete.
func begin(normal [][]float64, c Config) (*Detector, [][]float64, error) {
	if len(normal) == 0 || len(normal[0]) == 0 {
		return nil, nil, errors.New("no normal rows")
	}
	if err := sameWidth(normal, len(normal[0]), leastRows); err != nil {
		return nil, nil, fmt.Errorf("normal rows: %w", err)
	}
	c = c.filled(len(normal))
	if err := c.check(len(normal[0])); err != nil {
		return nil, nil, err
	}
	d := &Detector{config: c, normal: len(normal)}
	if d.intake = newIntake(normal); len(d.intake.Kept) == 0 {
		return nil, nil, errors.New("no signal has usable readings in half of the normal rows")
	}
	rows, bad := d.intake.fill(normal)
	d.unusual = bad
	return d, rows, nil
}

// sameWidth refuses fewer rows than least and rows that are not p wide.
func sameWidth(rows [][]float64, p, least int) error {
	if len(rows) < least {
		return fmt.Errorf("%d rows, give at least %d", len(rows), least)
	}
	for i, r := range rows {
		if len(r) != p {
			return fmt.Errorf("row %d has %d values, want %d", i+1, len(r), p)
		}
	}
	return nil
}

// newModel fits the kind of model that suits the number of signals and rows.
func (d *Detector) newModel(rows [][]float64) (residuals, error) {
	p := len(d.intake.Kept)
	if p >= manySignals && len(rows) >= rowsPerVector*p {
		lags := d.config.Lags
		for lags > 0 && len(rows) < rowsPerVector*p*(lags+1) {
			lags--
		}
		m, err := pca.Fit(rows, pca.Config{Lags: lags, Explained: explained})
		if err != nil {
			return nil, err
		}
		return newSubspace(m)
	}
	return newSimilarity(rows, d.intake.Scale)
}

// holdOut fits the model and returns residuals of normal rows that it, or one
// fitted like it, has not seen. A memory is fitted on all rows and its limits
// come from models that leave out one block each; directions differ from model
// to model, so a subspace keeps the last rows for the limits.
func (d *Detector) holdOut(rows [][]float64) (train [][]float64, held [][][]float64, err error) {
	first := int(float64(len(rows)) * trainShare)
	model, err := d.newModel(rows[:first])
	if err != nil {
		return nil, nil, err
	}
	if _, ok := model.(*subspace); ok {
		d.model = model
		return rows[:first], [][][]float64{d.components(model, rows[first:])}, nil
	}
	var byMemory, byOthers [][][]float64
	for b := range blocks {
		from, to := b*len(rows)/blocks, (b+1)*len(rows)/blocks
		m, err := newSimilarity(slices.Concat(rows[:from], rows[to:]), d.intake.Scale)
		if err != nil {
			return nil, nil, err
		}
		byMemory = append(byMemory, d.components(m.choosing(false), rows[from:to]))
		byOthers = append(byOthers, d.components(m.choosing(true), rows[from:to]))
	}
	m, err := newSimilarity(rows, d.intake.Scale)
	if err != nil {
		return nil, nil, err
	}
	m.choice, held = choose(byMemory, byOthers)
	d.model = m
	return rows, held, nil
}
