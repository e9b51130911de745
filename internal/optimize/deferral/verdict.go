package deferral

import "github.com/optria-iq/optria/internal/optimize"

// The statistical rule behind a verdict. All costs are differences to acting
// on the first open day, and a difference is measurable when its bootstrap
// interval at the asked confidence, taken day by day, lies wholly beyond the
// materiality on one side of 0. Then
//
//  1. when the cheapest open day is measurably cheaper than the first one, the
//     job can wait until it;
//  2. when already the next open day is measurably dearer, it is to be done;
//  3. otherwise there is no measurable difference before the first open day
//     that is measurably dearer (the length of the horizon when none is).
//
// Without a band the point estimates stand for both ends. A pinned job is
// done on its day.

// verdict applies the rule; low and high are the band of C(d) − C(first).
func (in *Input) verdict(a *Action, d *Deferral, low, high []float64) (optimize.Verdict, int) {
	if d.Pinned {
		return optimize.VerdictDo, d.Day
	}
	first := in.firstOpen(a, 0)
	if d.Day > first && high[d.Day] < -in.Band.Materiality {
		return optimize.VerdictWait, d.Day
	}
	next := in.firstOpen(a, first+1)
	for n := next; n < in.Days; n = in.firstOpen(a, n+1) {
		if low[n] <= in.Band.Materiality {
			continue
		}
		if n == next {
			return optimize.VerdictDo, first
		}
		return optimize.VerdictSame, n
	}
	return optimize.VerdictSame, in.Days
}

// firstOpen returns the first open day from d on, or Days.
func (in *Input) firstOpen(a *Action, d int) int {
	for d < in.Days && in.closedBy(a, d).code != "" {
		d++
	}
	return d
}
