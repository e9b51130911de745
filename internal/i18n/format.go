package i18n

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// digits prints Latin digits with grouping in both languages: tag "ar" would
// print Arabic-Indic digits, and its Latin variant hidden direction marks.
var digits = message.NewPrinter(language.English)

// Float converts any number to float64. Other values give NaN.
func Float(v any) float64 {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch {
	case rv.CanInt():
		return float64(rv.Int())
	case rv.CanUint():
		return float64(rv.Uint())
	case rv.CanFloat():
		return rv.Float()
	}
	return math.NaN()
}

// Int formats a whole number: 1,284.
func (l *Localizer) Int(n int) string { return digits.Sprint(number.Decimal(n)) }

// Num formats a number with at most the given decimals, two by default:
// 1,284.5. A value that is not a number gives an en dash.
func (l *Localizer) Num(v any, decimals ...int) string {
	f := Float(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	places := 2
	if len(decimals) > 0 {
		places = decimals[0]
	}
	s := digits.Sprint(number.Decimal(f, number.MaxFractionDigits(places)))
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return s
}

// Pct formats a fraction as a percentage with at most the given decimals, one
// by default: 0.135 gives 13.5%.
func (l *Localizer) Pct(v any, decimals ...int) string {
	places := 1
	if len(decimals) > 0 {
		places = decimals[0]
	}
	s := l.Num(Float(v)*100, places)
	if s == "–" {
		return s
	}
	return s + "%"
}

// Currency is the short name of the Saudi riyal.
func (l *Localizer) Currency() string {
	if l.Lang == Arabic {
		return "ر.س"
	}
	return "SAR"
}

// Money formats riyals without decimals: 1,284,500 and its unit.
func (l *Localizer) Money(v any) string { return l.Num(v, 0) + " " + l.Currency() }

// Compact shortens an amount to about three digits and names the scale:
// 4,120,000 gives "4.12" and "M SAR" («مليون ر.س»).
func (l *Localizer) Compact(v any) (amount, unit string) {
	f := Float(v)
	scales := [...]struct {
		from   float64
		ar, en string
	}{{1e9, "مليار ", "B "}, {1e6, "مليون ", "M "}, {1e3, "ألف ", "k "}}
	for _, s := range scales {
		// Rounding may lift 999,600 to a full million; the scale follows it.
		if a := math.Abs(f); a >= s.from*0.9995 {
			name := s.en
			if l.Lang == Arabic {
				name = s.ar
			}
			return l.significant(f / s.from), name + l.Currency()
		}
	}
	return l.Num(f, 0), l.Currency()
}

func (l *Localizer) significant(f float64) string {
	switch a := math.Abs(f); {
	case a >= 99.95:
		return l.Num(f, 0)
	case a >= 9.995:
		return l.Num(f, 1)
	}
	return l.Num(f, 2)
}

// MoneyCompact is Compact as one string: "4.12 M SAR".
func (l *Localizer) MoneyCompact(v any) string {
	amount, unit := l.Compact(v)
	return amount + " " + unit
}

// Signed formats a number with its sign always shown: +531 or -12.1.
func (l *Localizer) Signed(v any, decimals ...int) string {
	s := l.Num(v, decimals...)
	if Float(v) > 0 && s != "0" {
		return "+" + s
	}
	return s
}

// Bytes formats a size in binary units: 12.4 MiB.
func (l *Localizer) Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for math.Abs(f) >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%s %s", l.Num(f, 1), units[i])
}
