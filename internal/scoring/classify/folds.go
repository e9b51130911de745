package classify

import (
	"math/rand/v2"
	"slices"
)

// StratifiedFolds deals the rows into folds that hold nearly the same share of
// hits each, in an order drawn from the seed. Every row is in one fold.
func StratifiedFolds(hit []bool, folds int, seed uint64) [][]int {
	rng := rand.New(rand.NewPCG(seed, 0x5f01d5)) // #nosec G404 -- reproducible on purpose
	out := make([][]int, folds)
	next := 0
	for _, class := range []bool{true, false} {
		var rows []int
		for i, h := range hit {
			if h == class {
				rows = append(rows, i)
			}
		}
		rng.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		for _, i := range rows {
			out[next%folds] = append(out[next%folds], i)
			next++
		}
	}
	for f := range out {
		slices.Sort(out[f])
	}
	return out
}

// groupFolds deals whole groups into folds that hold nearly the same number of
// groups with a hit each.
func groupFolds(hit []bool, groups []int, folds int, seed uint64) [][]int {
	if groups == nil {
		return StratifiedFolds(hit, folds, seed)
	}
	members := map[int][]int{}
	for i, g := range groups {
		members[g] = append(members[g], i)
	}
	names := make([]int, 0, len(members))
	for g := range members {
		names = append(names, g)
	}
	slices.Sort(names)
	anyHit := make([]bool, len(names))
	for k, g := range names {
		anyHit[k] = slices.ContainsFunc(members[g], func(i int) bool { return hit[i] })
	}
	out := make([][]int, folds)
	for f, held := range StratifiedFolds(anyHit, folds, seed) {
		for _, k := range held {
			out[f] = append(out[f], members[names[k]]...)
		}
		slices.Sort(out[f])
	}
	return out
}
