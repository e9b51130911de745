package learning

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

const (
	// LeastLives are the failures with telemetry that a prognosis needs.
	LeastLives = 8
	leastHeld  = 2   // lives kept aside
	heldShare  = 4   // one in so many lives is kept aside
	leastDays  = 30  // days with readings that make a life usable
	leastKnown = 0.5 // share of the values of a life that must be there
	capShare   = 0.6 // of the median life: beyond it a life is just "long"
	leastCap   = 14
	mostCap    = 365
)

// Life is a completed life of an asset: one row per day from its beginning,
// one column per signal of the fleet, NaN where nothing was measured.
type Life struct {
	ID     string
	Asset  string
	Start  time.Time // UTC midnight of the first row
	End    time.Time
	Days   float64
	Failed bool
	Rows   [][]float64
}

// usable reports whether a prognosis can learn from the life.
func (l Life) usable() bool {
	days, known, all := 0, 0, 0
	for _, row := range l.Rows {
		some := false
		for _, v := range row {
			all++
			if !math.IsNaN(v) {
				known++
				some = true
			}
		}
		if some {
			days++
		}
	}
	return l.Failed && days >= leastDays && float64(known) >= leastKnown*float64(all)
}

// unit returns the life as the prognosis takes it.
func (l Life) unit() prognosis.Unit { return prognosis.Unit{ID: l.ID, Rows: l.Rows} }

// Fleet is everything that is known of the completed lives of a class.
type Fleet struct {
	Class   string
	Signals []string
	Lives   []Life
}

// Division keeps the newest lives aside: nothing about them, not even when
// they began, is used before they are predicted.
type Division struct {
	Train []Life // usable lives that ended before the first held-out one
	Held  []Life // the newest usable lives
	Cap   float64
	// Baseline is the Weibull life of everything that ended before, planned
	// renewals as censored lives included.
	Baseline survival.Weibull
}

// Divide sorts the lives by their end and keeps the newest quarter aside, at
// least two. It fails with a TooLittleError.
func (f Fleet) Divide() (Division, error) {
	lives := slices.Clone(f.Lives)
	slices.SortStableFunc(lives, func(a, b Life) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID)) })
	var usable []Life
	for _, l := range lives {
		if l.usable() {
			usable = append(usable, l)
		}
	}
	if len(usable) < LeastLives {
		return Division{}, &TooLittleError{What: "lives", Have: len(usable), Need: LeastLives}
	}
	held := max(leastHeld, len(usable)/heldShare)
	d := Division{Train: usable[:len(usable)-held], Held: usable[len(usable)-held:]}
	return d, d.look(lives)
}

// look takes cap and baseline from the lives that ended before the held-out
// ones did.
func (d *Division) look(lives []Life) error {
	from := d.Held[0].End
	var failures, censored, lengths []float64
	for _, l := range lives {
		switch {
		case !l.End.Before(from):
		case l.Failed:
			failures = append(failures, l.Days)
		default:
			censored = append(censored, l.Days)
		}
	}
	for _, l := range d.Train {
		lengths = append(lengths, l.Days)
	}
	slices.Sort(lengths)
	d.Cap = min(max(math.Round(capShare*lengths[len(lengths)/2]), leastCap), mostCap)
	fit, err := survival.Fit(failures, censored)
	if err != nil {
		return err
	}
	d.Baseline = fit.Weibull
	return nil
}
