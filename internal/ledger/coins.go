package ledger

import "math"

// The interval leaves a tenth of the probability on either side.
const (
	lowTail  = 0.1
	highTail = 0.9
)

// cells is how finely a sum of money is resolved: its greatest possible value
// is divided into so many steps.
const cells = 4096

// coin is a failure that may have been avoided, and what it would have cost.
type coin struct{ chance, worth float64 }

func chances(coins []coin) []float64 {
	out := make([]float64, len(coins))
	for i, c := range coins {
		out[i] = c.chance
	}
	return out
}

// count is the number of heads of independent coins: a Poisson binomial
// distribution, computed exactly by adding one coin after the other.
func count(p []float64) Estimate {
	mass := make([]float64, 1, len(p)+1)
	mass[0] = 1
	mean := 0.0
	for _, q := range p {
		mean += q
		mass = append(mass, 0)
		for k := len(mass) - 1; k > 0; k-- {
			mass[k] = mass[k]*(1-q) + mass[k-1]*q
		}
		mass[0] *= 1 - q
	}
	return Estimate{mean, float64(quantile(mass, lowTail)), float64(quantile(mass, highTail))}
}

// worth is the sum of what independent coins are worth when they show heads.
// Sums are kept in steps of 1/4096 of the greatest one; a value between two
// steps is split over both so that the mean stays exact. A bound is therefore
// off by less than one step for each coin.
func worth(coins []coin) Estimate {
	most, mean := 0.0, 0.0
	for _, c := range coins {
		most += max(0, c.worth)
		mean += c.chance * max(0, c.worth)
	}
	if most == 0 {
		return Estimate{}
	}
	step := most / cells
	mass := make([]float64, cells+len(coins)+1)
	mass[0] = 1
	reach := 0 // highest step with mass
	for _, c := range coins {
		whole, part := math.Modf(max(0, c.worth) / step)
		k := int(whole)
		for i := reach; i >= 0; i-- {
			m := mass[i] * c.chance
			mass[i] -= m
			mass[i+k] += m * (1 - part)
			mass[i+k+1] += m * part
		}
		reach += k + 1
	}
	return Estimate{mean, step * float64(quantile(mass, lowTail)), step * float64(quantile(mass, highTail))}
}

// quantile is the first index at which the mass so far reaches q.
func quantile(mass []float64, q float64) int {
	sum := 0.0
	for i, m := range mass {
		if sum += m; sum >= q-1e-12 {
			return i
		}
	}
	return len(mass) - 1
}
