package opcua

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector/opcua/secure"
)

// tokenLifetime is how long a security token is asked for; the channel renews
// it before.
const tokenLifetime = time.Hour

// channel is an open secure channel, and the session on it once there is one.
type channel struct {
	secure *secure.Channel
	config secure.Config
	token  *ua.NodeID
}

// connectChannel opens a secure channel as config says to the address that the
// person entered, not to the one that the server says: that may be a name of
// its own network.
func (c *OPCUAConnector) connectChannel(ctx context.Context, config secure.Config) (*channel, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	opened, err := secure.Open(ctx, conn, config)
	if err != nil {
		return nil, err
	}
	return &channel{secure: opened, config: config}, nil
}

// plainChannel is the configuration without security, for discovery.
func (c *OPCUAConnector) plainChannel() secure.Config {
	return secure.Config{EndpointURL: c.settings.Endpoint, Policy: ua.SecurityPolicyURINone, Mode: ua.MessageSecurityModeNone,
		Lifetime: c.lifetime, Timeout: requestWithin, Decode: decodeAnswer}
}

// securedChannel is the configuration of the channel to an endpoint.
func (c *OPCUAConnector) securedChannel(endpoint *ua.EndpointDescription) (secure.Config, error) {
	config := c.plainChannel()
	config.Policy, config.Mode, config.ServerCertificate = endpoint.SecurityPolicyURI, endpoint.SecurityMode, endpoint.ServerCertificate
	if c.settings.SecurityMode != none {
		if c.client == nil {
			return config, failed(KeyNoIdentity, errors.New("store the integration to make a certificate"))
		}
		config.Certificate, config.Key = c.client.der, c.client.key
	}
	if c.settings.Authentication == Certificate && c.user == nil {
		return config, failed(KeyUserKey, errors.New("no user certificate with key"))
	}
	return config, nil
}

// channel opens the channel to an endpoint, whose certificate is the pinned one.
// The one who answers has to have it as well.
func (c *OPCUAConnector) channel(ctx context.Context, endpoint *ua.EndpointDescription) (*channel, error) {
	if err := c.checkPin(endpoint.ServerCertificate); err != nil {
		return nil, err
	}
	config, err := c.securedChannel(endpoint)
	if err != nil {
		return nil, err
	}
	opened, err := c.connectChannel(ctx, config)
	if err != nil {
		return nil, c.wordChannel(ctx, err)
	}
	return opened, nil
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
			_, _ = call[*ua.CloseSessionResponse](ctx, ch, &ua.CloseSessionRequest{DeleteSubscriptions: true}) // the server ends it by itself in time
		}
		ch.secure.Close(ctx)
	}()
	select {
	case <-done:
	case <-time.After(closeWithin):
	}
}

// call sends one service request in the session, and decodes the answer, which
// has to be of type R.
func call[R ua.Response](ctx context.Context, ch *channel, request ua.Request) (R, error) {
	answer := reflect.New(reflect.TypeFor[R]().Elem()).Interface().(R)
	body, err := ch.secure.Call(ctx, request, ch.token, requestWithin)
	if err == nil {
		err = decodeAnswer(body, answer)
	}
	if err != nil {
		return *new(R), err
	}
	return answer, nil
}
