package scoring

import (
	"time"
)

// stalePeriods is how many expected periods may pass without a good reading.
const stalePeriods = 3

// minStale keeps fast signals from being called stale between two sweeps.
const minStale = 15 * time.Minute

// stuckRun is the least number of equal readings that makes a sensor stuck.
const stuckRun = 24

// judge decides whether a signal can be used now and why not.
func (c *channel) judge(asOf time.Time) {
	t := &c.trust
	if n := t.Rows.Dropped(); n > 0 {
		t.note(CodeBadRows, float64(n), float64(t.Rows.Used+n))
	}
	if len(c.samples) == 0 {
		if t.Rows.Implausible > 0 && !t.has(CodeWrongUnit) {
			t.note(CodeOutOfRange, float64(t.Rows.Implausible), 0)
		}
		t.note(CodeMissing, 0, 0)
		t.OK = false
		return
	}
	last := c.samples[len(c.samples)-1]
	t.LastAt = time.UnixMilli(last.at).UTC()
	t.Last = last.value
	age := asOf.Sub(t.LastAt)
	t.AgeSeconds = age.Seconds()
	limit := max(time.Duration(stalePeriods*c.period)*time.Millisecond, minStale)
	stale := age > limit
	if stale {
		t.note(CodeStale, age.Seconds(), limit.Seconds())
	}
	run, earlier := c.equalRun()
	stuck := run >= stuckRun && run >= 5*earlier
	if stuck {
		t.note(CodeStuck, float64(run), stuckRun)
	}
	noisy := t.Rows.Implausible > t.Rows.Used
	if noisy && !t.has(CodeWrongUnit) {
		t.note(CodeOutOfRange, float64(t.Rows.Implausible), float64(t.Rows.Used))
	}
	if t.Rows.Uncertain > 0 {
		t.note(CodeUncertain, float64(t.Rows.Uncertain)/float64(t.Rows.Used), 0)
	}
	t.OK = !stale && !stuck && !noisy && !t.has(CodeWrongUnit)
}

// equalRun returns the length of the run of equal values at the end and the
// longest such run before it. A value that does not move by more than rounding
// counts as equal.
func (c *channel) equalRun() (run, earlier int) {
	n := 1
	for i := 1; i < len(c.samples); i++ {
		if c.samples[i].value == c.samples[i-1].value {
			n++
			continue
		}
		earlier = max(earlier, n)
		n = 1
	}
	return n, earlier
}

func (t *SignalTrust) note(code Code, value, limit float64) {
	t.Reasons = append(t.Reasons, Reason{Code: code, Signal: t.Signal, Value: value, Limit: limit})
}

func (t *SignalTrust) has(code Code) bool {
	for _, r := range t.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// trustOf sums the signals up. The reasons of unusable signals are repeated at
// the top so that a page need not search for them.
func trustOf(channels []channel, threshold float64) Trust {
	t := Trust{Expected: len(channels), Signals: make([]SignalTrust, 0, len(channels)), Reasons: []Reason{}}
	for _, c := range channels {
		t.Signals = append(t.Signals, c.trust)
		if c.trust.OK {
			t.Usable++
			continue
		}
		t.Reasons = append(t.Reasons, c.trust.Reasons...)
	}
	if t.Expected == 0 {
		t.Reasons = append(t.Reasons, Reason{Code: CodeNoSignals}, Reason{Code: CodeAgeOnly})
		return t
	}
	t.Coverage = float64(t.Usable) / float64(t.Expected)
	t.Trusted = t.Coverage >= threshold
	if !t.Trusted {
		t.Reasons = append(t.Reasons,
			Reason{Code: CodeLowCoverage, Value: t.Coverage, Limit: threshold}, Reason{Code: CodeAgeOnly})
	}
	return t
}
