// Package token issues and verifies the JSON Web Tokens with which service
// accounts call the API (RFC 7519). A token carries who it belongs to and what
// it may do; whether it is still wanted is decided by its row in the database,
// where only its SHA-256 is kept.
package token

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Issuer and audience are the same for every token of the product; the type
// separates API tokens from any other token signed with the same key (RFC
// 9068).
const (
	issuer   = "optria"
	audience = "optria-api"
	kind     = "at+jwt"
)

// maxLength bounds what Verify reads; a token with every scope is a quarter
// of it.
const maxLength = 4096

// minSecret is the shortest key for HMAC-SHA-256 in bytes (RFC 7518, 3.2).
const minSecret = 32

// ErrInvalid is what Verify answers for every token it refuses. It does not
// say why, so that a caller cannot tell a stranger.
var ErrInvalid = errors.New("token: not valid")

// errClaims refuses to sign a token that Verify would not accept.
var errClaims = errors.New("token: id, tenant, user, scopes and an expiry are needed, and a key of at least 32 bytes")

// Claims are what a token says: its own id, the tenant and the account it
// acts for, its scopes, and when it ends (to the second).
type Claims struct {
	ID      uuid.UUID
	Tenant  uuid.UUID
	User    uuid.UUID
	Scopes  []string
	Expires time.Time
}

// payload is the body of the token as it travels.
type payload struct {
	Tenant string   `json:"tenant"`
	Scopes []string `json:"scopes"`
	jwt.RegisteredClaims
}

// Issue signs a token with HMAC-SHA-256 and returns it with the hash to store.
func Issue(secret []byte, c Claims) (raw string, hash []byte, err error) {
	if c.ID == uuid.Nil || c.Tenant == uuid.Nil || c.User == uuid.Nil || len(c.Scopes) == 0 || c.Expires.IsZero() || len(secret) < minSecret {
		return "", nil, errClaims
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, payload{
		Tenant: c.Tenant.String(), Scopes: c.Scopes,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: c.User.String(), ID: c.ID.String(),
			IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
	})
	t.Header["typ"] = kind
	raw, err = t.SignedString(secret)
	if err != nil {
		return "", nil, fmt.Errorf("sign token: %w", err)
	}
	return raw, Hash(raw), nil
}

// Hash is what the database keeps of a token: SHA-256 of the whole text. The
// token carries 128 random bits in its id and a signature, so a plain hash
// cannot be searched.
func Hash(raw string) []byte {
	sum := sha256.Sum256([]byte(raw))
	return sum[:]
}

// Verify checks signature, algorithm, type, issuer, audience and expiry, and
// returns what the token says. Every refusal is ErrInvalid.
func Verify(secret []byte, raw string) (Claims, error) {
	if len(raw) > maxLength || len(secret) < minSecret {
		return Claims{}, ErrInvalid
	}
	var p payload
	t, err := jwt.ParseWithClaims(raw, &p, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding())
	if err != nil || t.Header["typ"] != kind {
		return Claims{}, ErrInvalid
	}
	c := Claims{Scopes: p.Scopes, Expires: p.ExpiresAt.Time}
	for _, part := range []struct {
		text string
		into *uuid.UUID
	}{{p.ID, &c.ID}, {p.Tenant, &c.Tenant}, {p.Subject, &c.User}} {
		if *part.into, err = uuid.Parse(part.text); err != nil || *part.into == uuid.Nil {
			return Claims{}, ErrInvalid
		}
	}
	return c, nil
}
