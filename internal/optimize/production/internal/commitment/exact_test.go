package commitment

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// The exact dynamic program of these tests knows two units at most and whole
// loads. All data are whole, so limits, ramps and demand form a system of
// differences and some best plan has whole loads.

// state is what one unit remembers: running or not, for how many periods (up
// to its minimum) and at what load.
type state struct {
	on   bool
	age  int
	load int
}

// follow lists the states after s in period t with the cost of the step, by
// the rules in words.
func follow(u *Unit, s state, t int) map[state]float64 {
	next := map[state]float64{}
	must := Free
	if u.Must != nil {
		must = u.Must[t]
	}
	if must != On {
		stop := s.on && s.age >= u.MinUp && float64(s.load) <= u.StopMax && float64(s.load)-u.Min <= u.RampDown
		switch {
		case !s.on:
			next[state{false, min(s.age+1, u.MinDown), 0}] = 0
		case stop:
			next[state{false, 1, 0}] = 0
		}
	}
	if must == Off {
		return next
	}
	for load := int(u.Min); load <= int(u.Max); load++ {
		cost := curveCost(u, t, load)
		change := float64(load - s.load)
		switch {
		case s.on && change <= u.RampUp && -change <= u.RampDown:
			next[state{true, min(s.age+1, u.MinUp), load}] = cost
		case !s.on && s.age >= u.MinDown && float64(load) <= u.StartMax && float64(load)-u.Min <= u.RampUp && (u.NoStart == nil || !u.NoStart[t]):
			next[state{true, 1, load}] = cost + u.StartCost
		}
	}
	return next
}

func curveCost(u *Unit, t, load int) float64 {
	curve := u.Curve[min(t, len(u.Curve)-1)]
	best := math.Inf(-1)
	for k := 1; k < len(curve); k++ { // a convex curve is the highest of its lines
		a, b := curve[k-1], curve[k]
		best = math.Max(best, a.Cost+(b.Cost-a.Cost)*(float64(load)-a.Load)/(b.Load-a.Load))
	}
	return best
}

func first(u *Unit) state {
	if u.Running {
		return state{true, min(u.Since, u.MinUp), int(u.Load)}
	}
	return state{false, min(u.Since, u.MinDown), 0}
}

// optimum is the least cost of two units that serve one balance.
func optimum(p *Problem, a, b *Unit, d *Balance) float64 {
	type joint struct {
		a, b  state
		stock int
	}
	now := map[joint]float64{{first(a), first(b), stockOf(d)}: 0}
	for t := range p.Periods {
		then := map[joint]float64{}
		for j, cost := range now {
			for sa, ca := range follow(a, j.a, t) {
				for sb, cb := range follow(b, j.b, t) {
					have := j.stock + sa.load + sb.load - int(d.Demand[t])
					keep, least := 0, 0
					if d.Storage != nil {
						keep = int(d.Storage.Capacity)
						if t == p.Periods-1 {
							least = int(d.Storage.Final)
						}
					}
					missing := max(0, least-have)
					k := joint{sa, sb, min(have+missing, keep)}
					total := cost + ca + cb + float64(missing)*d.Shortfall[t]
					if old, known := then[k]; !known || total < old {
						then[k] = total
					}
				}
			}
		}
		now = then
	}
	best := math.Inf(1)
	for _, cost := range now {
		best = math.Min(best, cost)
	}
	return best
}

func stockOf(d *Balance) int {
	if d.Storage == nil {
		return 0
	}
	return int(d.Storage.Initial)
}

