package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/regime"
)

// regimeSeed starts the search for regimes, so that it ends the same each time.
const regimeSeed = 20260101

// regimes are the operating regimes of one asset; nil is a single one, which
// is all there is without operating variables or when they vary smoothly.
type regimes struct{ model *regime.Model }

// learnRegimes finds the regimes of healthy rows and reports whether they
// could be looked for.
func (b *Baseline) learnRegimes(rows [][]float64) bool {
	operating := b.operatingColumns()
	if len(operating) == 0 {
		return true
	}
	model, err := regime.Fit(rows, operating, regimeSeed)
	if err != nil {
		return false // unreachable with rows of one width
	}
	if len(model.Centroids) > 1 {
		b.regimes.model = model
	}
	return true
}

// operatingColumns lists the columns that describe the operating point.
func (b *Baseline) operatingColumns() []int {
	var out []int
	for j, c := range b.columns {
		if c.operating {
			out = append(out, j)
		}
	}
	return out
}

func (g regimes) count() int {
	if g.model == nil {
		return 1
	}
	return len(g.model.Centroids)
}

func (g regimes) of(row []float64) int {
	if g.model == nil {
		return 0
	}
	return g.model.Of(row)
}

// units sets a column's centre and spread in every regime.
func (g regimes) units(c *column, j int, floor float64) {
	for k := range g.model.Centroids {
		c.centre[k], c.spread[k] = g.model.Mean[k][j], max(g.model.SD[k][j], floor)
	}
}

// leastApart is the least distance of operating points, in standard units, that
// makes one unfamiliar.
const leastApart = 0.5

// distance is how far a standardised row's operating point lies from the
// nearest in memory: the largest difference of any operating variable.
func (b *Baseline) distance(row []float64, operating []int) float64 {
	nearest := math.Inf(1)
	for _, m := range b.memory {
		far := 0.0
		for _, j := range operating {
			far = max(far, math.Abs(row[j]-m[j]))
		}
		nearest = min(nearest, far)
	}
	return nearest
}
