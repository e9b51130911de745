package calendar

import "time"

// SubtractWorkingHours returns the latest moment from which d of working time
// passes until t: AddWorkingHours backwards. A d of zero or less returns t; so
// does a calendar that has less than d of working time behind t within reason.
func (c *Calendar) SubtractWorkingHours(t time.Time, d time.Duration) time.Time {
	left := d
	idle := 0
	for day := c.day(t); left > 0 && idle < searchDays; day = day.AddDays(-1) {
		idle++
		spans := c.working(day)
		for i := len(spans) - 1; i >= 0; i-- {
			to := spans[i].To
			if t.Before(to) {
				to = t
			}
			have := to.Sub(spans[i].From)
			if have <= 0 {
				continue
			}
			if left <= have {
				return to.Add(-left)
			}
			left -= have
			idle = 0
		}
	}
	return t
}
