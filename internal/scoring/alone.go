package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/change"
)

const (
	shiftSlack = 0.5 // half of the shift that the cumulative sum looks for, standard units
	shiftLimit = 5.0 // least decision interval, standard units
)

// alone is the course of the cumulative sum of the residual of an asset with a
// single signal to judge, as a ratio to its limit: no other signal can confirm
// a small shift, only its lasting.
type alone struct {
	column int
	shift  []float64
}

// watchAlone runs the cumulative sum over the raw residuals; nil unless exactly
// one column is judged and the limit, the decision interval, is known.
func (c *comparison) watchAlone(limit float64) *alone {
	judged := c.judged()
	if len(judged) != 1 || math.IsInf(limit, 0) {
		return nil
	}
	sum, err := change.NewCUSUM(0, 1, shiftSlack, limit)
	if err != nil {
		return nil // unreachable with a positive limit
	}
	w := &alone{column: judged[0], shift: make([]float64, len(c.raw))}
	for r, row := range c.raw {
		sum.Next(row[w.column])
		w.shift[r] = sum.Score()
	}
	return w
}

// singly is the ratio of row r, as far as the signal has moved half of what
// matters: after a repair the sum takes long to fall.
func (c *comparison) singly(r int) float64 {
	w := c.single
	if w == nil {
		return 0
	}
	moved := math.Abs(c.smooth[r][w.column]) * c.columns[w.column].spread[c.regime[r]]
	return min(w.shift[r], moved/max(halfReach*c.reach[w.column], 1e-12))
}

// singleFindings says whether the cumulative sum speaks now.
func (c *comparison) singleFindings() []Reason {
	if c.single == nil || !c.ok {
		return nil
	}
	ratio := c.singly(len(c.raw) - 1)
	if ratio <= anomalyEdge {
		return nil
	}
	return []Reason{{Code: CodeCusum, Signal: c.Signals[c.single.column], Value: ratio, Limit: anomalyEdge}}
}
