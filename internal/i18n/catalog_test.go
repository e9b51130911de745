package i18n

import (
	"html/template"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

func catalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := New()
	require.NoError(t, err)
	return c
}

var (
	forms       = map[string][]string{Arabic: {"zero", "one", "two", "few", "many", "other"}, English: {"one", "other"}}
	placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	// latin are texts that name the other language, or a product whose name is
	// the same in both.
	latin = map[string]bool{"lang.switch": true}
)

// TestEveryMessageIsComplete is the gate for translators: both languages, all
// plural forms, the same placeholders, and Arabic that is Arabic.
func TestEveryMessageIsComplete(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, key := range c.Keys() {
		m := c.Message(key)
		require.Len(t, m, 2, "%s needs ar and en only", key)
		require.Equal(t, m[Arabic].Plural == nil, m[English].Plural == nil, "%s: plural in both languages or in none", key)
		for _, lang := range Languages() {
			for _, s := range texts(t, key, lang, m[lang]) {
				require.NotEmpty(t, s, "%s %s", key, lang)
				if lang == Arabic && !latin[key] && hasLetters(placeholder.ReplaceAllString(s, "")) {
					require.True(t, hasArabic(s), "%s: %q has no Arabic letter", key, s)
				}
				if lang == English && !latin[key] {
					require.False(t, hasArabic(s), "%s: %q has Arabic letters", key, s)
				}
			}
		}
		if m[Arabic].Plural == nil {
			require.ElementsMatch(t, names(m[Arabic].Plain), names(m[English].Plain), "%s: placeholders differ", key)
		}
	}
}

func texts(t *testing.T, key, lang string, text Text) []string {
	t.Helper()
	if text.Plural == nil {
		return []string{text.Plain}
	}
	var out []string
	for _, form := range forms[lang] {
		s, ok := text.Plural[form]
		require.True(t, ok, "%s %s lacks plural form %s", key, lang, form)
		out = append(out, s)
	}
	require.Len(t, text.Plural, len(forms[lang]), "%s %s has an unknown plural form", key, lang)
	return out
}

func names(s string) []string {
	seen := map[string]bool{}
	out := []string{}
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			out = append(out, m[1])
		}
	}
	return out
}

func hasLetters(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

func hasArabic(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Arabic, r) {
			return true
		}
	}
	return false
}

func TestPluralForms(t *testing.T) {
	t.Parallel()
	l := catalog(t).Localizer(Arabic)
	for n, want := range map[int]string{
		0: "لا أصول", 1: "أصل واحد", 2: "أصلان", 3: "3 أصول", 10: "10 أصول", 11: "11 أصلًا", 99: "99 أصلًا",
		100: "100 أصل", 102: "102 أصل", 103: "103 أصول", 111: "111 أصلًا", 1000: "1,000 أصل",
	} {
		require.Equal(t, want, l.N("count.assets", n), "%d", n)
	}
	en := catalog(t).Localizer(English)
	require.Equal(t, "1 asset", en.N("count.assets", 1))
	require.Equal(t, "2 assets", en.N("count.assets", 2))
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	ar, en := c.Localizer(Arabic), c.Localizer(English)
	for _, tc := range []struct{ name, got, want string }{
		{"grouping", ar.Num(1284500.25), "1,284,500.25"},
		{"negative", en.Num(-3.25), "-3.25"},
		{"negative zero", en.Num(-0.001), "0"},
		{"not a number", en.Num("x"), "–"},
		{"percent", ar.Pct(0.135), "13.5%"},
		{"percent decimals", en.Pct(0.02217, 2), "2.22%"},
		{"money", en.Money(1284500), "1,284,500 SAR"},
		{"money ar", ar.Money(1284500), "1,284,500 ر.س"},
		{"millions", en.MoneyCompact(4_120_000), "4.12 M SAR"},
		{"rounds up", en.MoneyCompact(999_600), "1 M SAR"},
		{"thousands ar", ar.MoneyCompact(412_000.0), "412 ألف ر.س"},
		{"small", en.MoneyCompact(640), "640 SAR"},
		{"signed", en.Signed(531.4, 0), "+531"},
		{"bytes", en.Bytes(13_000_000), "12.4 MiB"},
	} {
		require.Equal(t, tc.want, tc.got, tc.name)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	ar, en := c.Localizer(Arabic), c.Localizer(English)
	at := time.Date(2026, 11, 10, 22, 30, 0, 0, time.UTC) // the 11th in Riyadh
	require.Equal(t, "11 نوفمبر 2026", ar.Date(at))
	require.Equal(t, "11 Nov 2026, 01:30", en.Minute(at))
	require.Equal(t, "Wednesday 11 November 2026", en.LongDate(at))
	require.Equal(t, "الأربعاء", ar.Weekday(at))
	require.Equal(t, "1 جمادى الآخرة 1448 هـ", ar.Hijri(at))
	require.Equal(t, "–", en.Date(time.Time{}))
	require.Equal(t, "قبل 18 دقيقة", ar.Since(at.Add(-18*time.Minute), at))
	require.Equal(t, "in 3 days", en.Since(at.Add(73*time.Hour), at))
	require.Equal(t, "just now", en.Since(at, at))
	dubai := time.FixedZone("GST", 4*3600)
	require.Equal(t, "02:30", en.Clock(at.In(dubai)), "a time placed in a zone keeps it")
}

func TestTexts(t *testing.T) {
	t.Parallel()
	l := catalog(t).Localizer("fr")
	require.Equal(t, Arabic, l.Lang, "an unknown language falls back to Arabic")
	require.Equal(t, "[[no.such.key]]", l.T("no.such.key"))
	require.Equal(t, "[[no.such.key]]", l.N("no.such.key", 2))
	en := catalog(t).Localizer(English)
	require.Equal(t, "Emergency access to Sahel", en.T("breakglass.title", "Tenant", "Sahel"))
	require.Equal(t, template.HTML("Emergency access to <b>S</b>"), en.HTML("breakglass.title", "Tenant", template.HTML("<b>S</b>")))
	require.Equal(t, template.HTML("Emergency access to &lt;b&gt;"), en.HTML("breakglass.title", "Tenant", "<b>"))
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	_, err := Load(fstest.MapFS{"a.json": {Data: []byte(`{"k":{"ar":"ن","en":"t"}}`)}, "b.json": {Data: []byte(`{"k":{"ar":"ن","en":"t"}}`)}})
	require.ErrorContains(t, err, `message "k"`)
	_, err = Load(fstest.MapFS{"a.json": {Data: []byte(`{`)}})
	require.ErrorContains(t, err, "parse messages a.json")
}
