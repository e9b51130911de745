package classify

import (
	"math"
	"slices"
)

// Metrics judges probabilities against what happened. All are between 0 and 1;
// NaN where nothing or everything happened.
type Metrics struct {
	AveragePrecision float64 `json:"average_precision"` // Σ (recall step)·precision
	AUC              float64 `json:"auc"`               // area under the ROC curve
	Brier            float64 `json:"brier"`             // mean squared error
	CalibrationError float64 `json:"calibration_error"` // mean gap in ten bins of equal width, by rows
	Share            float64 `json:"share"`             // of rows where it happened
}

// Evaluate judges probabilities; both slices have the same length.
func Evaluate(probability []float64, hit []bool) Metrics {
	n := float64(len(hit))
	var m Metrics
	var bins [10]struct{ p, hits, rows float64 }
	for i, p := range probability {
		y := 0.0
		if hit[i] {
			y = 1
		}
		m.Share += y / n
		m.Brier += (p - y) * (p - y) / n
		b := &bins[min(max(int(p*10), 0), 9)]
		b.p, b.hits, b.rows = b.p+p, b.hits+y, b.rows+1
	}
	for _, b := range bins {
		m.CalibrationError += math.Abs(b.p-b.hits) / n
	}
	m.AveragePrecision, m.AUC = ranked(probability, hit)
	return m
}

// ranked returns the average precision and the area under the ROC curve. Rows
// of one probability count together.
func ranked(probability []float64, hit []bool) (precision, auc float64) {
	order := make([]int, len(hit))
	total := 0.0
	for i := range order {
		order[i] = i
		if hit[i] {
			total++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case probability[a] > probability[b]:
			return -1
		case probability[a] < probability[b]:
			return 1
		}
		return 0
	})
	found, misses := 0.0, 0.0
	for i := 0; i < len(order); {
		p := probability[order[i]]
		hits, others := 0.0, 0.0
		for ; i < len(order) && probability[order[i]] == p; i++ {
			if hit[order[i]] {
				hits++
			} else {
				others++
			}
		}
		auc += others * (found + hits/2)
		found, misses = found+hits, misses+others
		precision += hits / total * found / (found + misses)
	}
	return precision, auc / (total * misses)
}
