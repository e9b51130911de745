package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// exact finds units by a normal spelling, folded by one in lower case; -1
// marks a spelling that several units share.
var exact, folded = index()

// spellings brings the many ways of writing a unit to one: superscripts, dots
// and blanks say nothing that the letters do not.
var spellings = strings.NewReplacer(
	"²", "2", "³", "3", "µ", "u", "μ", "u", "º", "°", "℃", "°C", "℉", "°F", "Ω", "ohm", "Ω", "ohm", "٪", "%",
	"·", "", "⋅", "", "∙", "", "*", "", "^", "", ".", "", " ", "", "\u00a0", "", "\u200e", "", "\u200f", "", "_", "", "[", "", "]", "", "(", "", ")", "",
)

// normal is the spelling by which units are found.
func normal(text string) string { return spellings.Replace(strings.TrimSpace(text)) }

// rounded drops the noise of a division beyond twelve digits, so that a factor
// reads as people write it.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	if err != nil {
		return v // NaN and infinities print and parse; nothing else fails
	}
	return r
}

// index builds both maps and panics when two units claim one spelling, which
// is a mistake of the table.
func index() (byText, byLower map[string]int) {
	byText, byLower = map[string]int{}, map[string]int{}
	add := func(i int, text string) {
		key := normal(text)
		if at, taken := byText[key]; taken && at != i {
			panic(fmt.Sprintf("unit: %q means %s and %s", text, table[at].Symbol, table[i].Symbol))
		}
		byText[key] = i
		lower := strings.ToLower(key)
		if at, taken := byLower[lower]; taken && at != i {
			byLower[lower] = -1
			return
		}
		byLower[lower] = i
	}
	for i, u := range table {
		if u.Code != "" {
			add(i, u.Code)
		}
		add(i, u.Symbol)
		for _, alias := range aliases[u.Symbol] {
			add(i, alias)
		}
	}
	return byText, byLower
}
