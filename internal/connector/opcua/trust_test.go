package opcua

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua/secure"
)

// TestTrust signs in at a server that trusts one client certificate, wants
// users to have a name, and at last comes back with another certificate.
func TestTrust(t *testing.T) {
	t.Parallel()
	certificate, _ := ownIdentity()
	pki := filepath.Join(t.TempDir(), "pki")
	require.NoError(t, os.MkdirAll(filepath.Join(pki, "trusted", "certs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(pki, "trusted", "certs", "client.pem"), []byte(certificate), 0o600))
	p := startPlant(t, "PKI="+pki, "ANONYMOUS=0", "ACCEPT_UNKNOWN=0", "USER_CERTIFICATE=1", "PUMPS=1")
	user := map[string]any{"authentication": Username, "username": "operator", "secret:password": "operator-secret"}
	policy := secured(t, p.host(), "Basic256Sha256", "SignAndEncrypt")
	with := func(changes ...map[string]any) map[string]any {
		all := map[string]any{}
		for _, c := range changes {
			maps.Copy(all, c)
		}
		return all
	}
	t.Run("policies", func(t *testing.T) {
		for _, name := range []string{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"} {
			for _, mode := range []string{"Sign", "SignAndEncrypt"} {
				works(t, p, with(policy, user, map[string]any{"security_policy": name, "security_mode": mode}))
			}
		}
		works(t, p, user) // without security the password is sealed by the server's certificate
		fails(t, p, with(policy, user, map[string]any{"security_policy": "Basic256"}), connector.StepSecure, KeyNoEndpoint)
	})
	t.Run("pin", func(t *testing.T) {
		pin := policy["server_certificate_sha256"].(string)
		works(t, p, with(policy, user, map[string]any{"server_certificate_sha256": colons(pin)}))
		other := "0000" + pin[4:]
		detail := fails(t, p, with(policy, user, map[string]any{"server_certificate_sha256": other}), connector.StepSecure, connector.KeyCertificate)
		require.Contains(t, detail, pin)
		fails(t, p, with(user, map[string]any{"server_certificate_sha256": other}), connector.StepSecure, connector.KeyCertificate)
	})
	t.Run("users", func(t *testing.T) {
		detail := fails(t, p, with(policy, user, map[string]any{"secret:password": "a wrong secret"}), connector.StepSession, KeyUserDenied)
		require.NotContains(t, detail, "a wrong secret")
		fails(t, p, policy, connector.StepSession, KeyAnonymousRefused)
		config, secrets := connector.Config{}, connector.Secrets{}
		require.NoError(t, generate(config, secrets))
		works(t, p, with(policy, map[string]any{"authentication": Certificate, "user_certificate": config["client_certificate"], "secret:user_key": secrets["client_key"]}))
	})
	t.Run("untrusted client", func(t *testing.T) {
		config, secrets := connector.Config{}, connector.Secrets{}
		require.NoError(t, generate(config, secrets))
		stranger := map[string]any{"client_certificate": config["client_certificate"], "secret:client_key": secrets["client_key"]}
		detail := fails(t, p, with(policy, user, stranger), connector.StepSecure, KeyUntrusted)
		parsed, err := parseCertificate(config["client_certificate"].(string))
		require.NoError(t, err)
		require.Contains(t, detail, thumbprint(parsed.Raw))
	})
	t.Run("certificate changed", func(t *testing.T) {
		p.Kill()
		require.NoError(t, os.RemoveAll(filepath.Join(pki, "own")))
		p.Restart()
		c := dial(t, p.host(), with(policy, user))
		_, err := c.Sample(t.Context(), []string{address("Pump1/Flow")})
		require.Equal(t, connector.KeyCertificate, connector.MessageKey(err))
		require.True(t, connector.NeedsPerson(err))
		works(t, p, with(secured(t, p.host(), "Basic256Sha256", "SignAndEncrypt"), user))
	})
}

func works(t *testing.T, p *plant, change map[string]any) {
	t.Helper()
	c := dial(t, p.host(), change)
	batch, err := c.Sample(t.Context(), []string{address("Pump1/Flow")})
	require.NoError(t, err, "%v %v", change["security_policy"], change["security_mode"])
	require.Len(t, batch.Readings, 1)
	require.NoError(t, c.Close())
}

// fails expects a step of the connection test to fail with a key, and the
// same from a call, which then asks for a person.
func fails(t *testing.T, p *plant, change map[string]any, step, key string) (detail string) {
	t.Helper()
	c := dial(t, p.host(), change)
	steps := c.Test(t.Context())
	last := steps[len(steps)-1]
	require.Equal(t, step, last.Name, last.Detail)
	require.Equal(t, key, last.Code, last.Detail)
	_, err := c.Sample(t.Context(), []string{address("Pump1/Flow")})
	require.Equal(t, key, connector.MessageKey(err))
	require.True(t, connector.NeedsPerson(err))
	return last.Detail
}

// colons writes a fingerprint as other tools show it.
func colons(pin string) string {
	var pairs []string
	for i := 0; i < len(pin); i += 2 {
		pairs = append(pairs, strings.ToUpper(pin[i:i+2]))
	}
	return strings.Join(pairs, ":")
}

func TestSecureChannelNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	config, _ := settings("127.0.0.1:1", map[string]any{"security_policy": "Basic256Sha256", "security_mode": "Sign"})
	_, err := connector.Open(Kind, config, connector.Secrets{}, &net.Dialer{})
	require.Equal(t, KeyNoIdentity, connector.MessageKey(err), "a certificate without key")
	_, key := ownIdentity()
	other := connector.Secrets{}
	require.NoError(t, generate(connector.Config{}, other))
	require.NotEqual(t, key, other["client_key"])
	_, err = connector.Open(Kind, config, other, &net.Dialer{})
	require.Equal(t, KeyNoIdentity, connector.MessageKey(err), "a key of another certificate")
}

// TestChannelsThatFailSayWhy words the ways in which a channel ends.
func TestChannelsThatFailSayWhy(t *testing.T) {
	t.Parallel()
	c := dial(t, "127.0.0.1:1", nil)
	for key, err := range map[string]error{
		connector.KeyCertificate: &secure.OtherCertificateError{Certificate: c.client.der},
		connector.KeySecurity:    secure.ErrTampered,
		connector.KeyUnreachable: net.ErrClosed,
		connector.KeyTooLarge:    ua.StatusBadTCPMessageTooLarge,
		connector.KeyProtocol:    ua.StatusBadTCPMessageTypeInvalid,
		KeyUntrusted:             ua.StatusBadSecurityChecksFailed,
	} {
		require.Equal(t, key, connector.MessageKey(c.wordChannel(t.Context(), fmt.Errorf("open: %w", err))), "%v", err)
	}
}

func TestGeneratedCertificate(t *testing.T) {
	t.Parallel()
	text, key := ownIdentity()
	certificate, err := parseCertificate(text)
	require.NoError(t, err)
	require.Len(t, certificate.URIs, 1, "the application URI")
	require.Equal(t, "SHA256-RSA", certificate.SignatureAlgorithm.String())
	require.Equal(t, certificateYears, certificate.NotAfter.Year()-certificate.NotBefore.Year())
	id, err := parseIdentity(text, key)
	require.NoError(t, err)
	require.Equal(t, certificate.URIs[0].String(), id.application)
	config, secrets := connector.Config{"client_certificate": text}, connector.Secrets{"client_key": key}
	require.NoError(t, generate(config, secrets))
	require.Equal(t, text, config["client_certificate"], "what exists stays")
}
