package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/optria-iq/optria/internal/scoring/cmapss"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

const explainRounds = 5 // over the test units

// explainRows measures the explanation: its time, its sum, and whether the
// signal in which a fault was injected is among the first three.
func explainRows(model *prognosis.Model, test, train []prognosis.Unit) ([]Row, error) {
	var times []float64
	worst := 0.0
	for range explainRounds {
		for _, u := range test {
			began := time.Now()
			p, err := model.Predict(u.Rows)
			if err != nil {
				return nil, fmt.Errorf("unit %s: %w", u.ID, err)
			}
			times = append(times, float64(time.Since(began).Microseconds())/1000)
			sum := p.Base
			for _, c := range p.Contributions {
				sum += c.Value
			}
			worst = max(worst, math.Abs(sum-p.Raw))
		}
	}
	slices.Sort(times)
	hit, cases, err := injectedHits(model, train)
	if err != nil {
		return nil, err
	}
	p99 := times[int(0.99*float64(len(times)-1))]
	return []Row{
		{Set: "FD001", Metric: "one unit explained, p99, ms", Value: p99, Goal: below(50, 10), Note: "from memory, whole history"},
		{Set: "FD001", Metric: "contributions − prediction", Value: worst, Goal: below(1e-9, 1e-9)},
		{Set: "FD001", Metric: "top-3 signal hit", Value: hit, Goal: above(0.90, 0.90), Note: fmt.Sprintf("drift of %d sd in one signal of a young life, %d cases", injectedDrift, cases)},
	}, nil
}

// An injected fault: the last faultRows of the first youngRows rows of a life
// drift by so many standard deviations.
const (
	youngRows     = 80
	faultRows     = 40
	injectedDrift = 6
	restOfLife    = 125 // rows that a life must have after its young ones
)

// injectedHits drifts one signal of a young life in the direction in which it
// moves when lives end, for every young life and signal, and returns how often it
// is among the three signals with the largest contributions.
func injectedHits(model *prognosis.Model, lives []prognosis.Unit) (share float64, n int, err error) {
	drifts := endingDrifts(lives)
	if len(drifts) == 0 {
		return 0, 0, fmt.Errorf("no signal moves towards the end of the lives")
	}
	hits := 0
	for _, u := range lives {
		if len(u.Rows) < youngRows+restOfLife {
			continue
		}
		for _, planted := range drifts {
			p, err := model.Predict(planted.into(u.Rows[:youngRows]))
			if err != nil {
				return 0, 0, fmt.Errorf("life %s: %w", u.ID, err)
			}
			n++
			if slices.Contains(leading(p.Contributions, 3), planted.name) {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(n, 1)), n, nil
}

// fault is a drift of one signal: its column and how far it moves.
type fault struct {
	name   string
	column int
	size   float64
}

// endingDrifts lists the signals that move by more than one standard deviation
// of young lives towards the end of lives.
func endingDrifts(lives []prognosis.Unit) (out []fault) {
	const first, last = 30, 10
	for j, name := range cmapss.Columns() {
		if slices.Contains(cmapss.Operating(), j) {
			continue
		}
		var young, late []float64
		for _, u := range lives {
			for _, row := range u.Rows[:min(first, len(u.Rows))] {
				young = append(young, row[j])
			}
			for _, row := range u.Rows[max(len(u.Rows)-last, 0):] {
				late = append(late, row[j])
			}
		}
		mean, sd := stat.MeanStdDev(young, nil)
		if moved := stat.Mean(late, nil) - mean; sd > 0 && math.Abs(moved) > sd {
			out = append(out, fault{name: name, column: j, size: math.Copysign(injectedDrift*sd, moved)})
		}
	}
	return out
}

// into returns a copy of the rows with the fault in the last of them.
func (d fault) into(rows [][]float64) [][]float64 {
	out := make([][]float64, len(rows))
	for t, row := range rows {
		out[t] = slices.Clone(row)
		if since := t - (len(rows) - faultRows); since >= 0 {
			out[t][d.column] += d.size * float64(since+1) / faultRows
		}
	}
	return out
}

// leading names the n signals with the largest contributions, the age left out.
func leading(contributions []prognosis.Contribution, n int) []string {
	sorted := slices.DeleteFunc(slices.Clone(contributions), func(c prognosis.Contribution) bool { return c.Signal == prognosis.AgeSignal })
	slices.SortStableFunc(sorted, func(a, b prognosis.Contribution) int {
		return cmp.Compare(math.Abs(b.Value), math.Abs(a.Value))
	})
	names := make([]string, 0, n)
	for _, c := range sorted[:min(n, len(sorted))] {
		names = append(names, c.Signal)
	}
	return names
}
