package scoring

import (
	"math"
	"slices"
	"time"
)

// findings lists what stands out about one signal.
func (a *Assessment) findings(s standing) []Reason {
	var out []Reason
	name := s.channel.signal.Metric
	if s.index > anomalyEdge {
		out = append(out, Reason{Code: CodeResidual, Signal: name, Value: s.index, Limit: anomalyEdge})
	}
	if s.column >= 0 && s.index > anomalyEdge {
		if size, row, ok := a.base.jump(s.column); ok {
			out = append(out, Reason{Code: CodeStep, Signal: name, Value: size, At: a.momentOf(row)})
		}
	}
	if s.scatter > anomalyEdge {
		out = append(out, Reason{Code: CodeNoise, Signal: name, Value: s.times, Limit: scatterFactor,
			At: a.momentOf(a.base.noisySince(s.column))})
	}
	switch {
	case s.byLimit && severityOf(s.channel.sides, s.actual) >= 1:
		out = append(out, Reason{Code: CodeAlarm, Signal: name, Value: s.actual, Limit: s.channel.signal.Alarm})
	case s.byLimit:
		out = append(out, Reason{Code: CodeWarn, Signal: name, Value: s.actual, Limit: s.channel.signal.Warn})
	}
	return out
}

// caveats lists what the verdict on anomalies could not take into account.
func (a *Assessment) caveats() []Reason {
	out := append([]Reason(nil), a.refused...)
	if !a.base.ok && (len(a.refused) == 0 || a.base.Rows < leastBaseline) {
		out = append(out, Reason{Code: CodeShortHistory, Value: float64(a.base.Rows), Limit: leastBaseline})
	}
	if far := a.base.unfamiliar(); far > 0 {
		out = append(out, Reason{Code: CodeRegime, Value: far, Limit: a.base.apart})
	}
	for _, c := range a.channels {
		if c.counter {
			out = append(out, Reason{Code: CodeCounter, Signal: c.signal.Metric})
		}
	}
	return out
}

const (
	jumpRows  = 4   // medians before and after a jump (8 h)
	jumpShare = 0.6 // of the present shift that must have come at once
	jumpClear = 6.0 // standard deviations of such changes that a jump exceeds
)

// jump finds the step behind the present residual of column j: the place where
// the residual changed most between the medians of the rows before and after
// it. It is a step when that change stands out from all others and makes up
// most of the present shift, else the signal has drifted. size is in the
// signal's unit.
func (c *comparison) jump(j int) (size float64, row int, ok bool) {
	n := len(c.raw)
	if n < 2*jumpRows {
		return 0, 0, false
	}
	level := make([]float64, n-jumpRows+1) // medians of the rows that follow
	var values [jumpRows]float64
	for r := range level {
		for i := range values {
			values[i] = c.raw[r+i][j]
		}
		slices.Sort(values[:])
		level[r] = (values[jumpRows/2-1] + values[jumpRows/2]) / 2
	}
	shift := level[len(level)-1]
	changes := make([]float64, 0, len(level))
	for r := jumpRows; r < len(level); r++ {
		d := level[r] - level[r-jumpRows]
		changes = append(changes, math.Abs(d))
		if d*shift > 0 && math.Abs(d) > math.Abs(size) {
			size, row = d, r
		}
	}
	least := max(jumpShare*math.Abs(shift), jumpClear*1.4826*median(changes))
	return size * c.columns[j].spread[c.regime[n-1]], row, size != 0 && math.Abs(size) >= least
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
