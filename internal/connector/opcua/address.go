package opcua

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gopcua/opcua/ua"
)

// maxAddress bounds the length of an address in characters.
const maxAddress = 400

// Address is a node id whose namespace is named by URI, or by index where URI
// is empty. Node carries the identifier; its namespace index counts only
// without URI.
type Address struct {
	URI  string
	Node *ua.NodeID
}

var (
	errAddress = errors.New("not a node id such as nsu=urn:plant;s=Pump 1/Flow or ns=2;i=1001")
	guidForm   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	identifier = regexp.MustCompile(`(^|;)[isgb]=`)
)

// ParseAddress reads a node id in the text form of OPC 10000-6 5.1.12.
func ParseAddress(text string) (Address, error) {
	if utf8.RuneCountInString(text) > maxAddress || !utf8.ValidString(text) {
		return Address{}, errAddress
	}
	at := identifier.FindStringIndex(text)
	if at == nil {
		return Address{}, errAddress
	}
	space, rest := text[:at[0]], strings.TrimPrefix(text[at[0]:], ";")
	a, index := Address{}, uint64(0)
	switch {
	case at[0] == 0 && !strings.HasPrefix(text, ";"):
	case strings.HasPrefix(space, "nsu="):
		uri, err := unescape(space[4:])
		if err != nil || uri == "" {
			return Address{}, errAddress
		}
		a.URI = uri
	case strings.HasPrefix(space, "ns="):
		var err error
		if index, err = strconv.ParseUint(space[3:], 10, 16); err != nil {
			return Address{}, errAddress
		}
	default:
		return Address{}, errAddress
	}
	node, err := parseIdentifier(uint16(index), rest[0], rest[2:])
	a.Node = node
	return a, err
}

func parseIdentifier(namespace uint16, form byte, text string) (*ua.NodeID, error) {
	switch form {
	case 'i':
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, errAddress
		}
		return ua.NewNumericNodeID(namespace, uint32(number)), nil
	case 's':
		if text == "" {
			return nil, errAddress
		}
		return ua.NewStringNodeID(namespace, text), nil
	case 'g':
		if !guidForm.MatchString(text) {
			return nil, errAddress
		}
		return ua.NewGUIDNodeID(namespace, text), nil
	default:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) == 0 {
			return nil, errAddress
		}
		return ua.NewByteStringNodeID(namespace, raw), nil
	}
}

// String writes the address so that ParseAddress reads it back.
func (a Address) String() string {
	text := identifierOf(a.Node)
	switch {
	case a.URI != "":
		return "nsu=" + escape(a.URI) + ";" + text
	case a.Node.Namespace() != 0:
		return fmt.Sprintf("ns=%d;%s", a.Node.Namespace(), text)
	default:
		return text
	}
}

func identifierOf(node *ua.NodeID) string {
	switch node.Type() {
	case ua.NodeIDTypeString:
		return "s=" + node.StringID()
	case ua.NodeIDTypeGUID:
		return "g=" + node.StringID()
	case ua.NodeIDTypeByteString:
		return "b=" + node.StringID()
	default:
		return "i=" + strconv.FormatUint(uint64(node.IntID()), 10)
	}
}

// escape writes the two characters that a namespace URI may not show within a
// node id, OPC 10000-6 5.1.12.
func escape(uri string) string {
	return strings.NewReplacer("%", "%25", ";", "%3B").Replace(uri)
}

func unescape(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", errAddress
		}
		code, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", errAddress
		}
		out.WriteByte(byte(code))
		i += 2
	}
	if !utf8.ValidString(out.String()) {
		return "", errAddress
	}
	return out.String(), nil
}

// namespaces is the table of a session: the URIs in the order of their
// indexes. Index 0 is that of OPC UA itself.
type namespaces []string

// resolve returns the node id that the session understands, or false when the
// server does not have the namespace.
func (n namespaces) resolve(a Address) (*ua.NodeID, bool) {
	if a.URI == "" {
		return a.Node, true
	}
	for index, uri := range n {
		if uri != a.URI {
			continue
		}
		node, err := parseIdentifier(uint16(index), identifierOf(a.Node)[0], identifierOf(a.Node)[2:])
		return node, err == nil
	}
	return nil, false
}

// name returns the address of a node, by URI where the table has one.
func (n namespaces) name(node *ua.NodeID) string {
	a := Address{Node: node}
	if index := int(node.Namespace()); index > 0 && index < len(n) {
		a.URI = n[index]
	}
	return a.String()
}
