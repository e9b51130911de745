package mqtt

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds of one payload.
const (
	maxPayload    = 32 << 20 // bytes, also after decompression
	maxMetrics    = 200_000
	maxProperties = 64
	longestName   = 400 // bytes
)

// compressed is the uuid of a payload whose body is another payload.
const compressed = "SPBV1.0_COMPRESSED"

// Data types of Sparkplug B (specification 3.0, section 6.4.16).
const (
	typeInt8 = iota + 1
	typeInt16
	typeInt32
	typeInt64
	typeUInt8
	typeUInt16
	typeUInt32
	typeUInt64
	typeFloat
	typeDouble
	typeBoolean
	typeString
)

// payload is a decoded Sparkplug B payload.
type payload struct {
	timestamp uint64 // milliseconds since 1970
	hasSeq    bool
	seq       uint64
	uuid      string
	body      []byte
	metrics   []wireMetric
}

// wireMetric is a metric as sent. Integers come as the bits of an unsigned
// number, whatever their type.
type wireMetric struct {
	name      string
	hasAlias  bool
	alias     uint64
	timestamp uint64
	dataType  uint64
	null      bool
	integer   uint64
	float     float64
	kind      byte // 'i', 'f', 'b', 's' or 'x' for text, bytes and structures; 0 without a value
	text      string
	props     map[string]any // uint64, float64, bool or string
}

var errTooMany = errors.New("more metrics than are taken")

// parsePayload decodes a payload, compressed or not.
func parsePayload(b []byte) (payload, error) {
	p, err := decodePayload(b)
	if err != nil || p.uuid != compressed {
		return p, err
	}
	algorithm := "DEFLATE"
	for _, m := range p.metrics {
		if m.name == "algorithm" && m.text != "" {
			algorithm = m.text
		}
	}
	unpacked, err := unpack(algorithm, p.body)
	if err != nil {
		return payload{}, fmt.Errorf("unpack payload: %w", err)
	}
	return decodePayload(unpacked)
}

func unpack(algorithm string, body []byte) ([]byte, error) {
	var content io.Reader
	var err error
	switch algorithm {
	case "GZIP":
		content, err = gzip.NewReader(bytes.NewReader(body))
	case "DEFLATE":
		content, err = zlib.NewReader(bytes.NewReader(body))
	default:
		err = fmt.Errorf("unknown algorithm %.20q", algorithm)
	}
	if err != nil {
		return nil, err
	}
	unpacked, err := io.ReadAll(io.LimitReader(content, maxPayload+1))
	if err == nil && len(unpacked) > maxPayload {
		err = fmt.Errorf("more than %d bytes", maxPayload)
	}
	return unpacked, err
}

// wireField is one field of a message: bits for numbers, bytes otherwise.
type wireField struct {
	number protowire.Number
	kind   protowire.Type
	bits   uint64
	bytes  []byte
}

