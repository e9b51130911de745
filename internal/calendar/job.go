package calendar

import "time"

// Job is what the calendar needs to know of a piece of work.
type Job struct {
	Outdoor   bool
	Emergency bool // exempt from the midday ban, the Friday window and embargoes
	Outage    bool // takes equipment out of service: subject to embargoes
	Standby   bool // done by a shift crew: not bound to staffed hours
	Exempt    bool // at a site that the midday ban does not bind (oil and gas)
}

// Blocked lists the rules that forbid the job to be under way at t; none
// means allowed. The Friday window forbids only the start of planned work, so
// it is listed only when starting is true.
func (c *Calendar) Blocked(t time.Time, site string, job Job, starting bool) []Kind {
	var out []Kind
	for _, w := range c.forbiddenOn(c.day(t), site, job) {
		if !w.Contains(t) || w.StartOnly && !starting {
			continue
		}
		out = append(out, w.Kind)
	}
	return out
}

// Window is a stretch of time in which a rule forbids a job. Kind is the code
// of the rule and Key names the holiday or the embargo; StartOnly marks rules
// that forbid only the start of work.
type Window struct {
	Span
	Kind      Kind
	Key       string
	StartOnly bool
}

// Forbidden lists the windows in which the job must not be under way at the
// site, or must not start when they say so, clipped to [from, to) and ordered
// by rule and start. Adjoining windows of one rule are joined; windows of
// different rules may overlap, so that a planner hears of every rule.
func (c *Calendar) Forbidden(from, to time.Time, site string, job Job) []Window {
	var out []Window
	open := map[Kind]int{} // the last window of each rule
	last := c.day(to)
	for d := c.day(from); !last.Before(d); d = d.AddDays(1) {
		for _, w := range c.forbiddenOn(d, site, job) {
			w.Span = w.clip(from, to)
			if w.Duration() <= 0 {
				continue
			}
			if k, ok := open[w.Kind]; ok && out[k].To.Equal(w.From) && out[k].Key == w.Key {
				out[k].To = w.To
				continue
			}
			open[w.Kind] = len(out)
			out = append(out, w)
		}
	}
	return out
}

// forbiddenOn lists the windows of one day.
func (c *Calendar) forbiddenOn(d Date, site string, job Job) []Window {
	day := Span{From: c.at(d, 0), To: c.at(d.AddDays(1), 0)}
	var out []Window
	if !job.Standby {
		out = c.unstaffed(d, day)
	}
	if job.Emergency {
		return out
	}
	if job.Outdoor && !job.Exempt && c.banned(d) {
		for _, s := range c.spans(d, c.profile.MiddayBan.Hours) {
			out = append(out, Window{Span: s, Kind: Midday})
		}
	}
	if d.Weekday() == time.Friday {
		for _, s := range c.spans(d, c.profile.FridayNoStart) {
			out = append(out, Window{Span: s, Kind: FridayPrayer, StartOnly: true})
		}
	}
	if key, banned := c.embargo(d, site); banned && job.Outage {
		out = append(out, Window{Span: day, Kind: OutageBan, Key: key})
	}
	return out
}

// unstaffed lists when nobody of the day shift is there on d.
func (c *Calendar) unstaffed(d Date, day Span) []Window {
	if key, off := c.holiday(d); off {
		return []Window{{Span: day, Kind: DayOff, Key: key}}
	}
	if c.weekend[d.Weekday()] {
		return []Window{{Span: day, Kind: Weekend}}
	}
	h, _ := c.shift(d)
	return []Window{
		{Span: Span{From: day.From, To: c.at(d, h.From)}, Kind: OffShift},
		{Span: Span{From: c.at(d, h.To), To: day.To}, Kind: OffShift},
	}
}

// Allowed lists the spans of [from, to) in which the job may be under way at
// the site: what no window of Forbidden covers, start-only ones aside.
func (c *Calendar) Allowed(from, to time.Time, site string, job Job) []Span {
	var closed []Span
	for _, w := range c.Forbidden(from, to, site, job) {
		if !w.StartOnly {
			closed = append(closed, w.Span)
		}
	}
	return Without([]Span{{From: from, To: to}}, closed)
}

// Starts lists when a job of length d may start in whole minutes so that it is
// done without a break inside one allowed span of [from, to): every minute of
// the result is a start.
func (c *Calendar) Starts(from, to time.Time, site string, job Job, d time.Duration) []Span {
	var closed, open []Span
	for _, w := range c.Forbidden(from, to, site, job) {
		if w.StartOnly {
			closed = append(closed, w.Span)
		}
	}
	for _, s := range c.Allowed(from, to, site, job) {
		open = append(open, Span{From: s.From, To: s.To.Add(time.Minute - d)}) // empty when the span is too short
	}
	return Without(open, closed)
}
