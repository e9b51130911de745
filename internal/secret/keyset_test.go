package secret

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/testing/fakekms"
	"github.com/tink-crypto/tink-go/v2/tink"
)

func init() {
	RegisterScheme("fake-kms", func(_ context.Context, uri, _ string) (tink.AEAD, error) { return fakekms.NewAEAD(uri) })
}

func newKeyset(t *testing.T) Keyset {
	t.Helper()
	encoded, err := GenerateKeyset()
	require.NoError(t, err)
	k, err := Parse(encoded, nil)
	require.NoError(t, err)
	return k
}

func boxOf(t *testing.T, k Keyset) *Box {
	t.Helper()
	b, err := k.Box()
	require.NoError(t, err)
	return b
}

func TestKeysRotateThroughAllStages(t *testing.T) {
	t.Parallel()
	first := newKeyset(t)
	old := boxOf(t, first)
	sealed, err := old.Seal("t", "i", "f", []byte("kept"))
	require.NoError(t, err)

	standby, err := first.Add(false)
	require.NoError(t, err)
	require.Equal(t, first.Primary(), standby.Primary(), "a key on standby does not seal")
	promoted, err := standby.Promote()
	require.NoError(t, err)
	require.Equal(t, standby.Keys()[1], promoted.Primary())
	_, err = promoted.Promote()
	require.ErrorIs(t, err, errPromote)

	fresh, changed, err := boxOf(t, promoted).Reseal("t", "i", "f", sealed)
	require.NoError(t, err)
	require.True(t, changed)
	plain, err := boxOf(t, standby).Open("t", "i", "f", fresh)
	require.NoError(t, err, "who knows the key on standby reads what the next one seals")
	require.Equal(t, "kept", string(plain))
	_, err = old.Open("t", "i", "f", fresh)
	require.Error(t, err)
	_, changed, err = boxOf(t, promoted).Reseal("t", "i", "f", fresh)
	require.NoError(t, err)
	require.False(t, changed, "a second pass has nothing to do")
	_, _, err = boxOf(t, promoted).Reseal("t2", "i", "f", sealed)
	require.Error(t, err, "a credential of another tenant is not sealed anew")

	_, err = promoted.Drop(promoted.Primary())
	require.ErrorIs(t, err, errPrimary)
	_, err = promoted.Drop(12345)
	require.ErrorIs(t, err, errNoKey)
	alone, err := promoted.Drop(first.Primary())
	require.NoError(t, err)
	require.Equal(t, []uint32{promoted.Primary()}, alone.Keys())
	plain, err = boxOf(t, alone).Open("t", "i", "f", fresh)
	require.NoError(t, err)
	require.Equal(t, "kept", string(plain))
	_, err = boxOf(t, alone).Open("t", "i", "f", sealed)
	require.Error(t, err)
}

func TestKeyOfNamesTheSealingKey(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	sealed, err := boxOf(t, k).Seal("t", "i", "f", []byte("x"))
	require.NoError(t, err)
	key, ok := KeyOf(sealed)
	require.True(t, ok)
	require.Equal(t, k.Primary(), key)
	require.Equal(t, k.Primary(), boxOf(t, k).Primary())
	for _, none := range [][]byte{nil, {1, 2, 3}, []byte("sealed")} {
		_, ok := KeyOf(none)
		require.False(t, ok)
	}
}

func TestKeysetUnderAKeyEncryptionKey(t *testing.T) {
	t.Parallel()
	uri, err := fakekms.NewKeyURI()
	require.NoError(t, err)
	other, err := fakekms.NewKeyURI()
	require.NoError(t, err)
	kek, err := Encryption{URI: uri}.Open(t.Context())
	require.NoError(t, err)
	clear, err := GenerateKeyset()
	require.NoError(t, err)
	keys, err := ParseAny(clear, kek)
	require.NoError(t, err)
	sealed, err := boxOf(t, keys).Seal("t", "i", "f", []byte("kept"))
	require.NoError(t, err)
	wrapped, err := keys.Encode(kek)
	require.NoError(t, err)

	box, err := Open(t.Context(), wrapped, Encryption{URI: uri})
	require.NoError(t, err)
	plain, err := box.Open("t", "i", "f", sealed)
	require.NoError(t, err)
	require.Equal(t, "kept", string(plain))

	raw, err := base64.StdEncoding.DecodeString(clear)
	require.NoError(t, err)
	hidden, err := base64.StdEncoding.DecodeString(wrapped)
	require.NoError(t, err)
	require.NotContains(t, string(hidden), string(raw[len(raw)-40:len(raw)-10]), "the key itself does not show")

	_, err = Open(t.Context(), clear, Encryption{URI: uri})
	require.ErrorIs(t, err, errClear, "a clear keyset is not taken by mistake")
	for name, e := range map[string]Encryption{"other key": {URI: other}, "no key": {}, "unknown scheme": {URI: "carrier-pigeon://loft/1"}, "no scheme": {URI: "loft"}, "vault without a host": {URI: "hcvault://"}} {
		_, err := Open(t.Context(), wrapped, e)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), wrapped, name)
		require.NotContains(t, err.Error(), clear, name)
	}
	require.Panics(t, func() { RegisterScheme("hcvault", openVault) })
}

// transit answers as the transit engine of Vault does: it wraps what it is
// given, for one token and one key.
func transit(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		if r.Header.Get("X-Vault-Token") != "s.token" || json.NewDecoder(r.Body).Decode(&in) != nil {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
			return
		}
		data := map[string]string{}
		switch r.URL.Path {
		case "/v1/transit/encrypt/optria":
			data["ciphertext"] = "vault:v1:" + in["context"] + ":" + in["plaintext"]
		case "/v1/transit/decrypt/optria":
			text, ok := strings.CutPrefix(in["ciphertext"], "vault:v1:"+in["context"]+":")
			if !ok {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			data["plaintext"] = text
		default:
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(server.Close)
	return server
}

// Only the shape of the exchange is checked: no Vault runs here.
func TestKeysetUnderAKeyOfVault(t *testing.T) {
	t.Parallel()
	server := transit(t)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	uri := "hcvault://" + strings.TrimPrefix(server.URL, "https://") + "/transit/keys/optria"
	kek, err := vaultKey(uri, "s.token", &tls.Config{RootCAs: pool})
	require.NoError(t, err)
	keys := newKeyset(t)
	wrapped, err := keys.Encode(kek)
	require.NoError(t, err)
	read, err := Parse(wrapped, kek)
	require.NoError(t, err)
	require.Equal(t, keys.Keys(), read.Keys())

	foreign, err := vaultKey(uri, "s.other", &tls.Config{RootCAs: pool})
	require.NoError(t, err)
	_, err = Parse(wrapped, foreign)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s.other")
	untrusted, err := openVault(t.Context(), uri, "s.token")
	require.NoError(t, err)
	_, err = Parse(wrapped, untrusted)
	require.ErrorContains(t, err, "certificate")
}
