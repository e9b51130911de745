// Package pdf writes PDF 1.7 files with shaped text. Arabic is joined by
// HarfBuzz and ordered by the Unicode bidirectional algorithm; the fonts are
// embedded with the used outlines only and map back to text, so a reader can
// search and copy. Every part of a file carries a name, and Bytes says which
// bytes each name covers. The same calls give the same bytes.
package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-text/typesetting/shaping"
)

// The size of a page (A4) in points.
const (
	PageWidth  = 595.28
	PageHeight = 841.89
)

// Info describes a file to its reader.
type Info struct {
	Title    string
	Language string // "ar" or "en"
	RTL      bool
	Created  time.Time
}

// Part is a run of bytes of the file that belongs to a name.
type Part struct {
	Name   string
	Length int
}

// stream is drawing of one name on one page.
type stream struct {
	name string
	body strings.Builder
}

// Document collects pages. It is for one goroutine.
type Document struct {
	info      Info
	faces     map[Weight]*face
	shaper    shaping.HarfbuzzShaper
	segmenter shaping.Segmenter
	wrapper   shaping.LineWrapper
	pages     [][]*stream
	page      int
	name      string
}

// New opens an empty file.
func New(info Info) (*Document, error) {
	d := &Document{info: info, faces: map[Weight]*face{}, page: -1}
	for _, w := range []Weight{Regular, SemiBold} {
		f, err := openFace(w)
		if err != nil {
			return nil, err
		}
		d.faces[w] = f
	}
	return d, nil
}

// AddPage begins a page; what is drawn next goes on it.
func (d *Document) AddPage() {
	d.pages = append(d.pages, nil)
	d.page = len(d.pages) - 1
}

// Pages is the number of pages so far.
func (d *Document) Pages() int { return len(d.pages) }

// Turn goes back to a page, counted from 0, to draw more on it.
func (d *Document) Turn(page int) { d.page = page }

// Name says to which part what is drawn next belongs.
func (d *Document) Name(name string) { d.name = name }

// Write adds operators to the page.
func (d *Document) Write(operators string) {
	streams := d.pages[d.page]
	if len(streams) == 0 || streams[len(streams)-1].name != d.name {
		d.pages[d.page] = append(streams, &stream{name: d.name})
		streams = d.pages[d.page]
	}
	streams[len(streams)-1].body.WriteString(operators)
}

// Rectangle fills an area with a shade from 0 (black) to 1 (white).
func (d *Document) Rectangle(x, y, width, height, shade float64) {
	d.Write(fmt.Sprintf("%s g %s %s %s %s re f\n", number(shade), number(x), number(y), number(width), number(height)))
}

// number prints a coordinate with three decimals at most.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', 3, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// deflate compresses a stream.
func deflate(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compress stream: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress stream: %w", err)
	}
	return b.Bytes(), nil
}
