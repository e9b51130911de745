package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Bounds of what is shown of a schema: levels of nesting, and rows.
const (
	schemaDepth = 4
	schemaRows  = 120
)

// fieldRow is one field of a body, or one parameter. Name is the path to it;
// Rules are its bounds in the notation of JSON Schema.
type fieldRow struct {
	Name, In, Type, Text string
	Rules                []string
	Required             bool
}

// responseRow is one answer of an operation.
type responseRow struct {
	Status, Text, Tone string
	Fields             []fieldRow
}

// operationView is the page of one operation. Keyed says that it takes an
// idempotency key, KeyNeeded that it does not go without.
type operationView struct {
	ID, Method, Tone, Path, Summary, Description string
	Tag, Capability, CapabilityName, Scope       string
	BodyType, Curl                               string
	Keyed, KeyNeeded, People, May                bool
	Parameters, Body                             []fieldRow
	Responses                                    []responseRow
}

func newOperationView(p Page, doc *huma.OpenAPI, o operation, base string) operationView {
	v := operationView{ID: o.OperationID, Method: o.method, Tone: methodTones[o.method], Path: o.path, Summary: o.Summary, Description: o.Description}
	v.Capability, _ = o.Extensions["x-capability"].(string)
	v.Scope, _ = o.Extensions["x-scope"].(string)
	v.People = v.Scope == ""
	if key := "access.cap." + v.Capability; p.Loc().Has(key) {
		v.CapabilityName = p.T(key)
	}
	if len(o.Tags) > 0 {
		v.Tag = tagName(p, o.Tags[0])
	}
	x := schemas{doc}
	for _, param := range o.Parameters {
		row := x.row(param.Name, param.Schema, param.Required)
		row.In = param.In
		if row.Text == "" {
			row.Text = param.Description
		}
		v.Parameters = append(v.Parameters, row)
		if param.Name == "Idempotency-Key" {
			v.Keyed, v.KeyNeeded = true, param.Required
		}
	}
	var sample string
	if o.RequestBody != nil {
		for _, kind := range slices.Sorted(maps.Keys(o.RequestBody.Content)) {
			v.BodyType = kind
			v.Body = x.fields(o.RequestBody.Content[kind].Schema)
			sample = x.example(kind, o.RequestBody.Content[kind].Schema)
		}
	}
	v.Curl = curl(o, v, base, sample)
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		v.Responses = append(v.Responses, x.response(p, status, o.Responses[status]))
	}
	return v
}

