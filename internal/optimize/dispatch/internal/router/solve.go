package router

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Options steer one search.
type Options struct {
	TimeLimit time.Duration
	// MaxIterations, when positive, is the number of moves of all threads
	// together and makes runs repeat exactly.
	MaxIterations int64
	// Work, when positive and MaxIterations is not, is the budget of each
	// thread, counted as a reference core takes for it; runs repeat exactly.
	// TimeLimit then only cuts.
	Work    time.Duration
	Seed    int64
	Threads int
	// Start, when set, is a plan to start from; visits that do not fit are
	// left out.
	Start *Plan
	// RelGap ends the search once the cost is within this share of the bound.
	RelGap float64
	// Improved, when set, hears of the best plan after each round.
	Improved func(plan func() Plan, cost, bound float64, moves int64)
}

// Outcome is the end of a search.
type Outcome struct {
	Plan    Plan
	Bound   float64 // no plan costs less
	Moves   int64
	Stopped bool          // by the clock or the context
	Spent   time.Duration // of Work
}

// maxBarren is after how many recombinations without a gain no more are tried.
const maxBarren = 3

// rounds is how many times the threads meet.
const rounds = 50

// The temperatures of a long search at its start and at its end, in units of
// the mean cost of travel per job. A search whose threads can take each job out
// fewer than enough times starts cooler.
const (
	hottest = 8.0
	cold    = .02
	enough  = 8000
)

// Solve searches until the limits of o; cancelling ctx ends it and keeps the
// best plan.
func Solve(ctx context.Context, p *Problem, o Options) (Outcome, error) {
	m, err := newModel(p)
	if err != nil {
		return Outcome{}, err
	}
	m.relate()
	t := &team{model: m, Options: o, began: time.Now(), ctx: ctx}
	t.start()
	for t.round = 0; t.round < rounds && !t.over(); t.round++ {
		t.runRound()
		t.exchange()
	}
	plan := t.plan(&t.best)
	return Outcome{Plan: plan, Bound: math.Min(t.bound, plan.Cost), Moves: t.moves(), Stopped: t.expired(), Spent: t.share() * time.Duration(t.round)}, nil
}

// team is the threads of one solve.
type team struct {
	*model
	Options
	ctx     context.Context
	began   time.Time
	members []*annealer
	best    snapshot
	round   int
	scale   float64
	bound   float64
	pace    int64     // moves of the first round
	found   *snapshot // by a recombination in this round
	barren  int       // recombinations in a row that found nothing
}

func (t *team) start() {
	for k := range max(1, t.Threads) {
		t.members = append(t.members, newAnnealer(t.model, uint64(t.Seed)*1000003+uint64(k)))
	}
	first := t.members[0]
	if t.Start != nil {
		first.resume(t.Start)
	}
	first.construct()
	t.bound = t.lowerBound()
	t.best = first.best.clone()
	t.scale = t.typical(first.search)
	for _, a := range t.members[1:] {
		a.load(&t.best)
		a.best.take(a.search)
	}
	t.tell()
}

// typical is the mean cost per served job beyond its duration.
func (t *team) typical(s *search) float64 {
	cost, served := 0.0, 0
	for _, r := range s.routes {
		cost += r.cost
		for _, j := range r.visits {
			if j < s.n {
				served++
				if t.Duration {
					cost -= s.stops[j].dur
				}
			}
		}
	}
	return math.Max(1e-3, cost/math.Max(1, float64(served)))
}

func (t *team) expired() bool { return t.ctx.Err() != nil || time.Since(t.began) >= t.TimeLimit }

func (t *team) over() bool {
	return t.n == 0 || t.best.cost-t.bound <= math.Max(1e-9, t.RelGap*math.Abs(t.best.cost)) || t.expired()
}

// recombineAt says whether the pooled routes are recombined in a round.
func recombineAt(round int) bool { return round >= rounds/2 && round%6 == 1 || round == rounds-2 }

