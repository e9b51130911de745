package opcua

import (
	"math"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of source times that are taken for real: some servers send the zero
// of their calendar, or its end, for "not known".
var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// numeric returns the value of a scalar of a number or boolean type. Texts,
// arrays, structures and times are not numeric; present tells them from a
// value that is absent.
func numeric(v *ua.Variant) (value float64, ok, present bool) {
	if v == nil || v.Value() == nil {
		return math.NaN(), false, false
	}
	switch x := v.Value().(type) {
	case float64:
		return x, true, true
	case float32:
		return float64(x), true, true
	case bool:
		if x {
			return 1, true, true
		}
		return 0, true, true
	case int8:
		return float64(x), true, true
	case uint8:
		return float64(x), true, true
	case int16:
		return float64(x), true, true
	case uint16:
		return float64(x), true, true
	case int32:
		return float64(x), true, true
	case uint32:
		return float64(x), true, true
	case int64:
		return float64(x), true, true
	case uint64:
		return float64(x), true, true
	default:
		return math.NaN(), false, true
	}
}

// qualityOf reads the two severity bits of a status code, OPC 10000-4 7.39.
func qualityOf(status ua.StatusCode) asset.Quality {
	switch uint32(status) >> 30 {
	case 0:
		return asset.Good
	case 1:
		return asset.Uncertain
	default:
		return asset.Bad
	}
}

// overflowed reports the two bits of a data value by which a server says that
// its queue was too short: information type DataValue with bit Overflow.
func overflowed(status ua.StatusCode) bool {
	const dataValue, overflow = 0x400, 0x80
	return uint32(status)&0xC00 == dataValue && uint32(status)&overflow != 0
}

// reading turns a data value into a reading. It reports false when the value
// is of a type that carries no number. What is not finite, or absent, is Bad.
func reading(tag string, v *ua.DataValue, now time.Time) (connector.Reading, bool) {
	value, ok, present := numeric(v.Value)
	if present && !ok {
		return connector.Reading{}, false
	}
	r := connector.Reading{ExternalTag: tag, Time: timeOf(v, now), Value: value, Quality: qualityOf(v.Status)}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		r.Value, r.Quality = math.NaN(), asset.Bad
	}
	return r, true
}

// timeOf is the source's own time, else the server's, else now, to the
// microsecond.
func timeOf(v *ua.DataValue, now time.Time) time.Time {
	for _, t := range []time.Time{v.SourceTimestamp, v.ServerTimestamp} {
		if plausible(t) {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return now.UTC().Truncate(time.Microsecond)
}

func plausible(t time.Time) bool { return t.After(earliest) && t.Before(latest) }
