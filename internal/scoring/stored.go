package scoring

import "time"

// Baseline is how one asset looks when healthy, learned once on its own early
// samples and kept: the vectors in memory, the scale of each signal, and the
// residuals of healthy rows held out from the memory. Learn it with
// LearnBaseline; store it with MarshalBinary.
type Baseline struct {
	From, To time.Time // first and last reading learned from
	Rows     int       // healthy rows learned from, of two hours each
	Signals  []string  // metrics in column order
}
