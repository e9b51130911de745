package scoring

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Baseline is how one asset looks when healthy, learned once on its own early
// samples and kept: the vectors in memory, the scale of each signal, and the
// residuals of healthy rows held out from the memory. Learn it with
// LearnBaseline; store it with MarshalBinary. The thresholds of a tenant are
// not part of it, so they can change without learning anew.
type Baseline struct {
	From, To time.Time // the stretch learned from
	Rows     int       // healthy rows in it, of two hours each
	Signals  []string  // metrics in column order

	columns  []column    // one per signal
	memory   [][]float64 // healthy vectors in standard units
	width    float64     // kernel bandwidth of the memory
	scores   []float64   // per held-out row: its largest smoothed residual in units of column.scale
	regimes  regimes     // of the operating point
	apart    float64     // how far an operating point may lie from the memory, standard units
	together *subspace   // how many signals vary together; nil with few
	shift    float64     // greatest cumulative sum of the only signal's residual when healthy
}

// column is one signal of a baseline. Its standard units are distances from
// centre in units of spread, one pair per regime.
type column struct {
	unit      string
	operating bool
	level     float64 // healthy median, own units
	centre    []float64
	spread    []float64
	scale     float64 // robust deviation of the residual on held-out rows, standard units
	noise     float64 // greatest scatter of the residual from row to row when healthy, standard units
}

// Errors of LearnBaseline.
var (
	// ErrShortHistory says that there are too few healthy rows to learn from.
	ErrShortHistory = errors.New("too little healthy history to learn a baseline")
	// ErrUnsteady says that signals moved so much while they were learned that a
	// fault would reach its warning limit before it is told from that.
	ErrUnsteady = errors.New("signals are not steady enough to learn a baseline")
)

// leastStored is the least number of healthy rows of a stored baseline: two
// weeks, so that it has seen every weekday twice.
const leastStored = 168

// LearnBaseline learns how the asset looks when healthy from the first thirty
// days of its readings within the window before AsOf, leaving out what lies
// beyond a warning limit. Give it readings that begin after a renewal. It fails
// with ErrShortHistory when less than two weeks are usable, and with ErrUnsteady
// when the asset was already on its way to a limit.
func LearnBaseline(in AssetInput) (*Baseline, error) {
	in.Baseline = nil
	a := prepare(in)
	b, _, ok := a.learn(min(len(a.frame.rows), baselineRows))
	if !ok || b.Rows < leastStored {
		return nil, fmt.Errorf("learn baseline of %s: %w: %d rows of %d", in.AssetID, ErrShortHistory, b.Rows, leastStored)
	}
	if names := a.unsteady(b); len(names) > 0 {
		return nil, fmt.Errorf("learn baseline of %s: %w: %s", in.AssetID, ErrUnsteady, strings.Join(names, ", "))
	}
	return b, nil
}

// unsteady names the signals whose limit on the residual lies beyond the
// warning limit, taken from the healthy level.
func (a *Assessment) unsteady(b *Baseline) []string {
	c := comparison{Baseline: b, set: a.set}
	c.judgeable()
	var out []string
	for j, i := range a.frame.channels {
		col := b.columns[j]
		reach := toWarning(a.channels[i], col.level)
		if !col.operating && reach > 0 && c.limit*col.scale*col.spread[0] > reach {
			out = append(out, b.Signals[j])
		}
	}
	return out
}

// unfit names what keeps a baseline from being used for the frame: signals it
// does not know, and signals of its own that the asset has no longer or that
// changed their unit. A signal that is merely silent now is no reason.
func (b *Baseline) unfit(f frame, channels []channel) []string {
	var out []string
	if len(b.Signals) != len(b.columns) {
		return b.Signals
	}
	units := map[string]string{}
	for _, c := range channels {
		units[c.signal.Metric] = c.signal.Unit
	}
	known := map[string]bool{}
	for j, name := range b.Signals {
		known[name] = true
		if unit, ok := units[name]; !ok || unit != b.columns[j].unit {
			out = append(out, name)
		}
	}
	for _, i := range f.channels {
		if name := channels[i].signal.Metric; !known[name] {
			out = append(out, name)
		}
	}
	return out
}

// columnsOf returns for every column of the frame that of the baseline; the
// baseline must fit.
func (b *Baseline) columnsOf(f frame, channels []channel) []int {
	out := make([]int, 0, len(f.channels))
	for _, i := range f.channels {
		out = append(out, slices.Index(b.Signals, channels[i].signal.Metric))
	}
	return out
}

// only returns the baseline reduced to the given columns in that order, which
// hold all its operating variables. What the signals do together is unknown
// without any of them.
func (b *Baseline) only(columns []int) *Baseline {
	if len(columns) == len(b.columns) && slices.IsSorted(columns) {
		return b
	}
	out := *b
	out.Signals, out.columns, out.memory, out.width, out.together = nil, nil, nil, 0, nil
	out.shift = math.Inf(1) // unknown for what is left, so it has no say
	for _, j := range columns {
		out.Signals = append(out.Signals, b.Signals[j])
		out.columns = append(out.columns, b.columns[j])
	}
	if len(columns) == 1 { // nothing explains it any more, so its own spread counts
		out.columns[0].scale = max(out.columns[0].scale, 1)
	}
	for _, v := range b.memory {
		row := make([]float64, 0, len(columns))
		for _, j := range columns {
			row = append(row, v[j])
		}
		out.memory = append(out.memory, row)
	}
	if m := b.regimes.model; m != nil {
		again := *m
		again.Operating = nil
		for _, j := range m.Operating {
			again.Operating = append(again.Operating, slices.Index(columns, j))
		}
		out.regimes.model = &again
	}
	return &out
}
