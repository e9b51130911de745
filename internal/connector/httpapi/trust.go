package httpapi

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/optria-iq/optria/internal/connector"
)

// TLS builds the security of a connection to host for protocols other than
// HTTP, by the same rule: the system's authorities, or the PEM in ca, or, when
// a SHA-256 fingerprint is pinned, that certificate alone.
func TLS(ca, fingerprint, host string) (*tls.Config, error) {
	return Settings{CA: ca, Fingerprint: fingerprint}.tls(host)
}

// CheckTrust returns what is wrong with the settings certificate_sha256 and
// ca_certificate, field key to message key.
func CheckTrust(ca, fingerprint string) map[string]string {
	problems := map[string]string{}
	if fingerprint != "" {
		if _, err := parseFingerprint(fingerprint); err != nil {
			problems["certificate_sha256"] = ErrFingerprint
		}
	}
	if ca != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(ca)) {
		problems["ca_certificate"] = ErrCA
	}
	return problems
}

// TrustFields describes the settings certificate_sha256 and ca_certificate.
func TrustFields() []connector.Field {
	fields := Fields()
	return fields[len(fields)-2:]
}

// IsCertificateError reports whether err says that the peer's certificate is
// not trusted.
func IsCertificateError(err error) bool {
	_, refused := RefusedCertificate(err)
	return refused
}

// RefusedCertificate returns the fingerprint of the certificate that was not
// trusted, and whether err is about one at all.
func RefusedCertificate(err error) (fingerprint string, refused bool) { return refusedCertificate(err) }
