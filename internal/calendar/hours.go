package calendar

import (
	"time"

	"github.com/optria-iq/optria/internal/fault"
)

// searchDays bounds the search for working time: a calendar without any in two
// years is an error, not an endless loop.
const searchDays = 731

// WorkingHours returns the staffed spans of t's day in the calendar's time
// zone: the shift or the Ramadan hours, nothing on weekends and holidays.
func (c *Calendar) WorkingHours(t time.Time) []Span { return c.working(c.day(t)) }

func (c *Calendar) working(d Date) []Span {
	if !c.staffed(d) {
		return nil
	}
	h, _ := c.shift(d)
	return c.spans(d, h)
}

func (c *Calendar) spans(d Date, h Hours) []Span {
	if h.Empty() {
		return nil
	}
	return []Span{{From: c.at(d, h.From), To: c.at(d, h.To)}}
}

// OutdoorHours returns the working hours of t's day in which outdoor work is
// allowed: WorkingHours less the midday ban, unless the profile is exempt.
func (c *Calendar) OutdoorHours(t time.Time) []Span {
	d := c.day(t)
	if !c.banned(d) || !c.staffed(d) {
		return c.working(d)
	}
	h, _ := c.shift(d)
	ban := c.profile.MiddayBan.Hours
	before := Hours{From: h.From, To: min(h.To, ban.From)}
	after := Hours{From: max(h.From, ban.To), To: h.To}
	return append(c.spans(d, before), c.spans(d, after)...)
}

// AddWorkingHours returns the earliest moment by which d of working time has
// passed since t. A d of zero or less returns t. It fails with code Invalid
// when the calendar has less than d of working time ahead within reason.
func (c *Calendar) AddWorkingHours(t time.Time, d time.Duration) (time.Time, error) {
	if d <= 0 {
		return t, nil
	}
	left := d
	idle := 0
	for day := c.day(t); idle < searchDays; day = day.AddDays(1) {
		idle++
		for _, s := range c.working(day) {
			from := s.From
			if t.After(from) {
				from = t
			}
			have := s.To.Sub(from)
			if have <= 0 {
				continue
			}
			if left <= have {
				return from.Add(left), nil
			}
			left -= have
			idle = 0
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "calendar.no_working_time")
}

// WorkingBetween returns the working time from a to b, 0 when b is not after
// a.
func (c *Calendar) WorkingBetween(a, b time.Time) time.Duration {
	total := time.Duration(0)
	last := c.day(b)
	for d := c.day(a); !last.Before(d); d = d.AddDays(1) {
		for _, s := range c.working(d) {
			from, to := s.From, s.To
			if a.After(from) {
				from = a
			}
			if b.Before(to) {
				to = b
			}
			total += max(to.Sub(from), 0)
		}
	}
	return total
}
