// Package recurrence says when recurring work is due: a cron expression read in
// a time zone, without the days that the tenant's calendar excludes, and which
// of the due times that nobody started are made up for. It is pure.
package recurrence

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
)

// MinGap is the shortest allowed time between two due times.
const MinGap = 5 * time.Minute

// Message keys of what is wrong with a rule.
const (
	KeyFields    = "schedules.cron.fields"     // not five fields
	KeySyntax    = "schedules.cron.syntax"     // a field cannot be read
	KeyBothDays  = "schedules.cron.both_days"  // day of month and day of week
	KeyNever     = "schedules.cron.never"      // no such day in any year
	KeyTooOften  = "schedules.cron.too_often"  // closer than MinGap
	KeyZone      = "schedules.zone.unknown"    // no such time zone
	KeyExclusion = "schedules.exclude.unknown" // an exclusion that says nothing
	KeyRange     = "schedules.exclude.range"   // the end lies before the start
	KeyHoliday   = "schedules.exclude.holiday" // the calendar knows no such holiday
)

// maxExclusions bounds the exclusions of one rule.
const maxExclusions = 40

// Bounds of the search: gapChecks due times are compared with each other, and
// after maxExcluded due times in a row that fall on excluded days a rule is
// taken for one that never fires.
const (
	gapChecks   = 300
	maxExcluded = 20000
)

// Rule is a compiled recurrence. It is immutable and safe for concurrent use.
type Rule struct {
	cron     cron.Schedule
	hourly   bool // every hour of the day: an hour that comes twice counts twice
	zone     *time.Location
	excluded []Exclusion
	calendar *calendar.Calendar
}

var (
	parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	// fieldText is what both this package and the engine that starts the work
	// read the same way.
	fieldText = regexp.MustCompile(`^[0-9A-Za-z*,/-]+$`)
)

// New compiles a cron expression of five fields (minute, hour, day of month,
// month, day of week), an IANA time zone and exclusions, whose holidays are
// those of the calendar. The error is an invalid fault that says how to mend it.
func New(expression, zone string, excluded []Exclusion, c *calendar.Calendar) (*Rule, error) {
	location, err := loadZone(zone)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(expression)
	if len(fields) != 5 {
		return nil, fault.New(fault.Invalid, KeyFields).With("Count", len(fields))
	}
	for _, f := range fields {
		if !fieldText.MatchString(f) {
			return nil, fault.New(fault.Invalid, KeySyntax).With("Field", f)
		}
	}
	if fields[2] != "*" && fields[4] != "*" {
		return nil, fault.New(fault.Invalid, KeyBothDays)
	}
	schedule, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, KeySyntax, fmt.Errorf("parse cron: %w", err)).With("Field", wrongField(fields))
	}
	r := &Rule{cron: schedule, hourly: fields[1] == "*" || fields[1] == "*/1", zone: location, calendar: c}
	if err := r.checkGaps(); err != nil {
		return nil, err
	}
	if err := checkExclusions(excluded); err != nil {
		return nil, err
	}
	r.excluded = excluded
	return r, nil
}

func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fault.New(fault.Invalid, KeyZone).With("Zone", name)
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, KeyZone, fmt.Errorf("load time zone: %w", err)).With("Zone", name)
	}
	return location, nil
}

// wrongField is the first field that cannot be read in its place.
func wrongField(fields []string) string {
	for i, f := range fields {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = f
		if _, err := parser.Parse(strings.Join(alone, " ")); err != nil {
			return f
		}
	}
	return strings.Join(fields, " ")
}

// checkGaps refuses rules that never come due or do so too often. It looks at
// wall clocks alone, so that the change to or from summer time does not count.
func (r *Rule) checkGaps() error {
	last := r.cron.Next(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second))
	if last.IsZero() {
		return fault.New(fault.Invalid, KeyNever)
	}
	for range gapChecks {
		next := r.cron.Next(last)
		if next.IsZero() {
			return nil
		}
		if next.Sub(last) < MinGap {
			return fault.New(fault.Invalid, KeyTooOften).With("Minutes", int(MinGap/time.Minute))
		}
		last = next
	}
	return nil
}

// Location returns the time zone of the rule.
func (r *Rule) Location() *time.Location { return r.zone }

// Next returns the first n due times after a moment, fewer when the rule ends
// or excludes nearly everything.
func (r *Rule) Next(after time.Time, n int) []time.Time {
	var out []time.Time
	skipped := 0
	for t := r.step(after); !t.IsZero() && len(out) < n && skipped < maxExcluded; t = r.step(t) {
		if r.Excluded(t) {
			skipped++
			continue
		}
		out, skipped = append(out, t), 0
	}
	return out
}

// Between returns the due times after from and up to and including until, at
// most limit of them: the newest.
func (r *Rule) Between(from, until time.Time, limit int) []time.Time {
	var out []time.Time
	for t := r.step(from); !t.IsZero() && !t.After(until); t = r.step(t) {
		if r.Excluded(t) {
			continue
		}
		if out = append(out, t); len(out) >= 2*limit {
			out = append(out[:0], out[len(out)-limit:]...)
		}
	}
	return out[max(0, len(out)-limit):]
}

// Due reports whether work is due at exactly this moment.
func (r *Rule) Due(t time.Time) bool {
	return r.step(t.Add(-time.Second)).Equal(t) && !r.Excluded(t)
}

// Excluded reports whether the day of t, in the zone of the rule, is excluded.
func (r *Rule) Excluded(t time.Time) bool {
	day := calendar.DateOf(t.In(r.zone))
	for _, x := range r.excluded {
		if x.covers(day, r.calendar) {
			return true
		}
	}
	return false
}

// step is the next match of the cron expression. A clock time that does not
// exist because the clocks go forward is left out; one that comes twice because
// they go back counts once, except for rules that match every hour.
func (r *Rule) step(after time.Time) time.Time {
	for t := r.cron.Next(after.In(r.zone)); ; t = r.cron.Next(t) {
		if t.IsZero() || r.hourly || !repeated(t) {
			return t
		}
	}
}

// repeated reports whether the clock showed this time once before.
func repeated(t time.Time) bool {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return false
	}
	_, before := start.Add(-time.Second).Zone()
	_, now := t.Zone()
	back := time.Duration(before-now) * time.Second
	return back > 0 && t.Sub(start) < back
}
