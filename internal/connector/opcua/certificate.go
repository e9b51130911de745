package opcua

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- the thumbprint of OPC UA, OPC 10000-6 6.2.3: a name, not a proof
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// certificateYears is how long a generated client certificate is valid.
const certificateYears = 5

// keyBits is the length of a generated key; all RSA policies but the legacy
// ones accept 2048 to 4096 bits.
const keyBits = 2048

// generate makes the client's key pair and self-signed certificate where they
// are absent: an application instance certificate after OPC 10000-6 6.2.2,
// whose URI name is the application URI that the client announces.
func generate(config connector.Config, secrets connector.Secrets) error {
	text, _ := config["client_certificate"].(string)
	if text != "" && secrets["client_key"] != "" {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("make client key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("make serial number: %w", err)
	}
	der, err := selfSigned(key, serial, time.Now())
	if err != nil {
		return err
	}
	config["client_certificate"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	secrets["client_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return nil
}

func selfSigned(key *rsa.PrivateKey, serial *big.Int, now time.Time) ([]byte, error) {
	application := &url.URL{Scheme: "urn", Opaque: "optria-iq:opcua-client:" + serial.Text(16)}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "OPTRIA IQ", Organization: []string{"OPTRIA IQ"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(certificateYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		SignatureAlgorithm:    x509.SHA256WithRSA,
		URIs:                  []*url.URL{application},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign client certificate: %w", err)
	}
	return der, nil
}

// identity is a certificate with its private key.
type identity struct {
	der         []byte
	key         *rsa.PrivateKey
	application string // the URI name of the certificate
}

// parseIdentity reads a certificate and its RSA key from PEM and makes sure
// that they belong together. Both empty gives nil.
func parseIdentity(certificate, key string) (*identity, error) {
	if certificate == "" && key == "" {
		return nil, nil
	}
	parsed, err := parseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	private, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	if !private.PublicKey.Equal(parsed.PublicKey) {
		return nil, errors.New("the private key does not belong to the certificate")
	}
	id := &identity{der: parsed.Raw, key: private}
	if len(parsed.URIs) > 0 {
		id.application = parsed.URIs[0].String()
	}
	return id, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not a certificate in PEM form")
	}
	return x509.ParseCertificate(block.Bytes)
}

// parseKey reads an RSA key in PKCS #1 or PKCS #8 form. Its errors never quote
// the key.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("not a private key in PEM form")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the private key cannot be read")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not an RSA key")
	}
	return key, nil
}

// leafOf returns the first certificate of what a server sends, which may be a
// chain of several written one after another.
func leafOf(der []byte) []byte {
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(der, &first); err != nil {
		return der
	}
	return first.FullBytes
}

// Fingerprint is the SHA-256 of a certificate in lower-case hexadecimal.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// thumbprint is the SHA-1 of a certificate, by which servers name the client
// certificates that wait for trust.
func thumbprint(der []byte) string {
	sum := sha1.Sum(der) // #nosec G401 -- see the import
	return hex.EncodeToString(sum[:])
}
