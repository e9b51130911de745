package integration

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/unit"
)

// Tag is a readable node of a source.
type Tag struct {
	Address, Name, Unit string
}

// Suggestion is a signal that an unmapped tag may feed. Sure says that asset,
// metric and unit all agree. Confidence grows from 0 to 1 with how much of the
// names agrees.
type Suggestion struct {
	Target     db.MappingTargetsRow
	Sure       bool
	Confidence float64
}

// minPart is the shortest run of letters or digits that is evidence of a
// metric; shorter ones occur by chance.
const minPart = 2

// Suggester knows the names of the signals that tags may feed. It is built
// once for many tags and safe for concurrent use.
type Suggester struct{ targets []candidate }

// candidate is a signal with its names prepared for comparison.
type candidate struct {
	db.MappingTargetsRow
	own, short, metric string   // the asset's tag, without its site, and the metric; letters and digits only
	words              []string // of the metric
}

// NewSuggester prepares signals for comparison.
func NewSuggester(targets []db.MappingTargetsRow) Suggester {
	s := Suggester{targets: make([]candidate, 0, len(targets))}
	for _, x := range targets {
		c := candidate{MappingTargetsRow: x, own: plain(x.Tag), metric: plain(x.Metric), words: parts(x.Metric)}
		if _, rest, ok := strings.Cut(x.Tag, "-"); ok {
			if short := plain(rest); len(short) >= minName && strings.ContainsAny(short, "0123456789") {
				c.short = short
			}
		}
		s.targets = append(s.targets, c)
	}
	return s
}

// Suggest finds the signal that a tag most likely feeds: its asset's tag, whole
// or without the code of the site in front, must appear in the external tag
// once punctuation is gone, and the metric or the unit must agree as well. A
// signal in a unit that the tag's cannot be converted to is out of the
// question. When two signals are equally likely there is no suggestion.
func (s Suggester) Suggest(t Tag) (Suggestion, bool) {
	external := plain(t.Address + " " + t.Name)
	words := parts(t.Address + " " + t.Name)
	best, score, tie := Suggestion{}, 0, false
	for _, x := range s.targets {
		named := x.naming(external)
		if named == 0 {
			continue
		}
		metric, same := x.likeness(words), t.Unit != "" && unit.Same(t.Unit, x.Unit)
		if (metric == 0 && !same) || contradicts(t.Unit, x.Unit) {
			continue
		}
		n := 10*named + 4*metric
		if same {
			n += 3
		}
		if n >= score {
			tie = n == score
			best, score = Suggestion{x.MappingTargetsRow, metric == 2 && (same || t.Unit == ""), x.confidence(named, metric, same || t.Unit == "")}, n
		}
	}
	return best, score > 0 && !tie
}

// contradicts reports whether two known units measure different quantities.
func contradicts(source, stored string) bool {
	if source == "" || stored == "" {
		return false
	}
	_, err := unit.Between(source, stored)
	return errors.Is(err, unit.ErrDimension)
}

// confidence weighs the three kinds of evidence: the asset's name four parts of
// ten, the metric four, the unit two.
func (x candidate) confidence(named, metric int, sameUnit bool) float64 {
	c := 0.4 * float64(named) / float64(max(1, len(x.own)))
	c += 0.2 * float64(metric)
	if sameUnit {
		c += 0.2
	}
	return min(1, c)
}

// minName is the shortest name of an asset without its site, such as GT11.
const minName = 4

// naming is the length of the longest form of the asset's tag that an external
// tag contains, 0 for none. A digit may not follow, so that P-1 is not P-10.
func (x candidate) naming(external string) int {
	switch {
	case contains(external, x.own):
		return len(x.own)
	case x.short != "" && contains(external, x.short):
		return len(x.short)
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

// likeness compares the metric, such as "dgs_vent", with the words of a tag: 2
// when it is all there, 1 when a part of it is, 0 otherwise.
func (x candidate) likeness(words []string) int {
	if slices.Contains(words, x.metric) {
		return 2
	}
	hits := 0
	for _, m := range x.words {
		if len(m) >= minPart && slices.Contains(words, m) {
			hits++
		}
	}
	switch {
	case hits > 0 && hits == len(x.words):
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

// Pattern is the LIKE pattern that finds a text anywhere in folded letters, ""
// for no text.
func Pattern(text string) string {
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(asset.Fold(text)) + "%"
}
