package secure

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"
)

// hold takes the right to send, so that the chunks of one message follow one
// another.
func (c *Channel) hold(ctx context.Context) (release func(), err error) {
	select {
	case c.sending <- struct{}{}:
		return func() { <-c.sending }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.closed:
		return nil, c.reason()
	}
}

// encode writes a request with its header and the id of its type.
func encode(request ua.Request, id uint32, session *ua.NodeID, within time.Duration) ([]byte, error) {
	if session == nil {
		session = ua.NewTwoByteNodeID(0)
	}
	request.SetHeader(&ua.RequestHeader{AuthenticationToken: session, Timestamp: time.Now(), RequestHandle: id, TimeoutHint: uint32(within / time.Millisecond)})
	kind, err := ua.Encode(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(request)))
	if err != nil {
		return nil, fmt.Errorf("encode the type of %T: %w", request, err)
	}
	body, err := ua.Encode(request)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", request, err)
	}
	return append(kind, body...), nil
}

// sendRequest sends a request in chunks under the current token.
func (c *Channel) sendRequest(ctx context.Context, name string, id uint32, request ua.Request, session *ua.NodeID, within time.Duration) error {
	body, err := encode(request, id, session, within)
	if err != nil {
		return err
	}
	release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	c.mu.Lock()
	channel, t := c.id, c.current
	c.mu.Unlock()
	room := t.room(c.limits.chunk)
	if chunks := (len(body) + room - 1) / room; c.limits.message > 0 && len(body) > c.limits.message || c.limits.chunks > 0 && chunks > c.limits.chunks {
		return fmt.Errorf("%T of %d bytes in %d chunks: %w", request, len(body), chunks, ua.StatusBadRequestTooLarge)
	}
	for len(body) > 0 {
		kind, n := byte(intermediate), room
		if len(body) <= room {
			kind, n = final, len(body)
		}
		head := binary.LittleEndian.AppendUint32(frameHead(name, kind, channel), t.id)
		if err := c.write(ctx, t.protection, head, id, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// frameHead is the start of a frame of a channel, still without its size.
func frameHead(name string, kind byte, channel uint32) []byte {
	return binary.LittleEndian.AppendUint32(append([]byte(name), kind, 0, 0, 0, 0), channel)
}

// write seals and writes one chunk. Whoever calls it holds the right to send.
// A chunk that was written in part ends the channel.
func (c *Channel) write(ctx context.Context, p protection, head []byte, request uint32, body []byte) error {
	c.sequence = following(c.sequence)
	plain := binary.LittleEndian.AppendUint32(nil, c.sequence)
	plain = append(binary.LittleEndian.AppendUint32(plain, request), body...)
	frame, err := p.seal(head, plain)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(c.config.Timeout)
	if ends, ok := ctx.Deadline(); ok && ends.Before(deadline) {
		deadline = ends
	}
	err = c.conn.SetWriteDeadline(deadline)
	if err == nil {
		_, err = c.conn.Write(frame)
	}
	if err != nil {
		c.fail(fmt.Errorf("write: %w", err))
		return c.reason()
	}
	return nil
}

// lastNumber is what sequence numbers pass before they begin again, OPC 10000-6
// 6.7.2.4.
const lastNumber = math.MaxUint32 - 1024

// following is the sequence number after n.
func following(n uint32) uint32 {
	if n > lastNumber {
		return 1
	}
	return n + 1
}

// follows reports whether a peer may number a chunk n after one numbered last.
func follows(n, last uint32) bool {
	return n == last+1 || last > lastNumber && n < 1024
}
