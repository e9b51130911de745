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

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"

	"github.com/optria-iq/optria/internal/connector"
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

// Bounds announced to the server, bytes and chunks of one message.
const (
	bufferSize     = 0xffff
	maxMessageSize = 16 << 20
	maxChunkCount  = 512
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
	client, err := c.channel(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return c.signIn(ctx, client, endpoint)
}

// dialerFor returns the library's dialer around the guarded one.
func (c *OPCUAConnector) dialerFor() *uacp.Dialer {
	guarded := *c.dialer
	guarded.Timeout = dialWithin
	return &uacp.Dialer{Dialer: &guarded, ClientACK: &uacp.Acknowledge{
		ReceiveBufSize: bufferSize, SendBufSize: bufferSize, MaxMessageSize: maxMessageSize, MaxChunkCount: maxChunkCount,
	}}
}

// endpoint asks the server for its endpoints and chooses the one with the
// policy and mode of the settings whose certificate is the pinned one.
func (c *OPCUAConnector) endpoint(ctx context.Context) (*ua.EndpointDescription, error) {
	offered, err := opcua.GetEndpoints(ctx, c.settings.Endpoint, opcua.Dialer(c.dialerFor()), opcua.RequestTimeout(requestWithin))
	if err != nil {
		return nil, word(ctx, err)
	}
	chosen, err := c.choose(offered)
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

// checkToken makes sure that the endpoint offers the way to sign in.
func (c *OPCUAConnector) checkToken(endpoint *ua.EndpointDescription) error {
	_, offered := tokenOf(endpoint, tokenTypes[c.settings.Authentication])
	switch {
	case offered:
		return nil
	case c.settings.Authentication == Anonymous:
		return failed(KeyAnonymousRefused, errors.New("the endpoint offers no anonymous sign-in"))
	default:
		return failed(KeyTokenMissing, fmt.Errorf("the endpoint does not offer %s", c.settings.Authentication))
	}
}

func tokenOf(e *ua.EndpointDescription, kind ua.UserTokenType) (*ua.UserTokenPolicy, bool) {
	for _, t := range e.UserIdentityTokens {
		if t != nil && t.TokenType == kind {
			return t, true
		}
	}
	return nil, false
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

// options are the settings of the library for the channel to an endpoint.
func (c *OPCUAConnector) options(endpoint *ua.EndpointDescription) ([]opcua.Option, error) {
	options := []opcua.Option{
		opcua.Dialer(c.dialerFor()), opcua.AutoReconnect(false), opcua.RequestTimeout(requestWithin),
		opcua.SecurityFromEndpoint(endpoint, tokenTypes[c.settings.Authentication]),
	}
	if c.settings.SecurityMode != none {
		if c.client == nil {
			return nil, failed(KeyNoIdentity, errors.New("store the integration to make a certificate"))
		}
		options = append(options, opcua.PrivateKey(c.client.key), opcua.Certificate(c.client.der))
	}
	if c.settings.Authentication == Certificate {
		if c.user == nil {
			return nil, failed(KeyUserDenied, errors.New("no user certificate with key"))
		}
		options = append(options, opcua.AuthPrivateKey(c.user.key))
	}
	return options, nil
}

// sessionConfig describes the client and carries the user's token.
func (c *OPCUAConnector) sessionConfig(endpoint *ua.EndpointDescription) *uasc.SessionConfig {
	application := "urn:optria-iq:opcua-client"
	if c.client != nil && c.client.application != "" {
		application = c.client.application
	}
	config := &uasc.SessionConfig{
		SessionTimeout: sessionTimeout,
		SessionName:    "OPTRIA IQ",
		ClientDescription: &ua.ApplicationDescription{ApplicationURI: application, ProductURI: "urn:optria-iq",
			ApplicationName: ua.NewLocalizedText("OPTRIA IQ"), ApplicationType: ua.ApplicationTypeClient},
		LocaleIDs:          []string{"en"},
		UserTokenSignature: &ua.SignatureData{},
		AuthPolicyURI:      endpoint.SecurityPolicyURI,
	}
	policy := ""
	if token, ok := tokenOf(endpoint, tokenTypes[c.settings.Authentication]); ok {
		policy = token.PolicyID
		config.AuthPolicyURI = cmp.Or(token.SecurityPolicyURI, endpoint.SecurityPolicyURI)
	}
	switch c.settings.Authentication {
	case Username:
		config.UserIdentityToken = &ua.UserNameIdentityToken{PolicyID: policy, UserName: c.settings.Username}
		config.AuthPassword = c.password
	case Certificate:
		config.UserIdentityToken = &ua.X509IdentityToken{PolicyID: policy, CertificateData: c.user.der}
	default:
		config.UserIdentityToken = &ua.AnonymousIdentityToken{PolicyID: policy}
	}
	return config
}

// channel opens the secure channel with the certificate of the endpoint. The
// address is the one that the person entered, not the one that the server
// says: that may be a name of its own network.
func (c *OPCUAConnector) channel(ctx context.Context, endpoint *ua.EndpointDescription) (*opcua.Client, error) {
	options, err := c.options(endpoint)
	if err != nil {
		return nil, err
	}
	client, err := opcua.NewClient(c.settings.Endpoint, options...)
	if err != nil {
		return nil, failed(connector.KeySecurity, err)
	}
	if err := client.Dial(ctx); err != nil {
		return nil, c.wordChannel(ctx, err)
	}
	return client, nil
}

// wordChannel words a refused channel. Servers that do not trust the client's
// certificate say so, or just hang up.
func (c *OPCUAConnector) wordChannel(ctx context.Context, err error) error {
	err = word(ctx, err)
	if connector.MessageKey(err) == KeyUntrusted && c.client != nil {
		return failed(KeyUntrusted, fmt.Errorf("certificate of this product: SHA-1 thumbprint %s, SHA-256 %s: %w", thumbprint(c.client.der), Fingerprint(c.client.der), err))
	}
	return err
}

// signIn creates and activates the session, and reads: the library reports
// success for an activation that failed on its side.
func (c *OPCUAConnector) signIn(ctx context.Context, client *opcua.Client, endpoint *ua.EndpointDescription) (s *session, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = failed(connector.KeyProtocol, fmt.Errorf("sign in: %v", r))
		}
		if err != nil {
			closeClient(client)
		}
	}()
	if err := c.checkToken(endpoint); err != nil {
		return nil, err
	}
	created, err := client.CreateSession(ctx, c.sessionConfig(endpoint))
	if err != nil {
		return nil, c.wordChannel(ctx, err)
	}
	if created == nil {
		return nil, failed(connector.KeySecurity, errors.New("the server does not prove that it holds the key of its certificate"))
	}
	if err := client.ActivateSession(ctx, created); err != nil {
		return nil, c.wordSignIn(ctx, err)
	}
	s = &session{client: client}
	return s, s.begin(ctx)
}

func (c *OPCUAConnector) wordSignIn(ctx context.Context, err error) error {
	switch {
	case isStatus(err, ua.StatusBadUserAccessDenied, ua.StatusBadIdentityTokenRejected, ua.StatusBadUserSignatureInvalid):
		return failed(KeyUserDenied, err)
	case isStatus(err, ua.StatusBadIdentityTokenInvalid) && c.settings.Authentication == Anonymous:
		return failed(KeyAnonymousRefused, err)
	case isStatus(err, ua.StatusBadIdentityTokenInvalid):
		return failed(KeyUserDenied, err)
	default:
		return c.wordChannel(ctx, err)
	}
}

// closeClient ends a session and its channel without waiting longer than
// closeWithin; what hangs ends by the time limits of its requests.
func closeClient(client *opcua.Client) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin/2)
		defer cancel()
		_ = client.Close(ctx) // always nil
	}()
	select {
	case <-done:
	case <-time.After(closeWithin):
	}
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
