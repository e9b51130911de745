package monitor

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// Names of the statistics in Result.Statistic.
const (
	Level = "level" // smoothed residual of one signal
	Noise = "noise" // smoothed squared residual
	T2    = "t2"    // within the directions of normal variation
	SPE   = "spe"   // outside them
)

// finest is the least variance of a residual, in squared standard units, that
// is told from rounding.
const finest = 1e-3

// components returns the residuals of a block of complete rows.
func (d *Detector) components(m residuals, rows [][]float64) [][]float64 {
	out := make([][]float64, 0, len(rows))
	expected := make([]float64, len(d.intake.Kept))
	for i := range rows {
		from := max(i+1-m.window(), 0)
		c := make([]float64, m.size())
		m.residual(c, expected, padded(rows[from:i+1], m.window()))
		out = append(out, c)
	}
	return out
}

// padded repeats the oldest row in front until the window is full.
func padded(rows [][]float64, window int) [][]float64 {
	for len(rows) < window {
		rows = append([][]float64{rows[0]}, rows...)
	}
	return rows
}

// finish sets units and limits from the residuals of held-out blocks.
func (d *Detector) finish(train [][]float64, held [][][]float64) error {
	p := d.model.size()
	d.level, d.energy, d.rest = make([]float64, p), make([]float64, p), make([]float64, p)
	wander := make([]float64, p)
	if _, ok := d.model.(*similarity); ok {
		for j := range wander {
			wander[j] = float64(d.config.Horizon) * wandering(train, j, d.intake.Scale[j])
		}
	}
	d.setRest(held)
	for _, block := range held {
		d.held += len(block)
	}
	levels, energies := d.smoothed(held)
	if len(levels) == 0 {
		return errors.New("too few held-out rows to smooth: give more normal rows or a larger smoothing weight")
	}
	column, weight := make([]float64, len(levels)), d.config.Smoothing
	for k := range p {
		sum := 0.0
		for i := range levels {
			sum += levels[i][k] * levels[i][k] / float64(len(levels))
			column[i] = energies[i][k]
		}
		d.level[k] = math.Sqrt(max(sum, finest*weight/(2-weight)) + wander[k])
		high, _ := conformal.Limit(column, d.config.Alpha)
		// Nine: a residual of three standard deviations of the wandering.
		d.energy[k] = max(high, finest) + 9*wander[k]
	}
	d.setLimits(levels, energies)
	return nil
}

// setRest measures the squared residual of every component when normal.
func (d *Detector) setRest(held [][][]float64) {
	n := 0.0
	for _, block := range held {
		n += float64(len(block))
	}
	for _, block := range held {
		for _, c := range block {
			for k, v := range c {
				d.rest[k] += v * v / n
			}
		}
	}
}

// smoothed returns the smoothed residuals and squared residuals of the blocks,
// without the first rows of each, where the EWMA still remembers its start.
func (d *Detector) smoothed(held [][][]float64) (levels, energies [][]float64) {
	warm := int(math.Ceil(1 / d.config.Smoothing))
	for _, block := range held {
		s := d.start()
		for i, c := range block {
			for k, v := range c {
				s.Level[k] += d.config.Smoothing * (v - s.Level[k])
				s.Energy[k] += d.config.Smoothing * (v*v - s.Energy[k])
			}
			if i >= warm {
				levels = append(levels, append([]float64{}, s.Level...))
				energies = append(energies, append([]float64{}, s.Energy...))
			}
		}
	}
	return levels, energies
}

// setLimits takes the conformal quantile of every statistic times the factor.
func (d *Detector) setLimits(levels, energies [][]float64) {
	d.groups = d.model.groups()
	values := make([]float64, len(levels))
	for i := range d.groups {
		g := &d.groups[i]
		for r := range levels {
			values[r] = d.statistic(*g, levels[r], energies[r])
		}
		limit, _ := conformal.Limit(values, d.config.Alpha)
		g.Limit = max(limit*d.config.Factor, 1e-9)
	}
	d.prepare()
}

// prepare derives from units and groups what explains a score.
func (d *Detector) prepare() {
	for i := range d.groups {
		g := &d.groups[i]
		unit := d.level
		if g.Energy {
			unit = d.energy
		}
		g.blame = d.model.blame(*g, unit)
	}
}

// statistic is the value of a group in units of amplitude: that of the energy
// is a root, so that one factor suits all.
func (d *Detector) statistic(g group, level, energy []float64) float64 {
	largest, sum := 0.0, 0.0
	for k := g.From; k < g.To; k++ {
		v := d.scaled(g, k, level, energy)
		largest = max(largest, v)
		sum += v
	}
	if g.Largest {
		return math.Sqrt(largest)
	}
	return math.Sqrt(sum / float64(g.To-g.From))
}

// scaled is the part of component k in the square of a statistic.
func (d *Detector) scaled(g group, k int, level, energy []float64) float64 {
	if g.Energy {
		return energy[k] / d.energy[k]
	}
	v := level[k] / d.level[k]
	return v * v
}

const (
	blockRows  = 25  // rows whose mean stands for the level of a signal
	beyondRest = 3.0 // times what noise alone would move block means
)

// wandering estimates by how much the variance of column j, in units of its
// scale, grows per row. Levels of a signal that stays about its mean, or comes
// back to it as one that follows a load does, differ by as much at near lags
// as at far ones; those of a random walk differ in proportion to the lag
// (structure function). 0 when the levels move no more than noise does.
func wandering(rows [][]float64, j int, scale float64) float64 {
	n := len(rows) / blockRows
	if n < 8 {
		return 0
	}
	levels, noise := make([]float64, n), 0.0
	column := make([]float64, blockRows)
	for b := range n {
		for i, r := range rows[b*blockRows : (b+1)*blockRows] {
			column[i] = r[j] / scale
		}
		mean, variance := stat.MeanVariance(column, nil)
		levels[b] = mean
		noise += variance / float64(n)
	}
	if moved(levels, n/4, n/4) < beyondRest*2*noise/blockRows {
		return 0
	}
	nearFrom, nearTo, farFrom, farTo := max(n/16, 1), n/8, n/4, n/2
	growth := moved(levels, farFrom, farTo) - moved(levels, nearFrom, nearTo)
	lag := float64(farFrom+farTo-nearFrom-nearTo) / 2 * blockRows
	return max(growth/lag, 0)
}

// moved is the mean squared difference of levels from to to blocks apart.
func moved(levels []float64, from, to int) float64 {
	mean := 0.0
	for lag := from; lag <= to; lag++ {
		sum := 0.0
		for b := range levels[:len(levels)-lag] {
			v := levels[b+lag] - levels[b]
			sum += v * v
		}
		mean += sum / float64(len(levels)-lag) / float64(to-from+1)
	}
	return mean
}
