package opcua

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua/secure"
)

// nonceLength is the length of the client's nonce, OPC 10000-4 5.7.2.
const nonceLength = 32

// signIn creates and activates a session on a channel, and reads a first time.
// It closes the channel when it fails.
func (c *OPCUAConnector) signIn(ctx context.Context, ch *channel, endpoint *ua.EndpointDescription) (s *session, err error) {
	defer func() {
		if err != nil {
			ch.close()
		}
	}()
	if err := c.checkToken(endpoint); err != nil {
		return nil, err
	}
	created, err := c.createSession(ctx, ch, endpoint)
	if err != nil {
		return nil, c.wordChannel(ctx, err)
	}
	ch.token = created.AuthenticationToken
	if err := c.activate(ctx, ch, endpoint, created); err != nil {
		return nil, c.wordSignIn(ctx, err)
	}
	s = &session{channel: ch}
	return s, s.begin(ctx)
}

// createSession asks for a session. The server proves with it that it holds
// the key of the certificate of the endpoint.
func (c *OPCUAConnector) createSession(ctx context.Context, ch *channel, endpoint *ua.EndpointDescription) (*ua.CreateSessionResponse, error) {
	nonce := make([]byte, nonceLength)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	request := &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{ApplicationURI: "urn:optria-iq:opcua-client", ProductURI: "urn:optria-iq",
			ApplicationName: ua.NewLocalizedText("OPTRIA IQ"), ApplicationType: ua.ApplicationTypeClient},
		EndpointURL: c.settings.Endpoint, SessionName: "OPTRIA IQ", ClientNonce: nonce, RequestedSessionTimeout: float64(sessionTimeout / time.Millisecond),
	}
	if c.client != nil && c.client.application != "" {
		request.ClientDescription.ApplicationURI = c.client.application
	}
	if c.settings.SecurityMode != none {
		request.ClientCertificate = c.client.der
	}
	created, err := call[*ua.CreateSessionResponse](ctx, ch, request)
	if err != nil {
		return nil, err
	}
	if c.settings.SecurityMode == none {
		return created, c.checkSessionPin(created.ServerCertificate)
	}
	if created.ServerSignature == nil || !bytes.Equal(leafOf(created.ServerCertificate), endpoint.ServerCertificate) {
		return nil, failed(connector.KeySecurity, errors.New("the session is not signed with the certificate of the channel"))
	}
	if err := secure.Verify(ch.config.Policy, endpoint.ServerCertificate, ch.config.Certificate, nonce, created.ServerSignature.Signature); err != nil {
		return nil, failed(connector.KeySecurity, fmt.Errorf("the server does not prove that it holds the key of its certificate: %w", err))
	}
	return created, nil
}

// checkSessionPin compares the certificate by which a password is sealed on a
// connection without security, where a pin is given.
func (c *OPCUAConnector) checkSessionPin(der []byte) error {
	if c.pin == "" || len(der) == 0 {
		return nil
	}
	return c.checkPin(leafOf(der))
}

// activate proves who the client and its user are.
func (c *OPCUAConnector) activate(ctx context.Context, ch *channel, endpoint *ua.EndpointDescription, created *ua.CreateSessionResponse) error {
	certificate := leafOf(created.ServerCertificate)
	signature, err := secure.Sign(ch.config.Policy, ch.config.Key, certificate, created.ServerNonce)
	if err != nil {
		return failed(connector.KeySecurity, fmt.Errorf("sign the session: %w", err))
	}
	token, proof, err := c.userToken(endpoint, certificate, created.ServerNonce)
	if err != nil {
		return failed(connector.KeySecurity, fmt.Errorf("seal the user's token: %w", err))
	}
	_, err = call[*ua.ActivateSessionResponse](ctx, ch, &ua.ActivateSessionRequest{
		ClientSignature: signature, LocaleIDs: []string{"en"},
		UserIdentityToken: ua.NewExtensionObject(token), UserTokenSignature: proof,
	})
	return err
}

// userToken is the user's identity and, for a certificate, the proof of it.
func (c *OPCUAConnector) userToken(endpoint *ua.EndpointDescription, certificate, nonce []byte) (any, *ua.SignatureData, error) {
	policy := &ua.UserTokenPolicy{}
	if offered, ok := tokenOf(endpoint, tokenTypes[c.settings.Authentication]); ok {
		policy = offered
	}
	uri := cmp.Or(policy.SecurityPolicyURI, endpoint.SecurityPolicyURI)
	switch c.settings.Authentication {
	case Username:
		sealed, algorithm, err := secure.SealPassword(uri, c.password, certificate, nonce)
		return &ua.UserNameIdentityToken{PolicyID: policy.PolicyID, UserName: c.settings.Username, Password: sealed, EncryptionAlgorithm: algorithm}, &ua.SignatureData{}, err
	case Certificate:
		proof, err := secure.Sign(uri, c.user.key, certificate, nonce)
		return &ua.X509IdentityToken{PolicyID: policy.PolicyID, CertificateData: c.user.der}, proof, err
	default:
		return &ua.AnonymousIdentityToken{PolicyID: policy.PolicyID}, &ua.SignatureData{}, nil
	}
}

// wordSignIn words what a server says of a user.
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
