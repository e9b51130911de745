// Package timetable is the core that both doors of the maintenance problem
// share: choose exactly one option per action so that every row of a packing
// system holds, at the least sum of option costs plus, where scenarios are
// given, the excess of a quantile of the summed risk over its mean.
package timetable

import (
	"math"
	"sort"
)

// Problem is one instance. Options[i] lists what action i may do.
type Problem struct {
	Options  [][]Option
	Rows     []Row
	Quantile *Quantile // nil when the objective is linear
}

// Option is one start of one action, or its deferral.
type Option struct {
	Start int // day; deferral has a day of its own after the last
	Cost  float64
	Uses  []Use
	Risks []Risk
}

// Use is what an option takes of a row.
type Use struct {
	Row    int32
	Amount float64
}

// Risk is the risk an option adds to each scenario of one day, and its mean.
type Risk struct {
	Day    int32
	Mean   float64
	Values []float64
}

// Row demands Lower ≤ Σ amounts ≤ Upper; either side may be infinite.
type Row struct{ Lower, Upper float64 }

// Quantile adds, for each day, Weight · max(0, Q − mean), with Q the Rank-th
// smallest (from 1) of the day's Scenarios[day] summed risks.
type Quantile struct {
	Weight    float64
	Scenarios []int
	Rank      []int
}

// Plan holds the index of the chosen option of each action.
type Plan []int32

// tolerance is how far a row may be exceeded, relative to its side.
const tolerance = 1e-7

func (r Row) excess(use float64) float64 {
	if d := use - r.Upper; d > tolerance*math.Max(1, math.Abs(r.Upper)) {
		return d
	}
	if d := r.Lower - use; d > tolerance*math.Max(1, math.Abs(r.Lower)) {
		return d
	}
	return 0
}

// Usage returns the use of every row under a plan.
func (p *Problem) Usage(plan Plan) []float64 {
	use := make([]float64, len(p.Rows))
	for i, o := range plan {
		for _, u := range p.Options[i][o].Uses {
			use[u.Row] += u.Amount
		}
	}
	return use
}

// Violated returns the rows that a plan breaks, in ascending order.
func (p *Problem) Violated(plan Plan) []int {
	var rows []int
	for r, use := range p.Usage(plan) {
		if p.Rows[r].excess(use) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// Cost returns the objective of a plan from scratch.
func (p *Problem) Cost(plan Plan) float64 {
	total := 0.0
	for i, o := range plan {
		total += p.Options[i][o].Cost
	}
	if p.Quantile == nil {
		return total
	}
	q := p.Quantile
	sums := make([][]float64, len(q.Scenarios))
	for d, n := range q.Scenarios {
		sums[d] = make([]float64, n)
	}
	for i, o := range plan {
		for _, risk := range p.Options[i][o].Risks {
			for s, v := range risk.Values {
				sums[risk.Day][s] += v
			}
		}
	}
	for d, sum := range sums {
		mean := 0.0
		for _, v := range sum {
			mean += v
		}
		sort.Float64s(sum)
		total += q.Weight * math.Max(0, sum[q.Rank[d]-1]-mean/float64(len(sum)))
	}
	return total
}

// optionAt maps each action's days to option indices, −1 where there is none.
func (p *Problem) optionAt() [][]int32 {
	at := make([][]int32, len(p.Options))
	for i, options := range p.Options {
		last := 0
		for _, o := range options {
			last = max(last, o.Start)
		}
		at[i] = make([]int32, last+1)
		for d := range at[i] {
			at[i][d] = -1
		}
		for k, o := range options {
			at[i][o.Start] = int32(k)
		}
	}
	return at
}
