package optimize

import (
	"sync/atomic"
	"time"
)

// Meter is the clock of a run. It shows real time, or, for a run with a budget
// of work, the work that was charged to it: then it stands still between
// charges and does not depend on the speed of the machine.
type Meter struct {
	start   time.Time
	counted bool
	budget  time.Duration
	spent   atomic.Int64
}

// NewMeter starts the clock of a run with options o.
func NewMeter(o Options) *Meter {
	return &Meter{start: time.Now(), counted: o.ByWork(), budget: o.Budget()}
}

// Counted says whether the meter counts work.
func (m *Meter) Counted() bool { return m.counted }

// Elapsed is how far the run is, in the time that its meter shows.
func (m *Meter) Elapsed() time.Duration {
	if m.counted {
		return time.Duration(m.spent.Load())
	}
	return time.Since(m.start)
}

// Left is what remains of the budget, never less than nothing.
func (m *Meter) Left() time.Duration { return max(0, m.budget-m.Elapsed()) }

// Charged is the work that was charged so far, whatever the meter shows.
func (m *Meter) Charged() time.Duration { return time.Duration(m.spent.Load()) }

// Charge adds work; a meter of real time takes no notice.
func (m *Meter) Charge(work time.Duration) { m.spent.Add(int64(work)) }
