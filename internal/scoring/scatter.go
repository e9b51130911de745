package scoring

import (
	"math"
	"slices"
)

const (
	scatterRows   = 24  // two days
	scatterStep   = 6   // of the windows measured while learning
	scatterFactor = 2.0 // times the healthy scatter that count as noise
)

// scatter is the median change of column j's residual from row to row over the
// scatterRows up to row r, in standard units: a measure of noise that neither
// a step nor a drift moves. ok is false without enough rows.
func (c *comparison) scatter(r, j int) (v float64, ok bool) {
	if r < scatterRows {
		return 0, false
	}
	var room [scatterRows]float64
	steps := room[:0]
	for i := r - scatterRows + 1; i <= r; i++ {
		steps = append(steps, math.Abs(c.raw[i][j]-c.raw[i-1][j]))
	}
	slices.Sort(steps)
	return (steps[scatterRows/2-1] + steps[scatterRows/2]) / 2, true
}

// healthyScatter is the greatest scatter of column j among the held-out rows;
// 0 when they are too few.
func (c *comparison) healthyScatter(j int, held []int) float64 {
	greatest := 0.0
	for r := held[len(held)-1]; r >= scatterRows; r -= scatterStep {
		v, _ := c.scatter(r, j)
		greatest = max(greatest, v)
	}
	if greatest == 0 {
		return 0
	}
	// Rounding leaves many signals without any change from row to row.
	return max(greatest, 0.1*c.columns[j].scale)
}

// noisier is how many times its healthy scatter column j has at row r, and
// that over the limit, 0 unless such noise is large enough to matter.
func (c *comparison) noisier(r, j int) (times, index float64) {
	col := &c.columns[j]
	now, ok := c.scatter(r, j)
	if !ok || col.noise == 0 || col.operating {
		return 0, 0
	}
	times = now / col.noise
	// Three standard deviations of a change are 3·1.4826·median.
	if 3*1.4826*now*col.spread[c.regime[r]] < c.reach[j] {
		return times, 0
	}
	return times, times / scatterFactor
}

// noisySince is the first row of the noise that lasts to the present.
func (c *comparison) noisySince(j int) int {
	r := len(c.raw) - 1
	for ; r > 0; r-- {
		if _, index := c.noisier(r-1, j); index <= anomalyEdge {
			break
		}
	}
	return r
}
