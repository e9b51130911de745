package csvfile

import (
	"encoding/csv"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
	"github.com/optria-iq/optria/internal/dataset"
	"github.com/optria-iq/optria/internal/fault"
)

// Arrangements of a table, and encodings of its text.
const (
	Long        = "long" // a row is one reading and names its tag
	Wide        = "wide" // a row is one instant and has a column for each tag
	UTF8        = "utf8"
	UTF16       = "utf16"
	Windows1256 = "windows1256"
)

// Settings say how a file is to be read. The JSON form is what Spec describes.
type Settings struct {
	Layout       string `json:"layout"`
	Delimiter    string `json:"delimiter"`
	DecimalComma bool   `json:"decimal_comma,omitempty"`
	Encoding     string `json:"encoding"`
	TagColumn    string `json:"tag_column,omitempty"`  // long
	FixedTag     string `json:"fixed_tag,omitempty"`   // long, in place of the column
	TagColumns   string `json:"tag_columns,omitempty"` // wide: divided by commas; all others when empty
	TimeColumn   string `json:"time_column"`
	TimeForm     string `json:"time_format"`
	Zone         string `json:"time_zone,omitempty"`
	ValueColumn  string `json:"value_column,omitempty"` // long
	Quality      string `json:"quality_column,omitempty"`
	Good         string `json:"quality_good,omitempty"`
	Uncertain    string `json:"quality_uncertain,omitempty"`
	Bad          string `json:"quality_bad,omitempty"`
	UnitColumn   string `json:"unit_column,omitempty"` // long
}

// Standard are the settings of a table with the columns tag, time, value,
// quality and unit, of which the last two may be absent.
func Standard() Settings {
	return Settings{Layout: Long, Delimiter: "comma", Encoding: UTF8, TagColumn: "tag", TimeColumn: "time", TimeForm: jsonmap.RFC3339, ValueColumn: "value",
		Quality: "quality", UnitColumn: "unit"}
}

// Message keys of what the check of settings finds.
const (
	ErrTag     = "connector.file.error.tag"     // neither or both ways of naming the tag
	ErrValue   = "connector.file.error.value"   // no column of values
	ErrDecimal = "connector.file.error.decimal" // the comma cannot divide both cells and numbers
	ErrSame    = "connector.file.error.same"    // the same column for two things
)

// delimiters by the names of the choice.
var delimiters = map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}

// Spec describes the settings.
func Spec() connector.Spec {
	field := func(key string, kind connector.FieldType, standard any, choices ...string) connector.Field {
		f := connector.Field{Key: key, Type: kind, Default: standard, Enum: choices, LabelKey: "connector.file." + key + ".label", HelpKey: "connector.file." + key + ".help"}
		if kind == connector.Text {
			f.Max = connector.Bound(200)
		}
		return f
	}
	layout, at := field("layout", connector.Choice, Long, Long, Wide), field("time_column", connector.Text, "time")
	layout.Required, at.Required = true, true
	columns := field("tag_columns", connector.Text, nil)
	columns.Max, columns.Lines = connector.Bound(4000), true
	return connector.Spec{Kind: Kind, NameKey: "connector.file.name", DescriptionKey: "connector.file.description", Check: check, Fields: []connector.Field{
		layout, at,
		field("time_format", connector.Text, jsonmap.RFC3339), field("time_zone", connector.Text, nil),
		field("tag_column", connector.Text, nil), field("fixed_tag", connector.Text, nil), field("value_column", connector.Text, nil), columns,
		field("unit_column", connector.Text, nil), field("quality_column", connector.Text, nil),
		field("quality_good", connector.Text, nil), field("quality_uncertain", connector.Text, nil), field("quality_bad", connector.Text, nil),
		field("delimiter", connector.Choice, "comma", "comma", "semicolon", "tab", "pipe"), field("decimal_comma", connector.Boolean, nil),
		field("encoding", connector.Choice, UTF8, UTF8, Windows1256, UTF16),
	}}
}

