package integration

import (
	"slices"
	"strings"
	"unicode"

	"github.com/optria-iq/optria/db"
)

// Suggestion is a signal that an unmapped tag may feed. Sure says that asset,
// metric and unit all agree.
type Suggestion struct {
	Target db.MappingTargetsRow
	Sure   bool
}

// minPart is the shortest run of letters or digits that is evidence of a
// metric; shorter ones occur by chance.
const minPart = 2

// Suggest finds the signal that a tag most likely feeds: its asset's tag, whole
// or without the code of the site in front, must appear in the external tag
// once punctuation is gone, and the metric or the unit must agree as well. When
// two signals are equally likely there is no suggestion.
func Suggest(t Tag, targets []db.MappingTargetsRow) (Suggestion, bool) {
	external := plain(t.Address + " " + t.Name)
	words := parts(t.Address + " " + t.Name)
	best, score, tie := Suggestion{}, 0, false
	for _, x := range targets {
		named := naming(x.Tag, external)
		if named == 0 {
			continue
		}
		metric := likeness(x.Metric, words)
		unit := t.Unit != "" && t.Unit == x.Unit
		if metric == 0 && !unit {
			continue
		}
		n := 10*named + 4*metric
		if unit {
			n += 3
		}
		if n >= score {
			tie = n == score
			best, score = Suggestion{x, metric == 2 && (unit || t.Unit == "")}, n
		}
	}
	return best, score > 0 && !tie
}

// minName is the shortest name of an asset without its site, such as GT11.
const minName = 4

// naming is the length of the longest form of an asset's tag that an external
// tag contains, 0 for none. A digit may not follow, so that P-1 is not P-10.
func naming(tag, external string) int {
	own := plain(tag)
	if contains(external, own) {
		return len(own)
	}
	if _, rest, ok := strings.Cut(tag, "-"); ok {
		if short := plain(rest); len(short) >= minName && strings.ContainsAny(short, "0123456789") && contains(external, short) {
			return len(short)
		}
	}
	return 0
}

func contains(external, name string) bool {
	for from := 0; name != ""; {
		at := strings.Index(external[from:], name)
		if at < 0 {
			return false
		}
		end := from + at + len(name)
		if end == len(external) || external[end] < '0' || external[end] > '9' {
			return true
		}
		from = end
	}
	return false
}

// likeness compares a metric such as "dgs_vent" with the words of a tag: 2 when
// it is all there, 1 when a part of it is, 0 otherwise.
func likeness(metric string, words []string) int {
	if slices.Contains(words, plain(metric)) {
		return 2
	}
	mine := parts(metric)
	hits := 0
	for _, m := range mine {
		if len(m) >= minPart && slices.Contains(words, m) {
			hits++
		}
	}
	switch {
	case hits > 0 && hits == len(mine):
		return 2
	case hits > 0:
		return 1
	}
	return 0
}

// plain keeps letters and digits only, in lower case.
func plain(text string) string { return strings.Join(parts(text), "") }

// parts splits at everything that is neither a letter nor a digit.
func parts(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
