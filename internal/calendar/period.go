package calendar

import "time"

// IsWeekend reports whether t's day is one of the weekend.
func (c *Calendar) IsWeekend(t time.Time) bool { return c.weekend[c.day(t).Weekday()] }

// InRamadan reports whether t's day lies in Ramadan, manual shifts and spells
// entered by hand considered.
func (c *Calendar) InRamadan(t time.Time) bool {
	d := c.day(t)
	for _, r := range c.profile.Ramadan {
		if r.Contains(d) {
			return true
		}
	}
	return c.shifted(d).Month == ramadan
}
