package scoring

import (
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/aakr"
	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// comparison is a stretch of the frame held against a baseline whose columns
// are those of the frame. Residuals are actual minus expected in standard
// units; rows count from start.
type comparison struct {
	*Baseline
	ok      bool
	set     Settings
	start   int     // first row of the frame compared
	limit   float64 // on the largest smoothed residual, in units of column.scale
	reach   []float64
	raw     [][]float64
	smooth  [][]float64 // EWMA of raw
	regime  []int
	strange []float64 // distance of an unfamiliar operating point, else 0
	joint   *together // statistics of the signals together; nil with few signals
	single  *alone    // cumulative sum of the only signal; nil with others
}

const (
	lately  = 300 // rows judged at first: 25 days
	settled = 40  // rows after which a smoothed residual has forgotten its start
	quiet   = 60  // rows after that which must be quiet, else twice as many are judged
)

// compare holds the latest rows of the frame against a baseline: as many as it
// takes to know the present episode, none before first. A baseline that knows
// other signals than the asset has now is refused; of signals that are silent
// now the memory is left out. Unusable operating variables leave nothing to
// compare with, because a change of load would look like a fault.
func (a *Assessment) compare(b *Baseline, first int) comparison {
	columns := b.columnsOf(a.frame, a.channels)
	for _, j := range b.operatingColumns() {
		if !slices.Contains(columns, j) {
			a.refused = append(a.refused, Reason{Code: CodeOperating, Signal: b.Signals[j], Detail: b.Signals[j]})
			return comparison{Baseline: b, set: a.set}
		}
	}
	if len(columns) == 0 {
		return comparison{Baseline: b, set: a.set}
	}
	c := newComparison(b.only(columns), a)
	for rows := lately; ; rows *= 2 {
		c.widen(a.frame, max(first, len(a.frame.rows)-rows))
		c.smoothen(a.frame)
		c.ok = c.judgeable()
		if c.start == first || !c.early() {
			return c
		}
	}
}

// newComparison has no rows yet.
func newComparison(b *Baseline, a *Assessment) comparison {
	c := comparison{Baseline: b, set: a.set, start: len(a.frame.rows)}
	for j, i := range a.frame.channels {
		c.reach = append(c.reach, a.set.AnomalyMateriality*toWarning(a.channels[i], b.columns[j].level))
	}
	return c
}

// early reports whether an episode may have begun before the first row.
func (c *comparison) early() bool {
	for r := settled; c.ok && r < settled+quiet; r++ {
		if c.strange[r] > 0 || c.worst(r) >= leaveBelow {
			return true
		}
	}
	return false
}

// widen reconstructs the rows of the frame from start up to those compared
// already. At an operating point that the memory does not know, nothing can be
// expected: such rows have no residual.
func (c *comparison) widen(f frame, start int) {
	model, err := aakr.Restore(c.memory, ones(len(c.columns)), c.width)
	if err != nil {
		return // unreachable: memory and columns were made for each other
	}
	p, n := len(c.columns), c.start-start
	operating := c.operatingColumns()
	room, standard := make([]float64, n*p), make([]float64, p)
	raw, regime, strange := make([][]float64, n), make([]int, n), make([]float64, n)
	for r, row := range f.rows[start:c.start] {
		raw[r], regime[r] = room[r*p:(r+1)*p], c.regimes.of(row)
		c.standard(standard, row, regime[r])
		if len(operating) > 0 && c.apart > 0 {
			if d := c.distance(standard, operating); d > c.apart {
				strange[r] = d
				continue
			}
		}
		c.residual(raw[r], standard, model)
	}
	c.start = start
	c.raw, c.regime, c.strange = append(raw, c.raw...), append(regime, c.regime...), append(strange, c.strange...)
}

// smoothen sets the smoothed residuals of all rows compared and the statistics
// of the signals together. Rows at an unfamiliar operating point leave both as
// they were.
func (c *comparison) smoothen(f frame) {
	p, n := len(c.columns), len(c.raw)
	room, state, standard := make([]float64, n*p), make([]float64, p), make([]float64, p)
	c.smooth = make([][]float64, n)
	c.joint = c.together.watch(n)
	for r, raw := range c.raw {
		c.smooth[r] = room[r*p : (r+1)*p]
		if c.strange[r] == 0 {
			for j := range raw {
				state[j] += smoothing * (raw[j] - state[j])
			}
			if c.joint != nil {
				c.joint.next(r, c.standard(standard, f.rows[c.start+r], c.regime[r]))
			}
		}
		copy(c.smooth[r], state)
	}
}

// residual writes actual minus expected of a standardised row into dst. A
// single signal has no others to be expected from, only its healthy centre;
// operating variables are given and have no residual.
func (c *comparison) residual(dst, row []float64, model *aakr.Model) {
	if len(row) > 1 {
		model.Reconstruct(dst, row)
	}
	for j := range row {
		dst[j] = row[j] - dst[j]
		if c.columns[j].operating {
			dst[j] = 0
		}
	}
}

// calibrate measures the residuals on the held-out rows.
func (c *comparison) calibrate(f frame, channels []channel, held []int) {
	values, levels := make([]float64, len(held)), make([]float64, len(held))
	for j, i := range f.channels {
		col := &c.columns[j]
		for k, r := range held {
			levels[k], values[k] = f.rows[c.start+r][j], c.raw[r][j]
		}
		_, sd := centre(values)
		col.level = median(levels)
		col.scale = max(sd, floorScale(channels[i], col.level)/col.spread[0])
		col.noise = c.healthyScatter(j, held)
	}
	for _, r := range held {
		c.scores = append(c.scores, float64(float32(c.score(r))))
		if c.joint != nil {
			c.joint.hold(r)
		}
	}
	if w := c.watchAlone(1); w != nil {
		for _, r := range held {
			c.shift = max(c.shift, w.shift[r])
		}
	}
	c.separate(f, held)
}

// score is the largest smoothed residual of a row, in units of column.scale.
func (c *comparison) score(r int) float64 {
	worst := 0.0
	for j, e := range c.smooth[r] {
		worst = max(worst, math.Abs(e)/c.columns[j].scale)
	}
	return worst
}

// separate sets how far an operating point may lie from the memory: half as
// far again as any held-out one.
func (c *comparison) separate(f frame, held []int) {
	operating := c.operatingColumns()
	if len(operating) == 0 {
		return
	}
	row := make([]float64, len(c.columns))
	far := 0.0
	for _, r := range held {
		c.standard(row, f.rows[c.start+r], c.regime[r])
		far = max(far, c.distance(row, operating))
	}
	c.apart = max(1.5*far, leastApart)
}

// judgeable sets the conformal limit on the largest smoothed residual of a
// row, which needs no correction for the number of signals, and reports
// whether there is one.
func (c *comparison) judgeable() bool {
	limit, _ := conformal.Limit(c.scores, c.set.AnomalyAlpha)
	c.limit = max(limit*c.set.AnomalyFactor, 0.5)
	if c.joint != nil {
		c.joint.limits(c.set)
	}
	c.single = c.watchAlone(max(c.shift*c.set.AnomalyFactor, shiftLimit))
	return finite(c.limit) && len(c.scores) > 0 && len(c.smooth) > 0
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

// index is column j's smoothed residual of row r over its limit: 1 when it is
// both unlikely and large enough to matter.
func (c *comparison) index(r, j int) float64 {
	spread := c.columns[j].spread[c.regime[r]]
	return math.Abs(c.smooth[r][j]) * spread / max(c.limit*c.columns[j].scale*spread, c.reach[j])
}

// worst is the largest index of row r.
func (c *comparison) worst(r int) float64 {
	worst := 0.0
	for j := range c.columns {
		worst = max(worst, c.index(r, j))
	}
	t2, spe := c.jointly(r)
	return max(worst, t2, spe, c.singly(r))
}

// unfamiliar is how far the present operating point lies from all those known,
// 0 when it is known.
func (c *comparison) unfamiliar() float64 {
	if !c.ok {
		return 0
	}
	return c.strange[len(c.strange)-1]
}
