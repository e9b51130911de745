package gbt

import "math"

// initial returns the constant raw prediction of least loss.
func initial(targets, weights []float64, loss Loss) float64 {
	total, mean := 0.0, 0.0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		total += w
		mean += (targets[i] - mean) * (w / total)
	}
	if loss == Squared {
		return mean
	}
	const edge = 1e-6 // keeps the log-odds finite when only one class is present
	p := min(max(mean, edge), 1-edge)
	return math.Log(p / (1 - p))
}

// gradients fills the first and second derivatives of the loss by the raw
// prediction, times the weight of the row.
func gradients(grad, hess, raw, targets, weights []float64, loss Loss) {
	for i, w := range weights {
		if loss == Squared {
			grad[i], hess[i] = w*(raw[i]-targets[i]), w
			continue
		}
		p := sigmoid(raw[i])
		grad[i], hess[i] = w*(p-targets[i]), w*max(p*(1-p), 1e-12)
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
