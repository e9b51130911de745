package timetable

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Relax returns the plan with the least sum of row violations, each scaled by
// a typical use of its row; costs are left aside. It returns nil when no
// answer came in time.
func Relax(ctx context.Context, p *Problem, limit time.Duration, opt optimize.Options) (Plan, error) {
	elastic := &Problem{Options: make([][]Option, len(p.Options)), Rows: p.Rows}
	for i, options := range p.Options {
		elastic.Options[i] = make([]Option, len(options))
		for o := range options {
			elastic.Options[i][o] = Option{Start: options[o].Start, Uses: options[o].Uses}
		}
	}
	g := newProgram(elastic, nil, false)
	scale := rowScales(p)
	terms := make([][]mip.Term, len(p.Rows))
	for i, options := range elastic.Options {
		for o := range options {
			for _, u := range options[o].Uses {
				terms[u.Row] = append(terms[u.Row], mip.Term{Column: int(g.column[i][o]), Value: u.Amount})
			}
		}
	}
	m := mip.New("relaxation")
	m.Cost, m.Lower, m.Upper, m.Integer = g.model.Cost, g.model.Lower, g.model.Upper, g.model.Integer
	for i := range p.Options {
		var one []mip.Term
		for _, j := range g.column[i] {
			one = append(one, mip.Term{Column: int(j), Value: 1})
		}
		m.Row(1, 1, one...)
	}
	for r, row := range p.Rows {
		if math.IsInf(row.Upper, 1) && math.IsInf(row.Lower, -1) {
			continue
		}
		over := m.Column(1/scale[r], 0, math.Inf(1), false)
		under := m.Column(1/scale[r], 0, math.Inf(1), false)
		m.Row(row.Lower, row.Upper, append(terms[r], mip.Term{Column: over, Value: -1}, mip.Term{Column: under, Value: 1})...)
	}
	res, err := mip.Solve(ctx, m, mip.Options{TimeLimit: limit, Counted: opt.Counted(), Seed: int(opt.Seed & math.MaxInt32), MemoryMiB: opt.WithDefaults().MemoryMiB, RelGap: 1e-6}, nil)
	if err != nil {
		return nil, fmt.Errorf("relax rows: %w", err)
	}
	if res.X == nil {
		return nil, nil
	}
	return g.plan(res.X), nil
}
