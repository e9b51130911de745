package monitor

// Bounds of a residual in standard units: one wild reading must not fill the
// smoothed values for long.
const (
	furthest = 6.0
	mostUnit = 6.0 // of the squared residual, in units of its normal limit
)

// residuals turns a row into components that are near zero when it is normal.
type residuals interface {
	// window is the number of rows, with those before it, that a row needs.
	window() int
	// size is the number of components of a row.
	size() int
	// residual writes the components of the last row of the window into dst,
	// NaN for those that cannot be told, and what was expected into expected.
	residual(dst, expected []float64, window [][]float64)
	// groups are the statistics that watch the components.
	groups() []group
	// signals is the first of the components that stand for one signal each.
	signals() int
	// blame tells how a statistic of components in these units spreads over
	// the signals; nil when that is read off the components of the signals.
	blame(g group, unit []float64) *blame
}

// within limits v to ±bound and leaves NaN.
func within(v, bound float64) float64 { return min(max(v, -bound), bound) }
