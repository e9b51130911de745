package scoring

import (
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/scoring/aakr"
)

const (
	baselineShare = 0.30 // earliest part of the history taken as healthy
	baselineRows  = 360  // at most 30 days of it
	leastBaseline = 60   // 5 days: below that nothing is learned
	trainShare    = 0.6  // of the baseline; the later rest is held out
	memorySize    = 80
	smoothing     = 0.15 // EWMA weight of one bin: a memory of about a day
	leastScale    = 0.01 // of the signal's span: finer residuals are noise
)

// learn fits a memory on the earliest healthy of the first n rows and measures
// its residuals on healthy rows held out from it: limits taken on the training
// rows would give false alarms many times their nominal rate. first is the row
// after the training rows. ok is false when too few rows are healthy; Rows says
// how many there are.
func (a *Assessment) learn(n int) (b *Baseline, first int, ok bool) {
	f := a.frame
	f.rows, f.ends = f.rows[:n], f.ends[:n]
	first = int(float64(n) * trainShare)
	var train [][]float64
	var held []int // counted from first
	for r, row := range f.rows {
		switch {
		case f.severity(a.channels, row) >= 0.5:
			continue
		case r < first:
			train = append(train, row)
		default:
			held = append(held, r-first)
		}
	}
	b = &Baseline{Rows: len(train) + len(held)}
	if b.Rows < leastBaseline || len(held) < leastBaseline/4 || len(train) < leastBaseline/4 {
		return b, first, false
	}
	b.From = time.UnixMilli(f.ends[0] - binMillis).UTC()
	b.To = time.UnixMilli(f.ends[n-1]).UTC()
	if !b.memorise(f, a, train) {
		return b, first, false
	}
	c := comparison{Baseline: b, set: a.set, start: n}
	c.widen(f, first)
	c.smoothen(f)
	c.calibrate(f, a.channels, held)
	return b, first, true
}

// severity is the worst of one row.
func (f frame) severity(channels []channel, row []float64) float64 {
	worst := 0.0
	for j, i := range f.channels {
		worst = max(worst, severityOf(channels[i].sides, row[j]))
	}
	return worst
}

// memorise learns the columns and the memory of a baseline from healthy rows.
func (b *Baseline) memorise(f frame, a *Assessment, train [][]float64) bool {
	b.columns = make([]column, len(f.channels))
	for j, i := range f.channels {
		s := a.channels[i].signal
		b.Signals = append(b.Signals, s.Metric)
		b.columns[j].unit = s.Unit
		b.columns[j].operating = slices.Contains(a.in.Operating, s.Metric)
	}
	if !b.learnRegimes(train) {
		return false
	}
	b.standardUnits(f, a.channels, train)
	standard := make([][]float64, len(train))
	for r, row := range train {
		standard[r] = b.standard(make([]float64, len(row)), row, b.regimes.of(row))
		rounded(standard[r])
	}
	model, err := aakr.Fit(standard, ones(len(b.columns)), memorySize)
	if err != nil {
		return false // unreachable with finite rows; without a model only limits are judged
	}
	b.memory, b.width = model.Memory(), model.Width()
	b.together = b.learnSubspace(standard)
	return true
}

// rounded keeps the precision that a stored baseline has, so that it judges
// exactly as on the day it was learned.
func rounded(v []float64) {
	for i, x := range v {
		v[i] = float64(float32(x))
	}
}

func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

// standardUnits sets every column's units of distance: the robust centre and
// spread while healthy, the latter not below a floor taken from the limits. In
// several regimes it is the regime's own mean and deviation.
func (b *Baseline) standardUnits(f frame, channels []channel, rows [][]float64) {
	values := make([]float64, len(rows))
	for j, i := range f.channels {
		for r, row := range rows {
			values[r] = row[j]
		}
		mid, sd := centre(values)
		c, floor := &b.columns[j], floorScale(channels[i], mid)
		c.centre, c.spread = []float64{mid}, []float64{max(sd, floor)}
		if k := b.regimes.count(); k > 1 {
			c.centre, c.spread = slices.Repeat(c.centre, k), slices.Repeat(c.spread, k)
			if !c.operating {
				b.regimes.units(c, j, floor)
			}
		}
	}
}

// floorScale is the finest residual worth telling from noise.
func floorScale(c channel, mid float64) float64 {
	if lo, hi, ok := span(c.signal); ok {
		return leastScale * (hi - lo)
	}
	return max(1e-6*math.Abs(mid), 1e-9)
}

// standard writes a row, one value per column, in the standard units of a
// regime into dst.
func (b *Baseline) standard(dst, row []float64, regime int) []float64 {
	for j := range b.columns {
		c := &b.columns[j]
		dst[j] = (row[j] - c.centre[regime]) / c.spread[regime]
	}
	return dst
}
