package timetable

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

func randomProblem(r *rand.Rand) *Problem {
	const days, rows = 5, 6
	p := &Problem{Quantile: &Quantile{Weight: .7}}
	for range days {
		n := 1 + r.IntN(7)
		p.Quantile.Scenarios = append(p.Quantile.Scenarios, n)
		p.Quantile.Rank = append(p.Quantile.Rank, 1+r.IntN(n))
	}
	for range rows {
		row := Row{Lower: math.Inf(-1), Upper: 3 + 5*r.Float64()}
		if r.IntN(3) == 0 {
			row.Lower = r.Float64()
		}
		p.Rows = append(p.Rows, row)
	}
	for range 6 {
		var options []Option
		for s := range days {
			o := Option{Start: s, Cost: 10 * r.Float64()}
			for k := range rows {
				if r.IntN(2) == 0 {
					o.Uses = append(o.Uses, Use{Row: int32(k), Amount: 3 * r.Float64()})
				}
			}
			risk := Risk{Day: int32(s)}
			for range p.Quantile.Scenarios[s] {
				v := 10 * r.Float64()
				risk.Values = append(risk.Values, v)
				risk.Mean += v / float64(p.Quantile.Scenarios[s])
			}
			o.Risks = []Risk{risk}
			options = append(options, o)
		}
		p.Options = append(p.Options, options)
	}
	return p
}

// TestIncrementalEvaluationMatchesScratch walks thousands of accepted and
// refused moves and compares the running totals with a fresh evaluation.
func TestIncrementalEvaluationMatchesScratch(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := randomProblem(r)
		h := newSearch(p, make(Plan, len(p.Options)), int64(seed), func() bool { return false }, func(Plan) {})
		h.temp = 2
		for range 50 {
			for range 40 {
				h.step()
			}
			require.InDelta(t, p.Cost(h.s.plan), h.s.cost(), 1e-6)
			fresh := newState(p, h.s.plan)
			require.InDelta(t, fresh.violation, h.s.violation, 1e-6)
			require.Equal(t, fresh.broken, h.s.broken)
			require.Equal(t, len(p.Violated(h.s.plan)), h.s.broken)
		}
	}
}

func TestLagrangianBoundNeverExceedsTheOptimum(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		p := randomProblem(rand.New(rand.NewPCG(seed, 4)))
		optimum, plan := math.Inf(1), make(Plan, len(p.Options))
		var best Plan
		var walk func(i int)
		walk = func(i int) {
			if i == len(plan) {
				if c := p.Cost(plan); c < optimum && len(p.Violated(plan)) == 0 {
					optimum, best = c, append(Plan(nil), plan...)
				}
				return
			}
			for o := range p.Options[i] {
				plan[i] = int32(o)
				walk(i + 1)
			}
		}
		walk(0)
		if best == nil {
			continue
		}
		d := newDual(p)
		d.improve(200, func() float64 { return optimum }, func() bool { return false }, func(float64) {})
		require.LessOrEqual(t, d.bound, optimum+1e-9)
		for i, kept := range d.keep(optimum + 1e-9) { // reduced costs must not remove the optimum
			require.True(t, kept[best[i]], "seed %d action %d", seed, i)
		}
	}
}

func TestSelectRankIsTheSortedValue(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		v := make([]float64, 1+r.IntN(40))
		for k := range v {
			v[k] = float64(r.IntN(12)) // many ties
		}
		sorted := append([]float64(nil), v...)
		sort.Float64s(sorted)
		k := r.IntN(len(v))
		require.Equal(t, sorted[k], selectRank(v, k))
	}
}