// check adds what concerns the content of the settings.
func check(config connector.Config) map[string]string {
	var s Settings
	if err := Spec().WithDefaults(config).Decode(&s); err != nil {
		return map[string]string{"layout": connector.KeyConfig}
	}
	problems := map[string]string{}
	if s.Layout == Long && (s.TagColumn == "") == (s.FixedTag == "") {
		problems["tag_column"] = ErrTag
	}
	if s.Layout == Long && s.ValueColumn == "" {
		problems["value_column"] = ErrValue
	}
	if s.DecimalComma && s.Delimiter == "comma" {
		problems["decimal_comma"] = ErrDecimal
	}
	if _, field, problem := jsonmap.NewClock(s.TimeForm, s.Zone); problem != "" {
		problems[field] = problem
	}
	for field, name := range map[string]string{"tag_column": s.TagColumn, "value_column": s.ValueColumn, "quality_column": s.Quality, "unit_column": s.UnitColumn} {
		if name != "" && name == s.TimeColumn {
			problems[field] = ErrSame
		}
	}
	return problems
}

// mapping words the settings for package dataset. header gives the first line
// of the file, whose columns decide what a wide table holds and which of the
// optional columns are there.
func (s Settings) mapping(header func() (string, error)) (dataset.Mapping, error) {
	m := dataset.Mapping{Layout: dataset.Layout(s.Layout), Delimiter: delimiters[s.Delimiter], DecimalComma: s.DecimalComma,
		Time: dataset.TimeSource{Column: s.TimeColumn, Format: s.TimeForm, Zone: s.Zone}}
	line, err := header()
	if err != nil {
		return m, err
	}
	columns, err := split(line, m.Delimiter)
	if err != nil {
		return m, err
	}
	if s.Quality != "" && slices.Contains(columns, s.Quality) {
		m.Quality = s.codes()
	}
	if s.Layout == Wide {
		m.Asset, m.Wide = dataset.Source{Constant: Kind}, s.measured(columns)
		if len(m.Wide) == 0 {
			return m, fault.New(fault.Invalid, KeyNoColumns)
		}
		return m, nil
	}
	m.Asset, m.Metric, m.Value = dataset.Source{Column: s.TagColumn}, dataset.Source{Constant: Kind}, dataset.Source{Column: s.ValueColumn}
	if s.FixedTag != "" {
		m.Asset = dataset.Source{Constant: s.FixedTag}
	}
	if slices.Contains(columns, s.UnitColumn) {
		m.Unit.Column = s.UnitColumn
	}
	return m, nil
}

// split cuts the header as the rows will be cut.
func split(line, delimiter string) ([]string, error) {
	reader := csv.NewReader(strings.NewReader(line))
	reader.Comma = []rune(delimiter)[0]
	columns, err := reader.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, KeyUnreadable, err)
	}
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
	}
	return columns, nil
}

// measured lists the columns of a wide table that are tags.
func (s Settings) measured(columns []string) []dataset.WideColumn {
	wanted := list(s.TagColumns)
	var out []dataset.WideColumn
	seen := map[string]bool{}
	for _, name := range columns {
		other := name == "" || name == s.TimeColumn || name == s.Quality || seen[name]
		if other || (len(wanted) > 0 && !slices.Contains(wanted, name)) {
			continue
		}
		seen[name] = true
		out = append(out, dataset.WideColumn{Column: name, Metric: name})
	}
	return out
}

// codes are the configured codes, or those that exports commonly have.
func (s Settings) codes() *dataset.QualityMap {
	q := &dataset.QualityMap{Column: s.Quality, Good: list(s.Good), Uncertain: list(s.Uncertain), Bad: list(s.Bad)}
	if len(q.Good)+len(q.Uncertain)+len(q.Bad) == 0 {
		q.Good = []string{"good", "Good", "GOOD", "192", "ok", "OK"}
		q.Uncertain = []string{"uncertain", "Uncertain", "UNCERTAIN", "64"}
		q.Bad = []string{"bad", "Bad", "BAD", "0"}
	}
	return q
}

// list divides a text at its commas and line ends.
func list(text string) []string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}
