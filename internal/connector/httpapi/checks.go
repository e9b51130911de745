package httpapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// Checks returns the steps of a connection test below the protocol: the name
// resolves, a connection opens, and, for https, the server's certificate is
// trusted. The detail of the last one shows the fingerprint, so that a person
// can compare it.
func (c *Client) Checks() []connector.Check {
	checks := []connector.Check{{Name: connector.StepName, Run: c.checkName}, {Name: connector.StepTCP, Run: c.checkTCP}}
	if c.base.Scheme == "https" {
		checks = append(checks, connector.Check{Name: connector.StepSecure, Run: c.checkTLS})
	}
	return checks
}

// address is host:port of the base address.
func (c *Client) address() string {
	port := c.base.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[c.base.Scheme]
	}
	return net.JoinHostPort(c.base.Hostname(), port)
}

func (c *Client) checkName(ctx context.Context) (string, error) {
	found, err := net.DefaultResolver.LookupHost(ctx, c.base.Hostname())
	if err != nil {
		return "", connector.Unreachable(err)
	}
	return strings.Join(found, ", "), nil
}

func (c *Client) checkTCP(ctx context.Context) (string, error) {
	connection, err := c.dialer.DialContext(ctx, "tcp", c.address())
	if err != nil {
		return "", wordFailure(ctx, err)
	}
	return connection.RemoteAddr().String(), connection.Close()
}

func (c *Client) checkTLS(ctx context.Context) (string, error) {
	security, err := c.settings.tls(c.base.Hostname())
	if err != nil {
		return "", err
	}
	connection, err := (&tls.Dialer{NetDialer: c.dialer, Config: security}).DialContext(ctx, "tcp", c.address())
	if err != nil {
		return "", wordFailure(ctx, err)
	}
	defer connection.Close()
	state := connection.(*tls.Conn).ConnectionState()
	return fmt.Sprintf("%s, SHA-256 %s", tls.VersionName(state.Version), Fingerprint(state.PeerCertificates[0])), nil
}
