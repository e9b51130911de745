package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/token"
)

var (
	key   = []byte("k3Jd9fLq2Zx8Vb5Nn7Mm1Qw4Er6Ty0Ui")
	other = []byte("0000000000000000000000000000000000000000")
)

func claims() token.Claims {
	return token.Claims{ID: uuid.New(), Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"read:results", "runs:create"},
		Expires: time.Now().Add(time.Hour).Truncate(time.Second)}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := claims()
	raw, hash, err := token.Issue(key, want)
	require.NoError(t, err)
	require.Equal(t, token.Hash(raw), hash)
	require.Len(t, hash, 32)
	got, err := token.Verify(key, raw)
	require.NoError(t, err)
	require.Equal(t, want.ID, got.ID)
	require.Equal(t, want.Tenant, got.Tenant)
	require.Equal(t, want.User, got.User)
	require.Equal(t, want.Scopes, got.Scopes)
	require.WithinDuration(t, want.Expires, got.Expires, 0)
}

// sign builds a token by hand, so that a test can break one thing at a time.
func sign(t *testing.T, method jwt.SigningMethod, secret any, change func(header map[string]any, body jwt.MapClaims)) string {
	t.Helper()
	body := jwt.MapClaims{"iss": "optria", "aud": "optria-api", "sub": uuid.NewString(), "jti": uuid.NewString(), "tenant": uuid.NewString(),
		"scopes": []string{"read:results"}, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	x := jwt.NewWithClaims(method, body)
	x.Header["typ"] = "at+jwt"
	if change != nil {
		change(x.Header, body)
	}
	raw, err := x.SignedString(secret)
	require.NoError(t, err)
	return raw
}

func TestHandMadeTokenPasses(t *testing.T) {
	t.Parallel()
	_, err := token.Verify(key, sign(t, jwt.SigningMethodHS256, key, nil))
	require.NoError(t, err, "else the refusals below would prove nothing")
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(map[string]any, jwt.MapClaims) {
		return func(_ map[string]any, body jwt.MapClaims) { body[name] = value }
	}
	drop := func(name string) func(map[string]any, jwt.MapClaims) {
		return func(_ map[string]any, body jwt.MapClaims) { delete(body, name) }
	}
	cases := map[string]string{
		"algorithm none":   sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"other algorithm":  sign(t, jwt.SigningMethodHS512, key, nil),
		"wrong key":        sign(t, jwt.SigningMethodHS256, other, nil),
		"expired":          sign(t, jwt.SigningMethodHS256, key, set("exp", time.Now().Add(-time.Minute).Unix())),
		"without expiry":   sign(t, jwt.SigningMethodHS256, key, drop("exp")),
		"from the future":  sign(t, jwt.SigningMethodHS256, key, set("iat", time.Now().Add(time.Hour).Unix())),
		"other issuer":     sign(t, jwt.SigningMethodHS256, key, set("iss", "elsewhere")),
		"other audience":   sign(t, jwt.SigningMethodHS256, key, set("aud", "browser")),
		"other type":       sign(t, jwt.SigningMethodHS256, key, func(h map[string]any, _ jwt.MapClaims) { h["typ"] = "JWT" }),
		"no type":          sign(t, jwt.SigningMethodHS256, key, func(h map[string]any, _ jwt.MapClaims) { delete(h, "typ") }),
		"no tenant":        sign(t, jwt.SigningMethodHS256, key, drop("tenant")),
		"nil tenant":       sign(t, jwt.SigningMethodHS256, key, set("tenant", uuid.Nil.String())),
		"account no uuid":  sign(t, jwt.SigningMethodHS256, key, set("sub", "admin")),
		"not a token":      "abc.def.ghi",
		"empty":            "",
		"longer than sane": strings.Repeat("a", 5000),
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := token.Verify(key, raw)
			require.ErrorIs(t, err, token.ErrInvalid)
			require.Empty(t, c)
		})
	}
}

func TestEveryChangedCharacterIsRefused(t *testing.T) {
	t.Parallel()
	raw, _, err := token.Issue(key, claims())
	require.NoError(t, err)
	for i := range raw {
		replacement := byte('A')
		if raw[i] == 'A' {
			replacement = 'B'
		}
		_, err := token.Verify(key, raw[:i]+string(replacement)+raw[i+1:])
		require.ErrorIs(t, err, token.ErrInvalid, "character %d", i)
	}
}

func TestIssueRefusesWhatVerifyWould(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*token.Claims){
		"no id":     func(c *token.Claims) { c.ID = uuid.Nil },
		"no tenant": func(c *token.Claims) { c.Tenant = uuid.Nil },
		"no user":   func(c *token.Claims) { c.User = uuid.Nil },
		"no scopes": func(c *token.Claims) { c.Scopes = nil },
		"no expiry": func(c *token.Claims) { c.Expires = time.Time{} },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := claims()
			change(&c)
			_, _, err := token.Issue(key, c)
			require.Error(t, err)
		})
	}
	_, _, err := token.Issue(key[:31], claims())
	require.Error(t, err)
}
