package scoring

import (
	"math"
	"time"
)

// stalePeriods is how many expected periods may pass without a good reading.
const stalePeriods = 3

// minStale keeps fast signals from being called stale between two sweeps.
const minStale = 15 * time.Minute

const (
	// stuckRun is the least number of steps without movement that makes a sensor
	// stuck, and stuckTimes how many times its longest rest before.
	stuckRun, stuckTimes = 24, 5
	// stillBand is the movement that counts as none, in standard deviations of the
	// signal: a frozen transmitter may still show the noise of its converter.
	stillBand = 0.02
	// lostTail is the least number of latest readings refused that is worth naming.
	lostTail = 3
)

// judge decides whether a signal can be used now and why not.
func (c *channel) judge(asOf time.Time) {
	t := &c.trust
	if n := t.Rows.Dropped(); n > 0 {
		t.note(CodeBadRows, float64(n), float64(t.Rows.Used+n))
	}
	bad, wild := c.lost(), t.Rows.Implausible
	if bad >= lostTail {
		t.note(CodeBadQuality, float64(bad), lostTail)
	}
	if len(c.samples) == 0 {
		if wild > 0 && !t.has(CodeWrongUnit) {
			t.note(CodeOutOfRange, float64(wild), 0)
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
	t.StaleAt = t.LastAt.Add(limit)
	stale := age > limit
	if stale {
		t.note(CodeStale, age.Seconds(), limit.Seconds())
	}
	run, earlier := c.stillRun()
	stuck := run >= stuckRun && run >= stuckTimes*earlier
	if stuck {
		t.note(CodeStuck, float64(run), stuckRun)
	}
	noisy := wild > t.Rows.Used || stale && c.wildAfter(last.at) >= lostTail
	if noisy && !t.has(CodeWrongUnit) {
		t.note(CodeOutOfRange, float64(wild), float64(t.Rows.Used))
	}
	if t.Rows.Uncertain > 0 {
		t.note(CodeUncertain, float64(t.Rows.Uncertain)/float64(t.Rows.Used), 0)
	}
	t.OK = !stale && !stuck && !noisy && !t.has(CodeWrongUnit)
}

// stillRun returns for how many steps the value has rested up to the last
// reading, and the longest such rest before it. A step is the mean spacing of
// the readings: many readings in a short time prove no rest, nor do two far
// apart.
func (c *channel) stillRun() (run, earlier int) {
	n := len(c.samples)
	if n < 2 {
		return n, 0
	}
	band := stillBand * c.rough()
	step := float64(c.samples[n-1].at-c.samples[0].at) / float64(n-1)
	steps := func(from, to int) int {
		return min(to-from, int(float64(c.samples[to-1].at-c.samples[from].at)/step+0.5)+1)
	}
	rests := func(i int, level float64) bool { return math.Abs(c.samples[i].value-level) <= band }
	start := n - 1
	for start > 0 && rests(start-1, c.samples[n-1].value) {
		start--
	}
	for from, i := 0, 1; i <= start; i++ {
		if i < start && rests(i, c.samples[from].value) {
			continue
		}
		earlier = max(earlier, steps(from, i))
		from = i
	}
	return steps(start, n), earlier
}

// roughSize is how many readings, evenly spaced, stand in for all of them.
const roughSize = 120

// rough is the spread of the bulk of the values, from some of them.
func (c *channel) rough() float64 {
	_, sd := centre(c.some())
	return sd
}

// some are at most roughSize of the values, evenly spaced.
func (c *channel) some() []float64 {
	stride := (len(c.samples) + roughSize - 1) / roughSize
	out := make([]float64, 0, roughSize)
	for i := 0; i < len(c.samples); i += stride {
		out = append(out, c.samples[i].value)
	}
	return out
}

// lost counts the readings after the last usable one that the source marked bad
// or that are no numbers.
func (c *channel) lost() int { return after(c.badAt, c.lastAt()) }

// wildAfter counts the implausible readings after a moment.
func (c *channel) wildAfter(at int64) int { return after(c.wildAt, at) }

func (c *channel) lastAt() int64 {
	if n := len(c.samples); n > 0 {
		return c.samples[n-1].at
	}
	return math.MinInt64
}

func after(times []int64, at int64) (n int) {
	for _, t := range times {
		if t > at {
			n++
		}
	}
	return n
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
