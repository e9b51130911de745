package calendar

import (
	"cmp"
	"slices"
	"time"
)

// Span is a run of time, To excluded.
type Span struct {
	From time.Time
	To   time.Time
}

// Duration returns the length of the span.
func (s Span) Duration() time.Duration { return s.To.Sub(s.From) }

// Contains reports whether t lies in the span.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// clip returns the part of the span inside [from, to).
func (s Span) clip(from, to time.Time) Span {
	if s.From.Before(from) {
		s.From = from
	}
	if s.To.After(to) {
		s.To = to
	}
	return s
}

// Join returns the spans in order, with those that overlap or touch made one
// and empty ones left out.
func Join(spans []Span) []Span {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var out []Span
	for _, s := range sorted {
		switch n := len(out); {
		case s.Duration() <= 0:
		case n > 0 && !s.From.After(out[n-1].To):
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
		default:
			out = append(out, s)
		}
	}
	return out
}

// Without returns what is left of the spans when the closed ones are taken
// away, in order.
func Without(spans, closed []Span) []Span {
	closed = Join(closed)
	var out []Span
	for _, s := range Join(spans) {
		for _, c := range closed {
			if !c.To.After(s.From) {
				continue
			}
			if !c.From.Before(s.To) {
				break
			}
			if c.From.After(s.From) {
				out = append(out, Span{From: s.From, To: c.From})
			}
			s.From = c.To
		}
		if s.Duration() > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Common returns the spans that both lists cover, in order: for instance the
// shift of a crew within the hours allowed for a job.
func Common(a, b []Span) []Span {
	a = Join(a)
	return Without(a, Without(a, b))
}

// Interval is a span in minutes from an origin, To excluded: what inputs of
// the planning problems take.
type Interval struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// MinutesWithin returns the whole minutes from an origin that lie inside the
// spans: for time that is allowed.
func MinutesWithin(origin time.Time, spans []Span) []Interval {
	return minutes(origin, spans, func(from, to time.Duration) Interval { return Interval{ceilMinutes(from), floorMinutes(to)} })
}

// MinutesAround returns the whole minutes from an origin that the spans touch:
// for time that is forbidden.
func MinutesAround(origin time.Time, spans []Span) []Interval {
	return minutes(origin, spans, func(from, to time.Duration) Interval { return Interval{floorMinutes(from), ceilMinutes(to)} })
}

func minutes(origin time.Time, spans []Span, round func(from, to time.Duration) Interval) []Interval {
	var out []Interval
	for _, s := range spans {
		if i := round(s.From.Sub(origin), s.To.Sub(origin)); i.To > i.From {
			out = append(out, i)
		}
	}
	return out
}

func floorMinutes(d time.Duration) int {
	m := d / time.Minute
	if d%time.Minute < 0 {
		m--
	}
	return int(m)
}

func ceilMinutes(d time.Duration) int { return -floorMinutes(-d) }
