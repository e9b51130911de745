package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// Ways to sign in.
const (
	AuthNone   = "none"
	AuthBasic  = "basic"
	AuthBearer = "bearer"
)

// Settings are the settings of a connector that concern the connection. The
// open ones have the JSON names of Fields, to be embedded in the settings of a
// kind; Password and Token come from the sealed part.
type Settings struct {
	BaseURL     string `json:"base_url"`
	Auth        string `json:"auth"`
	Username    string `json:"username,omitempty"`
	Fingerprint string `json:"certificate_sha256,omitempty"`
	CA          string `json:"ca_certificate,omitempty"`
	Password    string `json:"-"`
	Token       string `json:"-"`
}

// WithSecrets returns the settings with the sealed ones filled in.
func (s Settings) WithSecrets(secrets connector.Secrets) Settings {
	s.Password, s.Token = secrets["password"], secrets["token"]
	return s
}

// Message keys of what CheckSettings finds.
const (
	ErrScheme      = "connector.http.error.scheme"
	ErrFingerprint = "connector.http.error.fingerprint"
	ErrCA          = "connector.http.error.ca"
	ErrUsername    = "connector.http.error.username"
	ErrClear       = "connector.http.error.clear"
)

// Fields describes the settings of the connection, for the spec of a kind.
func Fields() []connector.Field {
	field := func(key string, kind connector.FieldType) connector.Field {
		return connector.Field{Key: key, Type: kind, LabelKey: "connector.http." + key + ".label", HelpKey: "connector.http." + key + ".help"}
	}
	base := field("base_url", connector.URL)
	base.Required = true
	auth := field("auth", connector.Choice)
	auth.Enum, auth.Default = []string{AuthNone, AuthBasic, AuthBearer}, AuthBasic
	password, token := field("password", connector.Password), field("token", connector.Password)
	password.Secret, token.Secret = true, true
	ca := field("ca_certificate", connector.Text)
	ca.Lines, ca.Max = true, connector.Bound(64<<10)
	return []connector.Field{base, auth, field("username", connector.Text), password, token, field("certificate_sha256", connector.Text), ca}
}

// CheckSettings adds the rules that concern several settings together to those
// of a kind. Credentials go over TLS only, except to this machine.
func CheckSettings(config connector.Config) map[string]string {
	problems := map[string]string{}
	text := func(key string) string { value, _ := config[key].(string); return value }
	base, err := url.Parse(text("base_url"))
	auth := text("auth")
	if auth == "" {
		auth = AuthBasic
	}
	switch {
	case err != nil, base.Scheme != "https" && base.Scheme != "http", base.RawQuery != "", base.Fragment != "":
		problems["base_url"] = ErrScheme
	case base.Scheme == "http" && auth != AuthNone && !local(base.Hostname()):
		problems["base_url"] = ErrClear
	}
	if auth == AuthBasic && text("username") == "" {
		problems["username"] = ErrUsername
	}
	if pin := text("certificate_sha256"); pin != "" {
		if _, err := parseFingerprint(pin); err != nil {
			problems["certificate_sha256"] = ErrFingerprint
		}
	}
	if ca := text("ca_certificate"); ca != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(ca)) {
		problems["ca_certificate"] = ErrCA
	}
	return problems
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// authorize adds the credentials.
func (s Settings) authorize(request *http.Request) {
	switch s.Auth {
	case AuthBasic:
		request.SetBasicAuth(s.Username, s.Password)
	case AuthBearer:
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
}

// pinError is the cause when a server shows another certificate than the
// pinned one.
type pinError struct{ shown string }

func (e *pinError) Error() string {
	return "the server's certificate does not have the trusted fingerprint: it shows " + e.shown
}

// tls builds the security of the connection: the system's authorities or the
// given one, or, when a fingerprint is pinned, that certificate alone.
func (s Settings) tls(host string) (*tls.Config, error) {
	security := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.CA != "" {
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM([]byte(s.CA)) {
			return nil, errors.New("the certificate authority is not in PEM form")
		}
	}
	if s.Fingerprint == "" {
		return security, nil
	}
	pin, err := parseFingerprint(s.Fingerprint)
	if err != nil {
		return nil, err
	}
	security.InsecureSkipVerify = true // #nosec G402 -- the pinned certificate is checked instead of its chain
	security.VerifyConnection = func(state tls.ConnectionState) error {
		shown := sha256.Sum256(state.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(shown[:], pin) != 1 {
			return &pinError{Fingerprint(state.PeerCertificates[0])}
		}
		return nil
	}
	return security, nil
}

// Fingerprint is the SHA-256 of a certificate as people compare it: hexadecimal
// in pairs.
func Fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}

// parseFingerprint reads a fingerprint with or without separators.
func parseFingerprint(text string) ([]byte, error) {
	sum, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text))
	if err != nil || len(sum) != sha256.Size {
		return nil, errors.New("a SHA-256 fingerprint has 64 hexadecimal digits")
	}
	return sum, nil
}

// refusedCertificate returns the fingerprint of the certificate that err is
// about, and whether it is about one.
func refusedCertificate(err error) (string, bool) {
	var pin *pinError
	if errors.As(err, &pin) {
		return pin.shown, true
	}
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &verification) || len(verification.UnverifiedCertificates) == 0 {
		return "", false
	}
	return Fingerprint(verification.UnverifiedCertificates[0]), true
}