// runRound lets every member anneal for one round; now and then the last one
// recombines routes first.
func (t *team) runRound() {
	var columns []column
	if recombineAt(t.round) && t.barren < maxBarren && !t.anyLinked() {
		columns = t.pooled()
	}
	var wg sync.WaitGroup
	for k, a := range t.members {
		wg.Add(1)
		a.collect = t.round >= rounds/3
		go func() {
			defer wg.Done()
			if k == len(t.members)-1 && columns != nil {
				var visits int64
				t.found, visits = t.recombine(t.ctx, columns, &t.best, t.recombineLimit(), t.recombineVisits())
				a.recombined += visits
			}
			t.anneal(a)
		}()
	}
	wg.Wait()
}

// recombineLimit is how long a recombination may take.
func (t *team) recombineLimit() time.Duration {
	const share, reserve = 15, time.Second
	if t.MaxIterations > 0 || t.Work > 0 { // the budget is in steps
		return t.TimeLimit - time.Since(t.began)
	}
	return min(t.TimeLimit/share, t.TimeLimit-time.Since(t.began)-reserve)
}

func (t *team) anyLinked() bool { return slices.Contains(t.linked, true) }

// pooled collects the routes of all members, the cheapest of each set of jobs.
func (t *team) pooled() []column {
	all := newPool(t.model)
	for _, a := range t.members {
		for _, c := range a.pool.columns {
			all.add(c.shift, c.cost, c.visits)
		}
	}
	for k, visits := range t.best.visits {
		all.add(int32(k), t.best.costs[k], visits)
	}
	return all.columns
}

// anneal runs one member for one round: a share of the iterations when they
// are the budget, else a share of the time.
func (t *team) anneal(a *annealer) {
	if t.counted() {
		t.annealCounted(a)
		return
	}
	const glance = 16 // moves between looks at the clock
	share := t.MaxIterations / int64(rounds*len(t.members))
	until := t.began.Add(t.TimeLimit * time.Duration(t.round+1) / rounds)
	for k := int64(0); t.MaxIterations <= 0 || k < share; k++ {
		part := float64(k) / math.Max(1, float64(share))
		if k%glance == 0 {
			now := time.Now()
			if t.ctx.Err() != nil || now.Sub(t.began) >= t.TimeLimit || (t.MaxIterations <= 0 && !now.Before(until)) {
				return
			}
		}
		if t.MaxIterations <= 0 {
			part = 0
		}
		a.step(t.temperature((float64(t.round) + part) / rounds))
	}
}

// temperature falls from hot to cold. The first round is cold: it descends and
// shows how many moves there is time for.
func (t *team) temperature(done float64) float64 {
	if t.round == 0 {
		return t.scale * cold
	}
	moves := float64(t.MaxIterations)
	if t.MaxIterations <= 0 {
		moves = float64(t.pace) * rounds
	}
	hot := hottest * math.Min(1, math.Max(.01, moves/float64(len(t.members))*meanRemoved/float64(t.n)/enough))
	return t.scale * hot * math.Pow(math.Min(cold, hot/4)/hot, done)
}

// exchange shares the best solution.
func (t *team) exchange() {
	for _, a := range t.members {
		if a.best.cost < t.best.cost-1e-9 {
			t.best = a.best.clone()
			t.settle(&t.best)
		}
	}
	if t.found != nil && t.found.cost < t.best.cost-1e-9 {
		for _, a := range t.members {
			if a.load(t.found) {
				a.best.take(a.search)
				t.best = a.best.clone()
			}
		}
	}
	if recombineAt(t.round) {
		t.barren++
		if t.found != nil {
			t.barren = 0
		}
	}
	t.found = nil
	if t.round == 0 {
		t.pace = t.moves()
	}
	t.tell()
}

func (t *team) moves() int64 {
	var sum int64
	for _, a := range t.members {
		sum += a.moves
	}
	return sum
}

func (t *team) tell() {
	if t.Improved != nil {
		t.Improved(func() Plan { return t.plan(&t.best) }, t.best.cost, math.Min(t.bound, t.best.cost), t.moves())
	}
}
