package secure

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// keyOf reads the RSA key of a certificate, of which DER encodes one only.
func keyOf(certificate []byte) (*rsa.PublicKey, error) {
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("read the server's certificate: %w", err)
	}
	key, ok := parsed.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key of the server's certificate is not an RSA key")
	}
	return key, nil
}

// Sign signs a certificate and a nonce of the server with a key of the client,
// as sessions and users are proven, OPC 10000-4 7.36. The policy None needs no
// signature.
func Sign(policy string, key *rsa.PrivateKey, certificate, nonce []byte) (*ua.SignatureData, error) {
	if policy == ua.SecurityPolicyURINone {
		return &ua.SignatureData{}, nil
	}
	remote, err := keyOf(certificate)
	if err != nil {
		return nil, err
	}
	algorithm, err := uapolicy.Asymmetric(policy, key, remote)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature, err := algorithm.Signature(slices.Concat(certificate, nonce))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return &ua.SignatureData{Algorithm: algorithm.SignatureURI(), Signature: signature}, nil
}

// Verify checks that the owner of the server's certificate has signed the
// client's certificate and nonce.
func Verify(policy string, certificate, own, nonce, signature []byte) error {
	key, err := keyOf(certificate)
	if err != nil {
		return err
	}
	algorithm, err := uapolicy.Asymmetric(policy, nil, key)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return algorithm.VerifySignature(slices.Concat(own, nonce), signature)
}

// SealPassword encrypts a password for the owner of the server's certificate,
// with its nonce, OPC 10000-4 7.41.2.2, and names the algorithm. The policy None
// leaves it in the clear.
func SealPassword(policy, password string, certificate, nonce []byte) (sealed []byte, algorithm string, err error) {
	if policy == ua.SecurityPolicyURINone {
		return []byte(password), "", nil
	}
	key, err := keyOf(certificate)
	if err != nil {
		return nil, "", err
	}
	asymmetric, err := uapolicy.Asymmetric(policy, nil, key)
	if err != nil {
		return nil, "", fmt.Errorf("encrypt: %w", err)
	}
	secret := binary.LittleEndian.AppendUint32(nil, uint32(len(password)+len(nonce)))
	sealed, err = asymmetric.Encrypt(slices.Concat(secret, []byte(password), nonce))
	if err != nil {
		return nil, "", fmt.Errorf("encrypt: %w", err)
	}
	return sealed, asymmetric.EncryptionURI(), nil
}
