package secure

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gopcua/opcua/ua"
)

// Lengths of headers in bytes, OPC 10000-6 6.7.2 and 7.1.2.2.
const (
	frameHeader    = 8  // type, kind of chunk, size
	chunkHeader    = 12 // that and the id of the channel
	tokenHeader    = 16 // that and the id of the token
	sequenceHeader = 8  // sequence number and request id
)

// Kinds of a chunk.
const (
	intermediate = 'C'
	final        = 'F'
	aborted      = 'A'
)

// framer reads frames from a stream into one buffer, whose size is the largest
// frame that it takes.
type framer struct {
	from   io.Reader
	buffer []byte
}

// next reads a whole frame. It is valid until the next call.
func (f *framer) next() ([]byte, error) {
	if _, err := io.ReadFull(f.from, f.buffer[:frameHeader]); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	size := binary.LittleEndian.Uint32(f.buffer[4:])
	switch {
	case size < frameHeader:
		return nil, fmt.Errorf("frame of %d bytes: %w", size, ua.StatusBadTCPMessageTypeInvalid)
	case uint64(size) > uint64(len(f.buffer)):
		return nil, fmt.Errorf("frame %q of %d bytes, at most %d were agreed: %w", f.buffer[:4], size, len(f.buffer), ua.StatusBadTCPMessageTooLarge)
	}
	if _, err := io.ReadFull(f.from, f.buffer[frameHeader:size]); err != nil {
		return nil, fmt.Errorf("read frame: %w", err)
	}
	return f.buffer[:size], nil
}

// cursor is a place in what the peer sent. Once short it stays so.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n uint64) []byte {
	if c.short || n > uint64(len(c.rest)) {
		c.short = true
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); !c.short {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// bytes takes a byte string with its length; null is empty.
func (c *cursor) bytes() []byte {
	n := c.uint32()
	if n == 0xffffffff {
		return nil
	}
	return c.take(uint64(n))
}

// chunk is what a frame of a channel says in the clear.
type chunk struct {
	raw        []byte
	head       int // bytes of raw before what may be encrypted
	name       string
	kind       byte
	channel    uint32
	token      uint32 // of MSG and CLO
	policy     string // of OPN, as the two that follow
	sender     []byte
	thumbprint []byte
}

// parseChunk reads the headers of a frame of a channel.
func parseChunk(raw []byte) (chunk, error) {
	if len(raw) < frameHeader {
		return chunk{}, fmt.Errorf("frame of %d bytes: %w", len(raw), ua.StatusBadDecodingError)
	}
	c := chunk{raw: raw, name: string(raw[:3]), kind: raw[3]}
	at := cursor{rest: raw[frameHeader:]}
	c.channel = at.uint32()
	switch c.name {
	case "OPN":
		c.policy, c.sender, c.thumbprint = string(at.bytes()), at.bytes(), at.bytes()
	case "MSG", "CLO":
		c.token = at.uint32()
	default:
		return chunk{}, fmt.Errorf("frame of type %q: %w", c.name, ua.StatusBadTCPMessageTypeInvalid)
	}
	switch {
	case at.short:
		return chunk{}, fmt.Errorf("headers of a frame of %d bytes: %w", len(raw), ua.StatusBadDecodingError)
	case c.kind != intermediate && c.kind != final && c.kind != aborted, c.name != "MSG" && c.kind == intermediate:
		return chunk{}, fmt.Errorf("chunk %s of kind %q: %w", c.name, c.kind, ua.StatusBadTCPMessageTypeInvalid)
	}
	c.head = len(raw) - len(at.rest)
	return c, nil
}

// peerError reads the body of an error frame or of an aborted message: a status
// code and a reason.
func peerError(what string, body []byte) error {
	at := cursor{rest: body}
	status, reason := ua.StatusCode(at.uint32()), at.bytes()
	if at.short || status == ua.StatusOK {
		status = ua.StatusBadDecodingError
	}
	return fmt.Errorf("%s: %w %.200q", what, status, reason)
}
