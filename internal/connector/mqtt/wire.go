package mqtt

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/optria-iq/optria/internal/connector"
)

// wire is the connection to a broker as the MQTT library sees it: one writer
// at a time, and no packet larger than the product takes, whatever its header
// says. It notes when the broker was last heard.
type wire struct {
	net.Conn
	sync.Mutex // taken by the library around writes
	reader     *bufio.Reader
	heard      atomic.Int64 // nanoseconds since 1970
	left       int          // bytes of the packet still to come
	header     int          // bytes of the length read so far, -1 before the type
	kind       byte         // of the packet
	farewell   atomic.Int32 // reason of the broker's DISCONNECT, 0 before it
	old        atomic.Bool  // the broker answered CONNECT as MQTT 3 does
}

// maxPacket bounds one packet, in bytes.
const maxPacket = maxPayload + 1<<16

func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn, reader: bufio.NewReaderSize(conn, 64<<10), header: -1}
	w.heard.Store(time.Now().UnixNano())
	return w
}

// lastHeard is when the broker last sent anything.
func (w *wire) lastHeard() time.Time { return time.Unix(0, w.heard.Load()) }

var errLength = errors.New("the length of a packet has more than four bytes")

// Read gives bytes of one packet at a time and follows where it ends.
func (w *wire) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if w.left == 0 {
		p = p[:1] // the type or the length
	} else if len(p) > w.left && w.header < 0 {
		p = p[:w.left]
	}
	if w.header >= 0 {
		p = p[:1]
	}
	n, err := w.reader.Read(p)
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
		if err := w.follow(p[:n]); err != nil {
			return 0, err
		}
	}
	return n, err
}

// follow takes note of bytes that were read.
func (w *wire) follow(p []byte) error {
	switch {
	case w.header < 0 && w.left > 0: // content
		if w.kind>>4 == packets.DISCONNECT && w.farewell.Load() == 0 {
			w.farewell.Store(int32(p[0])) // the library cannot read one without properties
		}
		w.left -= len(p)
	case w.header < 0: // the type of the next packet
		w.header, w.kind = 0, p[0]
	case w.header == 4:
		return connector.Failed(connector.KeyProtocol, errLength)
	default:
		w.left |= int(p[0]&0x7f) << (7 * w.header)
		w.header++
		if p[0] < 0x80 {
			w.header = -1
			// MQTT 5 has properties behind the two bytes of MQTT 3.
			w.old.Store(w.kind>>4 == packets.CONNACK && w.left == 2)
		}
		if w.left > maxPacket {
			return connector.Failed(connector.KeyTooLarge, fmt.Errorf("a packet of %d bytes", w.left))
		}
	}
	return nil
}
