package gbt

import (
	"math"
	"slices"
)

const (
	maxBins    = 255
	missingBin = 255   // the bin of NaN
	cutSample  = 30000 // rows from which the cuts of a column are taken
)

// binned is a table of features by column, each value replaced by its bin. A
// value v of column j is in bin b when cuts[j][b-1] < v ≤ cuts[j][b].
type binned struct {
	rows int
	cuts [][]float64 // ascending upper limits of all bins but the last
	bins [][]uint8   // one slice of rows per column
}

func binColumns(rows [][]float64, bins int) *binned {
	columns := len(rows[0])
	b := &binned{rows: len(rows), cuts: make([][]float64, columns), bins: make([][]uint8, columns)}
	inParallel(columns, len(rows)*columns, func(j int) {
		b.cuts[j] = cutsOf(rows, j, bins)
		column := make([]uint8, len(rows))
		for i, row := range rows {
			column[i] = binOf(b.cuts[j], row[j])
		}
		b.bins[j] = column
	})
	return b
}

func binOf(cuts []float64, v float64) uint8 {
	if math.IsNaN(v) {
		return missingBin
	}
	b, _ := slices.BinarySearch(cuts, v)
	return uint8(b) // #nosec G115 -- at most maxBins-1 cuts
}

// cutsOf places at most bins-1 cuts between neighbouring values of a column so
// that the bins hold about the same number of rows.
func cutsOf(rows [][]float64, column, bins int) []float64 {
	stride := (len(rows) + cutSample - 1) / cutSample
	values := make([]float64, 0, len(rows)/stride+1)
	for i := 0; i < len(rows); i += stride {
		if v := rows[i][column]; !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	distinct := 0
	for i, v := range values {
		if i == 0 || v != values[i-1] {
			distinct++
		}
	}
	var cuts []float64
	filled := 0 // values below the last cut
	for i := 1; i < len(values) && len(cuts) < bins-1; i++ {
		if values[i] == values[i-1] {
			continue
		}
		room := bins - len(cuts)
		if distinct <= bins || (i-filled)*room >= len(values)-filled {
			cuts = append(cuts, between(values[i-1], values[i]))
			filled = i
		}
	}
	return cuts
}

// between returns a limit c with a ≤ c < b, the middle where it can be had.
func between(a, b float64) float64 {
	if mid := a/2 + b/2; mid >= a && mid < b {
		return mid
	}
	return a
}
