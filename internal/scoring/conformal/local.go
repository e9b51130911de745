package conformal

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	neighbourShare  = 1.0 / 30 // of the pairs, within the two limits below
	leastNeighbours = 60
	mostNeighbours  = 600
)

// Local is what came true of past predictions: the conditional distribution of
// the actual value given the predicted one, estimated from held-out pairs whose
// predictions were nearest (Lei and Wasserman, "Distribution-free prediction
// bands", JRSS B 76, 2014). It is safe for concurrent use.
type Local struct {
	predicted, actual []float64 // ordered by predicted
	most              float64
}

// NewLocal keeps the pairs of a held-out prediction and what came true, both
// finite. Actual values are known only up to most (+Inf when there is no such
// limit): those at the limit are taken to lie there or beyond.
func NewLocal(predicted, actual []float64, most float64) (*Local, error) {
	if len(predicted) == 0 || len(predicted) != len(actual) {
		return nil, fmt.Errorf("local distribution: %d predictions and %d outcomes", len(predicted), len(actual))
	}
	order := make([]int, len(predicted))
	for i := range order {
		order[i] = i
		if math.IsNaN(predicted[i]-actual[i]) || math.IsInf(predicted[i]-actual[i], 0) {
			return nil, errors.New("local distribution: a prediction or outcome is not finite")
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case predicted[a] < predicted[b]:
			return -1
		case predicted[a] > predicted[b]:
			return 1
		}
		return 0
	})
	l := &Local{predicted: make([]float64, len(order)), actual: make([]float64, len(order)), most: most}
	for i, k := range order {
		l.predicted[i], l.actual[i] = predicted[k], min(actual[k], most)
	}
	return l, nil
}

// Size returns the number of pairs.
func (l *Local) Size() int { return len(l.predicted) }

// Pairs returns the pairs in ascending order of the prediction. They must not
// be changed.
func (l *Local) Pairs() (predicted, actual []float64) { return l.predicted, l.actual }

// Most returns the limit up to which actual values are known.
func (l *Local) Most() float64 { return l.most }

// At returns the distribution of the actual value for a prediction: the errors
// of the nearest past predictions added to this one, within 0 and the limit.
func (l *Local) At(prediction float64) Distribution {
	n := len(l.predicted)
	k := min(max(int(neighbourShare*float64(n)), leastNeighbours), mostNeighbours, n)
	near, _ := slices.BinarySearch(l.predicted, prediction)
	from := min(max(near-k/2, 0), n-k)
	for from > 0 && prediction-l.predicted[from-1] < l.predicted[from+k-1]-prediction {
		from--
	}
	for from+k < n && l.predicted[from+k]-prediction < prediction-l.predicted[from] {
		from++
	}
	values := make([]float64, k)
	for i := range values {
		v := l.actual[from+i]
		if v < l.most {
			v = min(max(v+prediction-l.predicted[from+i], 0), l.most)
		}
		values[i] = v
	}
	slices.Sort(values)
	return Distribution{values: values}
}

// Distribution is an empirical distribution of equally likely values.
type Distribution struct{ values []float64 } // ascending

// Below returns the probability of a value of at most v. It stays within
// 1/(2n+2) of 0 and 1: n past cases exclude nothing for certain.
func (d Distribution) Below(v float64) float64 {
	n, _ := slices.BinarySearchFunc(d.values, v, func(x, v float64) int {
		if x <= v {
			return -1
		}
		return 1
	})
	return (float64(n) + 0.5) / (float64(len(d.values)) + 1)
}

// Quantile returns the least value with at least a share q of the values at or
// below it; q is clipped to [0, 1].
func (d Distribution) Quantile(q float64) float64 {
	k := int(math.Ceil(q*float64(len(d.values)) - 1e-9))
	return d.values[min(max(k, 1), len(d.values))-1]
}

// Shortest returns the shortest interval that holds a further value with at
// least the given probability, the lower one among equals; all values when there
// are too few for that.
func (d Distribution) Shortest(probability float64) (lo, hi float64) {
	n := len(d.values)
	k := min(max(int(math.Ceil(probability*float64(n+1)-1e-9)), 1), n)
	lo, hi = d.values[0], d.values[k-1]
	for i := 1; i+k <= n; i++ {
		if d.values[i+k-1]-d.values[i] < hi-lo {
			lo, hi = d.values[i], d.values[i+k-1]
		}
	}
	return lo, hi
}
