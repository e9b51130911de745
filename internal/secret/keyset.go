package secret

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Message texts of keysets quote nothing of the keyset, so they may be logged.
var (
	errClear   = errors.New("the keyset is not encrypted under the key of OPTRIA_SECRET_KEK_URI: `optria secrets rotate` prints one that is")
	errPrimary = errors.New("the primary key seals new credentials and cannot be dropped")
	errNoKey   = errors.New("the keyset has no such key")
	errPromote = errors.New("the newest key is the primary one already")
)

// keysetBinding is the associated data of an encrypted keyset.
var keysetBinding = []byte("optria|keyset|v1")

// Keyset is a set of keys of which the primary one seals and all open. The
// zero value is of no use; Parse reads one, GenerateKeyset makes the text of
// one. Methods that change it return the changed set.
type Keyset struct{ handle *keyset.Handle }

// Parse reads a keyset in base64: in clear when kek is nil, else encrypted
// under kek. A clear one is refused then, so that a key-encryption key cannot
// be left out unnoticed.
func Parse(encoded string, kek tink.AEAD) (Keyset, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		// The decoder's message quotes nothing of the input, so it may be logged.
		return Keyset{}, fmt.Errorf("decode keyset: %w", err)
	}
	if kek == nil {
		handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
		if err != nil {
			return Keyset{}, fmt.Errorf("read keyset: %w", err)
		}
		return Keyset{handle}, nil
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(raw)), kek, keysetBinding)
	if err == nil {
		return Keyset{handle}, nil
	}
	if _, clearErr := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw))); clearErr == nil {
		return Keyset{}, errClear
	}
	return Keyset{}, fmt.Errorf("read encrypted keyset: %w", err)
}

// ParseAny is Parse that takes a clear keyset also where there is a
// key-encryption key: for the command that encrypts one.
func ParseAny(encoded string, kek tink.AEAD) (Keyset, error) {
	k, err := Parse(encoded, kek)
	if errors.Is(err, errClear) {
		return Parse(encoded, nil)
	}
	return k, err
}

// Encode renders the keyset in base64, encrypted under kek unless that is nil.
// Whoever holds a clear one can open every credential.
func (k Keyset) Encode(kek tink.AEAD) (string, error) {
	var raw bytes.Buffer
	var err error
	if kek == nil {
		err = insecurecleartextkeyset.Write(k.handle, keyset.NewBinaryWriter(&raw))
	} else {
		err = k.handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&raw), kek, keysetBinding)
	}
	if err != nil {
		return "", fmt.Errorf("write keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw.Bytes()), nil
}

// Add returns the keyset with one more key, as the primary one or waiting to
// be promoted. The others still open what they sealed.
func (k Keyset) Add(primary bool) (Keyset, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil && primary {
		err = manager.SetPrimary(id)
	}
	return finish(manager, err)
}

// Promote returns the keyset with its newest key as the primary one.
func (k Keyset) Promote() (Keyset, error) {
	keys := k.Keys()
	newest := keys[len(keys)-1]
	if newest == k.Primary() {
		return Keyset{}, errPromote
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	return finish(manager, manager.SetPrimary(newest))
}

// Drop returns the keyset without a key. What that key has sealed cannot be
// opened any more.
func (k Keyset) Drop(id uint32) (Keyset, error) {
	known := false
	for _, key := range k.Keys() {
		known = known || key == id
	}
	switch {
	case !known:
		return Keyset{}, errNoKey
	case id == k.Primary():
		return Keyset{}, errPrimary
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	return finish(manager, manager.Delete(id))
}

func finish(manager *keyset.Manager, err error) (Keyset, error) {
	if err != nil {
		return Keyset{}, fmt.Errorf("change keyset: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return Keyset{}, fmt.Errorf("read changed keyset: %w", err)
	}
	return Keyset{handle}, nil
}

// Keys lists the ids of the keys, oldest first. An id is no secret.
func (k Keyset) Keys() []uint32 {
	var ids []uint32
	for _, key := range k.handle.KeysetInfo().GetKeyInfo() {
		ids = append(ids, key.GetKeyId())
	}
	return ids
}

// Primary is the id of the key that seals.
func (k Keyset) Primary() uint32 { return k.handle.KeysetInfo().GetPrimaryKeyId() }

// Box builds the box that seals and opens with the keyset.
func (k Keyset) Box() (*Box, error) {
	cipher, err := aead.New(k.handle)
	if err != nil {
		return nil, fmt.Errorf("build cipher: %w", err)
	}
	return &Box{cipher: cipher, primary: k.Primary()}, nil
}

// Open reads a keyset, with the help of the key-encryption key that e names,
// and builds its box.
func Open(ctx context.Context, encoded string, e Encryption) (*Box, error) {
	kek, err := e.Open(ctx)
	if err != nil {
		return nil, err
	}
	k, err := Parse(encoded, kek)
	if err != nil {
		return nil, err
	}
	return k.Box()
}

// tinkPrefix is the first byte of a ciphertext that names its key in the next
// four (Tink wire format, output prefix TINK).
const tinkPrefix = 1

// KeyOf returns the id of the key that sealed a credential, or false for what
// Seal has not made.
func KeyOf(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 || sealed[0] != tinkPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}
