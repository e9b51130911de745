package calendar

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the zones must be there in containers without them

	"github.com/optria-iq/optria/internal/fault"
)

// Kind names a rule of the calendar; the pages translate it.
type Kind string

// The rules that shade a day or forbid work.
const (
	Weekend      Kind = "weekend"
	DayOff       Kind = "holiday"
	RamadanHours Kind = "ramadan" // shades only: shorter days
	Midday       Kind = "midday_ban"
	FridayPrayer Kind = "friday_no_start"
	OffShift     Kind = "off_shift"
	OutageBan    Kind = "embargo"
)

// Calendar is a compiled Profile. It is immutable and safe for concurrent use.
type Calendar struct {
	profile Profile
	zone    *time.Location
	weekend [7]bool
	shifts  map[monthKey]int
}

// maxShift bounds a manual shift of a Hijri month, days.
const maxShift = 3

// New checks a profile and compiles it. The error is a fault with code Invalid
// whose argument "field" names what is wrong.
func New(p Profile) (*Calendar, error) {
	if p.TimeZone == "" {
		return nil, invalid("time_zone", nil)
	}
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return nil, invalid("time_zone", fmt.Errorf("load time zone: %w", err))
	}
	c := &Calendar{profile: p, zone: zone, shifts: map[monthKey]int{}}
	for _, d := range p.Weekend {
		if d < time.Sunday || d > time.Saturday {
			return nil, invalid("weekend", nil)
		}
		c.weekend[d] = true
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	for _, s := range p.MonthShifts {
		c.shifts[monthKey{s.Year, s.Month}] = s.Days
	}
	return c, nil
}

func invalid(field string, cause error) error {
	return fault.Wrap(fault.Invalid, "calendar.invalid", cause).With("field", field)
}

// check refuses windows and ranges that contradict themselves.
func (p Profile) check() error {
	windows := map[string]Hours{"ramadan_hours": p.RamadanHours,
		"midday_ban": p.MiddayBan.Hours, "friday_no_start": p.FridayNoStart}
	for _, name := range []string{"ramadan_hours", "midday_ban", "friday_no_start"} {
		if h := windows[name]; !h.sane() {
			return invalid(name, nil)
		}
	}
	if !p.Shift.sane() || p.Shift.Empty() {
		return invalid("shift", nil)
	}
	for _, h := range p.Holidays {
		if h.To.Before(h.From) {
			return invalid("holidays", nil)
		}
	}
	for _, r := range p.Ramadan {
		if r.To.Before(r.From) || !r.Hours.sane() || r.Hours.Empty() {
			return invalid("ramadan", nil)
		}
	}
	for _, e := range p.Embargoes {
		if !e.Yearly && e.To.Before(e.From) {
			return invalid("embargoes", nil)
		}
	}
	for _, o := range p.Observances {
		if o.Month < 1 || o.Month > 12 || o.Day < 1 || o.Day > 31 || o.Days < 1 || o.Days > 29 ||
			(o.Reckoning != Gregorian && o.Reckoning != Hijri) {
			return invalid("observances", nil)
		}
	}
	for _, s := range p.MonthShifts {
		if s.Month < 1 || s.Month > 12 || s.Days < -maxShift || s.Days > maxShift {
			return invalid("month_shifts", nil)
		}
	}
	return nil
}

func (h Hours) sane() bool { return h.From >= 0 && h.To <= 24*60 && h.From <= h.To }

// Location returns the calendar's time zone.
func (c *Calendar) Location() *time.Location { return c.zone }

// Hijri returns the Hijri date of t's day in the calendar's time zone.
func (c *Calendar) Hijri(t time.Time) HijriDate { return c.shifted(c.day(t)) }

// day returns t's day in the calendar's time zone.
func (c *Calendar) day(t time.Time) Date { return DateOf(t.In(c.zone)) }

// at returns the moment of a time of day.
func (c *Calendar) at(d Date, clock Clock) time.Time {
	return time.Date(d.Year, d.Month, d.Day, int(clock)/60, int(clock)%60, 0, 0, c.zone)
}

// Holiday returns the key of the holiday on t's day, if it is one.
func (c *Calendar) Holiday(t time.Time) (key string, ok bool) { return c.holiday(c.day(t)) }

// HolidayKeys lists the keys of the holidays that the calendar knows, in
// alphabetical order and each once.
func (c *Calendar) HolidayKeys() []string {
	var keys []string
	for _, h := range c.profile.Holidays {
		keys = append(keys, h.Key)
	}
	for _, o := range c.profile.Observances {
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (c *Calendar) holiday(d Date) (string, bool) {
	for _, h := range c.profile.Holidays {
		if h.Contains(d) {
			return h.Key, true
		}
	}
	for _, o := range c.profile.Observances {
		if c.observed(o, d) {
			return o.Key, true
		}
	}
	return "", false
}

// observed reports whether one of the Days days before d, or d itself, is the
// first day of the observance: counting back also covers ends of months.
func (c *Calendar) observed(o Observance, d Date) bool {
	for back := range o.Days {
		first := d.AddDays(-back)
		month, day := int(first.Month), first.Day
		if o.Reckoning == Hijri {
			h := c.shifted(first)
			month, day = h.Month, h.Day
		}
		if month == o.Month && day == o.Day {
			return true
		}
	}
	return false
}

// IsWorkday reports whether planned work may take place at the site on t's
// day: no weekend, no holiday, and no embargo of the site. An empty site asks
// for people only, whom an embargo does not send home.
func (c *Calendar) IsWorkday(t time.Time, site string) bool {
	d := c.day(t)
	if site != "" {
		if _, banned := c.embargo(d, site); banned {
			return false
		}
	}
	return c.staffed(d)
}

// staffed reports whether d is neither weekend nor holiday.
func (c *Calendar) staffed(d Date) bool {
	if c.weekend[d.Weekday()] {
		return false
	}
	_, off := c.holiday(d)
	return !off
}

func (c *Calendar) embargo(d Date, site string) (key string, banned bool) {
	for _, e := range c.profile.Embargoes {
		if (e.Site == "" || e.Site == site) && e.covers(d) {
			return e.Key, true
		}
	}
	return "", false
}

// shift returns the working window of a day, Ramadan considered, and whether
// Ramadan hours apply.
func (c *Calendar) shift(d Date) (Hours, bool) {
	for _, r := range c.profile.Ramadan {
		if r.Contains(d) {
			return r.Hours, true
		}
	}
	if !c.profile.RamadanHours.Empty() && c.shifted(d).Month == ramadan {
		return c.profile.RamadanHours, true
	}
	return c.profile.Shift, false
}

// banned reports whether outdoor work is forbidden around midday on d.
func (c *Calendar) banned(d Date) bool {
	b := c.profile.MiddayBan
	if b.Exempt || b.Hours.Empty() {
		return false
	}
	return inSeason(d, b.From, b.To)
}
