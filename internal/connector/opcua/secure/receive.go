package secure

import (
	"fmt"
	"io"

	"github.com/gopcua/opcua/ua"
)

// reader is what the goroutine that receives knows of what has come.
type reader struct {
	frames   framer
	begun    bool
	sequence uint32 // of the last chunk
	parts    map[uint32]*partial
	pending  int // bytes in parts
}

// partial is a message of which not all chunks have come.
type partial struct {
	body   []byte
	chunks int
}

func newReader(from io.Reader) reader {
	return reader{frames: framer{from: from, buffer: make([]byte, bufferSize)}, parts: map[uint32]*partial{}}
}

// receive reads frames until the channel ends, for whatever reason. What goes
// wrong in code that meets the peer's bytes ends the channel alone.
func (c *Channel) receive() {
	defer func() {
		if r := recover(); r != nil {
			c.fail(fmt.Errorf("receive: %v: %w", r, ua.StatusBadDecodingError))
		}
	}()
	for {
		raw, err := c.reader.frames.next()
		if err == nil {
			err = c.accept(raw)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// accept takes one frame. Its error is one that ends the channel.
func (c *Channel) accept(raw []byte) error {
	if string(raw[:3]) == "ERR" {
		return peerError("the server ends the connection", raw[frameHeader:])
	}
	part, err := parseChunk(raw)
	if err != nil {
		return err
	}
	plain, err := c.unseal(part)
	if err != nil {
		return err
	}
	at := cursor{rest: plain}
	number, request := at.uint32(), at.uint32()
	if c.reader.begun && !follows(number, c.reader.sequence) {
		return fmt.Errorf("chunk %d after %d: %w", number, c.reader.sequence, ua.StatusBadSequenceNumberInvalid)
	}
	c.reader.begun, c.reader.sequence = true, number
	switch {
	case part.name == "CLO":
		return fmt.Errorf("the server closes the channel: %w", io.EOF)
	case part.kind == aborted:
		c.drop(request)
		c.deliver(request, answer{err: peerError("the server aborts its answer", at.rest)})
	case part.name == "OPN":
		err := c.opened(part, request, at.rest)
		c.deliver(request, answer{err: err})
		return err
	default:
		c.collect(request, part.kind == final, at.rest)
	}
	return nil
}

// unseal verifies a chunk and returns it in the clear, from its sequence number
// on.
func (c *Channel) unseal(part chunk) ([]byte, error) {
	if part.name == "OPN" {
		if err := c.answersOpening(part); err != nil {
			return nil, err
		}
		return c.opens.unseal(part.raw, part.head)
	}
	used, err := c.tokenOf(part)
	if err != nil {
		return nil, err
	}
	plain, err := used.unseal(part.raw, part.head)
	if err == nil {
		c.settle(used)
	}
	return plain, err
}

// collect adds a chunk to its message and delivers a whole one. Answers that
// nobody waits for are let go, and so is one that is too large, whose request
// fails.
func (c *Channel) collect(request uint32, last bool, body []byte) {
	if !c.awaited(request) {
		c.drop(request)
		return
	}
	p := c.reader.parts[request]
	if p == nil {
		c.sweep()
		p = &partial{}
		c.reader.parts[request] = p
	}
	p.chunks++
	if p.chunks > maxChunkCount || len(p.body)+len(body) > maxMessageSize || c.reader.pending+len(body) > maxPending {
		c.drop(request)
		c.deliver(request, answer{err: fmt.Errorf("answer of more than %d bytes in %d chunks: %w", len(p.body), p.chunks, ua.StatusBadResponseTooLarge)})
		return
	}
	if !last {
		p.body = append(p.body, body...)
		c.reader.pending += len(body)
		return
	}
	c.drop(request)
	c.deliver(request, answer{body: append(p.body, body...)})
}

// sweep drops the messages that nobody waits for any more.
func (c *Channel) sweep() {
	for request := range c.reader.parts {
		if !c.awaited(request) {
			c.drop(request)
		}
	}
}

// drop lets the chunks of a message go.
func (c *Channel) drop(request uint32) {
	if p := c.reader.parts[request]; p != nil {
		c.reader.pending -= len(p.body)
		delete(c.reader.parts, request)
	}
}
