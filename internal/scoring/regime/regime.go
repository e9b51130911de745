// Package regime takes the operating point out of a signal. It finds the
// operating regimes of a fleet by k-means on the variables that describe the
// operating point (k-means++ start of Arthur and Vassilvitskii, 2007) and
// expresses every signal as its distance from the regime's mean in units of the
// regime's standard deviation.
package regime

import (
	"errors"
	"fmt"
	"math"
)

const (
	// clip bounds a standardised signal: one wild reading must not swamp the
	// means and slopes that are computed from it.
	clip = 10.0
	// leastRows is the number of readings below which a regime's own mean and
	// spread of a signal are not trusted and those of all rows are used.
	leastRows = 30
	// negligible is the spread, relative to the size of the mean, below which a
	// signal counts as constant.
	negligible = 1e-9
)

// Model standardises rows.
type Model struct {
	Operating []int       // columns of the operating point
	Centre    []float64   // mean of each operating column
	Scale     []float64   // standard deviation of each operating column, 1 when constant
	Centroids [][]float64 // regimes × operating columns, standardised
	Mean      [][]float64 // regimes × columns
	SD        [][]float64 // regimes × columns; 0 where the signal is constant
}

// Fit learns the regimes from rows × columns (NaN = missing). The number of
// regimes is the smallest, up to maxRegimes, whose centroids explain all but
// half a percent of the spread of the operating point; without such a structure
// (or without operating columns) there is one regime.
func Fit(rows [][]float64, operating []int, seed uint64) (*Model, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, errors.New("operating regimes: no rows")
	}
	columns := len(rows[0])
	for i, row := range rows {
		if len(row) != columns {
			return nil, fmt.Errorf("operating regimes: row %d has %d columns, the first has %d", i+1, len(row), columns)
		}
	}
	for _, j := range operating {
		if j < 0 || j >= columns {
			return nil, fmt.Errorf("operating regimes: operating column %d is not among %d columns", j, columns)
		}
	}
	m := &Model{Operating: operating}
	for _, j := range operating {
		mean, sd, _ := moments(rows, nil, 0, j)
		if sd == 0 {
			sd = 1
		}
		m.Centre, m.Scale = append(m.Centre, mean), append(m.Scale, sd)
	}
	points := make([][]float64, len(rows))
	for i, row := range rows {
		points[i] = m.point(row)
	}
	m.Centroids = centroids(points, len(operating), seed)
	m.standardise(rows, points)
	return m, nil
}

// standardise learns the mean and spread of every column in every regime.
func (m *Model) standardise(rows, points [][]float64) {
	of := make([]int, len(rows))
	for i, p := range points {
		of[i], _ = Nearest(m.Centroids, p)
	}
	columns := len(rows[0])
	for k := range m.Centroids {
		means, sds := make([]float64, columns), make([]float64, columns)
		for j := range columns {
			mean, sd, n := moments(rows, of, k, j)
			if n < leastRows {
				mean, sd, _ = moments(rows, nil, 0, j)
			}
			means[j], sds[j] = mean, sd
		}
		m.Mean, m.SD = append(m.Mean, means), append(m.SD, sds)
	}
}

// Columns returns the number of columns that a row must have.
func (m *Model) Columns() int { return len(m.Mean[0]) }

// Constant tells whether a column never moves within any regime.
func (m *Model) Constant(column int) bool {
	for k := range m.SD {
		if m.SD[k][column] > 0 {
			return false
		}
	}
	return true
}

// Of returns the index of the regime nearest to the row's operating point.
// Missing operating variables count as average.
func (m *Model) Of(row []float64) int {
	k, _ := Nearest(m.Centroids, m.point(row))
	return k
}

// Standardise writes the row's standardised signals into dst, which has the
// same length: NaN where missing or infinite, 0 where constant, within ±10. It
// returns the index of the regime.
func (m *Model) Standardise(dst, row []float64) (k int) {
	if len(m.Centroids) > 1 {
		k = m.Of(row)
	}
	mean, sd := m.Mean[k], m.SD[k]
	for j, v := range row {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			dst[j] = math.NaN()
		case sd[j] == 0:
			dst[j] = 0
		default:
			dst[j] = min(max((v-mean[j])/sd[j], -clip), clip)
		}
	}
	return k
}

// Check tells whether the model, read from somewhere, fits together and is made
// for rows of so many columns.
func (m *Model) Check(columns int) error {
	regimes, width := len(m.Centroids), len(m.Operating)
	ok := regimes > 0 && len(m.Mean) == regimes && len(m.SD) == regimes && len(m.Centre) == width && len(m.Scale) == width
	for k := 0; ok && k < regimes; k++ {
		ok = len(m.Centroids[k]) == width && len(m.Mean[k]) == columns && len(m.SD[k]) == columns
	}
	for _, j := range m.Operating {
		ok = ok && j >= 0 && j < columns
	}
	if !ok {
		return fmt.Errorf("operating regimes: the model does not fit rows of %d columns", columns)
	}
	return nil
}

// point returns the standardised operating point of a row.
func (m *Model) point(row []float64) []float64 {
	p := make([]float64, len(m.Operating))
	for i, j := range m.Operating {
		if v := row[j]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			p[i] = min(max((v-m.Centre[i])/m.Scale[i], -clip), clip)
		}
	}
	return p
}

// moments returns the mean, standard deviation and number of the finite values
// of a column in the rows of one regime, in all rows when of is nil. Values
// beyond the bulk are left out: a reading 10⁹ off must not set the scale. The
// deviation is 0 for a constant column.
func moments(rows [][]float64, of []int, regime, column int) (mean, sd float64, n int) {
	lo, hi := bulk(rows, of, regime, column)
	ss := 0.0
	for i, row := range rows {
		v := row[column]
		if (of != nil && of[i] != regime) || !(v >= lo && v <= hi) {
			continue
		}
		n++
		d := v - mean
		mean += d / float64(n)
		ss += d * (v - mean)
	}
	if n > 1 {
		sd = math.Sqrt(ss / float64(n))
	}
	if sd <= negligible*math.Max(math.Abs(mean), 1e-9) {
		sd = 0
	}
	return mean, sd, n
}
