package secret

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"

	"github.com/tink-crypto/tink-go-hcvault/v2/integration/hcvault"
	"github.com/tink-crypto/tink-go/v2/tink"
)

func init() { RegisterScheme("hcvault", openVault) }

// openVault names a key of the transit engine of HashiCorp Vault or OpenBao:
// hcvault://vault.example:8200/transit/keys/optria. The connection is TLS,
// trusted by the authorities of the system.
func openVault(_ context.Context, uri, token string) (tink.AEAD, error) {
	return vaultKey(uri, token, nil)
}

// vaultKey is openVault with the security of the connection, nil for the
// usual one.
func vaultKey(uri, token string, security *tls.Config) (tink.AEAD, error) {
	address, err := url.Parse(uri)
	if err != nil || address.Host == "" || address.User != nil {
		return nil, errors.New("write hcvault://host:port/transit/keys/name")
	}
	client, err := hcvault.NewClient("hcvault://"+address.Host, security, token)
	if err != nil {
		return nil, fmt.Errorf("reach Vault: %w", err)
	}
	return client.GetAEAD(uri)
}
