package jsonmap

import (
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// Shapes of the items that Settings.Items finds.
const (
	Records = "records" // each match is one reading
	Members = "members" // each match is an object whose members are tag and value
)

// Settings say where a document has its readings. Every text but the constants
// and codes is a JSONPath expression, from the document with "$" and from the
// item with "@". They are embedded in the settings of a kind.
type Settings struct {
	Items     string `json:"items,omitempty"` // default: the document is the one item
	Shape     string `json:"shape,omitempty"`
	Tag       string `json:"tag,omitempty"`
	FixedTag  string `json:"fixed_tag,omitempty"` // in place of Tag
	Value     string `json:"value,omitempty"`
	Time      string `json:"time,omitempty"` // default: when the document was read
	TimeForm  string `json:"time_format,omitempty"`
	Zone      string `json:"time_zone,omitempty"`
	Quality   string `json:"quality,omitempty"` // default: all good
	Good      string `json:"quality_good,omitempty"`
	Uncertain string `json:"quality_uncertain,omitempty"`
	Bad       string `json:"quality_bad,omitempty"`
	Unit      string `json:"unit,omitempty"`
	FixedUnit string `json:"fixed_unit,omitempty"`
}

// Message keys of what Compile finds.
const (
	ErrTag       = "connector.json.error.tag"       // neither or both ways of naming the tag
	ErrTagNeeded = "connector.json.error.tag_fixed" // members name their tags themselves
	ErrUnit      = "connector.json.error.unit"      // both ways of naming the unit
	ErrFormat    = "connector.json.error.format"    // not a form of time
	ErrZone      = "connector.json.error.zone"      // not a time zone
	ErrCode      = "connector.json.error.code"      // the same code twice
)

// Fields describes the settings, for the spec of a kind.
func Fields() []connector.Field {
	text := func(key string, longest float64) connector.Field {
		return connector.Field{Key: key, Type: connector.Text, Max: connector.Bound(longest),
			LabelKey: "connector.json." + key + ".label", HelpKey: "connector.json." + key + ".help"}
	}
	path := func(key string) connector.Field { return text(key, maxPath) }
	items, shape, value, form := path("items"), text("shape", maxPath), path("value"), text("time_format", 60)
	items.Required, items.Default = true, "$"
	shape.Type, shape.Enum, shape.Default, shape.Max = connector.Choice, []string{Records, Members}, Records, nil
	value.Required, value.Default = true, "@.value"
	form.Default = RFC3339
	return []connector.Field{items, shape, path("tag"), text("fixed_tag", maxTag), value, path("time"), form, text("time_zone", 60),
		path("quality"), text("quality_good", 200), text("quality_uncertain", 200), text("quality_bad", 200), path("unit"), text("fixed_unit", maxUnit)}
}

// Mapper reads documents after compiled settings. It is safe for concurrent
// use.
type Mapper struct {
	items                           *Path
	tag, value, time, quality, unit *Path
	members                         bool
	fixedTag, fixedUnit             string
	clock                           Clock
	codes                           map[string]asset.Quality
}

// Compile checks settings and prepares them. Problems map fields to message
// keys, as the check of a spec returns them.
func (s Settings) Compile() (*Mapper, map[string]string) {
	problems := map[string]string{}
	compile := func(field, text string) *Path {
		path, problem := Compile(text)
		if problem != "" {
			problems[field] = problem
		}
		return path
	}
	m := &Mapper{items: compile("items", s.Items), tag: compile("tag", s.Tag), value: compile("value", s.Value), time: compile("time", s.Time),
		quality: compile("quality", s.Quality), unit: compile("unit", s.Unit), members: s.Shape == Members, fixedTag: s.FixedTag, fixedUnit: s.FixedUnit}
	switch named := s.Tag != "" || s.FixedTag != ""; {
	case m.members && named:
		problems["tag"] = ErrTagNeeded
	case !m.members && (s.Tag == "") == (s.FixedTag == ""):
		problems["tag"] = ErrTag
	}
	if s.Unit != "" && s.FixedUnit != "" {
		problems["unit"] = ErrUnit
	}
	var problem, field string
	if m.clock, field, problem = NewClock(s.TimeForm, s.Zone); problem != "" {
		problems[field] = problem
	}
	if m.codes, field = codes(s.Good, s.Uncertain, s.Bad); field != "" {
		problems[field] = ErrCode
	}
	return m, problems
}

// ordinary are the codes that sources use when none are configured: words, the
// quality byte of OPC Classic, and whether a value is good.
func ordinary() map[string]asset.Quality {
	return map[string]asset.Quality{"good": asset.Good, "uncertain": asset.Uncertain, "bad": asset.Bad, "ok": asset.Good, "questionable": asset.Uncertain,
		"192": asset.Good, "64": asset.Uncertain, "0": asset.Bad, "true": asset.Good, "false": asset.Bad}
}

// codes reads three lists of codes, divided by commas; letters count alike in
// both cases. The second result is the field of a code that stands twice.
func codes(good, uncertain, bad string) (map[string]asset.Quality, string) {
	if good+uncertain+bad == "" {
		return ordinary(), ""
	}
	table := map[string]asset.Quality{}
	lists := []struct {
		field, text string
		quality     asset.Quality
	}{{"quality_good", good, asset.Good}, {"quality_uncertain", uncertain, asset.Uncertain}, {"quality_bad", bad, asset.Bad}}
	for _, list := range lists {
		for code := range strings.SplitSeq(list.text, ",") {
			code = strings.ToLower(strings.TrimSpace(code))
			if code == "" {
				continue
			}
			if _, twice := table[code]; twice {
				return table, list.field
			}
			table[code] = list.quality
		}
	}
	return table, ""
}

// Zone reads the name of a time zone; empty is UTC. "Local" is refused: it
// would mean another thing on every machine.
func Zone(name string) (*time.Location, bool) {
	zone, err := time.LoadLocation(name)
	return zone, err == nil && name != "Local"
}
