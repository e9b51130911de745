package secret

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// Encryption names the key that encrypts the keyset, which a key management
// service holds. The zero value names none: the keyset is in clear.
type Encryption struct {
	URI   string // "<scheme>://…"; RegisterScheme says which there are
	Token string // credential for the service, where it needs one
}

// Scheme opens the key-encryption key of an address.
type Scheme func(ctx context.Context, uri, token string) (tink.AEAD, error)

// schemes is written by init functions, and by tests before they read it.
var schemes = map[string]Scheme{}

// RegisterScheme makes a kind of key management service known by the scheme of
// its addresses, such as "hcvault". It is called from init functions and
// panics on a duplicate.
func RegisterScheme(name string, open Scheme) {
	if _, taken := schemes[name]; taken || name == "" || open == nil {
		panic(fmt.Sprintf("secret: scheme %q empty or registered twice", name))
	}
	schemes[name] = open
}

// Open returns the key-encryption key, nil when none is named. It may ask the
// service.
func (e Encryption) Open(ctx context.Context) (tink.AEAD, error) {
	if e.URI == "" {
		return nil, nil
	}
	name, _, found := strings.Cut(e.URI, "://")
	open, known := schemes[name]
	if !found || !known {
		return nil, fmt.Errorf("OPTRIA_SECRET_KEK_URI: no key management service of this scheme; there are: %s", strings.Join(slices.Sorted(maps.Keys(schemes)), ", "))
	}
	kek, err := open(ctx, e.URI, e.Token)
	if err != nil {
		return nil, fmt.Errorf("open key-encryption key: %w", err)
	}
	return kek, nil
}
