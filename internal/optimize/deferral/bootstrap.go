package deferral

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/optria-iq/optria/internal/optimize/replacement"
)

// leastReplicates is how many a band needs; a run that is stopped with fewer
// shows none.
const leastReplicates = 50

// draws holds the weighted C of one action per replicate: on each day of the
// horizon and at the milestones.
type draws struct {
	days       [][]float64 // replicate × day
	milestones [][]float64 // replicate × milestone
}

// bootstrap draws every action's lives again and again and evaluates each. An
// action has its own generator, seeded by the run's seed and its position, so
// that threads do not matter. It works in rounds of a few replicates over all
// actions and returns after the round in which ctx ended, with the number of
// replicates that every action has.
func bootstrap(ctx context.Context, in *Input, seed int64, threads int, tell func(done int)) ([]draws, int) {
	all := make([]draws, len(in.Actions))
	sources := make([]*rand.Rand, len(in.Actions))
	for i := range sources {
		sources[i] = rand.New(rand.NewPCG(uint64(seed), uint64(i))) // #nosec G115 G404 -- a reproducible sample, not a secret
	}
	want, done := in.Band.replicates(), 0
	for done < want && ctx.Err() == nil {
		round := min(leastReplicates, want-done)
		parallel(len(in.Actions), threads, func(i int) {
			for range round {
				all[i].add(in, &in.Actions[i], sources[i])
			}
		})
		done += round
		tell(done)
	}
	if done < leastReplicates {
		return all, 0
	}
	return all, done
}

// parallel calls f(0) … f(n−1) from a number of goroutines.
func parallel(n, threads int, f func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, min(threads, n)) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// add evaluates one more replicate.
func (s *draws) add(in *Input, a *Action, rng *rand.Rand) {
	c := drawn(a, rng).course(max(in.Days, milestones[len(milestones)-1]+1))
	days := make([]float64, in.Days)
	for d := range days {
		days[d] = c.weighted(d, in.Weights)
	}
	at := make([]float64, len(milestones))
	for k, d := range milestones {
		at[k] = c.weighted(d, in.Weights)
	}
	s.days, s.milestones = append(s.days, days), append(s.milestones, at)
}

// shapes of drawn lives are kept where the formulas are exact.
const leastShape, mostShape = .3, 20

// drawn returns a life drawn from what is known of an action.
func drawn(a *Action, rng *rand.Rand) life {
	l := life{action: a, planned: a.PlannedCost}
	for _, m := range a.Modes {
		x, y, z := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		y = m.Correlation*x + math.Sqrt(1-m.Correlation*m.Correlation)*y
		l.modes = append(l.modes, replacement.Mode{
			Beta:     min(max(logNormal(m.Weibull.Beta, m.BetaSE, x), leastShape), mostShape),
			Eta:      logNormal(m.Weibull.Eta, m.EtaSE, y),
			Evidence: logNormal(m.evidence(), m.EvidenceSE, z),
			Cost:     m.FailureCost,
		})
	}
	return l
}

// logNormal moves a positive value by z standard errors of its logarithm; its
// median stays the value.
func logNormal(value, se, z float64) float64 { return value * math.Exp(z*se/value) }

// band returns the quantiles of each column that leave (1 − confidence)/2 out
// at either end.
func band(rows [][]float64, confidence float64) (low, high []float64) {
	if len(rows) == 0 {
		return nil, nil
	}
	low, high = make([]float64, len(rows[0])), make([]float64, len(rows[0]))
	column := make([]float64, len(rows))
	for d := range low {
		for b, row := range rows {
			column[b] = row[d]
		}
		slices.Sort(column)
		low[d], high[d] = quantile(column, (1-confidence)/2), quantile(column, (1+confidence)/2)
	}
	return low, high
}

// quantile interpolates between the order statistics of a sorted sample.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	k := min(int(at), len(sorted)-1)
	return sorted[k] + (at-float64(k))*(sorted[min(k+1, len(sorted)-1)]-sorted[k])
}
