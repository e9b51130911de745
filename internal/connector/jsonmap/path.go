// Package jsonmap turns JSON documents into readings by JSONPath expressions
// (RFC 9535), as connectors that poll or receive JSON are configured. The
// expressions are compiled when settings are checked, and neither they nor the
// documents can make the product work without bound.
package jsonmap

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of an expression. A document of n values is walked at most a small
// multiple of n times by what they allow.
const (
	maxPath    = 200 // characters
	maxDescent = 1   // ".." visits every value below
	maxFilters = 2   // "?" asks every member
	maxUnion   = 4   // commas within brackets, which multiply results
)

// Message keys of a refused expression.
const (
	ErrPath        = "connector.json.error.path"         // not a JSONPath expression; says where
	ErrPathComplex = "connector.json.error.path_complex" // beyond the bounds above
)

// Path is a compiled expression. Those that begin with "$" start at the
// document, those that begin with "@" or a name at the item.
type Path struct {
	expr jp.Expr
	root bool
	text string
}

// Compile reads an expression. What is wrong with it comes back as a problem
// of a field, with its place; the empty expression is no error and gives nil.
func Compile(text string) (path *Path, problem string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, ""
	}
	if tooComplex(text) {
		return nil, ErrPathComplex
	}
	expr, err := parse(text)
	if err != nil {
		return nil, connector.ProblemAt(ErrPath, position(err, text))
	}
	return &Path{expr: expr, root: text[0] == '$', text: text}, ""
}

// parse guards against a panic of the library: the text is a person's.
func parse(text string) (expr jp.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse expression: %v", r)
		}
	}()
	return jp.ParseString(text)
}

// place is where the library says that parsing stopped, counted from 1.
var place = regexp.MustCompile(` at (\d+) in `)

func position(err error, text string) int {
	if found := place.FindStringSubmatch(err.Error()); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil {
			return min(n, len(text)+1)
		}
	}
	return 1
}

// tooComplex counts what multiplies the work, outside of quoted names.
func tooComplex(text string) bool {
	if len(text) > maxPath {
		return true
	}
	var quote byte
	var open []byte
	descents, filters, commas := 0, 0, 0
	for i := range len(text) {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote && text[i-1] != '\\' {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[' || c == '(':
			open = append(open, c)
		case (c == ']' || c == ')') && len(open) > 0:
			open = open[:len(open)-1]
		case c == '$' && i > 0:
			return true // the whole document for each of its members
		case c == '?':
			filters++
		case c == '.' && i > 0 && text[i-1] == '.':
			descents++
		case c == ',' && len(open) > 0 && open[len(open)-1] == '[':
			commas++
		}
	}
	return descents > maxDescent || filters > maxFilters || commas > maxUnion
}

// String is the expression as it was written.
func (p *Path) String() string { return p.text }

// All returns every match, in the order of the document.
func (p *Path) All(document, item any) []any { return p.expr.Get(p.start(document, item)) }

// First returns the first match, and whether there is one.
func (p *Path) First(document, item any) (any, bool) {
	return p.expr.FirstFound(p.start(document, item))
}

func (p *Path) start(document, item any) any {
	if p.root {
		return document
	}
	return item
}