// curl is a call of an operation for a shell.
func curl(o operation, v operationView, base, sample string) string {
	lines := []string{"curl -sS"}
	if o.method != http.MethodGet {
		lines[0] += " -X " + o.method
	}
	lines[0] += " \"" + base + strings.NewReplacer("{", "$", "}", "").Replace(o.path) + "\""
	lines = append(lines, `-H "Authorization: Bearer $OPTRIA_TOKEN"`)
	if v.Keyed {
		lines = append(lines, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	switch {
	case strings.HasPrefix(v.BodyType, "multipart/"):
		for _, f := range v.Body {
			lines = append(lines, "-F "+f.Name+"=@"+f.Name)
		}
	case v.BodyType != "":
		lines = append(lines, `-H "Content-Type: `+v.BodyType+`"`, "-d '"+strings.ReplaceAll(sample, "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n  ")
}

// schemas reads the schemas of a document.
type schemas struct{ doc *huma.OpenAPI }

// resolve follows a reference.
func (x schemas) resolve(s *huma.Schema) *huma.Schema {
	for range schemaDepth {
		if s == nil || s.Ref == "" {
			return s
		}
		s = x.doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// fields lists the fields of a body, nested ones under their path.
func (x schemas) fields(s *huma.Schema) []fieldRow {
	var out []fieldRow
	x.collect(&out, "", s, 0)
	return out
}

func (x schemas) collect(out *[]fieldRow, path string, s *huma.Schema, depth int) {
	s = x.resolve(s)
	if s == nil || depth > schemaDepth {
		return
	}
	if s.Type == huma.TypeArray {
		x.collect(out, path+"[]", s.Items, depth+1)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if name == "$schema" || len(*out) >= schemaRows {
			continue
		}
		property, full := s.Properties[name], name
		if path != "" {
			full = path + "." + name
		}
		*out = append(*out, x.row(full, property, slices.Contains(s.Required, name)))
		x.collect(out, full, property, depth+1)
	}
}

// row words one schema.
func (x schemas) row(name string, s *huma.Schema, required bool) fieldRow {
	row := fieldRow{Name: name, Required: required}
	if s == nil {
		return row
	}
	row.Text = s.Description
	target := x.resolve(s)
	if target == nil {
		return row
	}
	row.Type = x.typeOf(target)
	row.Rules = rules(target)
	return row
}

func (x schemas) typeOf(s *huma.Schema) string {
	switch {
	case s.Type == huma.TypeArray:
		if inner := x.resolve(s.Items); inner != nil {
			return x.typeOf(inner) + "[]"
		}
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

// rules lists the bounds of a schema.
func rules(s *huma.Schema) []string {
	var out []string
	number := func(sign string, v *float64) {
		if v != nil {
			out = append(out, sign+strconv.FormatFloat(*v, 'g', -1, 64))
		}
	}
	count := func(sign string, v *int) {
		if v != nil {
			out = append(out, sign+strconv.Itoa(*v))
		}
	}
	number("≥ ", s.Minimum)
	number("≤ ", s.Maximum)
	number("> ", s.ExclusiveMinimum)
	number("< ", s.ExclusiveMaximum)
	count("length ≥ ", s.MinLength)
	count("length ≤ ", s.MaxLength)
	count("items ≥ ", s.MinItems)
	count("items ≤ ", s.MaxItems)
	if s.Pattern != "" {
		out = append(out, s.Pattern)
	}
	for _, v := range s.Enum {
		out = append(out, fmt.Sprint(v))
	}
	if s.Default != nil {
		out = append(out, "= "+fmt.Sprint(s.Default))
	}
	return out
}

func (x schemas) response(p Page, status string, r *huma.Response) responseRow {
	row := responseRow{Status: status, Text: r.Description, Tone: "none"}
	if status == "default" || status >= "4" {
		row.Tone = "warn"
		if key := "developers.status." + status; p.Loc().Has(key) {
			row.Text = p.T(key)
		}
		return row // every error has the form that the guide shows
	}
	row.Tone = "ok"
	for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
		row.Fields = x.fields(r.Content[kind].Schema)
	}
	return row
}

// example is a body that the schema accepts, with the required fields alone
// where there are any.
func (x schemas) example(kind string, s *huma.Schema) string {
	if !strings.Contains(kind, "json") {
		return ""
	}
	text, err := json.MarshalIndent(x.sample(s, 0), "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

func (x schemas) sample(s *huma.Schema, depth int) any {
	s = x.resolve(s)
	switch {
	case s == nil || depth > schemaDepth:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject, "":
		out := map[string]any{}
		for name, property := range s.Properties {
			if name != "$schema" && (len(s.Required) == 0 || slices.Contains(s.Required, name)) {
				out[name] = x.sample(property, depth+1)
			}
		}
		return out
	case huma.TypeArray:
		return []any{x.sample(s.Items, depth+1)}
	case huma.TypeBoolean:
		return true
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	}
	return sampleText(s.Format)
}

func sampleText(format string) string {
	switch format {
	case "date":
		return "2026-12-01"
	case "date-time":
		return "2026-12-01T05:00:00Z"
	case "uuid":
		return "3f1c1c9e-8a51-4a52-9d5c-4d1e6a6f2b10"
	}
	return "…"
}
