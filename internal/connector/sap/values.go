package sap

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// datePattern is the JSON form of dates in OData version 2: milliseconds since
// 1970 in UTC, and an offset in minutes that is for display only.
var datePattern = regexp.MustCompile(`^/Date\((-?[0-9]{1,15})(?:[+-][0-9]{1,4})?\)/$`)

// Bounds of the instants that SAP can mean: the year 1 to the year 9999.
const (
	earliestMilli = -62_135_596_800_000
	latestMilli   = 253_402_300_799_999
)

// parseDate reads "/Date(1767229200000+0000)/" as an instant in UTC.
func parseDate(text string) (time.Time, error) {
	match := datePattern.FindStringSubmatch(text)
	if match == nil {
		return time.Time{}, fmt.Errorf("%.40q is not a date such as /Date(1767229200000)/", text)
	}
	milli, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil || milli < earliestMilli || milli > latestMilli {
		return time.Time{}, fmt.Errorf("date %.40q is out of range", text)
	}
	return time.UnixMilli(milli).UTC(), nil
}

// timePattern is the form of Edm.Time, an ISO 8601 duration since midnight.
var timePattern = regexp.MustCompile(`^P(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,7}(?:\.[0-9]{1,9})?)S)?)?$`)

// parseTime reads "PT08H30M00S" as the time since midnight. 24:00, the end of
// a day, is allowed; anything longer is not a time of day.
func parseTime(text string) (time.Duration, error) {
	match := timePattern.FindStringSubmatch(text)
	if match == nil || strings.HasSuffix(text, "T") || text == "P" {
		return 0, fmt.Errorf("%.40q is not a time such as PT08H30M00S", text)
	}
	seconds := 0.0
	for i, unit := range []float64{86_400, 3_600, 60, 1} {
		if match[i+1] == "" {
			continue
		}
		n, err := strconv.ParseFloat(match[i+1], 64)
		if err != nil {
			return 0, fmt.Errorf("time %.40q: %w", text, err)
		}
		seconds += n * unit
	}
	if seconds > 86_400 {
		return 0, fmt.Errorf("time %.40q is longer than a day", text)
	}
	return time.Duration(math.Round(seconds * 1e9)), nil
}

// decimalPattern is the form of Edm.Decimal and Edm.Double in texts.
var decimalPattern = regexp.MustCompile(`^[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?$`)

// parseDecimal reads a number that SAP sends as a text, such as "12.500" or
// "1.728E5".
func parseDecimal(text string) (float64, error) {
	if !decimalPattern.MatchString(text) {
		return 0, fmt.Errorf("%.40q is not a decimal number", text)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) {
		return 0, fmt.Errorf("decimal number %.40q is out of range", text)
	}
	return value, nil
}

// hours converts a duration of work to hours after SAP's units of time, of
// which services show the commercial or the internal form.
func hours(value float64, unit string) (float64, error) {
	factors := map[string]float64{"H": 1, "HR": 1, "STD": 1, "HUR": 1, "MIN": 1.0 / 60, "S": 1.0 / 3600, "SEC": 1.0 / 3600, "D": 24, "DAY": 24, "TAG": 24}
	factor, ok := factors[strings.ToUpper(unit)]
	if !ok && value != 0 {
		return 0, fmt.Errorf("unit of work %.10q is not known", unit)
	}
	return value * factor, nil
}

// onDay joins a date, whose time of day is of no meaning, with a time of day
// in the zone of the plant.
func onDay(date time.Time, clock time.Duration, zone *time.Location) time.Time {
	if date.IsZero() {
		return time.Time{}
	}
	// Going through the wall clock keeps 08:00 at 08:00 on days of change.
	whole, second := int(clock/time.Second), clock%time.Second
	return time.Date(date.Year(), date.Month(), date.Day(), 0, 0, whole, int(second), zone).UTC()
}

// padded is the internal form of a number of SAP's: digits are filled with
// zeros to the length of the field, anything else stays as it is. Services
// show either form, and take both in keys.
func padded(number string, length int) string {
	if number == "" || len(number) >= length || strings.Trim(number, "0123456789") != "" {
		return number
	}
	return strings.Repeat("0", length-len(number)) + number
}

// Lengths of the keys.
const (
	equipmentLength    = 18
	orderLength        = 12
	notificationLength = 12
)

// literal writes a text as a literal of a filter or a key.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// instantLiteral writes an instant for fields of type DateTimeOffset.
func instantLiteral(at time.Time) string {
	return "datetimeoffset'" + at.UTC().Format("2006-01-02T15:04:05Z") + "'"
}

// dayLiteral writes the day of an instant for fields of type DateTime.
func dayLiteral(at time.Time) string {
	return "datetime'" + at.UTC().Format("2006-01-02") + "T00:00:00'"
}

// jsonDate is the form in which instants are sent.
func jsonDate(at time.Time) string { return fmt.Sprintf("/Date(%d+0000)/", at.UnixMilli()) }

// errNotText is the cause when a field has another type than it should.
var errNotText = errors.New("not a text")
