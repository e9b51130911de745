package rest

import (
	"net/url"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// Names that a template may hold in braces.
const (
	varSince  = "since"
	varUntil  = "until"
	varTag    = "tag"
	varPage   = "page"
	varOffset = "offset"
	varCursor = "cursor"
	varLimit  = "limit"
)

// template is the path and query of a request with names in braces. A value
// that is put in is escaped for its place; in the query a parameter that ends
// up empty is left out, as the cursor of a first page is.
type template struct {
	path  string
	query url.Values
	names []string
}

// parseTemplate reads a template. Its problem is that of a field.
func parseTemplate(text string) (template, string) {
	names, at := placeholders(text)
	if at > 0 {
		return template{}, connector.ProblemAt(ErrTemplate, at)
	}
	path, rawQuery, _ := strings.Cut(text, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil || !strings.HasPrefix(path, "/") || strings.Contains(text, "#") {
		return template{}, ErrPath
	}
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		return template{}, ErrPath
	}
	return template{path: unescaped, query: query, names: names}, ""
}

// placeholders lists the names in braces; at is the place, from 1, of the first
// brace that holds no known name, zero when all is well.
func placeholders(text string) (names []string, at int) {
	known := []string{varSince, varUntil, varTag, varPage, varOffset, varCursor, varLimit}
	for rest, place := text, 0; ; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return names, 0
		}
		end := strings.IndexByte(rest[open:], '}')
		if rest[open] == '}' || end < 0 || !slices.Contains(known, rest[open+1:open+end]) {
			return names, place + open + 1
		}
		names = append(names, rest[open+1:open+end])
		place += open + end + 1
		rest = rest[open+end+1:]
	}
}

func (t template) has(name string) bool { return slices.Contains(t.names, name) }

// expand fills a template in.
func (t template) expand(values map[string]string) (path string, query url.Values) {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	fill := strings.NewReplacer(pairs...)
	query = make(url.Values, len(t.query))
	for key, list := range t.query {
		for _, value := range list {
			filled := fill.Replace(value)
			if filled == "" && value != "" {
				continue
			}
			query.Add(key, filled)
		}
	}
	return fill.Replace(t.path), query
}
