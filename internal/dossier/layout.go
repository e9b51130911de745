package dossier

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/optria-iq/optria/internal/dossier/pdf"
	"github.com/optria-iq/optria/internal/dossier/seal"
	"github.com/optria-iq/optria/internal/i18n"
)

// The page in points: margins, and the space that header and footer take.
const (
	margin     = 42.0
	pageTop    = pdf.PageHeight - 60
	pageBottom = 56.0
	textWidth  = pdf.PageWidth - 2*margin
	padding    = 4.0
	leading    = 1.55 // distance of lines in sizes of the font
)

// The styles of a page.
var (
	styleTitle   = pdf.Style{Weight: pdf.SemiBold, Size: 20}
	styleSub     = pdf.Style{Size: 12, Shade: .25}
	styleHeading = pdf.Style{Weight: pdf.SemiBold, Size: 13}
	styleText    = pdf.Style{Size: 9.5}
	styleLabel   = pdf.Style{Size: 9.5, Shade: .35}
	styleHead    = pdf.Style{Weight: pdf.SemiBold, Size: 8.5, Shade: .2}
	styleCell    = pdf.Style{Size: 8.5}
	styleNote    = pdf.Style{Size: 8, Shade: .35}
	styleEdge    = pdf.Style{Size: 8, Shade: .4}
)

// layout fills pages from top to bottom. y is where the next line may begin.
type layout struct {
	out *pdf.Document
	doc Document
	y   float64
}

// PDF prints a document, numbering its pages in the words of l, and says which
// bytes belong to which section. ending are the last lines of the file, which
// a seal repeats.
func PDF(l *i18n.Localizer, d Document, created time.Time) (body []byte, parts []seal.Part, ending string, err error) {
	out, err := pdf.New(pdf.Info{Title: plain(d.Title + " – " + d.Subtitle), Language: d.Lang, RTL: d.RTL(), Created: created})
	if err != nil {
		return nil, nil, "", fmt.Errorf("open PDF: %w", err)
	}
	x := &layout{out: out, doc: d}
	x.newPage()
	x.text(d.Title, styleTitle)
	x.text(d.Subtitle, styleSub)
	for _, s := range d.Sections {
		x.section(s)
	}
	x.edges(l)
	body, named, ending, err := out.Bytes()
	if err != nil {
		return nil, nil, "", fmt.Errorf("write PDF: %w", err)
	}
	for _, p := range named {
		parts = append(parts, seal.Part{Name: p.Name, Length: p.Length})
	}
	return body, parts, ending, nil
}

func (x *layout) newPage() {
	x.out.AddPage()
	if x.out.Pages() == 1 {
		x.out.Name(pdf.PartFrame)
	}
	x.y = pageTop
}

// room begins a new page unless height fits on this one.
func (x *layout) room(height float64) bool {
	if x.y-height >= pageBottom {
		return false
	}
	x.newPage()
	return true
}

// edges draws the running header and the page number once it is known how many
// pages there are.
func (x *layout) edges(l *i18n.Localizer) {
	x.out.Name(pdf.PartFrame)
	for page := range x.out.Pages() {
		x.out.Turn(page)
		x.out.Rectangle(margin, pageTop+18, textWidth, .6, .75)
		x.line(x.doc.Title+" · "+x.doc.Subtitle, styleEdge, pageTop+24, 0, textWidth, false)
		x.out.Rectangle(margin, pageBottom-14, textWidth, .6, .75)
		x.line(x.doc.Footer, styleEdge, pageBottom-26, 0, textWidth-90, false)
		number := l.T("dossier.page", "Page", strconv.Itoa(page+1), "Pages", strconv.Itoa(x.out.Pages()))
		x.line(number, styleEdge, pageBottom-26, textWidth-90, 90, true)
	}
}

// line draws the first line of a text between two distances from the start of
// the line.
func (x *layout) line(text string, style pdf.Style, y, from, width float64, end bool) {
	x.draw(x.wrap(text, style, width)[0], y, from, width, end)
}

// wrap lays a text out. What somebody typed keeps the direction of its first
// letter; all else has that of the document.
func (x *layout) wrap(text string, style pdf.Style, width float64) []pdf.Line {
	rtl := x.doc.RTL()
	if free, ok := whole(text); ok {
		text, rtl = free, firstStrong(free, rtl)
	}
	return x.out.Wrap(text, style, width, rtl)
}

// whole answers the inner text when a text is one isolate of somebody's words.
func whole(text string) (string, bool) {
	inner, ok := strings.CutPrefix(text, isolateFirst)
	inner, closed := strings.CutSuffix(inner, isolateEnd)
	return inner, ok && closed && !strings.ContainsAny(inner, isolateFirst+isolateLTR+isolateEnd)
}

// firstStrong reports whether the first letter of a text is of a script that
// reads from the right.
func firstStrong(text string, fallback bool) bool {
	for _, r := range text {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana) && unicode.IsLetter(r) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return fallback
}

// draw puts a line into a box that begins a distance from the start of the
// line, which is the right edge in Arabic.
func (x *layout) draw(l pdf.Line, y, from, width float64, end bool) {
	offset := from
	if end {
		offset = from + width - l.Width
	}
	if x.doc.RTL() {
		x.out.Draw(l, pdf.PageWidth-margin-offset-l.Width, y)
		return
	}
	x.out.Draw(l, margin+offset, y)
}

// text writes a paragraph over the whole width.
func (x *layout) text(text string, style pdf.Style) {
	for _, l := range x.wrap(text, style, textWidth) {
		x.room(style.Size * leading)
		x.y -= style.Size * leading
		x.draw(l, x.y+style.Size*.4, 0, textWidth, false)
	}
	x.y -= padding
}

func (x *layout) section(s Section) {
	x.out.Name(s.Name)
	x.y -= 8
	x.room(styleHeading.Size*leading + 90) // a heading does not stand alone at the end of a page
	x.text(s.Title, styleHeading)
	for _, b := range s.Blocks {
		if b.Paragraph != "" {
			x.text(b.Paragraph, styleText)
		}
		for _, f := range b.Facts {
			x.fact(f)
		}
		if b.Table != nil {
			x.table(*b.Table)
		}
		x.y -= padding
	}
}

// labelShare is the part of the width that the labels of facts take.
const labelShare = .26

func (x *layout) fact(f Fact) {
	label := x.wrap(f.Label, styleLabel, textWidth*labelShare-padding)
	value := x.wrap(f.Value, styleText, textWidth*(1-labelShare))
	step := styleText.Size * leading
	for i := range max(len(label), len(value)) {
		x.room(step)
		x.y -= step
		if i < len(label) {
			x.draw(label[i], x.y+4, 0, textWidth*labelShare, false)
		}
		if i < len(value) {
			x.draw(value[i], x.y+4, textWidth*labelShare, textWidth*(1-labelShare), false)
		}
	}
	x.out.Rectangle(margin, x.y, textWidth, .4, .88)
}
