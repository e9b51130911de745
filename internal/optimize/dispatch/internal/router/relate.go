package router

import (
	"math"
	"slices"
)

// relate lists for each job the jobs nearest to it: travel both ways plus the
// waiting that following each other forces, as in Shaw's relatedness.
func (m *model) relate() {
	n := int(m.n)
	m.near = make([][]int32, n)
	type scored struct {
		job   int32
		score float64
	}
	list := make([]scored, 0, n)
	for j := range n {
		list = list[:0]
		for k := range n {
			if k != j {
				list = append(list, scored{int32(k), m.distance(int32(j), int32(k))})
			}
		}
		slices.SortFunc(list, func(a, b scored) int {
			switch {
			case a.score < b.score:
				return -1
			case a.score > b.score:
				return 1
			default:
				return int(a.job - b.job)
			}
		})
		for _, s := range list[:min(nearest, len(list))] {
			m.near[j] = append(m.near[j], s.job)
		}
	}
}

// distance is the lesser of the two gaps between jobs that follow each other:
// travel plus a share of the waiting that cannot be avoided.
func (m *model) distance(i, j int32) float64 {
	const waitShare, infeasible = .2, 4
	d := m.travel(m.node[i], m.node[j])
	gap := func(a, b int32) float64 {
		if m.stops[a].from+m.stops[a].dur+d > m.stops[b].to {
			return infeasible
		}
		return 1
	}
	wait := func(a, b int32) float64 { return math.Max(0, m.stops[b].from-m.stops[a].to-m.stops[a].dur-d) }
	return math.Min(d*gap(i, j)+waitShare*wait(i, j), d*gap(j, i)+waitShare*wait(j, i))
}
