package opcua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// keepFor is how long a session is kept between two calls of a connector.
const keepFor = 20 * time.Second

// retryItems is how often items that the server refused are asked for again.
const retryItems = 30 * time.Second

// OPCUAConnector is an opened connection to one server. It connects at the
// first call and keeps the session for the next one; Subscribe has a session
// of its own.
type OPCUAConnector struct {
	settings Settings
	pin      string // SHA-256 of the server's certificate, lower-case hexadecimal, may be empty
	password string
	client   *identity
	user     *identity
	dialer   *net.Dialer
	root     Address
	retry    time.Duration
	lifetime time.Duration // of security tokens, as asked for
	session  *session
	used     time.Time
}

var (
	_ connector.Tester     = (*OPCUAConnector)(nil)
	_ connector.Browser    = (*OPCUAConnector)(nil)
	_ connector.Sampler    = (*OPCUAConnector)(nil)
	_ connector.Backfiller = (*OPCUAConnector)(nil)
	_ connector.Subscriber = (*OPCUAConnector)(nil)
)

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	c := &OPCUAConnector{password: secrets["password"], dialer: dialer, retry: retryItems, lifetime: tokenLifetime}
	if err := config.Decode(&c.settings); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	c.pin, _ = fingerprint(c.settings.Pin)
	var err error
	if c.client, err = parseIdentity(c.settings.ClientCertificate, secrets["client_key"]); err != nil {
		return nil, fault.Wrap(fault.Invalid, KeyNoIdentity, err)
	}
	if c.settings.Authentication == Certificate {
		if c.user, err = parseIdentity(c.settings.UserCertificate, secrets["user_key"]); err != nil {
			return nil, fault.Wrap(fault.Invalid, KeyUserKey, err)
		}
	}
	c.root = Address{Node: ua.NewNumericNodeID(0, objectsFolder)}
	if c.settings.RootNode != "" {
		if c.root, err = ParseAddress(c.settings.RootNode); err != nil {
			return nil, fmt.Errorf("read root node: %w", err)
		}
	}
	return c, nil
}

// Kind returns the registered kind.
func (c *OPCUAConnector) Kind() string { return Kind }

// Close ends the kept session. It does not wait for a server that is silent.
func (c *OPCUAConnector) Close() error {
	if c.session != nil {
		c.session.close()
		c.session = nil
	}
	return nil
}

// with runs a call in the kept session, or in a new one. A kept session that
// turns out to be lost is replaced once.
func (c *OPCUAConnector) with(ctx context.Context, run func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if time.Since(c.used) > keepFor {
		_ = c.Close() // never fails
	}
	kept := c.session != nil
	for {
		if c.session == nil {
			s, err := c.connect(ctx)
			if err != nil {
				return err
			}
			c.session = s
		}
		err := run(c.session)
		c.used = time.Now()
		if err == nil || fault.CodeOf(err) == fault.NotFound {
			return err
		}
		err = word(ctx, err)
		_ = c.Close() // never fails
		if !kept || ctx.Err() != nil || !lost(err) {
			return err
		}
		kept = false
	}
}

func lost(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Key == connector.KeyUnreachable
}
