package opcua

import (
	"encoding/binary"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Bounds of one message: how deep values may be nested in one another, arrays
// of several dimensions included, and how many elements its arrays may have
// that take more memory than bytes. A million of them are some 130 MB.
const (
	deepest      = 32
	mostElements = 1 << 20
)

// Types that the library decodes by code of their own.
var (
	typeVariant   = reflect.TypeFor[*ua.Variant]()
	typeDataValue = reflect.TypeFor[*ua.DataValue]()
	typeObject    = reflect.TypeFor[*ua.ExtensionObject]()
	typeDiagnosis = reflect.TypeFor[*ua.DiagnosticInfo]()
	typeTime      = reflect.TypeFor[time.Time]()
	typeDecoder   = reflect.TypeFor[ua.BinaryDecoder]()
)

// measure walks through an encoded message of the type of target, OPC 10000-6
// 5.2, without decoding it. It fails when the message claims more than it
// holds, or nests deeper than this product reads.
func measure(b []byte, target any) error {
	r := &ruler{rest: b, left: mostElements}
	r.walk(reflect.TypeOf(target).Elem(), 0)
	if r.wrong {
		return ua.StatusBadEncodingLimitsExceeded
	}
	return nil
}

// ruler is a place in a message. Once wrong it stays so, and moves no more.
type ruler struct {
	rest  []byte
	left  int // elements that may still come
	wrong bool
}

// skip moves n bytes on and returns them.
func (r *ruler) skip(n int) []byte {
	if r.wrong || n < 0 || n > len(r.rest) {
		r.wrong = true
		return nil
	}
	passed := r.rest[:n]
	r.rest = r.rest[n:]
	return passed
}

func (r *ruler) byte() byte {
	if b := r.skip(1); !r.wrong {
		return b[0]
	}
	return 0
}

// length reads the length of a text or an array; null counts as zero. Every
// element takes a byte at least.
func (r *ruler) length() int {
	b := r.skip(4)
	if r.wrong {
		return 0
	}
	n := int32(binary.LittleEndian.Uint32(b))
	if n == -1 {
		return 0
	}
	if n < 0 || int(n) > len(r.rest) {
		r.wrong = true
		return 0
	}
	return int(n)
}

// walk passes one value of a type, as the library's reflection does.
func (r *ruler) walk(t reflect.Type, depth int) {
	switch {
	case r.wrong:
	case t == typeVariant:
		r.variant(depth)
	case t == typeDataValue:
		r.dataValue(depth)
	case t == typeObject:
		r.object(depth)
	case t == typeDiagnosis:
		r.diagnosis(depth)
	case t == typeTime:
		r.skip(8)
	case t.Implements(typeDecoder):
		r.decode(t)
	default:
		r.walkKind(t, depth)
	}
}

func (r *ruler) walkKind(t reflect.Type, depth int) {
	switch t.Kind() {
	case reflect.Pointer:
		r.walk(t.Elem(), depth)
	case reflect.Struct:
		for i := range t.NumField() {
			r.walk(t.Field(i).Type, depth)
		}
	case reflect.Slice:
		n := r.length()
		if t.Elem().Kind() == reflect.Uint8 {
			r.skip(n)
			return
		}
		r.elements(n, t.Elem(), depth)
	case reflect.String:
		r.skip(r.length())
	case reflect.Bool, reflect.Int8, reflect.Uint8, reflect.Int16, reflect.Uint16, reflect.Int32, reflect.Uint32, reflect.Int64, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		r.skip(int(t.Size()))
	default:
		r.wrong = true
	}
}

// elements passes n values of a type.
func (r *ruler) elements(n int, t reflect.Type, depth int) {
	if r.left -= n; r.left < 0 {
		r.wrong = true
	}
	for range n {
		if r.walk(t, depth); r.wrong {
			return
		}
	}
}

// decode passes a type that is decoded by code of its own and holds no other:
// a node id, a text with locale, a GUID.
func (r *ruler) decode(t reflect.Type) {
	n, err := reflect.New(t.Elem()).Interface().(ua.BinaryDecoder).Decode(r.rest)
	if err != nil {
		r.wrong = true
		return
	}
	r.skip(n)
}

// deeper reports that one more level would be too deep.
func (r *ruler) deeper(depth int) bool {
	r.wrong = r.wrong || depth >= deepest
	return r.wrong
}

func (r *ruler) dataValue(depth int) {
	mask := r.byte()
	if mask&ua.DataValueValue != 0 {
		r.variant(depth + 1)
	}
	for _, field := range dataValueFields {
		if mask&field.bit != 0 {
			r.skip(field.size)
		}
	}
}

// dataValueFields are those of a data value that have one size each.
var dataValueFields = []struct {
	bit  byte
	size int
}{{ua.DataValueStatusCode, 4}, {ua.DataValueSourceTimestamp, 8}, {ua.DataValueServerTimestamp, 8}, {ua.DataValueSourcePicoseconds, 2}, {ua.DataValueServerPicoseconds, 2}}

func (r *ruler) diagnosis(depth int) {
	if r.deeper(depth) {
		return
	}
	mask := r.byte()
	for _, bit := range []byte{ua.DiagnosticInfoSymbolicID, ua.DiagnosticInfoNamespaceURI, ua.DiagnosticInfoLocale, ua.DiagnosticInfoLocalizedText} {
		if mask&bit != 0 {
			r.skip(4)
		}
	}
	if mask&ua.DiagnosticInfoAdditionalInfo != 0 {
		r.skip(r.length())
	}
	if mask&ua.DiagnosticInfoInnerStatusCode != 0 {
		r.skip(4)
	}
	if mask&ua.DiagnosticInfoInnerDiagnosticInfo != 0 {
		r.diagnosis(depth + 1)
	}
}

// object passes an extension object. Its body is of the type that the library
// has for its id; a body of an unknown type is not decoded.
func (r *ruler) object(depth int) {
	if r.deeper(depth) {
		return
	}
	start := r.rest
	r.decode(reflect.TypeFor[*ua.ExpandedNodeID]())
	id := start[:len(start)-len(r.rest)]
	mask := r.byte()
	if r.wrong || mask == ua.ExtensionObjectEmpty {
		return
	}
	body := &ruler{rest: r.skip(r.length()), left: r.left}
	if r.wrong || len(body.rest) == 0 || mask == ua.ExtensionObjectXML {
		return
	}
	if t := typeOf(id); t != nil {
		body.walk(t, depth+1)
		r.left, r.wrong = body.left, body.wrong
	}
}

// typeOf asks the library for the type of an extension object, by an object
// with a body of one byte.
func typeOf(id []byte) reflect.Type {
	probe := &ua.ExtensionObject{}
	_, _ = probe.Decode(append(append([]byte{}, id...), ua.ExtensionObjectBinary, 1, 0, 0, 0, 0)) // the body is too short for most
	if probe.Value == nil {
		return nil
	}
	return reflect.TypeOf(probe.Value)
}

// sizes are those of the scalars of a variant that have one size each; zero is
// another type.
var sizes = [variantType + 1]int{
	ua.TypeIDBoolean: 1, ua.TypeIDSByte: 1, ua.TypeIDByte: 1, ua.TypeIDInt16: 2, ua.TypeIDUint16: 2, ua.TypeIDInt32: 4, ua.TypeIDUint32: 4,
	ua.TypeIDInt64: 8, ua.TypeIDUint64: 8, ua.TypeIDFloat: 4, ua.TypeIDDouble: 8, ua.TypeIDDateTime: 8, ua.TypeIDStatusCode: 4,
}

// scalars are those whose types the reflection knows.
var scalars = map[ua.TypeID]reflect.Type{
	ua.TypeIDString: reflect.TypeFor[string](), ua.TypeIDByteString: reflect.TypeFor[string](), ua.TypeIDXMLElement: reflect.TypeFor[string](),
	ua.TypeIDGUID: reflect.TypeFor[*ua.GUID](), ua.TypeIDNodeID: reflect.TypeFor[*ua.NodeID](), ua.TypeIDExpandedNodeID: reflect.TypeFor[*ua.ExpandedNodeID](),
	ua.TypeIDQualifiedName: reflect.TypeFor[*ua.QualifiedName](), ua.TypeIDLocalizedText: reflect.TypeFor[*ua.LocalizedText](),
	ua.TypeIDExtensionObject: typeObject, ua.TypeIDDataValue: typeDataValue, ua.TypeIDVariant: typeVariant, ua.TypeIDDiagnosticInfo: typeDiagnosis,
}

// Bits of the first byte of a variant.
const (
	variantType       = 0x3f
	variantDimensions = 0x40
	variantArray      = 0x80
)

func (r *ruler) variant(depth int) {
	if r.deeper(depth) {
		return
	}
	mask := r.byte()
	kind := ua.TypeID(mask & variantType)
	if kind == ua.TypeIDNull {
		return
	}
	n := 1
	if mask&variantArray != 0 {
		n = r.length()
	}
	if size := sizes[kind]; size > 0 {
		r.skip(n * size)
	} else if t, known := scalars[kind]; known {
		r.elements(n, t, depth+1)
	} else {
		r.wrong = true
	}
	if mask&variantArray != 0 && mask&variantDimensions != 0 {
		r.dimensions(n)
	}
}

// dimensions passes the dimensions of an array, whose product has to be its
// length.
func (r *ruler) dimensions(n int) {
	count := r.length()
	if count > deepest {
		r.wrong = true
		return
	}
	product := 1
	for range count {
		b := r.skip(4)
		if r.wrong {
			return
		}
		size := int(int32(binary.LittleEndian.Uint32(b)))
		if size < 1 || product > n/size {
			r.wrong = true
			return
		}
		product *= size
	}
	r.wrong = r.wrong || count > 0 && product != n
}
