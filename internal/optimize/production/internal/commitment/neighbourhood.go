package commitment

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

const (
	// fixedRounds is the number of rounds in a run that counts iterations.
	fixedRounds = 9
	// The number of states that a round frees at first, at least and at most.
	firstCells, leastCells, mostCells = 240, 60, 2400
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
		elapsed := r.Elapsed
		if s.meter.Counted() {
			if elapsed = r.Work; s.meter.Elapsed() >= s.half {
				return
			}
		}
		switch {
		case s.opt.MaxIterations > 0:
		case r.Status != mip.Optimal:
			cells[kind] = math.Max(leastCells, cells[kind]*0.7)
		case elapsed < shortRound:
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
		return s.cheapest(cells, x, rng)
	case kind == partWindow:
		length := min(s.Periods, max(2, cells/len(s.classes)))
		from := rng.IntN(s.Periods) - length/2
		return func(_ *class, t int) bool { return t >= from && t < from+length }
	default:
		free, n := map[*class]bool{}, min(len(s.classes), max(2, cells/s.Periods))
		from := rng.IntN(len(s.classes) - n + 1)
		for _, c := range s.byPrice[from : from+n] { // neighbours in price replace each other best
			free[c] = true
		}
		return func(c *class, _ int) bool { return free[c] }
	}
}

// cheapest frees the states that cost least to change by the relaxation,
// with those next to them in time, and all that are open in it. With rng the
// order is partly left to chance.
func (s *search) cheapest(cells int, x []float64, rng *rand.Rand) func(c *class, t int) bool {
	type cell struct {
		c     *class
		t     int
		price float64
	}
	var list []cell
	for _, c := range s.classes {
		for t := range s.Periods {
			price := s.distance(c, t, x)
			if rng != nil {
				price = (price + 1) * math.Exp(2*rng.NormFloat64())
			}
			list = append(list, cell{c, t, price})
		}
	}
	slices.SortStableFunc(list, func(a, b cell) int { return cmp.Compare(a.price, b.price) })
	free := map[*class][]bool{}
	for _, c := range s.classes {
		free[c] = make([]bool, s.Periods)
		for t := range s.Periods {
			v := x[c.on[t]]
			free[c][t] = math.Abs(v-math.Round(v)) > mip.Tolerance
		}
	}
	for n := 0; n < len(list) && cells > 0; n++ {
		for _, t := range []int{list[n].t - 1, list[n].t, list[n].t + 1} {
			if t >= 0 && t < s.Periods && !free[list[n].c][t] {
				free[list[n].c][t] = true
				cells--
			}
		}
	}
	return func(c *class, t int) bool { return free[c][t] }
}

// distance is what it costs at least to change a state of x; without duals, how
// far in time the relaxation is from being undecided there.
func (s *search) distance(c *class, t int, x []float64) float64 {
	if s.regret != nil {
		return s.change(c, t, x)
	}
	for k := range s.Periods {
		for _, near := range []int{t - k, t + k} {
			if near < 0 || near >= s.Periods {
				continue
			}
			v := s.relaxed[c.on[near]]
			if math.Abs(v-math.Round(v)) > mip.Tolerance || math.Abs(v-x[c.on[near]]) > mip.Tolerance {
				return float64(k)
			}
		}
	}
	return float64(s.Periods)
}
