package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/fault"
)

// Times of one session.
const (
	connectWithin = 10 * time.Second
	keepAlive     = 4 // seconds; a broker is asked for a sign of life after it
	silentAfter   = 12 * time.Second
	unacked       = 1000 // messages that the broker may send before one is acknowledged
	ackEvery      = 20 * time.Millisecond
)

// Message keys of faults that only brokers have.
const (
	keyTakenOver = "connector.mqtt.fault.taken_over" // another client signed in with our client id
	keyVersion   = "connector.mqtt.fault.version"    // the broker speaks no MQTT 5
	keyClear     = "connector.mqtt.fault.clear"      // without TLS only private addresses are reached
)

// session is one connection to a broker, from sign-in to its end.
type session struct {
	client  *paho.Client
	wire    *wire
	inbox   chan message
	failed  chan error
	closed  context.Context // ends the handlers of the library
	stop    context.CancelFunc
	resumed bool // the broker had a session of this client
}

// address is host:port of the broker.
func (s Settings) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// dial opens a connection, with TLS unless it is off. shown hears of the
// handshake.
func (c *MQTTConnector) dial(ctx context.Context, shown func(tls.ConnectionState)) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.settings.address())
	if err != nil {
		return nil, wordDial(ctx, err)
	}
	if c.settings.TLS == TLSOff {
		if err := clearAllowed(conn.RemoteAddr()); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
	pin := c.settings.Fingerprint
	if c.settings.TLS != TLSPin {
		pin = ""
	}
	config, err := httpapi.TLS(c.settings.CA, pin, c.settings.Host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(wordHandshake(ctx, err), conn.Close())
	}
	if shown != nil {
		shown(secured.ConnectionState())
	}
	return secured, nil
}

// clearAllowed refuses a peer that may not be spoken to without TLS.
func clearAllowed(peer net.Addr) error {
	address, ok := peer.(*net.TCPAddr)
	if !ok || !address.IP.IsPrivate() && !address.IP.IsLoopback() {
		return fault.Wrap(fault.Invalid, keyClear, fmt.Errorf("%s is not a private address", peer))
	}
	return nil
}

func wordDial(ctx context.Context, err error) error {
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	}
	return connector.Unreachable(err)
}

func wordHandshake(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case httpapi.IsCertificateError(err):
		return connector.Failed(connector.KeyCertificate, err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded), isNetwork(err) && !isAlert(err):
		return connector.Unreachable(err) // a broker that restarts cuts handshakes
	}
	return connector.Failed(connector.KeySecurity, err)
}

// isAlert reports whether one of the sides refused the handshake.
func isAlert(err error) bool {
	var refused *net.OpError
	return errors.As(err, &refused) && (refused.Op == "remote error" || refused.Op == "local error")
}

// noExchange answers a broker that begins an extended exchange of credentials,
// which the product never asks for: the library needs someone to turn to.
type noExchange struct{}

// Authenticate answers that there is nothing more to say.
func (noExchange) Authenticate(*paho.Auth) *paho.Auth { return &paho.Auth{} }

// Authenticated has nothing to note.
func (noExchange) Authenticated() {}

// signIn says who signs in and for how long the broker keeps messages.
type signIn struct {
	clientID string
	expiry   time.Duration // zero begins anew and leaves nothing behind
}

// connect opens a session. Its messages arrive in inbox.
func (c *MQTTConnector) connect(ctx context.Context, as signIn) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := c.dial(ctx, nil)
	if err != nil {
		return nil, err
	}
	return c.begin(ctx, conn, as)
}

