// Package secret encrypts the credentials of integrations before they reach
// the database. Every ciphertext is bound to one tenant, one integration and
// one field: copied into another row it does not open. The cipher is AES-256
// in Galois/counter mode from Google Tink, with keys in a keyset so that a
// rotated key still opens what an older one sealed.
package secret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
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
	cipher  tink.AEAD
	primary uint32
}

// OneTimeArea is the integration part of the binding under which one-time
// passwords are sealed; the field is the account.
const OneTimeArea = "credentials"

// SigningField is the field under which the signing secrets of outbound
// webhooks are sealed; the webhook stands in the place of the integration.
const SigningField = "signing_secret"

// AnswersArea is the integration part of the binding under which answers to
// keyed requests are sealed: some of them carry a secret that is shown once.
const AnswersArea = "idempotency"

// AnswerField is the field under which the answer to a request of an account
// with a key is sealed. It is a digest, because a key may hold the separator.
func AnswerField(account uuid.UUID, key string) string {
	name := sha256.Sum256([]byte(account.String() + key))
	return hex.EncodeToString(name[:])
}

// New builds a Box from a clear keyset in base64, as GenerateKeyset prints it.
// The caller reads it from the environment; this package never does.
func New(encoded string) (*Box, error) { return Open(context.Background(), encoded, Encryption{}) }

// Primary is the id of the key that seals. An id is no secret.
func (b *Box) Primary() uint32 { return b.primary }

// Reseal seals a credential anew under the primary key. It returns false, and
// nothing, for one that is sealed under it already.
func (b *Box) Reseal(tenant, integration, field string, sealed []byte) (fresh []byte, changed bool, err error) {
	if key, ok := KeyOf(sealed); ok && key == b.primary {
		return nil, false, nil
	}
	plain, err := b.Open(tenant, integration, field, sealed)
	if err != nil {
		return nil, false, err
	}
	fresh, err = b.Seal(tenant, integration, field, plain)
	clear(plain)
	return fresh, err == nil, err
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

// GenerateKeyset returns a fresh clear keyset in base64, ready for the
// environment. Whoever holds it can open every credential: it belongs in a
// secret store.
func GenerateKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	return Keyset{handle}.Encode(nil)
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
