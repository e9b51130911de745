// Package secret encrypts the credentials of integrations before they reach
// the database. Every ciphertext is bound to one tenant, one integration and
// one field: copied into another row it does not open. The cipher is AES-256
// in Galois/counter mode from Google Tink, with keys in a keyset so that a
// rotated key still opens what an older one sealed.
package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrBinding is returned when a tenant, integration or field name is empty or
// contains the separator of the associated data, which would let two different
// bindings read the same.
var ErrBinding = errors.New("secret: tenant, integration and field must be non-empty and free of '|'")

// Box seals and opens credentials with one keyset. It is safe for concurrent
// use.
type Box struct {
	cipher tink.AEAD
}

// New builds a Box from a keyset in base64, as GenerateKeyset prints it. The
// caller reads it from the environment; this package never does.
func New(encoded string) (*Box, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		// The decoder's message quotes nothing of the input, so it may be logged.
		return nil, fmt.Errorf("decode keyset: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("read keyset: %w", err)
	}
	cipher, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("build cipher: %w", err)
	}
	return &Box{cipher: cipher}, nil
}

// Seal encrypts plain for one field of one integration of one tenant. Two
// calls with the same input give different ciphertexts. The result is 33 bytes
// longer than plain.
func (b *Box) Seal(tenant, integration, field string, plain []byte) ([]byte, error) {
	binding, err := associatedData(tenant, integration, field)
	if err != nil {
		return nil, err
	}
	sealed, err := b.cipher.Encrypt(plain, binding)
	if err != nil {
		return nil, fmt.Errorf("seal credential: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal returned for the same tenant, integration and field.
// It fails for any other binding, for a changed byte and for a foreign keyset,
// and does not say which of these it was.
func (b *Box) Open(tenant, integration, field string, sealed []byte) ([]byte, error) {
	binding, err := associatedData(tenant, integration, field)
	if err != nil {
		return nil, err
	}
	plain, err := b.cipher.Decrypt(sealed, binding)
	if err != nil {
		return nil, fmt.Errorf("open credential: %w", err)
	}
	return plain, nil
}

// GenerateKeyset returns a fresh keyset in base64, ready for the environment.
// Whoever holds it can open every credential: it belongs in a secret store.
func GenerateKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	var raw bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&raw)); err != nil {
		return "", fmt.Errorf("write keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw.Bytes()), nil
}

// associatedData renders the binding. The leading version lets a later format
// coexist with ciphertexts of this one.
func associatedData(tenant, integration, field string) ([]byte, error) {
	for _, part := range []string{tenant, integration, field} {
		if part == "" || strings.Contains(part, "|") {
			return nil, ErrBinding
		}
	}
	return []byte("v1|" + tenant + "|" + integration + "|" + field), nil
}
