package calendar

import "time"

// Shift is when a crew works. Without a rota (On of 0) it works on the working
// days of the calendar, in Ramadan during the Ramadan hours; with one it works
// On days and rests Off days, counted from the Anchor, whatever the calendar
// says. A shift may run past midnight.
type Shift struct {
	Start   Clock
	Minutes int // length, 1 to 1440
	On, Off int // days of the rota
	Anchor  Date
}

// DayShift returns the day shift of the profile SA-STD, 07:00 to 15:00.
func DayShift() Shift { return Shift{Start: 7 * 60, Minutes: 8 * 60} }

// StandbyDay and StandbyNight return the twelve-hour standby shifts of the
// profile SA-STD, 06:00 to 18:00 and 18:00 to 06:00, four days on and four
// off, for a crew whose first day is the anchor.
func StandbyDay(anchor Date) Shift {
	return Shift{Start: 6 * 60, Minutes: 12 * 60, On: 4, Off: 4, Anchor: anchor}
}

// StandbyNight is the night half of StandbyDay.
func StandbyNight(anchor Date) Shift {
	s := StandbyDay(anchor)
	s.Start = 18 * 60
	return s
}

// Shifts lists the spells of a crew that touch [from, to), clipped to it, one
// per day of work. A spell belongs to the day on which it starts.
func (c *Calendar) Shifts(s Shift, from, to time.Time) []Span {
	var out []Span
	last := c.day(to)
	for d := c.day(from).AddDays(-1); !last.Before(d); d = d.AddDays(1) { // one day earlier: a night may reach into from's day
		for _, spell := range c.spells(s, d) {
			if spell = spell.clip(from, to); spell.Duration() > 0 {
				out = append(out, spell)
			}
		}
	}
	return out
}

// spells returns when a crew starts on d.
func (c *Calendar) spells(s Shift, d Date) []Span {
	if s.On > 0 {
		into := daysBetween(s.Anchor, d) % (s.On + s.Off)
		if into < 0 {
			into += s.On + s.Off
		}
		if into >= s.On {
			return nil
		}
	} else {
		if !c.staffed(d) {
			return nil
		}
		if h, short := c.shift(d); short {
			return c.spans(d, h)
		}
	}
	start := c.at(d, s.Start)
	return []Span{{From: start, To: start.Add(time.Duration(s.Minutes) * time.Minute)}}
}
