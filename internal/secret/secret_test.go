package secret

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

func newBox(t *testing.T) *Box {
	t.Helper()
	encoded, err := GenerateKeyset()
	require.NoError(t, err)
	box, err := New(encoded)
	require.NoError(t, err)
	return box
}

func TestOpenNeedsTheSameBinding(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	sealed, err := box.Seal("t1", "i1", "password", []byte("correct horse"))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "correct horse")

	cases := []struct {
		name, tenant, integration, field string
		opens                            bool
	}{
		{"same binding", "t1", "i1", "password", true},
		{"other tenant", "t2", "i1", "password", false},
		{"other integration", "t1", "i2", "password", false},
		{"other field", "t1", "i1", "token", false},
		{"parts shifted", "t1i1", "x", "password", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plain, err := box.Open(c.tenant, c.integration, c.field, sealed)
			if c.opens {
				require.NoError(t, err)
				require.Equal(t, "correct horse", string(plain))
				return
			}
			require.Error(t, err)
			require.Empty(t, plain)
		})
	}
}

func TestSealIsFreshEachTime(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	first, err := box.Seal("t", "i", "f", []byte("x"))
	require.NoError(t, err)
	second, err := box.Seal("t", "i", "f", []byte("x"))
	require.NoError(t, err)
	require.False(t, bytes.Equal(first, second))
}

func TestTamperedOrForeignIsRefused(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	sealed, err := box.Seal("t", "i", "f", []byte("value"))
	require.NoError(t, err)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := box.Open("t", "i", "f", changed)
		require.Error(t, err, "byte %d", i)
	}
	_, err = newBox(t).Open("t", "i", "f", sealed)
	require.Error(t, err)
	_, err = box.Open("t", "i", "f", nil)
	require.Error(t, err)
}

func TestBindingIsUnambiguous(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	for _, c := range [][3]string{{"", "i", "f"}, {"t", "", "f"}, {"t", "i", ""}, {"t|i", "x", "f"}} {
		_, err := box.Seal(c[0], c[1], c[2], []byte("v"))
		require.ErrorIs(t, err, ErrBinding)
		_, err = box.Open(c[0], c[1], c[2], []byte("v"))
		require.ErrorIs(t, err, ErrBinding)
	}
}

func TestNewRefusesBadKeysets(t *testing.T) {
	t.Parallel()
	for name, encoded := range map[string]string{
		"empty":      "",
		"no base64":  "%%%",
		"no keyset":  base64.StdEncoding.EncodeToString([]byte("hello")),
		"short text": "aGk=",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(encoded)
			require.Error(t, err)
		})
	}
}

func TestRotatedKeysetOpensTheOld(t *testing.T) {
	t.Parallel()
	encode := func(handle *keyset.Handle) string {
		var raw bytes.Buffer
		require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&raw)))
		return base64.StdEncoding.EncodeToString(raw.Bytes())
	}
	manager := keyset.NewManager()
	first, err := manager.Add(aead.AES256GCMKeyTemplate())
	require.NoError(t, err)
	require.NoError(t, manager.SetPrimary(first))
	handle, err := manager.Handle()
	require.NoError(t, err)
	old, err := New(encode(handle))
	require.NoError(t, err)
	sealed, err := old.Seal("t", "i", "f", []byte("kept"))
	require.NoError(t, err)

	second, err := manager.Add(aead.AES256GCMKeyTemplate())
	require.NoError(t, err)
	require.NoError(t, manager.SetPrimary(second))
	handle, err = manager.Handle()
	require.NoError(t, err)
	rotated, err := New(encode(handle))
	require.NoError(t, err)
	plain, err := rotated.Open("t", "i", "f", sealed)
	require.NoError(t, err)
	require.Equal(t, "kept", string(plain))

	fresh, err := rotated.Seal("t", "i", "f", []byte("new"))
	require.NoError(t, err)
	_, err = old.Open("t", "i", "f", fresh)
	require.Error(t, err)
}
