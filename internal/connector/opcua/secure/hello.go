package secure

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Bounds of the transport, OPC 10000-6 7.1.2: bytes of a chunk, bytes and
// chunks of a message, and bytes of all messages of a connection of which only
// a part has come.
const (
	bufferSize     = 0xffff
	smallestBuffer = 8192
	maxMessageSize = 16 << 20
	maxChunkCount  = 512
	maxPending     = 2 * maxMessageSize
)

// limits are what the server takes at once; zero bytes or chunks of a message
// are no limit.
type limits struct {
	chunk, message, chunks int
}

// hello greets the server and reads its limits. The answer has to come before
// ctx ends.
func hello(ctx context.Context, conn net.Conn, from *framer, url string) (limits, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a closed connection ends the reading by itself
	defer stop()
	if _, err := conn.Write(helloFrame(url)); err != nil {
		return limits{}, fmt.Errorf("greet the server: %w", err)
	}
	raw, err := from.next()
	if err != nil {
		return limits{}, fmt.Errorf("read the server's greeting: %w", err)
	}
	return parseAcknowledge(raw)
}

func helloFrame(url string) []byte {
	frame := []byte("HELF\x00\x00\x00\x00")
	for _, n := range []uint32{0, bufferSize, bufferSize, maxMessageSize, maxChunkCount, uint32(len(url))} {
		frame = binary.LittleEndian.AppendUint32(frame, n)
	}
	frame = append(frame, url...)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)))
	return frame
}

// parseAcknowledge reads the answer to the greeting. The size of a chunk is
// brought into the bounds of the protocol.
func parseAcknowledge(raw []byte) (limits, error) {
	switch string(raw[:4]) {
	case "ACKF":
	case "ERRF":
		return limits{}, peerError("the server refuses the connection", raw[frameHeader:])
	default:
		return limits{}, fmt.Errorf("frame %q in place of an acknowledgement: %w", raw[:4], ua.StatusBadTCPMessageTypeInvalid)
	}
	at := cursor{rest: raw[frameHeader:]}
	at.uint32() // the version of the protocol
	receive, _ := at.uint32(), at.uint32()
	message, chunks := at.uint32(), at.uint32()
	if at.short {
		return limits{}, fmt.Errorf("acknowledgement of %d bytes: %w", len(raw), ua.StatusBadDecodingError)
	}
	return limits{chunk: int(min(bufferSize, max(smallestBuffer, receive))), message: int(message), chunks: int(chunks)}, nil
}
