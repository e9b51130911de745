package recurrence

import (
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
)

// Periods that a rule can exclude.
const (
	Ramadan = "ramadan"
	Weekend = "weekend"
)

// Holidays are the keys of the holidays that every tenant's calendar knows.
func Holidays() []string {
	return []string{"eid_al_fitr", "eid_al_adha", "founding_day", "national_day"}
}

// Periods are the periods that can be excluded.
func Periods() []string { return []string{Ramadan, Weekend} }

// Exclusion takes days out of a rule: a holiday of the tenant's calendar by its
// key, a period, or the days from one date to another. One of the three is set.
type Exclusion struct {
	Holiday string         `json:"holiday,omitempty"`
	Period  string         `json:"period,omitempty"`
	From    *calendar.Date `json:"from,omitempty" format:"date"`
	To      *calendar.Date `json:"to,omitempty" format:"date"`
}

func checkExclusions(all []Exclusion) error {
	if len(all) > maxExclusions {
		return fault.New(fault.Invalid, KeyExclusion)
	}
	for _, x := range all {
		switch {
		case x.Holiday != "" && x.Period == "" && x.From == nil && x.To == nil:
		case x.Holiday == "" && slices.Contains(Periods(), x.Period) && x.From == nil && x.To == nil:
		case x.Holiday == "" && x.Period == "" && x.From != nil && x.To != nil:
			if x.To.Before(*x.From) {
				return fault.New(fault.Invalid, KeyRange)
			}
		default:
			return fault.New(fault.Invalid, KeyExclusion)
		}
	}
	return nil
}

// CheckHolidays refuses exclusions of holidays that the calendar of the tenant
// does not know. It is for rules that are being written: one that was stored
// goes on when the calendar changes.
func CheckHolidays(all []Exclusion, c *calendar.Calendar) error {
	known := c.HolidayKeys()
	for _, x := range all {
		if x.Holiday != "" && !slices.Contains(known, x.Holiday) {
			return fault.New(fault.Invalid, KeyHoliday).With("Value", x.Holiday).With("Known", strings.Join(known, ", "))
		}
	}
	return nil
}

// covers reports whether the exclusion takes a day out. The calendar may be nil
// where there are only dates.
func (x Exclusion) covers(d calendar.Date, c *calendar.Calendar) bool {
	if x.From != nil {
		return calendar.Range{From: *x.From, To: *x.To}.Contains(d)
	}
	if c == nil {
		return false
	}
	noon := time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, c.Location())
	switch {
	case x.Holiday != "":
		key, off := c.Holiday(noon)
		return off && key == x.Holiday
	case x.Period == Ramadan:
		return c.InRamadan(noon)
	}
	return c.IsWeekend(noon)
}

// AfterHoliday returns the first midnight after a holiday that is going on at t
// or comes next within a year; false when the calendar knows no such holiday.
func AfterHoliday(c *calendar.Calendar, key string, t time.Time) (time.Time, bool) {
	day := t.In(c.Location())
	inside := false
	for range 400 {
		noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, c.Location())
		on, off := c.Holiday(noon)
		switch {
		case off && on == key:
			inside = true
		case inside:
			return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, c.Location()), true
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}
