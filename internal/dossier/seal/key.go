// Package seal closes a file with a signed list of its parts, so that whoever
// holds the file and the public key can tell without the product whether a
// byte was changed, and in which part. HTML and PDF files stay what they are:
// the seal is a comment at their end.
package seal

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// keyPurpose binds the derived key to seals: nothing else that is derived from
// the same secret can be mistaken for it.
const keyPurpose = "optria seal ed25519 v1"

// Key signs seals.
type Key struct{ private ed25519.PrivateKey }

// DeriveKey makes the signing key of a deployment from one of its secrets
// (HKDF with SHA-256, RFC 5869). The same secret gives the same key.
func DeriveKey(secret []byte) (Key, error) {
	if len(secret) < 32 {
		return Key{}, errors.New("a secret of at least 32 bytes is needed for the seal key")
	}
	seed, err := hkdf.Key(sha256.New, secret, nil, keyPurpose, ed25519.SeedSize)
	if err != nil {
		return Key{}, fmt.Errorf("derive seal key: %w", err)
	}
	return Key{ed25519.NewKeyFromSeed(seed)}, nil
}

// Sign signs a message.
func (k Key) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

// Public is the half that verifies.
func (k Key) Public() PublicKey { return PublicKey(k.private.Public().(ed25519.PublicKey)) }

// PublicKey verifies seals.
type PublicKey []byte

// ID is a short name of a key: the first eight bytes of its SHA-256 in
// hexadecimal.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:8])
}

// String is the key as it is printed and typed: base64 of its 32 bytes.
func (k PublicKey) String() string { return base64.StdEncoding.EncodeToString(k) }

// Verify reports whether a signature of message is of this key.
func (k PublicKey) Verify(message, signature []byte) bool {
	return len(k) == ed25519.PublicKeySize && ed25519.Verify(ed25519.PublicKey(k), message, signature)
}

// ParsePublicKey reads a key as String prints it.
func ParsePublicKey(s string) (PublicKey, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is not a public seal key: it is 44 characters of base64, as the page \"Verify a file\" shows it", s)
	}
	return b, nil
}

// Keys are the public keys that a verifier trusts.
type Keys []PublicKey

// Trusts reports whether a key is among them.
func (k Keys) Trusts(key PublicKey) bool {
	for _, known := range k {
		if known.String() == key.String() {
			return true
		}
	}
	return false
}
