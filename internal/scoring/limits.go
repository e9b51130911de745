package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/asset"
)

// side is one dangerous direction of a signal: severity grows from 0 at edge
// over 0.5 at warn to 1 at alarm. dir is +1 upwards, −1 downwards.
type side struct {
	edge, warn, alarm float64
	dir               float64
}

// severity places x between normal (0), warning (0.5) and alarm (1).
func (s side) severity(x float64) float64 {
	return s.severityFrom(x, s.edge)
}

// severityFrom is severity counted from an expected value instead of the edge
// of the normal band. An expected value already past the warning limit adds
// nothing, so the band edge is used then.
func (s side) severityFrom(x, expected float64) float64 {
	x, e, w, a := s.dir*x, s.dir*expected, s.dir*s.warn, s.dir*s.alarm
	if e >= w {
		e = s.dir * s.edge
	}
	switch {
	case x <= e:
		return 0
	case x < w:
		return 0.5 * (x - e) / (w - e)
	case x < a:
		return 0.5 + 0.5*(x-w)/(a-w)
	}
	return 1
}

// sidesOf returns the dangerous directions of a signal. A signal with unusable
// limits has none: it can be anomalous but never severe.
func sidesOf(s asset.Signal) []side {
	up := side{edge: s.NormalHigh, warn: s.Warn, alarm: s.Alarm, dir: 1}
	down := side{edge: s.NormalLow, warn: s.Warn, alarm: s.Alarm, dir: -1}
	var out []side
	switch s.Sense {
	case asset.SenseHigh:
		out = []side{up}
	case asset.SenseLow:
		out = []side{down}
	case asset.SenseBoth:
		down.warn = s.NormalLow - (s.Warn - s.NormalHigh)
		down.alarm = s.NormalLow - (s.Alarm - s.NormalHigh)
		out = []side{up, down}
	}
	kept := out[:0]
	for _, o := range out {
		if o, ok := o.repaired(); ok {
			kept = append(kept, o)
		}
	}
	return kept
}

// repaired checks that edge, warning and alarm follow each other. A band that
// reaches past the warning limit (a life counter does) gets its edge as far
// below the warning as the alarm is above it.
func (s side) repaired() (side, bool) {
	for _, v := range []float64{s.edge, s.warn, s.alarm} {
		if !usable(v) {
			return s, false
		}
	}
	step := s.dir * (s.alarm - s.warn)
	if step <= 0 {
		return s, false
	}
	if s.dir*(s.warn-s.edge) <= 0 {
		s.edge = s.warn - s.dir*step
	}
	return s, true
}

// severityOf is the worst severity of x over the signal's directions.
func severityOf(sides []side, x float64) float64 {
	worst := 0.0
	for _, s := range sides {
		worst = max(worst, s.severity(x))
	}
	return worst
}

// span returns the least and greatest of the values that define a signal, and
// false when they define no range.
func span(s asset.Signal) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	values := []float64{s.NormalLow, s.NormalHigh}
	for _, d := range sidesOf(s) {
		values = append(values, d.warn, d.alarm)
	}
	for _, v := range values {
		if usable(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi, hi > lo
}

// finite reports whether v is neither NaN nor infinite.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// greatest is the largest magnitude taken as a measurement or a limit; beyond
// it sums and squares would leave the range of float64.
const greatest = 1e15

// usable reports whether v is a number that can be computed with.
func usable(v float64) bool { return math.Abs(v) <= greatest }

// clip01 limits v to [0, 1] and turns NaN into 0.
func clip01(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}
