package commitment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// BreakKind says which constraint gives way.
type BreakKind int

// The constraints that a planner sets and that an elastic program may break:
// a state asked for, the floor and ceiling of a load, a demand that must be
// met, the final level of a storage.
const (
	BreakOn BreakKind = iota
	BreakOff
	BreakFloor
	BreakCeiling
	BreakDemand
	BreakFinal
)

// Break is one constraint that the relaxation of least cost breaks, and by
// how much. Unit or Balance is −1 where it does not apply.
type Break struct {
	Kind          BreakKind
	Unit, Balance int
	Period        int
	Amount        float64
}

// slack collects the columns by which constraints give way.
type slack struct {
	breaks  []Break
	columns []int
}

// leastBreak is the amount below which a constraint counts as held.
const leastBreak = 1e-5

// add adds a column that costs its amount relative to size.
func (g *program) addSlack(b Break, sign, size float64) {
	if g.slack == nil {
		return
	}
	j := g.model.Column(1/math.Max(size, 1e-3), 0, inf, false)
	g.term(j, sign)
	g.slack.breaks, g.slack.columns = append(g.slack.breaks, b), append(g.slack.columns, j)
}

func (g *program) relax(kind BreakKind, c *class, t int, sign, size float64) {
	g.addSlack(Break{Kind: kind, Unit: c.members[0], Balance: -1, Period: t}, sign, size)
}

func (g *program) relaxDemand(b, t int) {
	g.addSlack(Break{Kind: BreakDemand, Unit: -1, Balance: b, Period: t}, 1, g.size(b))
}

func (g *program) relaxFinal(b, t int) {
	g.addSlack(Break{Kind: BreakFinal, Unit: -1, Balance: b, Period: t}, 1, g.size(b))
}

// size is the largest demand of a balance.
func (g *program) size(b int) float64 {
	most := 1.0
	for _, d := range g.Balances[b].Demand {
		most = math.Max(most, d)
	}
	return most
}

// Conflicts answers an infeasible problem with the constraints that have to
// give way in the relaxation of least cost, each counted relative to its size.
// Demand that may be missed at a price is no constraint here.
func Conflicts(ctx context.Context, p *Problem, opt optimize.Options) ([]Break, error) {
	s := &slack{}
	g := build(p, s)
	isSlack := make([]bool, g.model.Columns())
	for n, j := range s.columns {
		isSlack[j] = true
		if b := s.breaks[n]; b.Kind == BreakDemand && p.Balances[b.Balance].Shortfall != nil {
			g.model.Cost[j] = 0
		}
	}
	for j := range g.model.Cost {
		if !isSlack[j] {
			g.model.Cost[j] = 0
		}
	}
	r, err := mip.Solve(ctx, g.model, mip.Options{TimeLimit: opt.Budget(), Counted: opt.ByWork(), RelGap: 1e-3, Seed: int(opt.Seed % math.MaxInt32), MemoryMiB: opt.MemoryMiB, Grace: grace}, nil)
	if err != nil {
		return nil, fmt.Errorf("find conflicting constraints: %w", err)
	}
	if r.X == nil {
		return nil, errors.New("find conflicting constraints: no answer in time")
	}
	var list []Break
	for n, j := range s.columns {
		if r.X[j] > leastBreak && g.model.Cost[j] > 0 {
			b := s.breaks[n]
			b.Amount = r.X[j]
			list = append(list, b)
		}
	}
	return list, nil
}
