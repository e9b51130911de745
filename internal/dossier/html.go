package dossier

import (
	_ "embed"
	"fmt"
	"html"
	"strings"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

//go:embed dossier.css
var css string

// partFrame names the bytes of an HTML dossier around its sections.
const partFrame = "frame"

// isolates turns the isolates of a text into elements.
var isolates = strings.NewReplacer(isolateLTR, `<bdi dir="ltr">`, isolateFirst, "<bdi>", isolateEnd, "</bdi>", "\n", "<br>")

// HTML prints a document as one page that needs nothing else, and says which
// bytes belong to which section.
func HTML(d Document) ([]byte, []seal.Part) {
	var b strings.Builder
	var parts []seal.Part
	marked := 0
	mark := func(name string) {
		parts = append(parts, seal.Part{Name: name, Length: b.Len() - marked})
		marked = b.Len()
	}
	direction := "ltr"
	if d.RTL() {
		direction = "rtl"
	}
	fmt.Fprintf(&b, `<!doctype html>
<html lang="%s" dir="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>%s</title><style>
%s</style></head><body>
<header><h1>%s</h1><p>%s</p></header>
`, d.Lang, direction, html.EscapeString(plain(d.Title+" – "+d.Subtitle)), css, markup(d.Title), markup(d.Subtitle))
	mark(partFrame)
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "<section id=\"%s\"><h2>%s</h2>\n", s.Name, markup(s.Title))
		for _, x := range s.Blocks {
			writeBlock(&b, x)
		}
		b.WriteString("</section>\n")
		mark(s.Name)
	}
	fmt.Fprintf(&b, "<footer>%s</footer></body></html>\n", markup(d.Footer))
	mark(partFrame)
	return []byte(b.String()), parts
}

func markup(text string) string { return isolates.Replace(html.EscapeString(text)) }

func writeBlock(b *strings.Builder, x Block) {
	if x.Paragraph != "" {
		fmt.Fprintf(b, "<p>%s</p>\n", markup(x.Paragraph))
	}
	if len(x.Facts) > 0 {
		b.WriteString("<dl>\n")
		for _, f := range x.Facts {
			fmt.Fprintf(b, "<div><dt>%s</dt><dd>%s</dd></div>\n", markup(f.Label), markup(f.Value))
		}
		b.WriteString("</dl>\n")
	}
	if x.Table != nil {
		writeTable(b, *x.Table)
	}
}

func writeTable(b *strings.Builder, t Table) {
	b.WriteString("<div class=\"wide\"><table><thead><tr>")
	for _, c := range t.Columns {
		fmt.Fprintf(b, "<th scope=\"col\"%s>%s</th>", endClass(c), markup(c.Title))
	}
	b.WriteString("</tr></thead>\n")
	for _, r := range t.Rows {
		b.WriteString("<tbody><tr>")
		for i, cell := range r.Cells {
			fmt.Fprintf(b, "<td%s>%s</td>", endClass(t.Columns[i]), markup(cell))
		}
		b.WriteString("</tr>")
		if r.Note != "" {
			fmt.Fprintf(b, "<tr class=\"note\"><td colspan=\"%d\">%s</td></tr>", len(t.Columns), markup(r.Note))
		}
		b.WriteString("</tbody>\n")
	}
	b.WriteString("</table></div>\n")
}

func endClass(c Column) string {
	if c.End {
		return ` class="end"`
	}
	return ""
}
