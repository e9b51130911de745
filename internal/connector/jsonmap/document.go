package jsonmap

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ohler55/ojg/oj"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of a document. They keep a hostile one, such as megabytes of opening
// brackets, from taking many times its size in memory or the stack.
const (
	maxDepth  = 64
	maxValues = 2_000_000
)

var (
	errDeep  = fmt.Errorf("more than %d levels", maxDepth)
	errMany  = fmt.Errorf("more than %d values", maxValues)
	errEmpty = errors.New("no content")
)

// Parse reads a JSON document: objects as map[string]any, whole numbers as
// int64, others as float64, and numbers that fit neither as their text.
func Parse(body []byte) (any, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, connector.Failed(connector.KeyProtocol, errEmpty)
	}
	depth, values := measure(body)
	switch {
	case depth > maxDepth:
		return nil, connector.Failed(connector.KeyTooLarge, errDeep)
	case values > maxValues:
		return nil, connector.Failed(connector.KeyTooLarge, errMany)
	}
	document, err := (&oj.Parser{}).Parse(body)
	if err != nil {
		// The message of the parser names the place and one character.
		return nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("read JSON: %w", err))
	}
	return document, nil
}

// measure returns the depth and an upper bound of the number of values.
func measure(body []byte) (depth, values int) {
	level, quoted, values := 0, false, 1
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			values++
			depth = max(depth, level)
		case c == '}' || c == ']':
			level--
		case c == ',':
			values++
		}
	}
	return depth, values
}
