package piwebapi

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// resolution is that of the historian. PI counts in steps of 100 nanoseconds;
// a reading has the microsecond in which its event lies.
const resolution = time.Microsecond

// tick is the resolution of PI.
const tick = 100 * time.Nanosecond

// stampLayout writes a time as PI Web API reads it, with seven decimals.
const stampLayout = "2006-01-02T15:04:05.0000000Z"

// valueKind says what a value is.
type valueKind int

const (
	absent      valueKind = iota // null, or not there
	number                       // a number, a truth value, or the code of a digital state
	systemState                  // a state that stands in place of a value
	text                         // a text, a list or a structure
)

// value is the Value of an event. Its shapes are number, truth value, text,
// and {"Name","Value","IsSystem"} for states.
type value struct {
	kind   valueKind
	number float64
}

// UnmarshalJSON reads any shape. A shape that is not known counts as a text:
// it is not kept, and it does not hold up the other events.
func (v *value) UnmarshalJSON(raw []byte) error {
	*v = value{}
	switch raw[0] {
	case 'n':
	case 't', 'f':
		v.kind = number
		if raw[0] == 't' {
			v.number = 1
		}
	case '{':
		return v.readState(raw)
	case '"':
		v.kind = text
		// .NET writes what has no JSON number as a text.
		if word := string(raw); word == `"NaN"` || word == `"Infinity"` || word == `"-Infinity"` {
			*v = value{kind: number, number: math.NaN()}
		}
	case '[':
		v.kind = text
	default:
		parsed, err := strconv.ParseFloat(string(raw), 64)
		if err != nil && math.IsInf(parsed, 0) {
			parsed, err = math.NaN(), nil // beyond what a float64 holds
		}
		v.kind, v.number = number, parsed
		return err
	}
	return nil
}

func (v *value) readState(raw []byte) error {
	var state struct {
		Value    *float64
		IsSystem bool
	}
	if err := json.Unmarshal(raw, &state); err != nil || state.Value == nil && !state.IsSystem {
		v.kind = text
		return nil
	}
	v.kind = systemState
	if !state.IsSystem {
		v.kind, v.number = number, *state.Value
	}
	return nil
}

// timedValue is one event.
type timedValue struct {
	Timestamp    time.Time
	Value        value
	Good         bool
	Questionable bool
	Substituted  bool
	Errors       []json.RawMessage
}

// timedValues is the answer to one recorded call.
type timedValues struct {
	Items        []timedValue
	WebException *webException
}

// instant is the time of the reading.
func (t timedValue) instant() time.Time { return t.Timestamp.UTC().Truncate(resolution) }

// reading turns an event into a reading, or reports that it is a text.
func (t timedValue) reading(tag, unit string) (connector.Reading, bool) {
	r := connector.Reading{ExternalTag: tag, Time: t.instant(), Value: t.Value.number, Unit: unit}
	hasNumber := t.Value.kind == number && !math.IsNaN(t.Value.number)
	switch {
	case t.Value.kind == text && t.Good:
		return r, false
	case !hasNumber:
		r.Value, r.Quality = math.NaN(), asset.Bad
	case !t.Good, len(t.Errors) > 0:
		r.Quality = asset.Bad
	case t.Questionable, t.Substituted:
		r.Quality = asset.Uncertain
	}
	return r, true
}

// span is a window in the terms of a recorded call: both ends included, wide
// enough for every event whose reading lies after since and not after until.
func span(since, until time.Time) (start, end string) {
	first := since.UTC().Truncate(resolution).Add(resolution)
	last := until.UTC().Truncate(resolution).Add(resolution - tick)
	return first.Format(stampLayout), last.Format(stampLayout)
}

// String describes the kind for messages of tests.
func (k valueKind) String() string {
	return [...]string{"absent", "number", "system state", "text"}[k]
}

// describe words a reading for the operator who tests a connection.
func describe(name string, t timedValue, unit string) string {
	r, numeric := t.reading(name, unit)
	if !numeric {
		return fmt.Sprintf("%s is a text at %s", name, r.Time.Format(time.RFC3339))
	}
	quality := [...]string{"good", "uncertain", "bad"}[r.Quality]
	return fmt.Sprintf("%s = %g %s (%s) at %s", name, r.Value, unit, quality, r.Time.Format(time.RFC3339))
}
