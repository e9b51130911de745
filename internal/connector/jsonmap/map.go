package jsonmap

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of what a document may name.
const (
	maxTag      = 400 // letters of a tag
	maxUnit     = 40
	maxNumber   = 40 // characters of a number written as text
	refusalText = 120
)

// Message keys of refused items.
const (
	RefusedTag     = "connector.json.refused.tag"     // no tag, or one that is too long
	RefusedTime    = "connector.json.refused.time"    // no time, or not in the stated form
	RefusedValue   = "connector.json.refused.value"   // no value
	RefusedNumeric = "connector.json.refused.numeric" // a text, list or object
	RefusedObject  = "connector.json.refused.object"  // members of what is no object
)

// Result is what a document held. Items counts what the mapping found, of
// which Readings and Refused are the parts.
type Result struct {
	Readings []connector.Reading
	Refused  []connector.Refusal
	Items    int
}

// item is one place in a document to read from.
type item struct {
	content any
	tag     string // of a member
	where   string
}

// Map reads a document. now is the time of readings whose mapping names none.
func (m *Mapper) Map(document any, now time.Time) Result {
	var result Result
	items, refused := m.find(document)
	result.Refused = refused
	result.Items = len(items) + len(refused)
	for _, it := range items {
		reading, refusal := m.read(document, it, now.UTC().Truncate(time.Microsecond))
		if refusal.Key != "" {
			refusal.Where = it.where
			result.Refused = append(result.Refused, refusal)
			continue
		}
		result.Readings = append(result.Readings, reading)
	}
	return result
}

// find lists the items of a document; members are taken in the order of their
// names.
func (m *Mapper) find(document any) (items []item, refused []connector.Refusal) {
	for n, match := range m.items.All(document, document) {
		where := "#" + strconv.Itoa(n+1)
		if !m.members {
			items = append(items, item{content: match, where: where})
			continue
		}
		object, ok := match.(map[string]any)
		if !ok {
			refused = append(refused, connector.Refusal{Where: where, Key: RefusedObject, Value: show(match)})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			items = append(items, item{content: object[name], tag: name, where: where})
		}
	}
	return items, refused
}

// read reads one item.
func (m *Mapper) read(document any, it item, now time.Time) (connector.Reading, connector.Refusal) {
	first := func(path *Path) any {
		if path == nil {
			return nil
		}
		found, _ := path.First(document, it.content)
		return found
	}
	r := connector.Reading{ExternalTag: it.tag, Time: now, Quality: m.rate(first(m.quality)), Unit: m.fixedUnit}
	switch {
	case m.fixedTag != "":
		r.ExternalTag = m.fixedTag
	case !m.members:
		r.ExternalTag = Text(first(m.tag))
	}
	if n := utf8.RuneCountInString(r.ExternalTag); n == 0 || n > maxTag {
		return r, connector.Refusal{Key: RefusedTag, Value: shorten(r.ExternalTag)}
	}
	if m.time != nil {
		at, ok := m.clock.Read(first(m.time))
		if !ok {
			return r, connector.Refusal{Key: RefusedTime, Value: show(first(m.time))}
		}
		r.Time = at
	}
	if m.unit != nil {
		r.Unit = strings.TrimSpace(Text(first(m.unit)))
	}
	if utf8.RuneCountInString(r.Unit) > maxUnit {
		r.Unit = string([]rune(r.Unit)[:maxUnit])
	}
	value, found := m.value.First(document, it.content)
	return m.fill(r, value, found)
}

// fill adds the value. A missing number of bad quality is kept as an event, as
// is an empty value: the source says that it knows nothing.
func (m *Mapper) fill(r connector.Reading, value any, found bool) (connector.Reading, connector.Refusal) {
	number, ok := Number(value)
	switch {
	case ok:
		r.Value = number
	case !found:
		return r, connector.Refusal{Key: RefusedValue, Value: shorten(r.ExternalTag)}
	case value == nil, r.Quality == asset.Bad:
		r.Value, r.Quality = math.NaN(), asset.Bad
	default:
		return r, connector.Refusal{Key: RefusedNumeric, Value: shorten(r.ExternalTag)}
	}
	return r, connector.Refusal{}
}

// rate turns a code into a quality. Without a mapping all is good; without a
// code nothing is known, and a code that is not listed is bad.
func (m *Mapper) rate(code any) asset.Quality {
	switch {
	case m.quality == nil:
		return asset.Good
	case code == nil:
		return asset.Uncertain
	}
	quality, listed := m.codes[strings.ToLower(strings.TrimSpace(Text(code)))]
	if !listed {
		return asset.Bad
	}
	return quality
}

// Number reads a value of a document as a measurement: numbers, truth values
// as 1 and 0, and decimal numbers written as text.
func Number(value any) (float64, bool) {
	switch x := value.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, !math.IsInf(x, 0) && !math.IsNaN(x)
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case string:
		return number(strings.TrimSpace(x))
	}
	return 0, false
}

// number reads a decimal number. What Go accepts beyond that, such as "Inf",
// hexadecimal and underscores, is no measurement.
func number(text string) (float64, bool) {
	if text == "" || len(text) > maxNumber || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

// Text renders a plain value as a text; lists and objects give none.
func Text(value any) string {
	switch x := value.(type) {
	case string:
		return strings.ToValidUTF8(x, "\uFFFD")
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// show renders the offending value of a refusal.
func show(value any) string {
	switch value.(type) {
	case map[string]any:
		return "{…}"
	case []any:
		return "[…]"
	case nil:
		return ""
	}
	return shorten(Text(value))
}

func shorten(text string) string {
	if utf8.RuneCountInString(text) <= refusalText {
		return text
	}
	return string([]rune(text)[:refusalText]) + "…"
}
