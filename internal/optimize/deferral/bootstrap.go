package deferral

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/optria-iq/optria/internal/optimize/replacement"
)

// sample is what the bootstrap says about one action: the band of C(d), that
// of C(d) less C on the first open day, and the weighted C of every replicate
// at the milestones. Without replicates it is empty.
type sample struct {
	low, high         []float64
	saveLow, saveHigh []float64
	milestones        [][]float64
}

// bootstrap draws every action's lives again and again and evaluates each. An
// action has its own generator, seeded by the run's seed and its position, so
// that threads do not matter. Once ctx has ended, the actions that are left
// stay without a sample; complete reports whether none was left.
func bootstrap(ctx context.Context, in *Input, seed int64, threads int, tell func()) (samples []sample, complete bool) {
	samples = make([]sample, len(in.Actions))
	parallel(len(in.Actions), threads, func(i int) {
		if ctx.Err() == nil {
			rng := rand.New(rand.NewPCG(uint64(seed), uint64(i))) // #nosec G115 G404 -- a reproducible sample, not a secret
			samples[i] = in.draw(ctx, &in.Actions[i], rng)
			tell()
		}
	})
	return samples, !slices.ContainsFunc(samples, func(s sample) bool { return s.low == nil })
}

// draw evaluates the replicates of one action; it gives up when ctx ends.
func (in *Input) draw(ctx context.Context, a *Action, rng *rand.Rand) sample {
	var s sample
	rows := make([][]float64, 0, in.replicates())
	for range in.replicates() {
		if ctx.Err() != nil {
			return sample{}
		}
		c := drawn(a, rng).course(max(in.Days, milestones[len(milestones)-1]+1))
		days, at := make([]float64, in.Days), make([]float64, len(milestones))
		for d := range days {
			days[d] = c.weighted(d, in.Weights)
		}
		for k, d := range milestones {
			at[k] = c.weighted(d, in.Weights)
		}
		rows, s.milestones = append(rows, days), append(s.milestones, at)
	}
	s.low, s.high = band(rows, in.Band.confidence())
	first := in.firstOpen(a, 0)
	for _, row := range rows {
		relative(row, row[first])
	}
	s.saveLow, s.saveHigh = band(rows, in.Band.confidence())
	return s
}

// relative takes a level off every value.
func relative(row []float64, level float64) {
	for d := range row {
		row[d] -= level
	}
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
