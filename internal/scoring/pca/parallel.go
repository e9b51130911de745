package pca

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	permutations = 20
	permutedRank = 0.95 // a direction counts when it beats this share of the permutations
)

// parallelAnalysis counts the leading directions whose variance exceeds that
// of the same rank after every column was shuffled on its own, which keeps
// each variable's distribution and removes what they share (Horn, 1965). It
// returns at least 1.
func parallelAnalysis(vectors *mat.Dense, values []float64, seed uint64) (int, error) {
	n, d := vectors.Dims()
	rng := rand.New(rand.NewPCG(seed, 0x70636120)) // #nosec G404 -- permutations, not secrets
	shuffled := mat.NewDense(n, d, nil)
	chance := make([][]float64, d)
	for range permutations {
		for j := range d {
			for i, from := range rng.Perm(n) {
				shuffled.Set(i, j, vectors.At(from, j))
			}
		}
		got, _, err := eigen(shuffled, false)
		if err != nil {
			return 0, err
		}
		for k, v := range got {
			chance[k] = append(chance[k], v)
		}
	}
	for k, v := range values {
		slices.Sort(chance[k])
		if v <= chance[k][int(permutedRank*permutations)-1] {
			return max(k, 1), nil
		}
	}
	return d, nil
}
