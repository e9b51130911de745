package regime

import (
	"math"
	"slices"
)

// reach is how far from the median a value still counts, in distances between
// the 2nd and the 98th percentile.
const reach = 3.0

// bulk returns the limits between which the values of a column lie, but for
// outliers. A column whose central 96 % are one value keeps all its values.
func bulk(rows [][]float64, of []int, regime, column int) (lo, hi float64) {
	const most = 20000
	stride := (len(rows) + most - 1) / most
	values := make([]float64, 0, len(rows)/stride+1)
	for i := 0; i < len(rows); i += stride {
		v := rows[i][column]
		if (of == nil || of[i] == regime) && !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.Inf(1), math.Inf(-1)
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[int(share*float64(len(values)-1))] }
	width := at(0.98) - at(0.02)
	if width == 0 {
		width = (values[len(values)-1] - values[0])
	}
	middle := at(0.5)
	return middle - reach*width, middle + reach*width
}
