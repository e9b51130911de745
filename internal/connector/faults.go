package connector

import (
	"context"
	"errors"

	"github.com/optria-iq/optria/internal/fault"
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
)

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
