package scoring

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/scoring/aakr"
)

const (
	mostMemory = 2 * memorySize // vectors, after which the most redundant are evicted
	mostAdmit  = memorySize / 2 // vectors taken in at once
	mostScores = 500            // held-out scores kept, the latest
	holdEvery  = 3              // of the rows admitted, every third is held out
)

// ErrNothingToAdmit says that a stretch holds no row that could be admitted.
var ErrNothingToAdmit = errors.New("no complete row inside the alarm limits")

// Admit teaches the baseline an operation that an engineer judged expected: the
// rows of in between from and to, both inside its window. Part of them join the
// memory, which evicts its most redundant vectors beyond a bound; the others
// recalibrate the limit. Rows beyond an alarm limit are never admitted. It
// returns the number of rows taken in. On failure (signals that do not fit or
// are not usable now, or ErrNothingToAdmit) the baseline stays as it was. It
// must not run while another goroutine scores with the same baseline.
func (b *Baseline) Admit(in AssetInput, from, to time.Time) (int, error) {
	a := prepare(in)
	if unfit := b.unfit(a.frame, a.channels); len(unfit) > 0 {
		return 0, fmt.Errorf("admit to baseline: signals do not fit: %s", strings.Join(unfit, ", "))
	}
	columns := b.columnsOf(a.frame, a.channels)
	for j, name := range b.Signals {
		if !slices.Contains(columns, j) {
			return 0, fmt.Errorf("admit to baseline: signal %s is not usable now", name)
		}
	}
	rows := a.stretch(columns, from, to)
	if len(rows) == 0 {
		return 0, fmt.Errorf("admit to baseline: %w between %s and %s", ErrNothingToAdmit,
			from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	next, err := b.with(rows)
	if err != nil {
		return 0, fmt.Errorf("admit to baseline: %w", err)
	}
	if last := to.UTC(); last.After(next.To) {
		next.To = last
	}
	*b = *next
	return len(rows), nil
}

// stretch returns the admissible rows of the frame between two moments, in the
// order of the baseline's columns.
func (a *Assessment) stretch(columns []int, from, to time.Time) [][]float64 {
	var out [][]float64
	for r, row := range a.frame.rows {
		end := a.frame.ends[r]
		if end-binMillis < from.UnixMilli() || end > to.UnixMilli() || a.frame.severity(a.channels, row) >= 1 {
			continue
		}
		ordered := make([]float64, len(columns))
		for j, i := range columns {
			ordered[i] = row[j]
		}
		out = append(out, ordered)
	}
	return out
}

// with returns the baseline after taking in healthy rows.
func (b *Baseline) with(rows [][]float64) (*Baseline, error) {
	out := *b
	out.Rows += len(rows)
	var train, held [][]float64
	for r, row := range rows {
		standard := b.standard(make([]float64, len(row)), row, b.regimes.of(row))
		rounded(standard)
		if r%holdEvery == holdEvery-1 {
			held = append(held, standard)
		} else {
			train = append(train, standard)
		}
	}
	chosen, err := aakr.Fit(train, ones(len(b.columns)), mostAdmit)
	if err != nil {
		return nil, fmt.Errorf("choose vectors: %w", err)
	}
	out.memory = evict(append(slices.Clone(b.memory), chosen.Memory()...), mostMemory)
	model, err := aakr.Restore(out.memory, ones(len(b.columns)), 0)
	if err != nil {
		return nil, fmt.Errorf("restore memory: %w", err)
	}
	out.width = model.Width()
	out.recalibrate(held, model)
	return &out, nil
}

// recalibrate adds the statistics of further held-out rows to those that set
// the limits, of which it keeps the latest mostScores.
func (b *Baseline) recalibrate(held [][]float64, model *aakr.Model) {
	c := comparison{Baseline: b}
	b.scores = slices.Clone(b.scores)
	if b.together != nil {
		again := *b.together
		again.t2, again.spe = slices.Clone(again.t2), slices.Clone(again.spe)
		b.together = &again
		c.joint = again.watch(len(held))
	}
	raw, state := make([]float64, len(b.columns)), make([]float64, len(b.columns))
	for r, row := range held {
		c.residual(raw, row, model)
		for j := range raw {
			state[j] += smoothing * (raw[j] - state[j])
		}
		c.smooth = [][]float64{state}
		b.scores = append(b.scores, float64(float32(c.score(0))))
		if c.joint != nil {
			c.joint.next(r, row)
			c.joint.hold(r)
		}
	}
	latest := func(v []float64) []float64 { return v[max(len(v)-mostScores, 0):] }
	b.scores = latest(b.scores)
	if s := b.together; s != nil {
		s.t2, s.spe = latest(s.t2), latest(s.spe)
	}
}

// evict removes vectors until most are left: each time the older one of the two
// that lie closest together, because the other says the same.
func evict(memory [][]float64, most int) [][]float64 {
	for len(memory) > most {
		first, least := 0, distance2(memory[0], memory[1])
		for i := range memory {
			for k := i + 1; k < len(memory); k++ {
				if d := distance2(memory[i], memory[k]); d < least {
					first, least = i, d
				}
			}
		}
		memory = slices.Delete(memory, first, first+1)
	}
	return memory
}

func distance2(a, b []float64) float64 {
	sum := 0.0
	for j := range a {
		sum += (a[j] - b[j]) * (a[j] - b[j])
	}
	return sum
}
