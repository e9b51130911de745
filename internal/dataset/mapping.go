package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// Mapping describes the columns of a CSV file. In the long layout a row is one
// measurement and Metric and Value name it; in the wide layout a row holds one
// instant and Wide lists the columns to take.
type Mapping struct {
	Layout    Layout       `json:"layout"`
	Delimiter string       `json:"delimiter,omitempty"` // one character, default comma
	Asset     Source       `json:"asset"`
	Metric    Source       `json:"metric,omitzero"`
	Unit      Source       `json:"unit,omitzero"`
	Value     Source       `json:"value,omitzero"`
	Wide      []WideColumn `json:"wide,omitempty"`
	Time      TimeSource   `json:"time"`
	Quality   *QualityMap  `json:"quality,omitempty"`
	// DecimalComma reads "3,5" as three and a half.
	DecimalComma bool `json:"decimal_comma,omitempty"`
}

// Layout is the arrangement of a CSV file.
type Layout string

// The two layouts.
const (
	Long Layout = "long"
	Wide Layout = "wide"
)

// Source takes a text from a column, or is the same for every row.
type Source struct {
	Column   string `json:"column,omitempty"`
	Constant string `json:"constant,omitempty"`
}

// WideColumn is one measured column of the wide layout.
type WideColumn struct {
	Column string `json:"column"`
	Metric string `json:"metric"`
	Unit   string `json:"unit,omitempty"`
}

// TimeSource is the column of the time and its form: "rfc3339", "unix",
// "unix_ms", "unix_us", or a layout of Go's time package. Zone is the IANA name for
// layouts without an offset; empty means UTC.
type TimeSource struct {
	Column string `json:"column"`
	Format string `json:"format"`
	Zone   string `json:"zone,omitempty"`
}

// QualityMap turns the codes of a column into qualities. A code that is not
// listed makes the row bad.
type QualityMap struct {
	Column    string   `json:"column"`
	Good      []string `json:"good,omitempty"`
	Uncertain []string `json:"uncertain,omitempty"`
	Bad       []string `json:"bad,omitempty"`
}

// maxMappingBytes bounds a mapping file.
const maxMappingBytes = 1 << 20

// ParseMapping reads and checks a mapping. Its faults carry the argument
// "field".
func ParseMapping(r io.Reader) (Mapping, error) {
	var m Mapping
	decoder := json.NewDecoder(io.LimitReader(r, maxMappingBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return Mapping{}, fault.Wrap(fault.Invalid, KeyMapping, fmt.Errorf("parse mapping: %w", err)).With("field", "")
	}
	return m, m.check()
}

func (m Mapping) check() error {
	wrong := ""
	switch {
	case m.Layout != Long && m.Layout != Wide:
		wrong = "layout"
	case m.Delimiter != "" && (utf8.RuneCountInString(m.Delimiter) != 1 || strings.ContainsAny(m.Delimiter, "\"\r\n")):
		wrong = "delimiter"
	case !m.Asset.sound():
		wrong = "asset"
	case m.Layout == Long && !m.Metric.sound():
		wrong = "metric"
	case m.Layout == Long && m.Value.Column == "":
		wrong = "value"
	case m.Layout == Wide && !soundWide(m.Wide):
		wrong = "wide"
	case m.Time.Column == "" || m.Time.Format == "":
		wrong = "time"
	case m.Quality != nil && m.Quality.Column == "":
		wrong = "quality"
	case m.DecimalComma && m.delimiter() == ",":
		wrong = "decimal_comma"
	}
	// "Local" would mean another thing on every machine.
	if _, err := time.LoadLocation(m.Time.Zone); wrong == "" && (err != nil || m.Time.Zone == "Local") {
		wrong = "time.zone"
	}
	if wrong != "" {
		return fault.New(fault.Invalid, KeyMapping).With("field", wrong)
	}
	return nil
}

func (m Mapping) delimiter() string {
	if m.Delimiter == "" {
		return ","
	}
	return m.Delimiter
}

// sound holds when exactly one of the two ways is given.
func (s Source) sound() bool { return (s.Column == "") != (s.Constant == "") }

func soundWide(columns []WideColumn) bool {
	seen := map[string]bool{}
	for _, c := range columns {
		if c.Column == "" || c.Metric == "" || seen[c.Metric] {
			return false
		}
		seen[c.Metric] = true
	}
	return len(columns) > 0
}

// clock parses the times of one file.
type clock struct {
	format string
	zone   *time.Location
}

// Times outside these years are damage, not measurements.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// since1970 turns the numbers of the forms that count into times.
var since1970 = map[string]func(int64) time.Time{
	"unix":    func(n int64) time.Time { return time.Unix(n, 0) },
	"unix_ms": time.UnixMilli,
	"unix_us": time.UnixMicro,
}

func (c clock) parse(text string) (time.Time, string) {
	var at time.Time
	var err error
	switch c.format {
	case "unix", "unix_ms", "unix_us":
		var number int64
		if number, err = strconv.ParseInt(text, 10, 64); err == nil {
			at = since1970[c.format](number)
		}
	case "rfc3339":
		at, err = time.Parse(time.RFC3339Nano, text)
	default:
		at, err = time.ParseInLocation(c.format, text, c.zone)
	}
	switch {
	case err != nil:
		return time.Time{}, ReasonTime
	case at.Before(earliest), !at.Before(latest):
		return time.Time{}, ReasonTimeRange
	}
	return at.UTC(), ""
}

// codes turns a quality map into a table.
func (q *QualityMap) codes() map[string]asset.Quality {
	table := map[string]asset.Quality{}
	for quality, codes := range map[asset.Quality][]string{asset.Good: q.Good, asset.Uncertain: q.Uncertain, asset.Bad: q.Bad} {
		for _, code := range codes {
			table[code] = quality
		}
	}
	return table
}
