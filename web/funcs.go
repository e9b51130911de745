package web

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/web/chart"
)

//go:embed icons/*.svg
var iconFiles embed.FS

var iconBody = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)

// icons holds the inner markup of each vetted icon file.
var icons = func() map[string]string {
	m := map[string]string{}
	files, err := fs.Glob(iconFiles, "icons/*.svg")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, f := range files {
		b, err := iconFiles.ReadFile(f)
		if err != nil {
			panic(err) // the file is embedded
		}
		m[strings.TrimSuffix(path.Base(f), ".svg")] = strings.Join(strings.Fields(iconBody.FindStringSubmatch(string(b))[1]), " ")
	}
	return m
}()

var (
	errIcon = errors.New("unknown icon")
	errDict = errors.New("dict needs name, value pairs")
)

// funcs binds the template functions to one language.
func (x *Renderer) funcs(l *i18n.Localizer) template.FuncMap {
	m := template.FuncMap{
		"t": l.T, "tn": count(l), "th": l.HTML,
		"lang": func() string { return l.Lang },
		"dir":  func() string { return l.Dir },
		"rtl":  func() bool { return l.Dir == "rtl" },

		"num":      func(v any, d ...int) template.HTML { return isolate(l.Num(v, d...)) },
		"pct":      func(v any, d ...int) template.HTML { return isolate(l.Pct(v, d...)) },
		"signed":   func(v any, d ...int) template.HTML { return isolate(l.Signed(v, d...)) },
		"money":    func(v any) template.HTML { return amount(l.Num(v, 0), l.Currency()) },
		"moneyc":   func(v any) template.HTML { return amount(l.Compact(v)) },
		"moneyd":   func(v any) template.HTML { return moneyChange(l, v) },
		"qty":      func(v any, unit string, d ...int) template.HTML { return quantity(l.Num(v, d...), unit) },
		"currency": l.Currency, "bytes": l.Bytes,

		"date": onTime(l.Date), "shortdate": onTime(l.ShortDate), "longdate": onTime(l.LongDate),
		"datetime": onTime(l.Minute), "clock": onTime(l.Clock), "weekday": onTime(l.Weekday), "hijri": onTime(l.Hijri),
		"since": onTime(func(t time.Time) string { return l.Since(t, time.Now()) }),
		"span":  l.Span,
		"iso":   onTime(func(t time.Time) string { return t.Format(time.RFC3339) }),

		"loginPlot": func() chart.Plot { return landingSolve(Page{Lang: l.Lang, loc: l}, chart.For(l.Lang)) },

		"nonce":  func() string { return x.mark },
		"static": x.static.Path,
	}
	for name, f := range plainFuncs {
		m[name] = f
	}
	return m
}

// plainFuncs need no language.
var plainFuncs = template.FuncMap{
	"icon": icon, "tag": tag, "dict": dict, "seq": seq, "px": px,
	"list": func(v ...any) []any { return v },
	"add":  func(a, b any) float64 { return i18n.Float(a) + i18n.Float(b) },
	"sub":  func(a, b any) float64 { return i18n.Float(a) - i18n.Float(b) },
	"mul":  func(a, b any) float64 { return i18n.Float(a) * i18n.Float(b) },
	"addi": func(a, b int) int { return a + b },
	"odd":  func(i int) bool { return i%2 == 1 },
}

func count(l *i18n.Localizer) func(string, any, ...any) string {
	return func(key string, n any, args ...any) string { return l.N(key, int(i18n.Float(n)), args...) }
}

// onTime lets templates pass a time, a pointer or nil; nil gives an en dash.
func onTime(f func(time.Time) string) func(any) (string, error) {
	return func(v any) (string, error) {
		switch t := v.(type) {
		case nil:
			return "–", nil
		case time.Time:
			if t.IsZero() {
				return "–", nil
			}
			return f(t), nil
		case *time.Time:
			if t == nil || t.IsZero() {
				return "–", nil
			}
			return f(*t), nil
		}
		return "", fmt.Errorf("not a time: %T", v)
	}
}

func icon(name string, class ...string) (template.HTML, error) {
	body, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("%w: %s", errIcon, name)
	}
	classes := template.HTMLEscapeString(strings.Join(append([]string{"ic"}, class...), " "))
	return template.HTML(`<svg class="` + classes + `" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + body + `</svg>`), nil //nolint:gosec // vetted files
}

// tag isolates an asset tag or identifier: Latin order, also inside Arabic.
func tag(v any) template.HTML {
	return template.HTML(`<bdi dir="ltr" class="tag">` + template.HTMLEscapeString(fmt.Sprint(v)) + `</bdi>`) //nolint:gosec // escaped
}

func isolate(s string) template.HTML {
	return template.HTML(`<span class="num">` + template.HTMLEscapeString(s) + `</span>`) //nolint:gosec // escaped
}

// amount prints money: the number is isolated, its unit follows in the
// direction of the text because it may be Arabic.
func amount(n, unit string) template.HTML {
	return isolate(n) + template.HTML(` <span class="unit">`+template.HTMLEscapeString(unit)+`</span>`) //nolint:gosec // escaped
}

// moneyChange prints a difference of money, a rise with its sign.
func moneyChange(l *i18n.Localizer, v any) template.HTML {
	n, unit := l.Compact(v)
	if i18n.Float(v) > 0 && n != "0" {
		n = "+" + n
	}
	return amount(n, unit)
}

// quantity keeps a number and its Latin unit in one isolated run; outside it
// the unit would jump to the other side in Arabic.
func quantity(n, unit string) template.HTML {
	return template.HTML(`<span class="num">` + template.HTMLEscapeString(n) + ` <span class="unit">` + template.HTMLEscapeString(unit) + `</span></span>`) //nolint:gosec // escaped
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errDict
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errDict
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

func seq(n int) []int {
	s := make([]int, max(0, n))
	for i := range s {
		s[i] = i
	}
	return s
}

// px prints a coordinate with at most two decimals.
func px(v any) string {
	return strconv.FormatFloat(math.Round(i18n.Float(v)*100)/100, 'f', -1, 64)
}