func randomUnit(rng *rand.Rand, balance, periods int) Unit {
	whole := func(low, high int) float64 { return float64(low + rng.IntN(high-low+1)) }
	u := Unit{Balance: balance, Min: whole(0, 2), MinUp: 1 + rng.IntN(3), MinDown: 1 + rng.IntN(3), Since: 1 + rng.IntN(4), StartCost: whole(0, 12)}
	u.Max = u.Min + whole(1, 4)
	u.RampUp, u.RampDown, u.StartMax, u.StopMax = math.Inf(1), math.Inf(1), u.Max, u.Max
	if rng.IntN(2) == 0 {
		u.RampUp, u.RampDown = whole(1, 3), whole(1, 3)
		u.StartMax, u.StopMax = u.Min+whole(0, 3), u.Min+whole(0, 3)
	}
	if u.Running = rng.IntN(2) == 0; u.Running {
		u.Load = u.Min
	}
	for range periods {
		fixed, slope := whole(0, 8), whole(1, 5)
		middle := u.Min + math.Floor((u.Max-u.Min)/2)
		curve := []Point{{Load: u.Min, Cost: fixed}}
		if middle > u.Min && middle < u.Max {
			curve = append(curve, Point{Load: middle, Cost: fixed + slope*(middle-u.Min)})
		}
		last := curve[len(curve)-1]
		u.Curve = append(u.Curve, append(curve, Point{Load: u.Max, Cost: last.Cost + (slope+whole(0, 4))*(u.Max-last.Load)}))
	}
	switch rng.IntN(5) {
	case 0:
		u.NoStart = make([]bool, periods)
		u.NoStart[rng.IntN(periods)] = true
	case 1:
		u.Must = make([]Must, periods)
		u.Must[periods-1] = Off
	}
	return u
}

func randomBalance(rng *rand.Rand, periods int, storage bool) Balance {
	d := Balance{Surplus: true}
	for range periods {
		d.Demand = append(d.Demand, float64(rng.IntN(9)))
		d.Shortfall = append(d.Shortfall, float64(1+rng.IntN(15)))
	}
	if storage && rng.IntN(2) == 0 {
		for t := range d.Shortfall { // with storage the product's price is one
			d.Shortfall[t] = d.Shortfall[0]
		}
		d.Storage = &Storage{Capacity: 3, Initial: float64(rng.IntN(4)), Final: float64(rng.IntN(3))}
	}
	return d
}

// blocks joins independent problems of two units and one balance, so that one
// solve answers all of them.
func blocks(rng *rand.Rand, n, periods int) *Problem {
	p := &Problem{Periods: periods}
	for b := range n {
		first, second := randomUnit(rng, b, periods), randomUnit(rng, b, periods)
		free := math.IsInf(first.RampUp, 1) && math.IsInf(second.RampUp, 1) // with ramps and storage the best loads need not be whole
		p.Units = append(p.Units, first, second)
		p.Balances = append(p.Balances, randomBalance(rng, periods, free))
	}
	return p
}

// cost adds up a plan for one block.
func cost(p *Problem, plan *Plan, b int) float64 {
	total := 0.0
	for i := 2 * b; i < 2*b+2; i++ {
		u, before := &p.Units[i], p.Units[i].Running
		for t, now := range plan.On[i] {
			if now {
				curve := u.Curve[t]
				at := math.Inf(-1)
				for k := 1; k < len(curve); k++ {
					at = math.Max(at, curve[k-1].Cost+(curve[k].Cost-curve[k-1].Cost)*(plan.Load[i][t]-curve[k-1].Load)/(curve[k].Load-curve[k-1].Load))
				}
				total += at
				if !before {
					total += u.StartCost
				}
			}
			before = now
		}
	}
	for t, v := range plan.Shortfall[b] {
		total += v * p.Balances[b].Shortfall[t]
	}
	return total
}

// TestOptimumOfOneHundredRandomProblems compares 100 random problems, solved
// in ten goes, with the exact dynamic program.
func TestOptimumOfOneHundredRandomProblems(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		requireOptimum(t, blocks(rand.New(rand.NewPCG(7, uint64(round))), 10, 4), solveWhole)
	}
}

// TestOptimumByEveryStage does the same by the stages of a large problem:
// relaxation, dive, neighbourhoods and the tightened program.
func TestOptimumByEveryStage(t *testing.T) {
	t.Parallel()
	requireOptimum(t, blocks(rand.New(rand.NewPCG(17, 1)), 10, 5), func(ctx context.Context, p *Problem, start *Plan, opt optimize.Options, report func(optimize.Progress), onPlan func(*Plan)) Outcome {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		s := newSearch(ctx, cancel, p, opt, report, onPlan)
		s.stages()
		return s.outcome()
	})
}

type solver func(context.Context, *Problem, *Plan, optimize.Options, func(optimize.Progress), func(*Plan)) Outcome

