package secure

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Config says how a channel is secured.
type Config struct {
	EndpointURL string
	Policy      string // URI of the security policy
	Mode        ua.MessageSecurityMode
	Certificate []byte          // the client's, DER; none without security
	Key         *rsa.PrivateKey // the key of it
	// ServerCertificate is the one that the server has to have, DER. What is
	// sent to open the channel is encrypted for its key.
	ServerCertificate []byte
	Lifetime          time.Duration // that is asked for security tokens
	Timeout           time.Duration // of the requests of the channel itself
	// Decode decodes the answer that opens the channel. It is the caller's, who
	// has one for all answers, and has to bear whatever a server sends.
	Decode func(body []byte, answer ua.Response) error
}

// leniency is how much longer than the server's time for a request its answer
// is waited for.
const leniency = 250 * time.Millisecond

// Channel is an open secure channel. It may be used by several goroutines.
type Channel struct {
	conn     net.Conn
	config   Config
	limits   limits
	opens    protection    // of the messages that open the channel
	sending  chan struct{} // holds one thing while somebody sends
	sequence uint32        // of the last chunk sent; under sending
	closed   chan struct{} // closed when the channel has ended, for cause

	mu      sync.Mutex // guards what follows
	cause   error
	id      uint32
	current *token
	last    *token // the one before, as long as the server may use it
	opening *opening
	request uint32 // the id of the last request
	waiting map[uint32]chan<- answer

	reader reader // of the goroutine that receives
}

// answer is the encoded body of a message, or why there is none.
type answer struct {
	body []byte
	err  error
}

// Open greets the server on a connection and opens a channel. The connection is
// the channel's from then on, also when Open fails.
func Open(ctx context.Context, conn net.Conn, config Config) (*Channel, error) {
	c, err := newChannel(conn, config)
	if err == nil {
		c.limits, err = hello(ctx, conn, &c.reader.frames, config.EndpointURL)
	}
	if err != nil {
		_ = conn.Close() // the error that counts is the one before
		return nil, err
	}
	go c.receive()
	if err := c.open(ctx, ua.SecurityTokenRequestTypeIssue); err != nil {
		c.fail(err)
		return nil, err
	}
	go c.renew(context.WithoutCancel(ctx))
	return c, nil
}

func newChannel(conn net.Conn, config Config) (*Channel, error) {
	c := &Channel{conn: conn, config: config, sending: make(chan struct{}, 1), closed: make(chan struct{}), waiting: map[uint32]chan<- answer{}}
	c.reader = newReader(conn)
	var err error
	c.opens, err = config.opens()
	return c, err
}

// Call sends a request under the token of a session, which is nil before there
// is one, and returns the encoded answer. It ends after a time at the latest,
// with ua.StatusBadTimeout.
func (c *Channel) Call(ctx context.Context, request ua.Request, session *ua.NodeID, within time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within+leniency, ua.StatusBadTimeout)
	defer cancel()
	id, answered := c.await()
	defer c.forget(id)
	if err := c.sendRequest(ctx, "MSG", id, request, session, within); err != nil {
		return nil, err
	}
	return c.result(ctx, answered)
}

// result waits for the answer to a request.
func (c *Channel) result(ctx context.Context, answered <-chan answer) ([]byte, error) {
	select {
	case a := <-answered:
		return a.body, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.closed:
	}
	select {
	case a := <-answered: // it came before the end
		return a.body, a.err
	default:
		return nil, c.reason()
	}
}

// await takes the id of a new request, and the place where its answer arrives.
func (c *Channel) await() (uint32, <-chan answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.request++
	if c.request == 0 {
		c.request = 1
	}
	answered := make(chan answer, 1)
	c.waiting[c.request] = answered
	return c.request, answered
}

// forget lets the answer to a request go that is waited for no longer.
func (c *Channel) forget(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// awaited reports whether somebody waits for the answer to a request.
func (c *Channel) awaited(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting[id] != nil
}

// deliver hands an answer to who waits for it.
func (c *Channel) deliver(id uint32, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answered := c.waiting[id]; answered != nil {
		delete(c.waiting, id)
		answered <- a // has room for one
	}
}

// fail ends the channel and its connection, once.
func (c *Channel) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	c.cause = cause
	close(c.closed)
	_ = c.conn.Close() // nothing is to be sent any more
}

// reason is why the channel has ended.
func (c *Channel) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("the channel has ended: %w", c.cause)
}

// Close tells the server that the channel ends, which it does not answer, and
// closes the connection. ctx bounds the telling.
func (c *Channel) Close(ctx context.Context) {
	id, _ := c.await()
	_ = c.sendRequest(ctx, "CLO", id, &ua.CloseSecureChannelRequest{}, nil, c.config.Timeout) // the server notices the closed connection as well
	c.fail(net.ErrClosed)
}
