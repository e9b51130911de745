package opcua

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua/secure"
)

// Times of a connection. A session outlives silentFor by far, so that it is
// the client that notices first.
const (
	connectWithin  = 20 * time.Second
	dialWithin     = 5 * time.Second
	requestWithin  = 10 * time.Second
	sessionTimeout = 60 * time.Second
	closeWithin    = 2 * time.Second
)

// tokenTypes are the user tokens of the ways to sign in.
var tokenTypes = map[string]ua.UserTokenType{
	Anonymous:   ua.UserTokenTypeAnonymous,
	Username:    ua.UserTokenTypeUserName,
	Certificate: ua.UserTokenTypeCertificate,
}

// connect opens a session: discovery, choice of the endpoint, comparison of
// its certificate, secure channel, sign-in and a first read.
func (c *OPCUAConnector) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return nil, err
	}
	opened, err := c.channel(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return c.signIn(ctx, opened, endpoint)
}

// dial opens a connection to the server by the guarded dialer.
func (c *OPCUAConnector) dial(ctx context.Context) (net.Conn, error) {
	guarded := *c.dialer
	guarded.Timeout = dialWithin
	host, port := c.hostPort()
	return guarded.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
}

// endpoint asks the server for its endpoints and chooses the one with the
// policy and mode of the settings whose certificate is the pinned one.
func (c *OPCUAConnector) endpoint(ctx context.Context) (*ua.EndpointDescription, error) {
	discovery, err := c.connectChannel(ctx, c.plainChannel())
	if err != nil {
		return nil, word(ctx, err)
	}
	defer discovery.close()
	offered, err := call[*ua.GetEndpointsResponse](ctx, discovery, &ua.GetEndpointsRequest{EndpointURL: c.settings.Endpoint})
	if err != nil {
		return nil, word(ctx, err)
	}
	chosen, err := c.choose(offered.Endpoints)
	if err != nil {
		return nil, err
	}
	chosen.ServerCertificate = leafOf(chosen.ServerCertificate)
	return chosen, c.checkPin(chosen.ServerCertificate)
}

func (c *OPCUAConnector) choose(offered []*ua.EndpointDescription) (*ua.EndpointDescription, error) {
	policy, mode := ua.FormatSecurityPolicyURI(c.settings.SecurityPolicy), ua.MessageSecurityModeFromString(c.settings.SecurityMode)
	var names []string
	var matching []*ua.EndpointDescription
	for _, e := range offered {
		if e == nil {
			continue
		}
		names = append(names, strings.TrimPrefix(e.SecurityPolicyURI, ua.SecurityPolicyURIPrefix)+"/"+strings.TrimPrefix(e.SecurityMode.String(), "MessageSecurityMode"))
		if e.SecurityPolicyURI == policy && e.SecurityMode == mode {
			matching = append(matching, e)
		}
	}
	if len(matching) == 0 {
		slices.Sort(names)
		return nil, failed(KeyNoEndpoint, fmt.Errorf("offered: %s", strings.Join(slices.Compact(names), ", ")))
	}
	slices.SortStableFunc(matching, func(a, b *ua.EndpointDescription) int { return cmp.Compare(b.SecurityLevel, a.SecurityLevel) })
	for _, e := range matching {
		if _, ok := tokenOf(e, tokenTypes[c.settings.Authentication]); ok {
			return e, nil
		}
	}
	return matching[0], nil
}

// checkPin compares the certificate that the channel will be opened with. A
// connection without security may go without a pin.
func (c *OPCUAConnector) checkPin(der []byte) error {
	got := Fingerprint(der)
	switch {
	case c.pin == "" && c.settings.SecurityMode == none:
		return nil
	case c.pin == "":
		return connector.WrongCertificate(got, fmt.Errorf("none is trusted yet; the server offers SHA-256 %s", got))
	case got != c.pin:
		return connector.WrongCertificate(got, fmt.Errorf("the server offers SHA-256 %s, trusted is %s", got, c.pin))
	default:
		return nil
	}
}

// wordChannel words a refused channel. Servers that do not trust the client's
// certificate say so, or just hang up.
func (c *OPCUAConnector) wordChannel(ctx context.Context, err error) error {
	var other *secure.OtherCertificateError
	if errors.As(err, &other) {
		return connector.WrongCertificate(Fingerprint(leafOf(other.Certificate)), err)
	}
	err = word(ctx, err)
	if connector.MessageKey(err) == KeyUntrusted && c.client != nil {
		return failed(KeyUntrusted, fmt.Errorf("certificate of this product: SHA-1 thumbprint %s, SHA-256 %s: %w", thumbprint(c.client.der), Fingerprint(c.client.der), err))
	}
	return err
}

// hostPort is the address of the server, with the port of OPC UA where none is
// given.
func (c *OPCUAConnector) hostPort() (host, port string) {
	rest := strings.TrimPrefix(c.settings.Endpoint, "opc.tcp://")
	authority, _, _ := strings.Cut(rest, "/")
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		return strings.Trim(authority, "[]"), "4840"
	}
	return host, port
}
