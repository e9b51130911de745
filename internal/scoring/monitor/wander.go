package monitor

import "gonum.org/v1/gonum/stat"

const (
	blockRows   = 25   // rows whose mean stands for the level of a signal
	beyondNoise = 3.0  // times as far as noise alone moves levels
	beyondNear  = 1.25 // times as far at far lags as at near ones
)

// wandering estimates by how much the variance of column j, in units of its
// scale, grows per row. Levels of a signal that stays about its mean, or comes
// back to it as one that follows a load does, differ by as much at near lags
// as at far ones; those of a random walk differ in proportion to the lag
// (structure function). 0 when the levels move no more than noise does.
func wandering(rows [][]float64, j int, scale float64) float64 {
	n := len(rows) / blockRows
	if n < 8 {
		return 0
	}
	levels, noise := make([]float64, n), 0.0
	column := make([]float64, blockRows)
	for b := range n {
		for i, r := range rows[b*blockRows : (b+1)*blockRows] {
			column[i] = r[j] / scale
		}
		mean, variance := stat.MeanVariance(column, nil)
		levels[b] = mean
		noise += variance / float64(n)
	}
	nearFrom, nearTo, farFrom, farTo := max(n/16, 1), n/8, n/4, n/2
	far := moved(levels, farFrom, farTo)
	near := moved(levels, nearFrom, nearTo)
	if far < beyondNoise*2*noise/blockRows || far < beyondNear*near {
		return 0
	}
	lag := float64(farFrom+farTo-nearFrom-nearTo) / 2 * blockRows
	return (far - near) / lag
}

// moved is the mean squared difference of levels from to to blocks apart.
func moved(levels []float64, from, to int) float64 {
	mean := 0.0
	for lag := from; lag <= to; lag++ {
		sum := 0.0
		for b := range levels[:len(levels)-lag] {
			v := levels[b+lag] - levels[b]
			sum += v * v
		}
		mean += sum / float64(len(levels)-lag) / float64(to-from+1)
	}
	return mean
}
