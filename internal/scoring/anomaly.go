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
// because the baseline itself may have been learned on a sick asset, and so is
// scatter of twice the healthy one. Counters are compared with their own early
// rate. Reasons name the test that spoke and the signal it spoke of.
func DetectAnomaly(a *Assessment) Anomaly {
	out := Anomaly{Limit: anomalyEdge, Reasons: []Reason{}}
	out.Provenance = a.provenance(ModelAnomaly)
	out.Contributors = contributors(a.now)
	if a.base.ok {
		out.Flag, out.Since = a.episode()
	}
	for _, s := range a.now {
		out.Value = max(out.Value, s.index)
		out.Severity = max(out.Severity, s.severity)
		out.Reasons = append(out.Reasons, a.findings(s)...)
		if since := a.sinceOf(s); !since.IsZero() {
			out.Flag = true
			out.Value = max(out.Value, s.weight())
			if out.Since.IsZero() || since.Before(out.Since) {
				out.Since = since
			}
		}
	}
	for _, r := range append(a.base.jointFindings(), a.base.singleFindings()...) {
		out.Value = max(out.Value, r.Value)
		out.Reasons = append(out.Reasons, r)
	}
	if st := a.now; out.Flag && len(out.Reasons) == 0 && len(st) > 0 { // an episode about to end
		out.Reasons = append(out.Reasons, Reason{Code: CodeResidual, Signal: st[0].channel.signal.Metric,
			Value: st[0].index, Limit: leaveBelow})
	}
	out.Reasons = append(out.Reasons, a.caveats()...)
	noise := 0.0
	if a.base.ok {
		noise = 1 / a.set.AnomalyFactor
	}
	out.Lo, out.Hi = max(out.Value-noise, 0), out.Value+noise
	return out
}

// sinceOf is when a signal by itself became an anomaly: by its limits, by a
// counter's rate or by its scatter. Zero when it did not.
func (a *Assessment) sinceOf(s standing) time.Time {
	switch {
	case s.byLimit || s.ahead:
		return s.since
	case s.scatter > anomalyEdge:
		return a.momentOf(a.base.noisySince(s.column))
	}
	return time.Time{}
}

// momentOf is the end of a row of the comparison.
func (a *Assessment) momentOf(row int) time.Time {
	return time.UnixMilli(a.frame.ends[a.base.start+row]).UTC()
}

// episode runs the hysteresis over the rows compared. Rows at an unfamiliar
// operating point neither start nor end one.
func (a *Assessment) episode() (on bool, since time.Time) {
	run, first := 0, 0
	for r := range a.base.smooth {
		if a.base.strange[r] > 0 {
			continue
		}
		worst := a.base.worst(r)
		if !(!on && worst > anomalyEdge || on && worst < leaveBelow) {
			run = 0
			continue
		}
		if run++; run == 1 {
			first = r
		}
		if run < persist {
			continue
		}
		run, on = 0, !on
		if since = (time.Time{}); on {
			since = a.momentOf(first)
		}
	}
	return on, since
}
