// Package conformal turns held-out scores into limits that hold with a stated
// probability whatever the distribution of the scores, as long as the next
// score is exchangeable with them (Vovk et al., Algorithmic Learning in a
// Random World, 2005).
package conformal

import (
	"math"
	"slices"
)

// Quantile returns the limit that a further score exceeds with probability at
// most alpha: the k-th smallest of n scores with k = ⌈(n+1)(1−alpha)⌉. When n
// is too small for that alpha (k > n) the limit is +Inf. NaN scores are
// ignored; alpha is clipped to [0, 1]. The slice is not changed.
func Quantile(scores []float64, alpha float64) float64 {
	sorted := make([]float64, 0, len(scores))
	for _, s := range scores {
		if !math.IsNaN(s) {
			sorted = append(sorted, s)
		}
	}
	slices.Sort(sorted)
	alpha = min(max(alpha, 0), 1)
	// The small term keeps exact products such as 100 × 0.95 from rounding up.
	k := int(math.Ceil(float64(len(sorted)+1)*(1-alpha) - 1e-9))
	switch {
	case k > len(sorted):
		return math.Inf(1)
	case k < 1:
		return math.Inf(-1)
	}
	return sorted[k-1]
}

// Limit is Quantile, but falls back to the largest score when n is too small
// for alpha, and says so. It returns 0 and false without scores.
func Limit(scores []float64, alpha float64) (limit float64, exact bool) {
	q := Quantile(scores, alpha)
	if !math.IsInf(q, 1) {
		return max(q, 0), !math.IsInf(q, -1)
	}
	for _, s := range scores {
		if !math.IsNaN(s) && !math.IsInf(s, 0) {
			limit = max(limit, s)
		}
	}
	return limit, false
}
