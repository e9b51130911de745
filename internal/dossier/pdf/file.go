package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// The names of the parts that belong to no section.
const (
	PartFrame = "frame" // page tree, page numbers and description
	PartFonts = "fonts"
	PartIndex = "index" // the table of objects at the end
)

// file is a PDF in the making: objects with their offsets and named parts.
type file struct {
	bytes.Buffer
	offsets []int // of object i+1
	parts   []Part
	marked  int // where the last part ended
}

// mark closes a part: the bytes since the last mark belong to name.
func (f *file) mark(name string) {
	length := f.Len() - f.marked
	f.marked = f.Len()
	if n := len(f.parts); n > 0 && f.parts[n-1].Name == name {
		f.parts[n-1].Length += length
		return
	}
	f.parts = append(f.parts, Part{name, length})
}

// object writes an object under its number.
func (f *file) object(id int, body string) {
	for len(f.offsets) < id {
		f.offsets = append(f.offsets, 0)
	}
	f.offsets[id-1] = f.Len()
	fmt.Fprintf(f, "%d 0 obj\n%s\nendobj\n", id, body)
}

func (f *file) stream(id int, dictionary string, body []byte) error {
	packed, err := deflate(body)
	if err != nil {
		return err
	}
	f.object(id, fmt.Sprintf("<< %s /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", dictionary, len(packed), packed))
	return nil
}

// The numbers of the first objects; each font takes fontObjects from firstFont
// on, then come the pages.
const (
	catalogID = 1 + iota
	pagesID
	infoID
	firstFont
)

const fontObjects = 6

// Bytes writes the file, and says in order which bytes belong to which name.
// ending is where the table of objects stands, as the file's last lines repeat
// it for readers that search backwards.
func (d *Document) Bytes() (body []byte, parts []Part, ending string, err error) {
	f := &file{}
	f.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	next := firstFont + fontObjects*len(weights)
	var kids []string
	for _, streams := range d.pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", next))
		next += 1 + len(streams)
	}
	direction := "L2R"
	if d.info.RTL {
		direction = "R2L"
	}
	f.object(catalogID, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Lang (%s) /ViewerPreferences << /Direction /%s /DisplayDocTitle true >> >>", pagesID, d.info.Language, direction))
	f.object(pagesID, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(d.pages), strings.Join(kids, " ")))
	created := d.info.Created.UTC().Format("D:20060102150405Z")
	f.object(infoID, fmt.Sprintf("<< /Title %s /Producer (OPTRIA IQ) /CreationDate (%s) >>", textString(d.info.Title), created))
	f.mark(PartFrame)
	for w := range weights {
		if err := d.faces[Weight(w)].write(f, firstFont+fontObjects*w); err != nil {
			return nil, nil, "", err
		}
	}
	f.mark(PartFonts)
	if err := d.writePages(f); err != nil {
		return nil, nil, "", err
	}
	start := f.Len()
	fmt.Fprintf(f, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, offset := range f.offsets {
		fmt.Fprintf(f, "%010d 00000 n \n", offset)
	}
	ending = fmt.Sprintf("startxref\n%d\n%%%%EOF\n", start)
	fmt.Fprintf(f, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n%s", len(f.offsets)+1, catalogID, infoID, ending)
	f.mark(PartIndex)
	return f.Buffer.Bytes(), f.parts, ending, nil
}

func (d *Document) writePages(f *file) error {
	id := firstFont + fontObjects*len(weights)
	var fonts strings.Builder
	for w := range weights {
		fmt.Fprintf(&fonts, "/F%d %d 0 R ", w, firstFont+fontObjects*w)
	}
	for _, streams := range d.pages {
		var contents []string
		for i := range streams {
			contents = append(contents, fmt.Sprintf("%d 0 R", id+1+i))
		}
		f.object(id, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Resources << /Font << %s>> >> /Contents [%s] >>",
			pagesID, number(PageWidth), number(PageHeight), fonts.String(), strings.Join(contents, " ")))
		f.mark(PartFrame)
		for i, s := range streams {
			if err := f.stream(id+1+i, "", []byte(s.body.String())); err != nil {
				return err
			}
			f.mark(s.name)
		}
		id += 1 + len(streams)
	}
	return nil
}

// textString prints a text string as UTF-16 in hexadecimal.
func textString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	b.WriteString(">")
	return b.String()
}

// write prints a font as objects from id on: the composite font, its
// descendant, its description, its outlines, which glyph each code shows, and
// which text each code means.
func (f *face) write(out *file, id int) error {
	outlines, err := f.subset()
	if err != nil {
		return err
	}
	out.object(id, fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>", f.name, id+1, id+5))
	out.object(id+1, fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "+
		"/FontDescriptor %d 0 R /CIDToGIDMap %d 0 R /W [1 [%s]] >>", f.name, id+2, id+4, f.widths()))
	extents, _ := f.FontHExtents()
	out.object(id+2, fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [-500 -500 1500 1200] /ItalicAngle 0 /Ascent %s /Descent %s /CapHeight 698 /StemV 80 /FontFile2 %d 0 R >>",
		f.name, number(float64(extents.Ascender)), number(float64(extents.Descender)), id+3))
	if err := out.stream(id+3, fmt.Sprintf("/Length1 %d", len(outlines)), outlines); err != nil {
		return err
	}
	glyphs := []byte{0, 0}
	for _, c := range f.used {
		glyphs = append(glyphs, byte(c.glyph>>8), byte(c.glyph)) // #nosec G115 -- a TrueType font has at most 65535 glyphs
	}
	if err := out.stream(id+4, "", glyphs); err != nil {
		return err
	}
	return out.stream(id+5, "", []byte(f.meaning()))
}

func (f *face) widths() string {
	out := make([]string, len(f.used))
	for i, c := range f.used {
		out[i] = number(f.width(c.glyph))
	}
	return strings.Join(out, " ")
}

// rangesPerBlock is how many entries one block of a character map may hold.
const rangesPerBlock = 100

// meaning is the character map from codes to text.
func (f *face) meaning() string {
	var entries []string
	for i, c := range f.used {
		if c.text == "" {
			continue
		}
		var text strings.Builder
		for _, unit := range utf16.Encode([]rune(c.text)) {
			fmt.Fprintf(&text, "%04X", unit)
		}
		entries = append(entries, fmt.Sprintf("<%04X> <%s>\n", i+1, text.String()))
	}
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for len(entries) > 0 {
		n := min(rangesPerBlock, len(entries))
		fmt.Fprintf(&b, "%d beginbfchar\n%sendbfchar\n", n, strings.Join(entries[:n], ""))
		entries = entries[n:]
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.String()
}
