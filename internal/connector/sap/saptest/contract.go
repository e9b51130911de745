package saptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract checks exchanges against schemas of the services.
type contract struct {
	records map[*model]*openapi3.Schema
	creates *openapi3.Schema
	updates *openapi3.Schema
	failure *openapi3.Schema
}

// newContract builds the schemas in the manner of SAP's published OpenAPI
// documents: texts with a longest length, dates and decimals as texts of a
// pattern, nothing beyond the listed fields.
func newContract() *contract {
	c := &contract{records: map[*model]*openapi3.Schema{}}
	for _, m := range models() {
		c.records[m] = recordSchema(m)
	}
	creatable := func(f field) bool { return f.creatable }
	steps := openapi3.NewArraySchema().WithItems(writeSchema(operationModel, creatable))
	c.creates = writeSchema(orderModel, creatable).WithProperty("to_MaintenanceOrderOperation", steps)
	c.updates = writeSchema(orderModel, func(f field) bool { return f.updatable })
	worded := openapi3.NewObjectSchema().WithProperty("lang", openapi3.NewStringSchema()).WithProperty("value", openapi3.NewStringSchema()).WithRequired([]string{"value"})
	message := openapi3.NewOneOfSchema(worded, openapi3.NewStringSchema()) // version 2, version 4
	inside := openapi3.NewObjectSchema().WithProperty("code", openapi3.NewStringSchema()).WithProperty("message", message).WithRequired([]string{"code", "message"})
	c.failure = openapi3.NewObjectSchema().WithProperty("error", inside).WithRequired([]string{"error"})
	return c
}

func closed(schema *openapi3.Schema) *openapi3.Schema {
	schema.AdditionalProperties = openapi3.AdditionalProperties{Has: openapi3.Ptr(false)}
	return schema
}

func recordSchema(m *model) *openapi3.Schema {
	schema := closed(openapi3.NewObjectSchema())
	for _, f := range m.fields {
		schema.WithProperty(f.name, fieldSchema(f))
		if strings.HasPrefix(m.service, "api_") {
			schema.WithProperty(f.name, fieldSchema4(f))
		}
	}
	metadata := openapi3.NewObjectSchema().WithProperty("uri", openapi3.NewStringSchema()).WithProperty("etag", openapi3.NewStringSchema()).WithRequired([]string{"uri", "type"})
	schema.WithProperty("__metadata", metadata)
	for name, inside := range m.expands {
		steps := openapi3.NewObjectSchema().WithProperty("results", openapi3.NewArraySchema().WithItems(recordSchema(inside))).
			WithProperty("__deferred", openapi3.NewObjectSchema().WithProperty("uri", openapi3.NewStringSchema()))
		schema.WithProperty(name, closed(steps))
	}
	return schema
}

// fieldSchema4 is the schema of a field in version 4.
func fieldSchema4(f field) *openapi3.Schema {
	switch f.kind {
	case day:
		return openapi3.NewStringSchema().WithPattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`).WithNullable()
	case clock:
		return openapi3.NewStringSchema().WithPattern(`^[0-9]{2}:[0-9]{2}:[0-9]{2}$`)
	case double:
		return openapi3.NewFloat64Schema()
	}
	return fieldSchema(f)
}

func writeSchema(m *model, allowed func(field) bool) *openapi3.Schema {
	schema := closed(openapi3.NewObjectSchema())
	for _, f := range m.fields {
		if allowed(f) {
			schema.WithProperty(f.name, fieldSchema(f))
		}
	}
	return schema
}

func fieldSchema(f field) *openapi3.Schema {
	schema := openapi3.NewStringSchema()
	switch f.kind {
	case text:
		if f.size > 0 {
			schema.WithMaxLength(int64(f.size))
		}
	case day, instant:
		schema.WithPattern(`^/Date\(-?[0-9]+(\+0000)?\)/$`)
	case clock:
		schema.WithPattern(`^PT[0-9]{2}H[0-9]{2}M[0-9]{2}S$`)
	case decimal:
		schema.WithPattern(`^-?[0-9]+(\.[0-9]{1,3})?$`)
	case large:
		schema.WithPattern(`^[0-9]+$`)
	case flag:
		schema = openapi3.NewBoolSchema()
	case integer:
		schema = openapi3.NewIntegerSchema()
	}
	if !f.key {
		schema.WithNullable()
	}
	return schema
}

// check judges one exchange. Answers for people, empty ones and texts have no
// schema.
func (c *contract) check(r *http.Request, body []byte, status int, answer []byte) error {
	service, rest := split(r.URL.Path)
	set, _, _ := strings.Cut(rest, "(")
	m := modelOf(service, set)
	if status < 400 && m != nil {
		if err := c.checkRequest(r, m, body); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	}
	if len(answer) == 0 || answer[0] != '{' {
		return nil
	}
	var document map[string]any
	if err := json.Unmarshal(answer, &document); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if status >= 400 {
		return c.failure.VisitJSON(document)
	}
	if m == nil {
		return nil
	}
	if value, ok := document["value"].([]any); ok { // version 4
		return c.checkRecords(m, value)
	}
	return c.checkAnswer(m, document)
}

func (c *contract) checkRequest(r *http.Request, m *model, body []byte) error {
	query := r.URL.Query()
	for _, name := range append(listed(query, "$select"), listed(query, "$orderby")...) {
		if _, ok := m.field(name); !ok {
			return fmt.Errorf("%s has no field %s", m.set, name)
		}
	}
	if select_ := listed(query, "$select"); len(select_) != len(slices.Compact(slices.Sorted(slices.Values(select_)))) {
		return errors.New("a field is selected twice")
	}
	schema := map[string]*openapi3.Schema{http.MethodPost: c.creates, http.MethodPatch: c.updates}[r.Method]
	if schema == nil {
		return nil
	}
	var sent any
	if err := json.Unmarshal(body, &sent); err != nil {
		return err
	}
	return schema.VisitJSON(sent, openapi3.MultiErrors())
}

func (c *contract) checkAnswer(m *model, document map[string]any) error {
	inside, ok := document["d"].(map[string]any)
	if !ok {
		return errors.New("answer: no d")
	}
	records := []any{inside}
	if results, many := inside["results"].([]any); many {
		records = results
		for name, value := range inside {
			if _, isText := value.(string); name != "results" && !(isText && (name == "__next" || name == "__count")) {
				return fmt.Errorf("answer: unexpected %s", name)
			}
		}
	}
	return c.checkRecords(m, records)
}

func (c *contract) checkRecords(m *model, records []any) error {
	for _, record := range records {
		if err := c.records[m].VisitJSON(record, openapi3.MultiErrors()); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	return nil
}