// begin signs in on an open connection.
func (c *MQTTConnector) begin(ctx context.Context, conn net.Conn, as signIn) (*session, error) {
	s := &session{wire: newWire(conn), inbox: make(chan message, 256), failed: make(chan error, 4)}
	s.closed, s.stop = context.WithCancel(context.Background())
	s.client = paho.NewClient(paho.ClientConfig{
		Conn: s.wire, EnableManualAcknowledgment: true, SendAcksInterval: ackEvery, PacketTimeout: connectWithin,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){s.take},
		OnClientError:      s.fail,
		OnServerDisconnect: func(d *paho.Disconnect) { s.fail(wordDisconnect(d.ReasonCode)) },
		AuthHandler:        noExchange{},
	})
	expiry, most, packet := uint32(as.expiry.Seconds()), uint16(unacked), uint32(maxPacket)
	packetIn := &paho.Connect{ClientID: as.clientID, CleanStart: as.expiry == 0, KeepAlive: keepAlive, Username: c.settings.User, UsernameFlag: c.settings.User != "",
		Password: []byte(c.settings.password), PasswordFlag: c.settings.password != "",
		Properties: &paho.ConnectProperties{SessionExpiryInterval: &expiry, ReceiveMaximum: &most, MaximumPacketSize: &packet, RequestProblemInfo: true}}
	answer, err := s.client.Connect(ctx, packetIn)
	if err != nil {
		s.stop()
		_ = conn.Close() // the library has closed it in most cases
		if s.wire.old.Load() {
			return nil, fault.Wrap(fault.Invalid, keyVersion, err)
		}
		return nil, wordConnect(ctx, answer, err)
	}
	s.resumed = answer.SessionPresent
	return s, nil
}

// wordConnect words why a broker did not let the product in.
func wordConnect(ctx context.Context, answer *paho.Connack, err error) error {
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case answer == nil && ctx.Err() != nil, answer == nil && isNetwork(err):
		return connector.Unreachable(err)
	case answer == nil:
		return connector.Failed(connector.KeyProtocol, err)
	}
	cause := fmt.Errorf("the broker refused the session with reason 0x%02X", answer.ReasonCode)
	switch answer.ReasonCode {
	case 0x86, 0x87, 0x8C:
		return connector.Failed(connector.KeyCredentials, cause)
	case 0x84:
		return fault.Wrap(fault.Invalid, keyVersion, cause)
	case 0x8A:
		return connector.Failed(connector.KeyForbidden, cause)
	case 0x89, 0x97, 0x9F:
		return connector.Failed(connector.KeyThrottled, cause)
	}
	return connector.Failed(connector.KeySourceError, cause)
}

func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func wordDisconnect(reason byte) error {
	cause := fmt.Errorf("the broker ended the session with reason 0x%02X", reason)
	if reason == 0x8E {
		return fault.Wrap(fault.Unavailable, keyTakenOver, cause)
	}
	return connector.Unreachable(cause)
}

// fail notes why the session ended; the first reason counts.
func (s *session) fail(err error) {
	select {
	case s.failed <- s.lost(err):
	default:
	}
}

// lost words the loss of the connection: what the broker said last explains it
// best.
func (s *session) lost(err error) error {
	var known *fault.Error
	switch reason := s.wire.farewell.Load(); {
	case reason != 0:
		return wordDisconnect(byte(reason))
	case errors.As(err, &known):
		return err
	}
	return connector.Unreachable(err)
}

// take hands a message on. While nobody reads the inbox it waits, and with it
// the connection: the broker keeps the rest.
func (s *session) take(p paho.PublishReceived) (bool, error) {
	packet := p.Packet
	m := message{topic: packet.Topic, payload: packet.Payload, retained: packet.Retain, again: packet.Packet().Duplicate, at: time.Now(),
		kept: packet.QoS > 0 && !packet.Retain}
	m.ack = func() error { return s.client.Ack(packet) }
	select {
	case s.inbox <- m:
	case <-s.closed.Done():
	}
	return true, nil
}

// subscribe asks for topics, at least once.
func (s *session) subscribe(ctx context.Context, filters []string) error {
	request := &paho.Subscribe{}
	for _, filter := range filters {
		request.Subscriptions = append(request.Subscriptions, paho.SubscribeOptions{Topic: filter, QoS: 1})
	}
	answer, err := s.client.Subscribe(ctx, request)
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case answer != nil:
		return connector.Failed(connector.KeyForbidden, fmt.Errorf("subscribe: %w", err))
	}
	return s.lost(fmt.Errorf("subscribe: %w", err))
}

// send publishes to the edge, once at most: a command that is lost is given
// again.
func (s *session) send(ctx context.Context, commands []publication) error {
	for _, command := range commands {
		if _, err := s.client.Publish(ctx, &paho.Publish{Topic: command.topic, Payload: command.payload}); err != nil {
			return s.lost(fmt.Errorf("send a command: %w", err))
		}
	}
	return nil
}

// end closes the session. The broker keeps what it has for the client.
func (s *session) end() {
	s.stop()
	_ = s.client.Disconnect(&paho.Disconnect{}) // a connection that is gone is closed as well
	_ = s.wire.Close()
}
