package saptest

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// row is one entity: texts, instants, durations, booleans and numbers.
type row map[string]any

// condition decides about a row.
type condition func(row) bool

// tokenPattern splits a $filter into literals, names and brackets.
var tokenPattern = regexp.MustCompile(`^\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|datetimeoffset'[^']*'|datetime'[^']*'|'(?:[^']|'')*'|\(|\)|[A-Za-z_][A-Za-z0-9_]*)`)

// parser reads the part of OData's filter language that maintenance services
// are asked in: comparisons joined by and, or and brackets.
type parser struct {
	model  *model
	tokens []string
}

func parseFilter(m *model, filter string) (condition, error) {
	p := &parser{model: m}
	for rest := filter; strings.TrimSpace(rest) != ""; {
		match := tokenPattern.FindStringSubmatch(rest)
		if match == nil {
			return nil, fmt.Errorf("syntax error in filter at %.20q", rest)
		}
		p.tokens = append(p.tokens, match[1])
		rest = rest[len(match[0]):]
	}
	holds, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q in filter", p.tokens[0])
	}
	return holds, err
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *parser) takes(token string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == token {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *parser) either() (condition, error) {
	left, err := p.both()
	for err == nil && p.takes("or") {
		first := left
		var second condition
		second, err = p.both()
		left = func(r row) bool { return first(r) || second(r) }
	}
	return left, err
}

func (p *parser) both() (condition, error) {
	left, err := p.single()
	for err == nil && p.takes("and") {
		first := left
		var second condition
		second, err = p.single()
		left = func(r row) bool { return first(r) && second(r) }
	}
	return left, err
}

func (p *parser) single() (condition, error) {
	if p.takes("(") {
		inner, err := p.either()
		if err == nil && !p.takes(")") {
			err = errors.New("a bracket is not closed")
		}
		return inner, err
	}
	name, operator, operand := p.next(), p.next(), p.next()
	f, ok := p.model.field(name)
	if !ok || f.hidden {
		return nil, fmt.Errorf("property %q cannot be filtered by", name)
	}
	want, err := parseLiteral(f, operand)
	if err != nil {
		return nil, err
	}
	meets, ok := map[string]func(int) bool{"eq": func(c int) bool { return c == 0 }, "ne": func(c int) bool { return c != 0 },
		"gt": func(c int) bool { return c > 0 }, "ge": func(c int) bool { return c >= 0 },
		"lt": func(c int) bool { return c < 0 }, "le": func(c int) bool { return c <= 0 }}[operator]
	if !ok {
		return nil, fmt.Errorf("operator %q is not known", operator)
	}
	return func(r row) bool {
		have := r[name]
		return have != nil && meets(compare(have, want)) // nothing compares with null
	}, nil
}

// parseLiteral reads an operand after the type of its field.
func parseLiteral(f field, token string) (any, error) {
	open, closed := strings.Index(token, "'"), strings.HasSuffix(token, "'")
	prefix, inner := "", ""
	if open >= 0 && closed && len(token) > open+1 {
		prefix, inner = token[:open], token[open+1:len(token)-1]
	}
	switch {
	case f.kind == text && prefix == "" && closed:
		return strings.ReplaceAll(inner, "''", "'"), nil
	case f.kind == day && prefix == "datetime":
		at, err := time.Parse("2006-01-02T15:04:05", inner)
		return at, err
	case f.kind == instant && prefix == "datetimeoffset":
		at, err := time.Parse(time.RFC3339, inner)
		return at, err
	case f.kind == day && open < 0: // version 4
		at, err := time.Parse(time.DateOnly, token)
		return at, err
	case f.kind == flag && (token == "true" || token == "false"):
		return token == "true", nil
	}
	return nil, fmt.Errorf("%s does not compare with %q", f.name, token)
}

// compare orders two values of one type.
func compare(a, b any) int {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case time.Time:
		return x.Compare(b.(time.Time))
	case time.Duration:
		return cmp.Compare(x, b.(time.Duration))
	case bool:
		if x == b.(bool) {
			return 0
		}
		return 1
	}
	panic(fmt.Sprintf("saptest: %T does not compare", a))
}
