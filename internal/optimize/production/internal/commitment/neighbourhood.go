package commitment

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

const (
	// fixedRounds is the number of rounds in a run that counts iterations.
	fixedRounds = 9
	// The number of states that a round frees at first, at least and at most.
	firstCells, leastCells, mostCells = 500, 60, 2400
	// longRound is the time of one round at most, shortRound the time below
	// which the next one may free more.
	longRound, shortRound = 20 * time.Second, 4 * time.Second
)

// neighbourhoods improves the best plan until ctx ends, on the given number of
// threads: a part of the states is freed, the rest held, and the restricted
// program solved from the best plan.
func (s *search) neighbourhoods(ctx context.Context, workers int) {
	s.enter(optimize.PhaseSearch)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.rounds(ctx, w, workers, math.MaxInt)
		}()
	}
	wg.Wait()
}

// rounds frees parts one after the other; workers take turns with the kinds.
func (s *search) rounds(ctx context.Context, worker, workers, most int) {
	rng := rand.New(rand.NewPCG(uint64(s.opt.Seed), uint64(worker))) // #nosec G404 -- a repeatable search
	var cells [partKinds]float64
	for k := range cells {
		cells[k] = firstCells
	}
	for round := 0; round < most && ctx.Err() == nil && !s.over(); round++ {
		x := s.incumbent()
		if x == nil {
			return
		}
		kind := (round*workers + worker) % partKinds
		m := s.fixed(x, s.part(rng, kind, int(cells[kind]), x))
		m.Hint = x
		r := s.sub(ctx, m, min(s.share(2), longRound))
		if r == nil {
			return
		}
		s.mu.Lock()
		s.steps++
		s.mu.Unlock()
		switch {
		case s.opt.MaxIterations > 0:
		case r.Status != mip.Optimal:
			cells[kind] = math.Max(leastCells, cells[kind]*0.7)
		case r.Elapsed < shortRound:
			cells[kind] = math.Min(mostCells, cells[kind]*1.3)
		}
	}
}

// The kinds of parts: around what the relaxation leaves open or sees
// otherwise, a window of time, a set of classes.
const (
	partRelaxation = iota
	partWindow
	partClasses
	partKinds
)

// part draws the states that a round frees, about as many as cells.
func (s *search) part(rng *rand.Rand, kind, cells int, x []float64) func(c *class, t int) bool {
	switch {
	case kind == partRelaxation && s.relaxed != nil:
		return s.around(rng, cells, x)
	case kind == partWindow:
		length := min(s.Periods, max(2, cells/len(s.classes)))
		from := rng.IntN(s.Periods) - length/2
		return func(_ *class, t int) bool { return t >= from && t < from+length }
	default:
		free := map[*class]bool{}
		for _, k := range rng.Perm(len(s.classes))[:min(len(s.classes), max(1, cells/s.Periods))] {
			free[s.classes[k]] = true
		}
		return func(c *class, _ int) bool { return free[c] }
	}
}

// around frees the states nearest in time to one that is fractional in the
// relaxation or differs from it; a tenth is left to chance.
func (s *search) around(rng *rand.Rand, cells int, x []float64) func(c *class, t int) bool {
	free := map[*class][]bool{}
	for _, c := range s.classes {
		free[c] = make([]bool, s.Periods)
	}
	for margin, n := 0, 0; margin <= s.Periods && n < cells; margin++ {
		for _, k := range rng.Perm(len(s.classes)) {
			c := s.classes[k]
			for t := range s.Periods {
				if !free[c][t] && n < cells && s.open(c, t, margin, x) && rng.IntN(10) > 0 {
					free[c][t] = true
					n++
				}
			}
		}
	}
	return func(c *class, t int) bool { return free[c][t] }
}

// open says whether a state at most margin periods away is fractional in the
// relaxation or differs from it.
func (s *search) open(c *class, t, margin int, x []float64) bool {
	for _, k := range []int{t - margin, t + margin} {
		if k >= 0 && k < s.Periods && math.Abs(s.relaxed[c.on[k]]-x[c.on[k]]) > 1e-3 {
			return true
		}
	}
	return false
}
