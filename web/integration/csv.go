package integration

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of a rule file that cannot be read as a whole.
const (
	KeyFileHeader = "integrations.file.header"
	KeyFileForm   = "integrations.file.form"
	KeyFileLong   = "integrations.file.long"
	KeyFileEmpty  = "integrations.file.empty"
)

// MaxFileBytes bounds a rule file.
const MaxFileBytes = 4 << 20

// maxFileRows bounds the rules of one file.
const maxFileRows = 10_000

// columns of a rule file, in the order in which it is written. Reading accepts
// any order; unit is the unit of a metric that does not exist yet.
var columns = []string{"external_tag", "asset", "component", "metric", "unit", "source_unit", "factor", "shift", "low", "high"}

// Line is one rule of a file with its place.
type Line struct {
	Number int
	Rule   Rule
}

// WriteRules writes rules as CSV. A cell that a spreadsheet would take for a
// formula gets an apostrophe, which ReadRules removes.
func WriteRules(w io.Writer, rules []db.ListIntegrationMappingsRow) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, r := range rules {
		m := r.IntegrationMapping
		row := []string{m.ExternalTag, r.Tag, r.ComponentEn, r.Metric, r.Unit, m.SourceUnit,
			FormatNumber(&m.Factor), FormatNumber(&m.Shift), FormatNumber(m.Low), FormatNumber(m.High)}
		for i := range row[:6] {
			row[i] = guard(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func guard(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// ReadRules reads a rule file. An empty factor asks for the conversion of the
// units and an empty shift is 0; a number that cannot be read becomes one that
// Check refuses.
func ReadRules(r io.Reader) ([]Line, error) {
	in := csv.NewReader(io.LimitReader(r, MaxFileBytes))
	in.FieldsPerRecord = 0
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, KeyFileEmpty)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, KeyFileForm, err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, need := range []string{"external_tag", "asset", "metric"} {
		if _, ok := at[need]; !ok {
			return nil, fault.New(fault.Invalid, KeyFileHeader).With("Column", need)
		}
	}
	var out []Line
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, KeyFileForm, err)
		}
		if len(out) == maxFileRows {
			return nil, fault.New(fault.Invalid, KeyFileLong).With("Max", maxFileRows)
		}
		number, _ := in.FieldPos(0)
		out = append(out, Line{number, readRule(row, at)})
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, KeyFileEmpty)
	}
	return out, nil
}

func readRule(row []string, at map[string]int) Rule {
	cell := func(name string) string {
		i, ok := at[name]
		if !ok || i >= len(row) {
			return ""
		}
		return strings.TrimPrefix(strings.TrimSpace(row[i]), "'")
	}
	x := Rule{ExternalTag: cell("external_tag"), Asset: cell("asset"), Component: cell("component"), Metric: cell("metric"),
		Unit: cell("unit"), SourceUnit: cell("source_unit")}
	x.Factor, x.Shift = ParseFactor(cell("factor"), cell("shift"))
	x.Low, x.High = ParseBound(cell("low")), ParseBound(cell("high"))
	return x
}

// ParseFactor reads the two numbers of a rule; an empty factor is 0, which asks
// for the conversion of the units. What cannot be read, and a zero that was
// written, becomes a number that Rule.Check refuses.
func ParseFactor(factor, shift string) (f, s float64) {
	var err error
	if factor != "" {
		if f, err = strconv.ParseFloat(factor, 64); err != nil || f == 0 {
			f = math.NaN()
		}
	}
	if shift != "" {
		if s, err = strconv.ParseFloat(shift, 64); err != nil {
			s = math.NaN()
		}
	}
	return f, s
}

// ParseBound reads a bound, nil for none; what cannot be read becomes a number
// that Rule.Check refuses.
func ParseBound(text string) *float64 {
	if text == "" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		v = math.NaN()
	}
	return &v
}

// FormatNumber prints a number as ParseBound reads it, nothing for nil.
func FormatNumber(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
