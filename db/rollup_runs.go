package db

import (
	"cmp"
	"slices"
	"time"
)

// fastPeriod is the time between readings below which a signal gets roll-ups
// by minute; a slower one has hardly more samples than minutes.
const fastPeriod = 10 * time.Second

// samplesAtOnce bounds how many samples a roll-up holds in memory.
const samplesAtOnce = 500_000

// hourRun is a run of consecutive hours of one signal, end exclusive.
type hourRun struct {
	signal     int64
	start, end time.Time
	period     time.Duration
}

func (r hourRun) samples() int { return int(r.end.Sub(r.start)/r.period) + 1 }

// hourRuns collects hours as runs that are short enough to be held in memory.
type hourRuns struct {
	runs  []hourRun
	fast  map[int64]bool // signals that get minutes
	hours int
}

// add appends an hour; hours come by signal and in ascending time.
func (r *hourRuns) add(signal int64, hour time.Time, period time.Duration) {
	r.hours++
	if period < fastPeriod {
		if r.fast == nil {
			r.fast = map[int64]bool{}
		}
		r.fast[signal] = true
	}
	if n := len(r.runs) - 1; n >= 0 && r.runs[n].signal == signal && r.runs[n].end.Equal(hour) && r.runs[n].samples() < samplesAtOnce {
		r.runs[n].end = hour.Add(time.Hour)
		return
	}
	r.runs = append(r.runs, hourRun{signal, hour, hour.Add(time.Hour), period})
}

// hourGroup is the same run of hours of several signals.
type hourGroup struct {
	signals    []int64
	start, end time.Time
}

// groups joins equal runs, so that their samples are read at once.
func (r *hourRuns) groups() []hourGroup {
	slices.SortStableFunc(r.runs, func(a, b hourRun) int {
		return cmp.Or(a.start.Compare(b.start), a.end.Compare(b.end))
	})
	var groups []hourGroup
	samples := 0
	for _, run := range r.runs {
		n := len(groups) - 1
		if n < 0 || !groups[n].start.Equal(run.start) || !groups[n].end.Equal(run.end) || samples+run.samples() > samplesAtOnce {
			groups, samples, n = append(groups, hourGroup{start: run.start, end: run.end}), 0, n+1
		}
		groups[n].signals = append(groups[n].signals, run.signal)
		samples += run.samples()
	}
	return groups
}
