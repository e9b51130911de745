package jsonmap

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Forms of time; any other is a layout of Go's time package.
const (
	RFC3339   = "rfc3339"
	Unix      = "unix"    // seconds, with or without a fraction
	UnixMilli = "unix_ms" // milliseconds
	UnixMicro = "unix_us" // microseconds
)

// Times outside these years are damage, not measurements.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// units of the forms that count, per second.
var perSecond = map[string]float64{Unix: 1, UnixMilli: 1e3, UnixMicro: 1e6}

// Clock reads and writes times in one form.
type Clock struct {
	form string
	zone *time.Location
}

// NewClock checks a form of time and a zone, and returns the field and message
// key of what is wrong with them. The empty form is RFC 3339.
func NewClock(form, zone string) (c Clock, field, problem string) {
	if form == "" {
		form = RFC3339
	}
	location, ok := Zone(zone)
	if !ok {
		return Clock{}, "time_zone", ErrZone
	}
	c = Clock{form: form, zone: location}
	if c.layout() != "" && !tellsTime(c.layout()) {
		return Clock{}, "time_format", ErrFormat
	}
	return c, "", ""
}

// layout is the layout of a form that does not count.
func (c Clock) layout() string {
	switch {
	case c.form == RFC3339:
		return time.RFC3339Nano
	case perSecond[c.form] > 0:
		return ""
	}
	return c.form
}

// tellsTime holds for layouts that keep the day of an instant: "yyyy-mm-dd",
// say, is text to Go and would print the same for all of them.
func tellsTime(layout string) bool {
	sample := time.Date(2009, 11, 17, 20, 34, 58, 0, time.UTC)
	read, err := time.ParseInLocation(layout, sample.Format(layout), time.UTC)
	return err == nil && read.UTC().Format(time.DateOnly) == sample.Format(time.DateOnly)
}

// Format writes an instant in the form of the clock.
func (c Clock) Format(at time.Time) string {
	switch c.form {
	case Unix:
		return strconv.FormatInt(at.Unix(), 10)
	case UnixMilli:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case UnixMicro:
		return strconv.FormatInt(at.UnixMicro(), 10)
	}
	return at.In(c.zone).Format(c.layout())
}

// Read reads a time as a document has it, to the microsecond, in UTC.
func (c Clock) Read(value any) (time.Time, bool) {
	at, ok := c.read(value)
	at = at.UTC()
	return at, ok && !at.Before(earliest) && at.Before(latest)
}

func (c Clock) read(value any) (time.Time, bool) {
	scale := perSecond[c.form]
	switch x := value.(type) {
	case string:
		text := strings.TrimSpace(x)
		if scale > 0 {
			if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
				return wholeCount(whole, int64(1e6/scale))
			}
			value, ok := number(text)
			return count(value, scale), ok
		}
		at, err := time.ParseInLocation(c.layout(), text, c.zone)
		return at.Truncate(time.Microsecond), err == nil
	case int64:
		if scale > 0 {
			return wholeCount(x, int64(1e6/scale))
		}
	case float64:
		return count(x, scale), scale > 0
	}
	return time.Time{}, false
}

// wholeCount is count for whole numbers, which keep every microsecond.
func wholeCount(number, perUnit int64) (time.Time, bool) {
	if number < 0 || number > maxMicro/perUnit {
		return time.Time{}, false
	}
	return time.UnixMicro(number * perUnit), true
}

// maxMicro is beyond the latest time, in microseconds since 1970.
const maxMicro = 10_000_000_000_000_000

// count turns a number of units since 1970 into a time, to the microsecond.
func count(number, scale float64) time.Time {
	micro := number / scale * 1e6
	if math.IsNaN(micro) || micro < 0 || micro > maxMicro {
		return time.Time{}
	}
	return time.UnixMicro(int64(math.Round(micro)))
}
