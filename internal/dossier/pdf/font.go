package pdf

import (
	"bytes"
	"embed"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// The two weights of IBM Plex Sans Arabic, whose Latin and Arabic letters are
// drawn for each other (SIL Open Font License 1.1).
//
//go:embed fonts/*.woff
var files embed.FS

// Weight chooses one of the two faces of a file.
type Weight int

// The weights of text.
const (
	Regular Weight = iota
	SemiBold
)

var weights = [...]struct{ file, name string }{
	Regular:  {"fonts/IBMPlexSansArabic-Regular.woff", "OPTRIA+PlexArabic-Regular"},
	SemiBold: {"fonts/IBMPlexSansArabic-SemiBold.woff", "OPTRIA+PlexArabic-SemiBold"},
}

// perEm is the unit of widths in a PDF: thousandths of the size of the font.
const perEm = 1000

// character is a glyph together with the text that it stands for. One glyph
// may stand for several texts, so each pair has a code of its own.
type character struct {
	glyph font.GID
	text  string
}

// face is one font with the characters that a file uses of it. The code of a
// character is its index plus one; code 0 is the glyph of missing characters.
type face struct {
	*font.Face
	loader *opentype.Loader
	name   string
	codes  map[character]int
	used   []character
}

func openFace(w Weight) (*face, error) {
	body, err := files.ReadFile(weights[w].file)
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	loader, err := opentype.NewLoader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("open font %s: %w", weights[w].name, err)
	}
	parsed, err := font.NewFont(loader)
	if err != nil {
		return nil, fmt.Errorf("read font %s: %w", weights[w].name, err)
	}
	return &face{Face: font.NewFace(parsed), loader: loader, name: weights[w].name, codes: map[character]int{}}, nil
}

// code is the number under which a character is written into the file.
func (f *face) code(c character) int {
	if code, known := f.codes[c]; known {
		return code
	}
	f.used = append(f.used, c)
	f.codes[c] = len(f.used)
	return len(f.used)
}

// width is the natural advance of a glyph in thousandths of the size.
func (f *face) width(g font.GID) float64 {
	return float64(f.HorizontalAdvance(g)) * perEm / float64(f.Upem())
}

// kept are the tables that a PDF needs of a TrueType font; characters are
// found by glyph, so neither names nor the character map are among them.
var kept = []string{"cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep"}

// subset is the font file with the outlines of the used glyphs only. Glyphs
// keep their numbers; those that are not used are empty.
func (f *face) subset() ([]byte, error) {
	raw := map[string][]byte{}
	for _, tag := range kept {
		table, err := f.loader.RawTable(opentype.MustNewTag(tag))
		if err != nil {
			return nil, fmt.Errorf("table %q of %s: %w", tag, f.name, err)
		}
		raw[tag] = slices.Clone(table)
	}
	offsets, err := locations(raw["loca"], raw["head"])
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", f.name, err)
	}
	wanted := map[int]bool{0: true}
	for _, c := range f.used {
		wanted[int(c.glyph)] = true
	}
	for _, g := range slices.Sorted(maps.Keys(wanted)) {
		addParts(wanted, raw["glyf"], offsets, g)
	}
	raw["glyf"], raw["loca"] = keepOutlines(raw["glyf"], offsets, wanted)
	binary.BigEndian.PutUint16(raw["head"][50:], 1) // long locations
	var tables []opentype.Table
	for _, tag := range kept {
		tables = append(tables, opentype.Table{Tag: opentype.MustNewTag(tag), Content: raw[tag]})
	}
	return opentype.WriteTTF(tables), nil
}

// locations reads the table of where each outline begins; the last entry is
// the end of the last one.
func locations(loca, head []byte) ([]int, error) {
	if len(head) < 54 {
		return nil, fmt.Errorf("head table of %d bytes", len(head))
	}
	var out []int
	if binary.BigEndian.Uint16(head[50:]) == 0 {
		for ; len(loca) >= 2; loca = loca[2:] {
			out = append(out, 2*int(binary.BigEndian.Uint16(loca)))
		}
		return out, nil
	}
	for ; len(loca) >= 4; loca = loca[4:] {
		out = append(out, int(binary.BigEndian.Uint32(loca)))
	}
	return out, nil
}

// The flags of a part of a composed glyph (OpenType, table "glyf").
const (
	wordArguments = 1 << 0
	oneScale      = 1 << 3
	moreParts     = 1 << 5
	twoScales     = 1 << 6
	matrix        = 1 << 7
)

// addParts marks the glyphs of which a composed glyph is made, and theirs.
func addParts(wanted map[int]bool, glyf []byte, offsets []int, g int) {
	if g+1 >= len(offsets) || offsets[g+1]-offsets[g] < 12 {
		return
	}
	outline := glyf[offsets[g]:offsets[g+1]]
	if int16(binary.BigEndian.Uint16(outline)) >= 0 { // #nosec G115 -- the field is a signed number
		return
	}
	for outline = outline[10:]; len(outline) >= 4; {
		flags, part := binary.BigEndian.Uint16(outline), int(binary.BigEndian.Uint16(outline[2:]))
		if !wanted[part] {
			wanted[part] = true
			addParts(wanted, glyf, offsets, part)
		}
		size := 6
		if flags&wordArguments != 0 {
			size += 2
		}
		switch {
		case flags&oneScale != 0:
			size += 2
		case flags&twoScales != 0:
			size += 4
		case flags&matrix != 0:
			size += 8
		}
		if flags&moreParts == 0 || size > len(outline) {
			return
		}
		outline = outline[size:]
	}
}

func keepOutlines(glyf []byte, offsets []int, wanted map[int]bool) (outlines, loca []byte) {
	for g := range offsets {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(outlines))) // #nosec G115 -- a part of a font file
		if g+1 < len(offsets) && wanted[g] {
			outlines = append(outlines, glyf[offsets[g]:offsets[g+1]]...)
			outlines = append(outlines, make([]byte, (4-len(outlines)%4)%4)...)
		}
	}
	return outlines, loca
}
