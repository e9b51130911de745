package connector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Config is the open part of an integration's settings, as stored in JSON.
// Numbers are float64, objects map[string]any.
type Config map[string]any

// Secrets is the sealed part: passwords, tokens, keys. It never enters a log,
// a page or a workflow payload.
type Secrets map[string]string

// Spec describes one kind of connector: form, validation and documentation
// all come from it.
type Spec struct {
	Kind           string
	NameKey        string // message key of the display name
	DescriptionKey string // message key of one sentence about it
	Fields         []Field
	WritesOrders   bool // its connectors are WorkOrderWriters
	// Check adds rules that concern the content of one field or several
	// together. It runs only when every single field is sound, and returns
	// field key to message key. It may be nil.
	Check func(config Config) map[string]string
	// Generate fills settings that the product makes itself, such as a key pair
	// or a signing secret, where they are absent. It runs when an integration
	// is stored. It may be nil.
	Generate func(config Config, secrets Secrets) error
}

// FieldType says how a field is entered and checked.
type FieldType string

// The types of fields. Object is a JSON object or array.
const (
	Text     FieldType = "text"
	URL      FieldType = "url"
	Number   FieldType = "number"
	Integer  FieldType = "integer"
	Boolean  FieldType = "boolean"
	Choice   FieldType = "choice"
	Instant  FieldType = "instant" // RFC 3339
	Object   FieldType = "object"
	Password FieldType = "password" // always secret
)

// Field describes one setting.
type Field struct {
	Key      string
	Type     FieldType
	Required bool
	Secret   bool     // kept in Secrets, write-only in the interface
	Made     bool     // filled by Spec.Generate; forms show it, people do not enter it
	Lines    bool     // a text of several lines, such as a certificate
	Min, Max *float64 // bounds of a number, or of the length of a text
	Enum     []string // the values of a Choice
	Default  any
	LabelKey string
	HelpKey  string
}

// Message keys of field errors.
const (
	ErrRequired = "connector.field.required"
	ErrType     = "connector.field.type"
	ErrMin      = "connector.field.min"
	ErrMax      = "connector.field.max"
	ErrChoice   = "connector.field.choice"
	ErrURL      = "connector.field.url"
	ErrInstant  = "connector.field.instant"
	ErrUnknown  = "connector.field.unknown"
	ErrObject   = "connector.field.object"
)

// ProblemAt is the problem of a field whose text is wrong at a place, counted
// from 1. SplitProblem takes it apart again.
func ProblemAt(key string, position int) string { return key + "#" + strconv.Itoa(position) }

// SplitProblem returns the message key of a problem of a field, and the
// arguments of its text: Position for one that ProblemAt has made.
func SplitProblem(problem string) (key string, args []any) {
	key, position, placed := strings.Cut(problem, "#")
	if placed {
		args = []any{"Position", position}
	}
	return key, args
}

// maxTextLength bounds a text whose field names no bound of its own.
const maxTextLength = 4096

// Bound returns a pointer to v, for the bounds of a Field.
func Bound(v float64) *float64 { return &v }

// Validate checks the open settings and returns field key to message key,
// empty when all is well. Keys that the spec does not know are refused, and so
// are secrets in the open part.
func (s Spec) Validate(config Config) map[string]string {
	problems := map[string]string{}
	for key := range config {
		if field, ok := s.field(key); !ok || field.Secret {
			problems[key] = ErrUnknown
		}
	}
	for _, field := range s.Fields {
		if field.Secret {
			continue
		}
		if problem := field.check(config[field.Key]); problem != "" {
			problems[field.Key] = problem
		}
	}
	if len(problems) == 0 && s.Check != nil {
		return s.Check(config)
	}
	return problems
}

