// Package i18n holds every text of the product in Arabic and English, picks
// plural forms, and formats numbers, money, percentages and dates. Messages
// live in messages/<area>.json with both languages side by side, so that a
// missing translation is visible where it is missing.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed messages/*.json
var embedded embed.FS

// The two languages of the product. Arabic is the default.
const (
	Arabic  = "ar"
	English = "en"
)

// Languages lists the supported languages, the default first.
func Languages() []string { return []string{Arabic, English} }

// Text is one message in one language: either a plain string, or one string
// for each plural form of that language (CLDR names: zero, one, two, few,
// many, other).
type Text struct {
	Plain  string
	Plural map[string]string
}

// UnmarshalJSON accepts a string or an object of plural forms.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.Plain)
	}
	return json.Unmarshal(b, &t.Plural)
}

// Message maps a language to its text.
type Message map[string]Text

// Catalog holds every message of both languages. It is safe for concurrent use.
type Catalog struct {
	messages map[string]Message
	area     map[string]string
	locale   map[string]*Localizer
}

// New loads every file of messages/. It fails on malformed JSON and on a key
// that two files define.
func New() (*Catalog, error) {
	sub, err := fs.Sub(embedded, "messages")
	if err != nil {
		return nil, fmt.Errorf("open messages: %w", err)
	}
	return Load(sub)
}

// Load reads every *.json file at the top of dir.
func Load(dir fs.FS) (*Catalog, error) {
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	c := &Catalog{messages: map[string]Message{}, area: map[string]string{}, locale: map[string]*Localizer{}}
	for _, file := range files {
		if err := c.read(dir, file); err != nil {
			return nil, err
		}
	}
	bundle := i18n.NewBundle(language.Arabic)
	for _, lang := range Languages() {
		if err := c.register(bundle, lang); err != nil {
			return nil, err
		}
	}
	for _, lang := range Languages() {
		c.locale[lang] = newLocalizer(c, bundle, lang)
	}
	return c, nil
}

func (c *Catalog) read(dir fs.FS, file string) error {
	b, err := fs.ReadFile(dir, file)
	if err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	var messages map[string]Message
	if err := json.Unmarshal(b, &messages); err != nil {
		return fmt.Errorf("parse messages %s: %w", file, err)
	}
	area := strings.TrimSuffix(path.Base(file), ".json")
	for key, m := range messages {
		if other, taken := c.area[key]; taken {
			return fmt.Errorf("message %q is in %s.json and in %s.json", key, other, area)
		}
		c.area[key], c.messages[key] = area, m
	}
	return nil
}

func (c *Catalog) register(bundle *i18n.Bundle, lang string) error {
	for key, m := range c.messages {
		text, ok := m[lang]
		if !ok {
			continue
		}
		forms := text.Plural
		if forms == nil {
			forms = map[string]string{"other": text.Plain}
		}
		err := bundle.AddMessages(language.MustParse(lang), &i18n.Message{
			ID: key, Zero: forms["zero"], One: forms["one"], Two: forms["two"],
			Few: forms["few"], Many: forms["many"], Other: forms["other"],
		})
		if err != nil {
			return fmt.Errorf("add message %q: %w", key, err)
		}
	}
	return nil
}

// Has reports whether a key exists.
func (c *Catalog) Has(key string) bool { _, ok := c.messages[key]; return ok }

// Keys returns every key in alphabetical order.
func (c *Catalog) Keys() []string {
	keys := make([]string, 0, len(c.messages))
	for key := range c.messages {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Message returns both languages of a key.
func (c *Catalog) Message(key string) Message { return c.messages[key] }

// Localizer returns the speaker of a language; an unknown one gives Arabic.
func (c *Catalog) Localizer(lang string) *Localizer {
	if l, ok := c.locale[lang]; ok {
		return l
	}
	return c.locale[Arabic]
}

// Missing stands in a text for an argument that is not known any more: reasons
// are stored as keys, and what they speak of may not have been kept.
const Missing = "…"

// Localizer speaks one language. It is safe for concurrent use.
type Localizer struct {
	Lang  string // "ar" or "en"
	Dir   string // "rtl" or "ltr"
	Other string // the language to switch to
	plain map[string]string
	known map[string]Message
	loc   *i18n.Localizer
}

func newLocalizer(c *Catalog, bundle *i18n.Bundle, lang string) *Localizer {
	l := &Localizer{Lang: lang, Dir: "rtl", Other: English, plain: map[string]string{}, known: c.messages, loc: i18n.NewLocalizer(bundle, lang)}
	if lang == English {
		l.Dir, l.Other = "ltr", Arabic
	}
	for key, m := range c.messages {
		if t := m[lang]; t.Plural == nil && !strings.Contains(t.Plain, "{{") {
			l.plain[key] = t.Plain
		}
	}
	return l
}

// Has reports whether a key exists, for keys that are made of a code.
func (l *Localizer) Has(key string) bool { _, ok := l.known[key]; return ok }

// T translates a key. args are name, value pairs for {{.Name}} in the text,
// or a single map[string]any. An unknown key comes back as itself in double
// brackets, so that it shows on the page and fails the page test.
func (l *Localizer) T(key string, args ...any) string {
	if s, ok := l.plain[key]; ok {
		return s
	}
	return l.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: pairs(args)})
}

// N translates a counted key in the plural form that n takes. The text reads
// the formatted count as {{.N}}; args are as for T.
func (l *Localizer) N(key string, n int, args ...any) string {
	data := pairs(args)
	data["N"] = l.Int(n)
	return l.localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: n, TemplateData: data})
}

// HTML is T for texts that carry marked-up arguments, such as an isolated
// asset tag. Text and plain arguments are escaped; template.HTML is kept.
func (l *Localizer) HTML(key string, args ...any) template.HTML {
	data := pairs(args)
	var old []string
	i := 0
	for name, v := range data {
		if h, ok := v.(template.HTML); ok {
			mark := fmt.Sprintf("\x02%d\x03", i)
			i++
			old = append(old, mark, string(h))
			data[name] = mark
		}
	}
	s := template.HTMLEscapeString(l.T(key, data))
	return template.HTML(strings.NewReplacer(old...).Replace(s)) //nolint:gosec // escaped above
}

func (l *Localizer) localize(c *i18n.LocalizeConfig) string {
	s, err := l.loc.Localize(c)
	if err != nil {
		return "[[" + c.MessageID + "]]"
	}
	return strings.ReplaceAll(s, "<no value>", Missing)
}

func pairs(args []any) map[string]any {
	data := map[string]any{}
	if len(args) == 1 {
		if m, ok := args[0].(map[string]any); ok {
			for k, v := range m {
				data[k] = v
			}
			return data
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	return data
}
