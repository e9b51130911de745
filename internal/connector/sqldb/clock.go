package sqldb

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/golang-sql/civil"
	ora "github.com/sijms/go-ora/v2"
)

// clock converts between instants and one time column. Columns without a zone
// hold the wall clock of a configured one.
type clock struct {
	dialect string
	format  string // native, epoch_seconds or epoch_milliseconds
	naive   bool
	whole   bool // an integer column
	zone    *time.Location
}

// naiveType reports whether a column type holds no zone. MySQL's TIMESTAMP is
// an instant: the session runs in UTC.
func naiveType(dialect, databaseType string) bool {
	switch name := strings.ToUpper(databaseType); dialect {
	case PostgreSQL:
		return name != "TIMESTAMPTZ"
	case MySQL, MariaDB:
		return name != "TIMESTAMP"
	case SQLServer:
		return name != "DATETIMEOFFSET"
	default:
		return !strings.Contains(name, "TZ")
	}
}

// timeType reports whether a column type is a date or time.
func timeType(databaseType string) bool {
	name := strings.ToUpper(databaseType)
	return strings.Contains(name, "DATE") || strings.Contains(name, "TIME")
}

// wall returns the wall clock of the zone at an instant, written as if in UTC.
func (c clock) wall(at time.Time) time.Time {
	t := at.In(c.zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// argument returns the value of a parameter that stands for an instant.
func (c clock) argument(at time.Time) any {
	switch {
	case c.format == TimesSeconds && c.whole:
		return at.Unix() // rounds down, which serves both > and <=
	case c.format == TimesSeconds:
		return float64(at.UnixMicro()) / 1e6
	case c.format == TimesMilliseconds:
		return at.UnixMilli()
	case !c.naive:
		if c.dialect == Oracle {
			return ora.TimeStampTZ(at.UTC())
		}
		return at.UTC()
	case c.dialect == SQLServer:
		return civil.DateTimeOf(c.wall(at))
	case c.dialect == Oracle:
		return ora.TimeStamp(c.wall(at))
	default:
		return c.wall(at)
	}
}

// instant reads a value of the column. An hour that a change of clocks repeats
// is read as its first run.
func (c clock) instant(value any) (time.Time, error) {
	if c.format != TimesNative {
		return c.epoch(value)
	}
	t, ok := value.(time.Time)
	if !ok {
		return time.Time{}, fmt.Errorf("%T is not a time", value)
	}
	if c.naive {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.zone)
		if earlier := t.Add(-time.Hour); c.wall(earlier).Equal(c.wall(t)) {
			t = earlier
		}
	}
	return t.UTC(), nil
}

// again returns the argument that equals a value which the column has given.
func (c clock) again(value any) any {
	t, ok := value.(time.Time)
	switch {
	case !ok || !c.naive && c.dialect != Oracle:
		return value
	case !c.naive:
		return ora.TimeStampTZ(t)
	}
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	switch c.dialect {
	case SQLServer:
		return civil.DateTimeOf(wall)
	case Oracle:
		return ora.TimeStamp(wall)
	}
	return wall
}

// farthest bounds epochs, in seconds: the year 9999.
const farthest = 253402300799

func (c clock) epoch(value any) (time.Time, error) {
	n, ok := number(value)
	if c.format == TimesMilliseconds {
		n /= 1000
	}
	if !ok || math.IsNaN(n) || n < -farthest || n > farthest {
		return time.Time{}, fmt.Errorf("%v is not a time", label(value))
	}
	return time.UnixMicro(int64(math.Floor(n * 1e6))).UTC(), nil
}

// errTimeType is the message key of a time column that is none.
const errTimeType = "connector.sql.fault.time_type"

// newClock makes the clock of a column of a database type.
func newClock(s Settings, databaseType string) (clock, error) {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return clock{}, fmt.Errorf("read time zone: %w", err)
	}
	c := clock{dialect: s.Dialect, format: s.TimeFormat, zone: zone, naive: naiveType(s.Dialect, databaseType),
		whole: strings.Contains(strings.ToUpper(databaseType), "INT")}
	if s.TimeFormat == TimesNative && !timeType(databaseType) {
		return clock{}, needsPerson(errTimeType, fmt.Errorf("the type is %s", databaseType))
	}
	return c, nil
}
