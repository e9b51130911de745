package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/aakr"
	"github.com/optria-iq/optria/internal/scoring/conformal"
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

// baseline is what an asset looks like when healthy, learned from its own
// early history, and the residuals of all later rows against it.
type baseline struct {
	ok          bool
	rows        int // healthy rows found
	calibration int // held-out rows
	from, to    int64
	scale       []float64 // per signal: standard unit of its residual
	reach       []float64 // per signal: least residual that matters, own units
	limit       float64   // on the largest smoothed residual, in standard units
	start       int       // first row after the training rows
	held        []int     // the held-out rows, counted from start
	expected    [][]float64
	smooth      [][]float64 // EWMA of the residuals, own units
}

// learn fits the memory on the earliest healthy rows and sets the limit on
// healthy rows held out from it: a limit taken on the training rows would give
// false alarms many times its nominal rate.
func learn(f frame, channels []channel, s Settings) baseline {
	n := min(int(float64(len(f.rows))*baselineShare), baselineRows)
	b := baseline{start: int(float64(n) * trainShare)}
	var train [][]float64
	for r, row := range f.rows[:n] {
		switch {
		case f.severity(channels, row) >= 0.5:
			continue
		case r < b.start:
			train = append(train, row)
		default:
			b.held = append(b.held, r-b.start)
		}
	}
	b.rows, b.calibration = len(train)+len(b.held), len(b.held)
	if b.rows < leastBaseline || b.calibration < leastBaseline/4 || len(train) < leastBaseline/4 {
		return b
	}
	model, err := aakr.Fit(train, distances(f, channels, train), memorySize)
	if err != nil {
		return b // unreachable with finite rows; without a model only limits are judged
	}
	b.from, b.to = f.ends[0]-binMillis, f.ends[n-1]
	b.residuals(f, model)
	b.setScale(f, channels, s)
	b.limit, b.ok = b.heldOut(s)
	return b
}

// severity is the worst of one row.
func (f frame) severity(channels []channel, row []float64) float64 {
	worst := 0.0
	for j, i := range f.channels {
		worst = max(worst, severityOf(channels[i].sides, row[j]))
	}
	return worst
}

// distances returns the unit of distance per signal: its robust spread while
// healthy, not below a floor taken from its limits.
func distances(f frame, channels []channel, rows [][]float64) []float64 {
	out := make([]float64, len(f.channels))
	column := make([]float64, len(rows))
	for j, i := range f.channels {
		for r, row := range rows {
			column[r] = row[j]
		}
		mid, sd := centre(column)
		out[j] = max(sd, floorScale(channels[i], mid))
	}
	return out
}

// floorScale is the finest residual worth telling from noise.
func floorScale(c channel, mid float64) float64 {
	if lo, hi, ok := span(c.signal); ok {
		return leastScale * (hi - lo)
	}
	return max(1e-6*math.Abs(mid), 1e-9)
}

// residuals reconstructs every row after the training rows and smooths the
// differences.
func (b *baseline) residuals(f frame, model *aakr.Model) {
	p := len(f.channels)
	state := make([]float64, p)
	for _, row := range f.rows[b.start:] {
		expected := model.Reconstruct(make([]float64, p), row)
		smooth := make([]float64, p)
		for j := range row {
			state[j] += smoothing * (row[j] - expected[j] - state[j])
			smooth[j] = state[j]
		}
		b.expected = append(b.expected, expected)
		b.smooth = append(b.smooth, smooth)
	}
}

// setScale measures the residuals on the held-out rows and fixes, per signal,
// which residual would matter to the equipment.
func (b *baseline) setScale(f frame, channels []channel, s Settings) {
	column := make([]float64, b.calibration)
	levels := make([]float64, b.calibration)
	for j, i := range f.channels {
		c := channels[i]
		for k, r := range b.held {
			levels[k] = f.rows[b.start+r][j]
			column[k] = levels[k] - b.expected[r][j]
		}
		_, sd := centre(column)
		mid := median(levels)
		b.scale = append(b.scale, max(sd, floorScale(c, mid)))
		b.reach = append(b.reach, s.AnomalyMateriality*toWarning(c, mid))
	}
}

// toWarning is how far the healthy level is from the nearest warning limit; 0
// when the signal has none, so that only statistics decide.
func toWarning(c channel, mid float64) float64 {
	nearest := math.Inf(1)
	for _, s := range c.sides {
		nearest = min(nearest, math.Abs(s.warn-mid))
	}
	if math.IsInf(nearest, 1) {
		return 0
	}
	return nearest
}

// heldOut returns the conformal limit on the largest smoothed residual of a
// row, which needs no correction for the number of signals.
func (b *baseline) heldOut(s Settings) (float64, bool) {
	scores := make([]float64, b.calibration)
	for k, r := range b.held {
		for j, e := range b.smooth[r] {
			scores[k] = max(scores[k], math.Abs(e)/b.scale[j])
		}
	}
	limit, _ := conformal.Limit(scores, s.AnomalyAlpha)
	limit *= s.AnomalyFactor
	return max(limit, 0.5), finite(limit)
}

// index returns each signal's smoothed residual of row r (counted from start)
// over its limit: 1 when it is both unlikely and large enough to matter.
func (b *baseline) index(r int) []float64 {
	out := make([]float64, len(b.scale))
	for j, e := range b.smooth[r] {
		e = math.Abs(e)
		out[j] = e / max(b.limit*b.scale[j], b.reach[j])
	}
	return out
}