// eachField walks through the fields of a message.
func eachField(b []byte, take func(wireField) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		f := wireField{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(b)
			f.bits = uint64(bits)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

func decodePayload(b []byte) (payload, error) {
	var p payload
	err := eachField(b, func(f wireField) error {
		switch {
		case f.number == 1 && f.kind == protowire.VarintType:
			p.timestamp = f.bits
		case f.number == 2 && f.kind == protowire.BytesType:
			if len(p.metrics) == maxMetrics {
				return errTooMany
			}
			m, err := decodeMetric(f.bytes)
			p.metrics = append(p.metrics, m)
			return err
		case f.number == 3 && f.kind == protowire.VarintType:
			p.seq, p.hasSeq = f.bits, true
		case f.number == 4 && f.kind == protowire.BytesType:
			p.uuid = plain(f.bytes)
		case f.number == 5 && f.kind == protowire.BytesType:
			p.body = f.bytes
		}
		return nil
	})
	return p, err
}

func decodeMetric(b []byte) (wireMetric, error) {
	var m wireMetric
	err := eachField(b, func(f wireField) error {
		switch f.kind {
		case protowire.VarintType:
			m.takeVarint(f)
		case protowire.Fixed32Type:
			if f.number == 12 {
				m.kind, m.float = 'f', float64(math.Float32frombits(uint32(f.bits)))
			}
		case protowire.Fixed64Type:
			if f.number == 13 {
				m.kind, m.float = 'f', math.Float64frombits(f.bits)
			}
		case protowire.BytesType:
			return m.takeBytes(f)
		}
		return nil
	})
	return m, err
}

func (m *wireMetric) takeVarint(f wireField) {
	switch f.number {
	case 2:
		m.alias, m.hasAlias = f.bits, true
	case 3:
		m.timestamp = f.bits
	case 4:
		m.dataType = f.bits
	case 7:
		m.null = f.bits != 0
	case 10, 11:
		m.kind, m.integer = 'i', f.bits
	case 14:
		m.kind, m.integer = 'b', f.bits
	}
}

func (m *wireMetric) takeBytes(f wireField) (err error) {
	switch f.number {
	case 1:
		if len(f.bytes) > longestName {
			return fmt.Errorf("a name of %d bytes", len(f.bytes))
		}
		m.name = plain(f.bytes)
	case 9:
		m.props, err = decodeProperties(f.bytes)
	case 15:
		m.kind, m.text = 's', plain(f.bytes[:min(len(f.bytes), longestName)])
	case 16, 17, 18, 19:
		m.kind = 'x'
	}
	return err
}

// decodeProperties reads the plain values of a property set: keys and values
// are two lists that run side by side.
func decodeProperties(b []byte) (map[string]any, error) {
	var keys []string
	var values []any
	err := eachField(b, func(f wireField) error {
		if f.kind != protowire.BytesType || len(keys) > maxProperties || len(values) > maxProperties {
			return nil
		}
		switch f.number {
		case 1:
			keys = append(keys, plain(f.bytes[:min(len(f.bytes), longestName)]))
		case 2:
			value, err := decodeProperty(f.bytes)
			values = append(values, value)
			return err
		}
		return nil
	})
	props := make(map[string]any, len(keys))
	for i, key := range keys {
		if i < len(values) {
			props[key] = values[i]
		}
	}
	return props, err
}

func decodeProperty(b []byte) (value any, err error) {
	err = eachField(b, func(f wireField) error {
		switch f.number {
		case 3, 4:
			value = f.bits
		case 5:
			value = float64(math.Float32frombits(uint32(f.bits)))
		case 6:
			value = math.Float64frombits(f.bits)
		case 7:
			value = f.bits != 0
		case 8:
			value = plain(f.bytes[:min(len(f.bytes), longestName)])
		}
		return nil
	})
	return value, err
}

// plain reads a text and mends what is no UTF-8.
func plain(b []byte) string { return string(bytes.ToValidUTF8(b, []byte("\uFFFD"))) }

// value returns the number of a metric of a data type. A metric that is null
// or without a value, and numbers that are none, are NaN; texts and structures
// are not ok.
func (m wireMetric) value(dataType uint64) (n float64, ok bool) {
	switch {
	case m.null || m.kind == 0:
		return math.NaN(), numericType(dataType)
	case m.kind == 'b' || dataType == typeBoolean && m.kind == 'i':
		if m.integer != 0 {
			return 1, true
		}
		return 0, true
	case m.kind == 'f':
		n = m.float
	case m.kind == 'i':
		n = integer(m.integer, dataType)
	default:
		return 0, false
	}
	if math.IsInf(n, 0) {
		n = math.NaN()
	}
	return n, numericType(dataType)
}

// integer reads the bits of an integer: signed types come as two's complement
// of 32 or 64 bits.
func integer(bits, dataType uint64) float64 {
	switch dataType {
	case typeInt8:
		return float64(int8(bits))
	case typeInt16:
		return float64(int16(bits))
	case typeInt32:
		return float64(int32(bits))
	case typeInt64:
		return float64(int64(bits))
	}
	return float64(bits)
}

// numericType reports whether a type is a number or a truth value. An unknown
// type is judged by the value alone.
func numericType(dataType uint64) bool { return dataType <= typeBoolean }

// rebirth is the command by which a host asks a node for its birth
// certificate.
func rebirth(at uint64) []byte {
	var m []byte
	m = protowire.AppendTag(m, 1, protowire.BytesType)
	m = protowire.AppendString(m, "Node Control/Rebirth")
	m = protowire.AppendTag(m, 3, protowire.VarintType)
	m = protowire.AppendVarint(m, at)
	m = protowire.AppendTag(m, 4, protowire.VarintType)
	m = protowire.AppendVarint(m, typeBoolean)
	m = protowire.AppendTag(m, 14, protowire.VarintType)
	m = protowire.AppendVarint(m, 1)
	var p []byte
	p = protowire.AppendTag(p, 1, protowire.VarintType)
	p = protowire.AppendVarint(p, at)
	p = protowire.AppendTag(p, 2, protowire.BytesType)
	return protowire.AppendBytes(p, m)
}
