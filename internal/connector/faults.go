package connector

import (
	"context"
	"errors"
	"slices"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/netguard"
)

// Message keys of the faults that connectors raise.
const (
	KeyUnknownKind = "connector.fault.unknown_kind"
	KeyConfig      = "connector.fault.config"
	KeyUnreachable = "connector.fault.unreachable"
	KeyUnknownNode = "connector.fault.unknown_node"
	KeyWindow      = "connector.fault.window"
	KeyCancelled   = "connector.fault.cancelled"
	KeyInternal    = "connector.fault.internal"
	KeyRefusedHost = netguard.KeyRefused           // the deployment does not allow the address
	KeySecurity    = "connector.fault.security"    // the secure channel was refused
	KeyCertificate = "connector.fault.certificate" // the peer's certificate is not the pinned one
	KeyCredentials = "connector.fault.credentials" // user, password or token not accepted
	KeyForbidden   = "connector.fault.forbidden"   // signed in, but not allowed to read this
	KeyProtocol    = "connector.fault.protocol"    // the answer does not follow the protocol
	KeyTooLarge    = "connector.fault.too_large"   // the answer is larger than the product takes
	KeyThrottled   = "connector.fault.throttled"   // the source asks to slow down
	KeySourceError = "connector.fault.source"      // the source answered with an error of its own
	KeySilent      = "connector.fault.silent"      // the session is up but nothing arrives
	KeyChanged     = "connector.fault.changed"     // the object was changed meanwhile
)

// Refused, from a source, is not mended by trying again: settings, rights or
// the address have to change first.
func refusals() []string {
	return []string{KeyRefusedHost, KeySecurity, KeyCertificate, KeyCredentials, KeyForbidden}
}

// NeedsPerson reports whether only a person can mend err: trying again with
// the same settings gives the same answer.
func NeedsPerson(err error) bool {
	return slices.Contains(refusals(), MessageKey(err)) || fault.CodeOf(err) == fault.Invalid
}

// Failed reports a fault of one of the keys above. What a person can mend has
// code Invalid, what may pass by itself has code Unavailable.
func Failed(key string, cause error) error {
	code := fault.Unavailable
	if slices.Contains(refusals(), key) {
		code = fault.Invalid
	}
	return fault.Wrap(code, key, cause)
}

// Unreachable reports that the source does not answer; a retry may help.
func Unreachable(cause error) error {
	return fault.Wrap(fault.Unavailable, KeyUnreachable, cause)
}

// UnknownNode reports a browse below a node that the source does not have.
func UnknownNode(address string) error {
	return fault.New(fault.NotFound, KeyUnknownNode).With("node", address)
}

// BadWindow reports a request whose window ends before it starts.
func BadWindow(request PollRequest) error {
	return fault.New(fault.Invalid, KeyWindow).With("since", request.Since).With("until", request.Until)
}

// WrongCertificate reports a peer whose certificate is not the pinned one, or
// one that no pin names yet. fingerprint is the SHA-256 of what it offered, in
// hex; a connection test hands it on, so that a person can accept it.
func WrongCertificate(fingerprint string, cause error) error {
	return fault.Wrap(fault.Invalid, KeyCertificate, cause).With(argFingerprint, fingerprint)
}

// argFingerprint names the argument of a certificate fault.
const argFingerprint = "fingerprint"

// offered returns the fingerprint that a certificate fault carries, or "".
func offered(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != KeyCertificate {
		return ""
	}
	text, _ := f.Args[argFingerprint].(string)
	return text
}

// configFault carries the field errors of a refused configuration in the
// argument "fields".
func configFault(fields map[string]string) error {
	return fault.New(fault.Invalid, KeyConfig).With("fields", fields)
}

// FieldErrors returns the field errors that a refused configuration carries,
// field key to message key, or nil when err is of another sort.
func FieldErrors(err error) map[string]string {
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != KeyConfig {
		return nil
	}
	fields, _ := f.Args["fields"].(map[string]string)
	return fields
}

// MessageKey returns the key of the text that explains err to an operator.
func MessageKey(err error) string {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f.Key
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return KeyCancelled
	default:
		return KeyInternal
	}
}
