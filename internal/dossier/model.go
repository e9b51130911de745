// Package dossier turns the record of a plan into one document in Arabic or
// English, prints it as HTML or PDF, and seals it so that anyone who holds the
// file and the public key can tell whether a byte of it was changed and in
// which section. It needs no database: the record is given to it.
package dossier

import (
	"strings"
	"unicode"
)

// Document is a dossier in one language, ready to be printed in any form.
// Texts may hold the isolates that LTR and Free put around tags and around
// what people typed.
type Document struct {
	Lang     string    `json:"lang"` // "ar" or "en"
	Title    string    `json:"title"`
	Subtitle string    `json:"subtitle"`
	Footer   string    `json:"footer"`
	Sections []Section `json:"sections"`
}

// RTL reports whether the document reads from the right.
func (d Document) RTL() bool { return d.Lang == "ar" }

// Section is a named part of a document. Name is the same in both languages
// and is what a verifier answers with.
type Section struct {
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	Blocks []Block `json:"blocks"`
}

// Block is a paragraph, a list of facts or a table.
type Block struct {
	Paragraph string `json:"paragraph,omitempty"`
	Facts     []Fact `json:"facts,omitempty"`
	Table     *Table `json:"table,omitempty"`
}

// Fact is a label with its value.
type Fact struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Table is rows under titled columns.
type Table struct {
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
}

// Column is one column. Share is its part of the width in relation to the
// others; End aligns numbers at the end of the line.
type Column struct {
	Title string  `json:"title"`
	Share float64 `json:"share"`
	End   bool    `json:"end,omitempty"`
}

// Row is one row with a note below its cells, such as reasons.
type Row struct {
	Cells []string `json:"cells"`
	Note  string   `json:"note,omitempty"`
}

// The isolates of the Unicode bidirectional algorithm (UAX #9).
const (
	isolateLTR   = "\u2066"
	isolateFirst = "\u2068"
	isolateEnd   = "\u2069"
)

// LTR isolates a tag, a hash or a number that reads from the left in any
// language. An empty text stays empty.
func LTR(s string) string {
	if s == "" {
		return ""
	}
	return isolateLTR + plain(s) + isolateEnd
}

// Free isolates a text that somebody typed: its direction is its own, and
// marks of direction in it cannot reach what stands around it.
func Free(s string) string {
	if s == "" {
		return ""
	}
	return isolateFirst + plain(s) + isolateEnd
}

// plain takes marks of direction and control characters out of a text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}
