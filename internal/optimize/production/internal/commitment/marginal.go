package commitment

import (
	"context"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Marginal returns, per balance and period, the cost of one unit of demand
// more while the states of a plan stay: the duals of the demand in the linear
// program that is left. It returns nil when the solver gives no duals or ran
// out of time.
func Marginal(ctx context.Context, p *Problem, plan *Plan, opt optimize.Options) ([][]float64, error) {
	g := newProgram(p)
	m := *g.model.Relaxed()
	x := g.point(plan)
	m.Lower, m.Upper = append([]float64(nil), m.Lower...), append([]float64(nil), m.Upper...)
	for _, c := range g.classes {
		for t := range p.Periods {
			for _, j := range []int{c.on[t], c.start[t], c.stop[t]} {
				m.Lower[j], m.Upper[j] = math.Round(x[j]), math.Round(x[j])
			}
		}
	}
	o := mip.Options{TimeLimit: opt.TimeLimit, Seed: int(opt.Seed % math.MaxInt32), MemoryMiB: opt.MemoryMiB, Grace: grace}
	switch {
	case opt.MaxIterations > 0:
		o.TimeLimit = 0
	case opt.ByWork():
		o.TimeLimit, o.Counted = opt.Work, true
	}
	r, err := mip.Solve(ctx, &m, o, nil)
	if err != nil {
		return nil, fmt.Errorf("find marginal prices: %w", err)
	}
	if r.Status != mip.Optimal || r.RowDual == nil {
		return nil, nil
	}
	prices := make([][]float64, len(g.balances))
	for b, c := range g.balances {
		for _, row := range c.row {
			prices[b] = append(prices[b], r.RowDual[row])
		}
	}
	return prices, nil
}
