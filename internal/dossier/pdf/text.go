package pdf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// Style is how text looks: weight, size in points and shade from 0 (black) to
// 1 (white).
type Style struct {
	Weight Weight
	Size   float64
	Shade  float64
}

// Line is one laid-out line: its width in points at its style.
type Line struct {
	Width float64
	style Style
	runs  shaping.Line
	text  []rune
}

// ResolveFace gives every character to this face.
func (f *face) ResolveFace(rune) *font.Face { return f.Face }

// Wrap lays text out in lines of at most width points. Line feeds begin a new
// line. rtl is the direction of the paragraph; the directions inside follow
// the Unicode bidirectional algorithm, isolates included.
func (d *Document) Wrap(text string, style Style, width float64, rtl bool) []Line {
	var out []Line
	for paragraph := range strings.SplitSeq(strings.ToValidUTF8(text, "\uFFFD"), "\n") {
		out = append(out, d.wrapParagraph([]rune(paragraph), style, width, rtl)...)
	}
	return out
}

func (d *Document) wrapParagraph(text []rune, style Style, width float64, rtl bool) []Line {
	if len(text) == 0 {
		return []Line{{style: style}}
	}
	f := d.faces[style.Weight]
	direction := di.DirectionLTR
	if rtl {
		direction = di.DirectionRTL
	}
	input := shaping.Input{Text: text, RunEnd: len(text), Direction: direction, Face: f.Face, Size: fixed.I(perEm), Language: language.NewLanguage("ar")}
	var runs []shaping.Output
	for _, part := range d.segmenter.Split(input, f) {
		runs = append(runs, d.shaper.Shape(part))
	}
	limit := fixed.Int26_6(width / style.Size * perEm * 64)
	d.wrapper.Prepare(shaping.WrapConfig{Direction: direction}, text, shaping.NewSliceIterator(runs))
	var out []Line
	for {
		wrapped, done := d.wrapper.WrapNextLineF(limit)
		out = append(out, newLine(wrapped.Line, text, style))
		if done {
			return out
		}
	}
}

// newLine copies a wrapped line, whose memory the wrapper uses again, and puts
// its runs in the order in which they stand from left to right.
func newLine(runs shaping.Line, text []rune, style Style) Line {
	l := Line{style: style, text: text}
	for _, run := range runs {
		run.Glyphs = slices.Clone(run.Glyphs)
		l.runs = append(l.runs, run)
		l.Width += units(run.Advance) * style.Size / perEm
	}
	slices.SortStableFunc(l.runs, func(a, b shaping.Output) int { return cmp.Compare(a.VisualIndex, b.VisualIndex) })
	return l
}

func units(v fixed.Int26_6) float64 { return float64(v) / 64 }

// Draw writes a line with its left end at x and its baseline at y, in points
// from the lower left corner of the page.
func (d *Document) Draw(l Line, x, y float64) {
	if len(l.runs) == 0 {
		return
	}
	f := d.faces[l.style.Weight]
	var b strings.Builder
	fmt.Fprintf(&b, "BT /F%d %s Tf %s g 1 0 0 1 %s %s Tm [", l.style.Weight, number(l.style.Size), number(l.style.Shade), number(x), number(y))
	for _, run := range l.runs {
		texts := clusterTexts(run, l.text)
		for i, g := range run.Glyphs {
			writeGlyph(&b, f, l.style.Size, g, texts[i])
		}
	}
	b.WriteString("] TJ ET\n")
	d.Write(b.String())
}

// writeGlyph writes one glyph into an open array of shown text. The distance
// that shaping gives it differs from its natural one by kerning and marks.
func writeGlyph(b *strings.Builder, f *face, size float64, g shaping.Glyph, text string) {
	natural, offset := f.width(g.GlyphID), units(g.XOffset)
	if offset != 0 {
		b.WriteString(number(-offset) + " ")
	}
	rise := units(g.YOffset)
	if rise != 0 {
		fmt.Fprintf(b, "] TJ %s Ts [", number(rise*size/perEm))
	}
	fmt.Fprintf(b, "<%04X>", f.code(character{g.GlyphID, text}))
	if rise != 0 {
		b.WriteString("] TJ 0 Ts [")
	}
	if rest := natural + offset - units(g.Advance); rest != 0 {
		b.WriteString(number(rest) + " ")
	}
}

// clusterTexts gives every glyph the text that it stands for: the first glyph
// of a cluster with a width carries the text, the others none. Invisible marks
// of direction stand for nothing.
func clusterTexts(run shaping.Output, text []rune) []string {
	out := make([]string, len(run.Glyphs))
	for from := 0; from < len(run.Glyphs); {
		first := run.Glyphs[from]
		to := min(len(run.Glyphs), from+max(1, first.GlyphsCount()))
		carrier := from
		for i := from; i < to; i++ {
			if run.Glyphs[i].Advance != 0 {
				carrier = i
				break
			}
		}
		start := first.TextIndex()
		out[carrier] = visible(text[start:min(len(text), start+first.RunesCount())])
		from = to
	}
	return out
}

func visible(text []rune) string {
	return string(slices.DeleteFunc(slices.Clone(text), func(r rune) bool { return unicode.Is(unicode.Cf, r) }))
}