func requireOptimum(t *testing.T, p *Problem, solve solver) {
	t.Helper()
	want, sum := make([]float64, len(p.Balances)), 0.0
	for b := range want {
		want[b] = optimum(p, &p.Units[2*b], &p.Units[2*b+1], &p.Balances[b])
		require.False(t, math.IsInf(want[b], 1), "a problem without a plan")
		sum += want[b]
	}
	out := solve(context.Background(), p, nil, optimize.Options{MaxIterations: 20000, RelGap: 1e-9, Seed: 1, TimeLimit: 2 * time.Minute}, nil, nil)
	require.NotNil(t, out.Plan, "%v", out.Err)
	require.Equal(t, optimize.StatusOptimal, out.Status)
	require.LessOrEqual(t, out.Bound, sum+1e-6*sum)
	require.InDelta(t, sum, out.Objective, 1e-5*sum)
	total := 0.0
	for b := range want {
		have := cost(p, out.Plan, b)
		require.GreaterOrEqual(t, have, want[b]-1e-4, "block %d", b)
		total += have
	}
	require.InDelta(t, sum, total, 1e-3)
}

// TestDescentNeverBeatsTheOptimum: the search without a solver gives plans
// that hold every rule, at no less than the optimum.
func TestDescentNeverBeatsTheOptimum(t *testing.T) {
	t.Parallel()
	best, found := 0.0, 0.0
	for n := range 40 {
		rng := rand.New(rand.NewPCG(11, uint64(n)))
		p := blocks(rng, 1, 6)
		want := optimum(p, &p.Units[0], &p.Units[1], &p.Balances[0])
		out := Solve(context.Background(), p, nil, optimize.Options{MaxIterations: 50, Solver: optimize.SolverHeuristic, Seed: 1}, nil, nil)
		require.NotNil(t, out.Plan)
		require.GreaterOrEqual(t, out.Objective, want-1e-6)
		require.InDelta(t, out.Objective, cost(p, out.Plan, 0), 1e-6)
		require.True(t, math.IsInf(out.Bound, -1), "no bound without a solver")
		best, found = best+want, found+out.Objective
	}
	require.LessOrEqual(t, found, best*1.15, "descents end near the optimum on average")
}

// TestWarmStartIsNeverLost: a search ends no worse than the plan it is given.
func TestWarmStartIsNeverLost(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(13, 1))
	p := blocks(rng, 6, 6)
	opt := optimize.Options{MaxIterations: 20000, RelGap: 1e-9, Seed: 1}
	best := Solve(context.Background(), p, nil, opt, nil, nil)
	require.NotNil(t, best.Plan)
	opt.MaxIterations, opt.Solver = 1, optimize.SolverHeuristic
	again := Solve(context.Background(), p, best.Plan, opt, nil, nil)
	require.LessOrEqual(t, again.Objective, best.Objective+1e-6)
}

// TestPartsAddUp: a problem solved part by part has the optimum of the whole,
// and reports plans only once every part has one.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	p := blocks(rand.New(rand.NewPCG(19, 1)), 3, 5)
	parts := make([]part, 3)
	for b := range parts {
		parts[b] = part{problem: &Problem{Periods: p.Periods, Balances: p.Balances[b : b+1]}, units: []int{2 * b, 2*b + 1}}
		for _, i := range parts[b].units {
			u := p.Units[i]
			u.Balance = 0
			parts[b].problem.Units = append(parts[b].problem.Units, u)
		}
	}
	opt := optimize.Options{MaxIterations: 20000, RelGap: 1e-9, Seed: 1, Threads: 2}
	whole := solveWhole(context.Background(), p, nil, opt, nil, nil)
	joined := solveParts(context.Background(), p, parts, nil, opt, func(s optimize.Progress) {
		require.True(t, s.HasIncumbent || s.Incumbent == 0)
	}, func(plan *Plan) { require.Len(t, plan.On, 6) })
	require.Equal(t, optimize.StatusOptimal, joined.Status)
	require.InDelta(t, whole.Objective, joined.Objective, 1e-4)
	for b := range parts {
		require.InDelta(t, cost(p, whole.Plan, b), cost(p, joined.Plan, b), 1e-3)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NotNil(t, solveParts(ctx, p, parts, nil, opt, nil, nil).Plan, "a plan exists whenever the run is stopped")
}
