package monitor

import (
	"errors"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// Names of the statistics in Result.Statistic.
const (
	Level    = "level"     // smoothed residual of one signal
	Noise    = "noise"     // smoothed squared residual of one signal
	T2       = "t2"        // smoothed scores of the directions of normal variation
	SPE      = "spe"       // of the directions outside them, each in its own unit (Hawkins, 1974)
	SPENoise = "spe_noise" // smoothed squared scores of those
)

const (
	// finest is the least variance of a residual, in squared standard units,
	// that is told from rounding.
	finest = 1e-3
	// gaussian is how many times its mean the smoothed square of normal noise
	// reaches at 99 %, for the usual smoothing: less in a sample is luck.
	gaussian = 2.2
	// wanderReach is the squared residual allowed for wandering: that of three
	// of its standard deviations.
	wanderReach = 9.0
)

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

// units scale smoothed residuals, one per component each.
type units struct {
	Level  []float64 // of the smoothed residual: its root mean square when normal
	Energy []float64 // of the smoothed squared residual: the most it reaches when normal
	Rest   []float64 // squared residual when normal, where smoothing starts
}

// track is a block after smoothing, without its first rows, where the EWMA
// still remembers its start.
type track struct{ level, energy [][]float64 }

// finish sets units and limits from the residuals of held-out blocks. The
// statistics behind the limits of a block are scaled by the units of the other
// blocks: units suit the rows they come from too well.
func (d *Detector) finish(train [][]float64, held [][][]float64) error {
	if len(held) == 1 {
		held = parted(held[0])
	}
	wander := make([]float64, d.model.size())
	if _, ok := d.model.(*similarity); ok {
		for j := range wander {
			wander[j] = float64(d.config.Horizon) * wandering(train, j, d.intake.Scale[j])
		}
	}
	d.units.Rest = meanSquares(held)
	tracks := make([]track, len(held))
	for b, block := range held {
		d.held += len(block)
		if tracks[b] = d.smoothed(block); len(tracks[b].level) == 0 {
			return errors.New("too few held-out rows to smooth: give more normal rows or a larger smoothing weight")
		}
	}
	d.groups = d.model.groups()
	values := make([][]float64, len(d.groups))
	for b, t := range tracks {
		d.setUnits(slices.Concat(tracks[:b], tracks[b+1:]), wander)
		for i, g := range d.groups {
			for r := range t.level {
				values[i] = append(values[i], d.statistic(g, t.level[r], t.energy[r]))
			}
		}
	}
	for i := range d.groups {
		limit, _ := conformal.Limit(values[i], d.config.Alpha)
		d.groups[i].Limit = max(limit*d.config.Factor, 1e-9)
	}
	d.setUnits(tracks, wander)
	d.prepare()
	return nil
}

// parted cuts a block into consecutive ones.
func parted(block [][]float64) [][][]float64 {
	out := make([][][]float64, blocks)
	for b := range out {
		out[b] = block[b*len(block)/blocks : (b+1)*len(block)/blocks]
	}
	return out
}

// meanSquares measures the squared residual of every component when normal.
func meanSquares(held [][][]float64) []float64 {
	rows := slices.Concat(held...)
	out := make([]float64, len(rows[0]))
	for _, c := range rows {
		for k, v := range c {
			out[k] += v * v / float64(len(rows))
		}
	}
	return out
}

func (d *Detector) smoothed(block [][]float64) (t track) {
	warm := int(math.Ceil(1 / d.config.Smoothing))
	s := d.Start()
	for i, c := range block {
		for k, v := range c {
			s.Level[k] += d.config.Smoothing * (v - s.Level[k])
			s.Energy[k] += d.config.Smoothing * (v*v - s.Energy[k])
		}
		if i >= warm {
			t.level = append(t.level, slices.Clone(s.Level))
			t.energy = append(t.energy, slices.Clone(s.Energy))
		}
	}
	return t
}

func (d *Detector) setUnits(tracks []track, wander []float64) {
	n, weight := 0, d.config.Smoothing
	for _, t := range tracks {
		n += len(t.level)
	}
	u := units{Level: make([]float64, len(wander)), Energy: make([]float64, len(wander)), Rest: d.units.Rest}
	column := make([]float64, 0, n)
	for k := range wander {
		sum := 0.0
		column = column[:0]
		for _, t := range tracks {
			for i, v := range t.level {
				sum += v[k] * v[k] / float64(n)
				column = append(column, t.energy[i][k])
			}
		}
		u.Level[k] = math.Sqrt(max(sum, finest*weight/(2-weight)) + wander[k])
		high, _ := conformal.Limit(column, d.config.Alpha)
		u.Energy[k] = max(high, gaussian*u.Rest[k], finest) + wanderReach*wander[k]
	}
	d.units = u
}

// prepare derives from units and groups what explains a score.
func (d *Detector) prepare() {
	for i := range d.groups {
		d.groups[i].blame = d.model.blame(d.groups[i], d.units.Level)
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
		return energy[k] / d.units.Energy[k]
	}
	v := level[k] / d.units.Level[k]
	return v * v
}
