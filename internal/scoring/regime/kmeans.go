package regime

import (
	"math"
	"math/rand/v2"
)

const (
	maxRegimes  = 10
	unexplained = 0.005 // share of the spread that regimes may leave unexplained
	starts      = 3
	iterations  = 50
	sample      = 2500 // points on which the centroids are found
)

// Cluster returns k centroids of the points (fewer only when there are fewer
// points): the best of a few seeded starts.
func Cluster(points [][]float64, k int, seed uint64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 0xc1a55)) // #nosec G404 -- seeded start, not cryptography
	best, _ := cluster(points, min(k, len(points)), rng)
	return best
}

func cluster(points [][]float64, k int, rng *rand.Rand) (best [][]float64, least float64) {
	least = math.Inf(1)
	for range starts {
		c := spread(points, k, rng)
		if left := settle(points, c); left < least {
			best, least = c, left
		}
	}
	return best, least
}

// centroids returns the fewest centroids that explain the points, or one.
func centroids(points [][]float64, width int, seed uint64) [][]float64 {
	stride := (len(points) + sample - 1) / sample
	thinned := make([][]float64, 0, sample)
	for i := 0; i < len(points); i += stride {
		thinned = append(thinned, points[i])
	}
	one := [][]float64{make([]float64, width)}
	whole := settle(thinned, one)
	if width == 0 || whole == 0 {
		return one
	}
	rng := rand.New(rand.NewPCG(seed, 0x5e71)) // #nosec G404 -- seeded start, not cryptography
	for k := 2; k <= min(maxRegimes, len(thinned)); k++ {
		if best, left := cluster(thinned, k, rng); left <= unexplained*whole {
			return best
		}
	}
	return one
}

// spread draws k of the points, each with a probability that grows with the
// squared distance from those already drawn.
func spread(points [][]float64, k int, rng *rand.Rand) [][]float64 {
	c := [][]float64{clone(points[rng.IntN(len(points))])}
	far := make([]float64, len(points))
	for len(c) < k {
		total := 0.0
		for i, p := range points {
			_, far[i] = Nearest(c, p)
			total += far[i]
		}
		left := rng.Float64() * total
		next := 0
		for i, d := range far {
			if d > 0 {
				next = i
			}
			if left -= d; left < 0 {
				break
			}
		}
		c = append(c, clone(points[next]))
	}
	return c
}

// settle moves the centroids to the means of their points until they rest and
// returns the sum of squared distances that is left.
func settle(points, c [][]float64) float64 {
	left := math.Inf(1)
	for range iterations {
		sums, counts, now := make([][]float64, len(c)), make([]float64, len(c)), 0.0
		for k := range sums {
			sums[k] = make([]float64, len(c[k]))
		}
		for _, p := range points {
			k, d := Nearest(c, p)
			now += d
			counts[k]++
			for j, v := range p {
				sums[k][j] += v
			}
		}
		for k := range c {
			for j := range c[k] {
				if counts[k] > 0 {
					c[k][j] = sums[k][j] / counts[k]
				}
			}
		}
		if now >= left*(1-1e-9) {
			return now
		}
		left = now
	}
	return left
}

// Nearest returns the index of the centroid nearest to p and the squared
// distance, the first among equals.
func Nearest(c [][]float64, p []float64) (k int, d2 float64) {
	d2 = math.Inf(1)
	for i := range c {
		d := 0.0
		for j, v := range p {
			d += (v - c[i][j]) * (v - c[i][j])
		}
		if d < d2 {
			k, d2 = i, d
		}
	}
	return k, d2
}

func clone(p []float64) []float64 { return append([]float64(nil), p...) }
