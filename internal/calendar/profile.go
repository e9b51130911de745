// Package calendar answers when people work and when work is forbidden:
// weekends, shifts, holidays by the Gregorian and the Hijri calendar, Ramadan
// hours, the summer midday ban on outdoor work, the Friday prayer window and
// outage embargoes. A Profile is plain data that a tenant owns; New compiles
// it into a Calendar.
package calendar

import (
	"fmt"
	"time"
)

// Clock is a time of day in minutes since midnight, 0 to 1440. As text it is
// "07:00"; "24:00" is the end of the day.
type Clock int

// MarshalText writes the clock as "hh:mm".
func (c Clock) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", int(c)/60, int(c)%60), nil
}

// UnmarshalText reads "hh:mm".
func (c *Clock) UnmarshalText(text []byte) error {
	var h, m int
	if n, err := fmt.Sscanf(string(text), "%d:%d", &h, &m); err != nil || n != 2 {
		return fmt.Errorf("parse time of day %q", text)
	}
	if h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return fmt.Errorf("parse time of day %q: out of range", text)
	}
	*c = Clock(h*60 + m)
	return nil
}

// Date is a day of the Gregorian calendar without a time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}
}

// MarshalText writes the date as "2006-01-02".
func (d Date) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%04d-%02d-%02d", d.Year, int(d.Month), d.Day), nil
}

// UnmarshalText reads "2006-01-02".
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("parse date: %w", err)
	}
	*d = DateOf(t)
	return nil
}

// AddDays returns the date n days later.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.number() < e.number() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday()
}

func (d Date) number() int { return d.Year*10000 + int(d.Month)*100 + d.Day }

// MonthDay is a day that returns every year.
type MonthDay struct {
	Month time.Month `json:"month"`
	Day   int        `json:"day"`
}

// Range is a run of days, both ends included.
type Range struct {
	From Date `json:"from"`
	To   Date `json:"to"`
}

// Contains reports whether d lies in the range.
func (r Range) Contains(d Date) bool { return !d.Before(r.From) && !r.To.Before(d) }

// Hours is a window within a day. To before From, or equal, means none.
type Hours struct {
	From Clock `json:"from"`
	To   Clock `json:"to"`
}

// Empty reports whether the window has no minutes.
func (h Hours) Empty() bool { return h.To <= h.From }

// Holiday is a range of days off that was entered by hand.
type Holiday struct {
	Range
	Key string `json:"key"` // message key of its name
}

// Reckoning is the calendar that an observance follows.
type Reckoning string

// Observances return every Gregorian or every Hijri year.
const (
	Gregorian Reckoning = "gregorian"
	Hijri     Reckoning = "hijri"
)

// Observance is a holiday that returns every year: Days days from Day of
// Month in its own calendar.
type Observance struct {
	Key       string    `json:"key"`
	Reckoning Reckoning `json:"reckoning"`
	Month     int       `json:"month"`
	Day       int       `json:"day"`
	Days      int       `json:"days"`
}

// MonthShift moves the start of one Hijri month by a few days from the
// Umm al-Qura table, as announced after the sighting of the moon.
type MonthShift struct {
	Year  int `json:"year"`
	Month int `json:"month"`
	Days  int `json:"days"`
}

// MiddayBan forbids outdoor work within Hours from From to To of every year,
// unless the site is exempt (oil and gas) or the job is an emergency.
type MiddayBan struct {
	From   MonthDay `json:"from"`
	To     MonthDay `json:"to"`
	Hours  Hours    `json:"hours"`
	Exempt bool     `json:"exempt"`
}

// Embargo forbids planned outages of a site; an empty Site means all sites. A
// Yearly embargo returns every year: only the months and days of its range
// count, and it may run across the new year.
type Embargo struct {
	Site string `json:"site"`
	Key  string `json:"key"`
	Range
	Yearly bool `json:"yearly"`
}

// covers reports whether the embargo holds on d.
func (e Embargo) covers(d Date) bool {
	if !e.Yearly {
		return e.Contains(d)
	}
	return inSeason(d, MonthDay{e.From.Month, e.From.Day}, MonthDay{e.To.Month, e.To.Day})
}

// inSeason reports whether d lies between two days of the year, both included;
// a season may run across the new year.
func inSeason(d Date, first, last MonthDay) bool {
	now := int(d.Month)*100 + d.Day
	from, to := int(first.Month)*100+first.Day, int(last.Month)*100+last.Day
	if from <= to {
		return from <= now && now <= to
	}
	return now >= from || now <= to
}

// RamadanSpell is a spell of shortened days that was entered by hand.
type RamadanSpell struct {
	Range
	Hours Hours `json:"hours"`
}

// Profile is a tenant's working calendar as data.
type Profile struct {
	Name     string         `json:"name"`
	TimeZone string         `json:"time_zone"` // IANA name
	Weekend  []time.Weekday `json:"weekend"`
	Shift    Hours          `json:"shift"`
	// Holidays are single runs of days; Observances return every year.
	Holidays    []Holiday    `json:"holidays"`
	Observances []Observance `json:"observances"`
	// RamadanHours replace the shift in the Hijri month of Ramadan; empty
	// hours leave it alone. Ramadan adds spells by hand, which take precedence.
	RamadanHours  Hours          `json:"ramadan_hours"`
	Ramadan       []RamadanSpell `json:"ramadan"`
	MonthShifts   []MonthShift   `json:"month_shifts"`
	MiddayBan     MiddayBan      `json:"midday_ban"`
	FridayNoStart Hours          `json:"friday_no_start"`
	Embargoes     []Embargo      `json:"embargoes"`
}

// SaudiStandard returns the built-in profile SA-STD: Sunday to Thursday 07 to
// 15 h, six hours from 10 h in Ramadan, the midday ban of summer, the Friday
// prayer window, and the national holidays.
func SaudiStandard() Profile {
	return Profile{
		Name:     "SA-STD",
		TimeZone: "Asia/Riyadh",
		Weekend:  []time.Weekday{time.Friday, time.Saturday},
		Shift:    Hours{From: 7 * 60, To: 15 * 60},
		Observances: []Observance{
			{Key: "founding_day", Reckoning: Gregorian, Month: 2, Day: 22, Days: 1},
			{Key: "national_day", Reckoning: Gregorian, Month: 9, Day: 23, Days: 1},
			{Key: "eid_al_fitr", Reckoning: Hijri, Month: 10, Day: 1, Days: 4},
			{Key: "eid_al_adha", Reckoning: Hijri, Month: 12, Day: 9, Days: 4},
		},
		RamadanHours: Hours{From: 10 * 60, To: 16 * 60},
		MiddayBan: MiddayBan{
			From:  MonthDay{Month: time.June, Day: 15},
			To:    MonthDay{Month: time.September, Day: 15},
			Hours: Hours{From: 12 * 60, To: 15 * 60},
		},
		FridayNoStart: Hours{From: 11*60 + 30, To: 13 * 60},
	}
}