// ValidateSecrets checks the sealed settings in the same way.
func (s Spec) ValidateSecrets(secrets Secrets) map[string]string {
	problems := map[string]string{}
	for key := range secrets {
		if field, ok := s.field(key); !ok || !field.Secret {
			problems[key] = ErrUnknown
		}
	}
	for _, field := range s.Fields {
		if !field.Secret {
			continue
		}
		var value any
		if text := secrets[field.Key]; text != "" {
			value = text
		}
		if problem := field.check(value); problem != "" {
			problems[field.Key] = problem
		}
	}
	return problems
}

// Parse turns the values of a form into settings, typed after the spec, and
// reports what cannot be read. It does not validate; an empty value is absent.
func (s Spec) Parse(form map[string]string) (Config, Secrets, map[string]string) {
	config, secrets, problems := Config{}, Secrets{}, map[string]string{}
	for _, field := range s.Fields {
		text := form[field.Key]
		if field.Secret {
			if text != "" {
				secrets[field.Key] = text
			}
			continue
		}
		text = strings.TrimSpace(text)
		if text == "" && field.Type != Boolean {
			continue
		}
		value, problem := field.parse(text)
		if problem != "" {
			problems[field.Key] = problem
			continue
		}
		config[field.Key] = value
	}
	return config, secrets, problems
}

// Decode reads the settings into a struct with JSON tags.
func (c Config) Decode(target any) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("decode settings: %w", err)
	}
	return nil
}

// WithDefaults returns a copy of config in which absent fields have the
// default of the spec.
func (s Spec) WithDefaults(config Config) Config {
	full := make(Config, len(config))
	for key, value := range config {
		full[key] = value
	}
	for _, field := range s.Fields {
		if _, set := full[field.Key]; !set && field.Default != nil && !field.Secret {
			full[field.Key] = field.Default
		}
	}
	return full
}

func (s Spec) field(key string) (Field, bool) {
	i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Key == key })
	if i < 0 {
		return Field{}, false
	}
	return s.Fields[i], true
}

// parse reads the text of a form.
func (f Field) parse(text string) (any, string) {
	switch f.Type {
	case Number, Integer:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, ErrType
		}
		return number, ""
	case Boolean:
		return text == "on" || text == "true" || text == "1", ""
	case Object:
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return nil, ErrObject
		}
		return value, ""
	default:
		return text, ""
	}
}

// check returns the message key of what is wrong with a stored value, or "".
func (f Field) check(value any) string {
	if value == nil || value == "" {
		if f.Required {
			return ErrRequired
		}
		return ""
	}
	switch f.Type {
	case Number, Integer:
		return f.checkNumber(value)
	case Boolean:
		if _, ok := value.(bool); !ok {
			return ErrType
		}
		return ""
	case Object:
		switch value.(type) {
		case map[string]any, []any:
			return ""
		}
		return ErrObject
	default:
		return f.checkText(value)
	}
}

func (f Field) checkNumber(value any) string {
	number, ok := value.(float64)
	switch {
	case !ok, math.IsNaN(number), math.IsInf(number, 0):
		return ErrType
	case f.Type == Integer && number != math.Trunc(number):
		return ErrType
	case f.Min != nil && number < *f.Min:
		return ErrMin
	case f.Max != nil && number > *f.Max:
		return ErrMax
	}
	return ""
}

func (f Field) checkText(value any) string {
	text, ok := value.(string)
	if !ok || !utf8.ValidString(text) {
		return ErrType
	}
	length, longest := float64(utf8.RuneCountInString(text)), float64(maxTextLength)
	if f.Max != nil {
		longest = *f.Max
	}
	switch {
	case f.Min != nil && length < *f.Min:
		return ErrMin
	case length > longest:
		return ErrMax
	case f.Type == Choice && !slices.Contains(f.Enum, text):
		return ErrChoice
	case f.Type == URL && !isAddress(text):
		return ErrURL
	case f.Type == Instant && !isInstant(text):
		return ErrInstant
	}
	return ""
}

// isAddress accepts an absolute address with a host and without credentials:
// a password in an address would end up in logs.
func isAddress(text string) bool {
	address, err := url.Parse(text)
	return err == nil && address.Scheme != "" && address.Host != "" && address.User == nil
}

func isInstant(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}
