package jsonmap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

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
// int64, others as float64, the nearest one where a number has more digits.
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
	return plain(document), nil
}

// plain replaces the numbers that the parser leaves as their text, those of
// many digits, so that expressions can compare them. The depth is bounded.
func plain(value any) any {
	switch x := value.(type) {
	case json.Number:
		// Out of range it is infinite, which Number refuses.
		number, _ := strconv.ParseFloat(string(x), 64)
		return number
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for key, member := range x {
			switch member.(type) {
			case json.Number, []any, map[string]any:
				x[key] = plain(member)
			}
		}
	}
	return value
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
