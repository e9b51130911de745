package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/optria-iq/optria/internal/connector"
)

// Names of the secret fields.
const (
	FieldSecret   = "signing_secret"
	FieldPrevious = "previous_secret"
)

// Sizes of a signing key in bytes, as Standard Webhooks asks for.
const (
	newKey      = 32
	shortestKey = 24
	longestKey  = 64
	prefix      = "whsec_"
)

// maxHeader bounds the signature header: a list of a few signatures.
const maxHeader = 4096

// ErrSignature is the only answer of Verify to a message that is not signed
// with a known secret, too old or too new: a sender must not learn which.
var ErrSignature = errors.New("webhook: the signature does not hold")

// NewSecret makes a signing secret, ready to be given to the sender.
func NewSecret() string {
	key := make([]byte, newKey)
	_, _ = rand.Read(key) // never fails
	return prefix + base64.StdEncoding.EncodeToString(key)
}

// checkSecrets returns the field of a secret that cannot be one.
func checkSecrets(secrets connector.Secrets) string {
	for _, field := range []string{FieldSecret, FieldPrevious} {
		if text := secrets[field]; text != "" && !sound(text) {
			return field
		}
	}
	return ""
}

func sound(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, prefix))
	return err == nil && len(key) >= shortestKey && len(key) <= longestKey
}

// decoy stands in for absent secrets, so that every call does the same work.
var decoy = NewSecret()

// Verify checks the raw body of a message against its headers: signed with the
// current or the previous secret, at a time no further than tolerance from now.
// What is signed is "id.time.body", so an id with a dot could be read in two
// ways; none is taken.
func Verify(secrets connector.Secrets, tolerance time.Duration, header http.Header, body []byte, now time.Time) error {
	holds := false
	for _, field := range []string{FieldSecret, FieldPrevious} {
		secret := secrets[field]
		if secret == "" {
			secret = decoy
		}
		if signed(secret, header, body) && secrets[field] != "" {
			holds = true
		}
	}
	if !holds || strings.Contains(ID(header), ".") || !timely(header.Get(standardwebhooks.HeaderWebhookTimestamp), tolerance, now) {
		return ErrSignature
	}
	return nil
}

func signed(secret string, header http.Header, body []byte) bool {
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil || len(header.Get(standardwebhooks.HeaderWebhookSignature)) > maxHeader {
		return false
	}
	return hook.VerifyIgnoringTimestamp(body, header) == nil
}

func timely(text string, tolerance time.Duration, now time.Time) bool {
	seconds, err := strconv.ParseInt(text, 10, 64)
	return err == nil && time.Unix(seconds, 0).Sub(now).Abs() <= tolerance
}

// ID is the identifier that the sender gave the message.
func ID(header http.Header) string { return header.Get(standardwebhooks.HeaderWebhookID) }
