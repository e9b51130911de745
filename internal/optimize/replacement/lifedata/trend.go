package lifedata

import "math"

// Trend describes how often one repairable system fails as it ages, by a
// power law: Lambda·t^Beta failures by time t are expected. Laplace is the
// statistic of the test against a constant rate: standard normal without a
// trend, above 0 when failures come faster.
type Trend struct {
	Laplace float64
	Beta    float64
	Lambda  float64
	End     float64 // of the observation
	Count   int
}

// NewTrend estimates from the times of failure since new, in rising order,
// and the end of the observation; an end of 0 means that it ended with the
// last failure. The power law is Crow's maximum likelihood (AMSAA).
func NewTrend(times []float64, end float64) (Trend, error) {
	if len(times) < 2 {
		return Trend{}, ErrTooFew
	}
	if !positive(times) || math.IsNaN(end) || math.IsInf(end, 0) {
		return Trend{}, ErrNoTime
	}
	counted := len(times)
	if end == 0 {
		end = times[len(times)-1]
		counted-- // the end is the last failure, which says nothing on its place
	}
	sum, logs := 0.0, 0.0
	for i, t := range times {
		if t > end || i > 0 && t < times[i-1] {
			return Trend{}, ErrOrder
		}
		logs += math.Log(end / t)
		if i < counted {
			sum += t
		}
	}
	if logs == 0 {
		return Trend{}, ErrNoEstimate
	}
	n := float64(counted)
	tr := Trend{Laplace: (sum/n - end/2) / (end * math.Sqrt(1/(12*n))), Beta: float64(len(times)) / logs, End: end, Count: len(times)}
	tr.Lambda = float64(tr.Count) / math.Pow(end, tr.Beta)
	return tr, nil
}

// MeanCumulative returns the expected number of failures by t.
func (tr Trend) MeanCumulative(t float64) float64 { return tr.Lambda * math.Pow(t, tr.Beta) }

// CumulativeMTBF returns t over the expected number of failures by t.
func (tr Trend) CumulativeMTBF(t float64) float64 { return t / tr.MeanCumulative(t) }

// InstantMTBF returns the reciprocal of the rate of failures at t.
func (tr Trend) InstantMTBF(t float64) float64 {
	return 1 / (tr.Lambda * tr.Beta * math.Pow(t, tr.Beta-1))
}

// TimeToTarget returns when the cumulative MTBF reaches a target.
func (tr Trend) TimeToTarget(mtbf float64) float64 {
	return math.Pow(1/(mtbf*tr.Lambda), 1/(tr.Beta-1))
}
