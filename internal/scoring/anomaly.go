package scoring

import "time"

const (
	persist     = 3   // bins in a row before an episode starts or ends (6 h)
	leaveBelow  = 0.8 // the index must fall below this to end an episode
	anomalyEdge = 1.0 // and rise above this to start one
)

// DetectAnomaly compares the asset with its own healthy baseline (AAKR
// residuals, smoothed) and with its limits. An episode starts when the index
// stays above 1 for six hours and ends when it stays below 0.8 for as long; a
// day's level beyond a warning limit is an episode whatever the baseline says,
// because the baseline itself may have been learned on a sick asset. Counters
// are compared with their own early rate.
func DetectAnomaly(a *Assessment) Anomaly {
	st := a.standings()
	out := Anomaly{Limit: anomalyEdge, Reasons: []Reason{}}
	out.Provenance = a.provenance(ModelAnomaly)
	out.Contributors = contributors(st)
	if a.base.ok {
		out.Flag, out.Since = a.episode()
	}
	if out.Flag && len(st) > 0 && st[0].index > leaveBelow && st[0].index <= anomalyEdge {
		out.Reasons = append(out.Reasons, Reason{Code: CodeResidual, Signal: st[0].channel.signal.Metric,
			Value: st[0].index, Limit: leaveBelow})
	}
	noise := 0.0
	for _, s := range st {
		if s.index > out.Value {
			out.Value = s.index
		}
		out.Severity = max(out.Severity, s.severity)
		out.Reasons = append(out.Reasons, s.reasons()...)
		if s.byLimit || s.ahead {
			out.Flag = true
			out.Value = max(out.Value, s.weight())
			if out.Since.IsZero() || s.since.Before(out.Since) {
				out.Since = s.since
			}
		}
	}
	if a.base.ok {
		noise = 1 / a.set.AnomalyFactor
	} else {
		out.Reasons = append(out.Reasons, Reason{Code: CodeShortHistory, Value: float64(a.base.rows), Limit: leastBaseline})
	}
	out.Lo, out.Hi = max(out.Value-noise, 0), out.Value+noise
	for _, c := range a.channels {
		if c.counter {
			out.Reasons = append(out.Reasons, Reason{Code: CodeCounter, Signal: c.signal.Metric})
		}
	}
	return out
}

// episode runs the hysteresis over the rows since learning ended.
func (a *Assessment) episode() (on bool, since time.Time) {
	run := 0
	for r := range a.base.smooth {
		worst := 0.0
		for _, v := range a.base.index(r) {
			worst = max(worst, v)
		}
		switch {
		case !on && worst > anomalyEdge, on && worst < leaveBelow:
			run++
		default:
			run = 0
		}
		if run < persist {
			continue
		}
		run = 0
		on = !on
		if on {
			since = time.UnixMilli(a.frame.ends[a.base.start+r-persist+1]).UTC()
		} else {
			since = time.Time{}
		}
	}
	return on, since
}

// reasons lists what stands out about one signal.
func (s standing) reasons() []Reason {
	var out []Reason
	name := s.channel.signal.Metric
	if s.index > anomalyEdge {
		out = append(out, Reason{Code: CodeResidual, Signal: name, Value: s.index, Limit: anomalyEdge})
	}
	switch {
	case s.byLimit && severityOf(s.channel.sides, s.actual) >= 1:
		out = append(out, Reason{Code: CodeAlarm, Signal: name, Value: s.actual, Limit: s.channel.signal.Alarm})
	case s.byLimit:
		out = append(out, Reason{Code: CodeWarn, Signal: name, Value: s.actual, Limit: s.channel.signal.Warn})
	}
	return out
}

// beyondSince is the first reading after the last one inside the warning
// limits.
func (c *channel) beyondSince() time.Time {
	i := len(c.samples)
	for i > 0 && severityOf(c.sides, c.samples[i-1].value) >= 0.5 {
		i--
	}
	return time.UnixMilli(c.samples[min(i, len(c.samples)-1)].at).UTC()
}
