package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/connector"
)

// Draft is an integration as a person entered it. Secrets holds only the
// credentials to replace, Forget names those to take away.
type Draft struct {
	Name    string
	Kind    string
	Config  connector.Config
	Secrets connector.Secrets
	Forget  []string
}

// Check returns what is wrong with a draft, field to message key. The field
// "name" is the name; kept names the credentials that are stored already and
// need not be given again. What the product makes itself need not be given.
func (d Draft) Check(kept map[string]bool) map[string]string {
	spec, ok := connector.Lookup(d.Kind)
	if !ok {
		return map[string]string{"kind": connector.KeyUnknownKind}
	}
	problems := spec.Validate(d.Config)
	for field, key := range spec.ValidateSecrets(d.Secrets) {
		if key != connector.ErrRequired || !kept[field] || slices.Contains(d.Forget, field) {
			problems[field] = key
		}
	}
	for _, f := range spec.Fields {
		if f.Made && problems[f.Key] == connector.ErrRequired {
			delete(problems, f.Key)
		}
	}
	for _, field := range d.Forget {
		if f, ok := fieldOf(spec, field); !ok || !f.Secret || f.Made {
			problems[field] = connector.ErrUnknown
		}
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(d.Name)); n == 0 || n > maxName {
		problems["name"] = KeyName
	}
	return problems
}

func fieldOf(spec connector.Spec, key string) (connector.Field, bool) {
	i := slices.IndexFunc(spec.Fields, func(f connector.Field) bool { return f.Key == key })
	if i < 0 {
		return connector.Field{}, false
	}
	return spec.Fields[i], true
}

// Endpoint is the address that lists show, which never holds a password: the
// first setting that is an address, else host, port and database.
func (d Draft) Endpoint() string {
	spec, ok := connector.Lookup(d.Kind)
	if !ok {
		return ""
	}
	for _, f := range spec.Fields {
		if text, given := d.Config[f.Key].(string); given && text != "" && (f.Type == connector.URL || f.Key == "endpoint") {
			return text
		}
	}
	host, _ := d.Config["host"].(string)
	if port, ok := d.Config["port"].(float64); ok && host != "" {
		host = fmt.Sprintf("%s:%.0f", host, port)
	}
	if database, ok := d.Config["database"].(string); ok && host != "" && database != "" {
		host += "/" + database
	}
	return host
}

// audited is what the audit log keeps of a draft: names of credentials, never
// their values.
func (d Draft) audited() map[string]any {
	return map[string]any{"name": d.Name, "kind": d.Kind, "endpoint": d.Endpoint(), "config": d.Config,
		"credentials_replaced": slices.Sorted(maps.Keys(d.Secrets)), "credentials_removed": d.Forget}
}

// make fills what the product makes itself and the draft lacks. Open values
// come from the stored settings, and only what is nowhere is made. It returns
// the secrets that the other side has to be told, which are shown this once.
func (d *Draft) make(stored connector.Config, kept connector.Secrets) (connector.Secrets, error) {
	spec, ok := connector.Lookup(d.Kind)
	if !ok || spec.Generate == nil {
		return nil, nil
	}
	for _, f := range spec.Fields {
		if value, known := stored[f.Key]; f.Made && !f.Secret && known && d.Config[f.Key] == nil {
			d.Config[f.Key] = value
		}
	}
	all := maps.Clone(kept)
	if all == nil {
		all = connector.Secrets{}
	}
	maps.Copy(all, d.Secrets)
	for _, field := range d.Forget {
		delete(all, field)
	}
	before := maps.Clone(all)
	if err := spec.Generate(d.Config, all); err != nil {
		return nil, fmt.Errorf("make settings: %w", err)
	}
	if d.Secrets == nil {
		d.Secrets = connector.Secrets{}
	}
	shown := connector.Secrets{}
	for field, value := range all {
		if value == before[field] {
			continue
		}
		d.Secrets[field] = value
		if f, ok := fieldOf(spec, field); ok && f.Made && !f.Lines {
			shown[field] = value
		}
	}
	return shown, nil
}

// Makes reports whether a kind has settings that the product makes itself.
func Makes(kind string) bool {
	spec, ok := connector.Lookup(kind)
	return ok && spec.Generate != nil && slices.ContainsFunc(spec.Fields, func(f connector.Field) bool { return f.Made })
}

// PinOf returns the setting of a kind that holds the fingerprint of the trusted
// certificate, "" when it has none.
func PinOf(kind string) string {
	spec, _ := connector.Lookup(kind)
	for _, f := range spec.Fields {
		if strings.HasSuffix(f.Key, "certificate_sha256") {
			return f.Key
		}
	}
	return ""
}
