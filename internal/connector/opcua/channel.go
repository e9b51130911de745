package opcua

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of the transport, OPC 10000-6 7.1: bytes of a chunk, bytes and chunks
// of a message.
const (
	bufferSize     = 0xffff
	smallestBuffer = 8192
	maxMessageSize = 16 << 20
	maxChunkCount  = 512
)

// tokenLifetime is how long a security token is asked for; the channel renews
// it before.
const tokenLifetime = time.Hour

// channel is an open secure channel, and the session on it once there is one.
type channel struct {
	secure *uasc.SecureChannel
	conn   *uacp.Conn
	token  *ua.NodeID
}

// connectChannel opens a secure channel as config says to the address that the
// person entered, not to the one that the server says: that may be a name of
// its own network.
func (c *OPCUAConnector) connectChannel(ctx context.Context, config *uasc.Config) (*channel, error) {
	shaken, err := c.dialerFor().Dial(ctx, c.settings.Endpoint)
	if err != nil {
		return nil, err
	}
	conn, err := uacp.NewConn(shaken.TCPConn, bounds(shaken))
	if err != nil {
		return nil, err
	}
	secure, err := uasc.NewSecureChannel(c.settings.Endpoint, conn, config, make(chan error, 1))
	if err == nil {
		err = secure.Open(ctx)
	}
	if err != nil {
		_ = conn.Close() // the error that counts is the one before
		return nil, err
	}
	return &channel{secure: secure, conn: conn}, nil
}

// bounds are the limits that this side holds to, whatever the server answered
// to the greeting: the library would take the server's word for its own.
func bounds(shaken *uacp.Conn) *uacp.Acknowledge {
	send := min(bufferSize, max(smallestBuffer, min(shaken.ReceiveBufSize(), shaken.SendBufSize())))
	return &uacp.Acknowledge{ReceiveBufSize: bufferSize, SendBufSize: send, MaxMessageSize: maxMessageSize, MaxChunkCount: maxChunkCount}
}

// plainChannel is the configuration without security, for discovery.
func plainChannel() *uasc.Config {
	return &uasc.Config{SecurityPolicyURI: ua.SecurityPolicyURINone, SecurityMode: ua.MessageSecurityModeNone,
		Lifetime: uint32(tokenLifetime / time.Millisecond), RequestTimeout: requestWithin}
}

// securedChannel is the configuration of the channel to an endpoint.
func (c *OPCUAConnector) securedChannel(endpoint *ua.EndpointDescription) (*uasc.Config, error) {
	config := plainChannel()
	config.SecurityPolicyURI, config.SecurityMode = endpoint.SecurityPolicyURI, endpoint.SecurityMode
	config.RemoteCertificate, config.Thumbprint = endpoint.ServerCertificate, uapolicy.Thumbprint(endpoint.ServerCertificate)
	if c.settings.SecurityMode != none {
		if c.client == nil {
			return nil, failed(KeyNoIdentity, errors.New("store the integration to make a certificate"))
		}
		config.Certificate, config.LocalKey = c.client.der, c.client.key
	}
	if c.settings.Authentication == Certificate {
		if c.user == nil {
			return nil, failed(KeyUserKey, errors.New("no user certificate with key"))
		}
		config.UserKey = c.user.key
	}
	return config, nil
}

// channel opens the channel to an endpoint, and makes sure that the one who
// answered has the pinned certificate.
func (c *OPCUAConnector) channel(ctx context.Context, endpoint *ua.EndpointDescription) (*channel, error) {
	config, err := c.securedChannel(endpoint)
	if err != nil {
		return nil, err
	}
	opened, err := c.connectChannel(ctx, config)
	if err != nil {
		return nil, c.wordChannel(ctx, err)
	}
	if err := c.checkPin(leafOf(config.RemoteCertificate)); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

// send sends a request in the session, and hands the answer to take.
func (ch *channel) send(ctx context.Context, request ua.Request, take func(ua.Response) error) error {
	return ch.secure.SendRequestWithTimeout(ctx, request, ch.token, requestWithin, take)
}

// close ends session, channel and connection without waiting longer than
// closeWithin; what hangs ends by the time limits of its requests.
func (ch *channel) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin/2)
		defer cancel()
		if ch.token != nil {
			_ = ch.send(ctx, &ua.CloseSessionRequest{DeleteSubscriptions: true}, func(ua.Response) error { return nil })
		}
		_ = ch.secure.Close() // io.EOF, always
		_ = ch.conn.Close()
	}()
	select {
	case <-done:
	case <-time.After(closeWithin):
	}
}

// call sends one service request and checks the type of the answer.
func call[R ua.Response](ctx context.Context, ch *channel, request ua.Request) (R, error) {
	var answer R
	err := ch.send(ctx, request, func(response ua.Response) error {
		if m, is := response.(interface{ decoded() ua.Response }); is {
			response = m.decoded()
		}
		typed, ok := response.(R)
		if !ok {
			return failed(connector.KeyProtocol, fmt.Errorf("answer of type %T to %T", response, request))
		}
		answer = typed
		return nil
	})
	return answer, err
}
