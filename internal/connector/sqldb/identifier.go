package sqldb

import (
	"fmt"
	"regexp"
	"strings"
)

// identifier is the form of one part of a name: a letter or underscore, then
// letters, digits, _, $ and #. Nothing that quoting would have to save.
var identifier = regexp.MustCompile(`^[\p{L}_][\p{L}\p{M}\p{N}_$#]{0,127}$`)

// table is a name of one to three parts, such as catalogue, schema, table.
type table []string

// parseTable splits a name at its dots and checks each part.
func parseTable(name string) (table, error) {
	parts := strings.Split(name, ".")
	if len(parts) > 3 {
		return nil, fmt.Errorf("%q has more than three parts", name)
	}
	for _, part := range parts {
		if !identifier.MatchString(part) {
			return nil, fmt.Errorf("%q is not an identifier", part)
		}
	}
	return parts, nil
}

// quoted writes the name for a dialect.
func (t table) quoted(d dialect) string {
	parts := make([]string, len(t))
	for i, part := range t {
		parts[i] = d.quote(part)
	}
	return strings.Join(parts, ".")
}
