package opcua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua/secure"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of what only this connector reports; each says how to mend it.
const (
	KeyNoEndpoint       = "connector.opcua.error.no_endpoint"       // policy and mode are not offered together
	KeyNoIdentity       = "connector.opcua.error.no_identity"       // the client has no certificate with key
	KeyUntrusted        = "connector.opcua.error.untrusted"         // the server does not trust the client's certificate
	KeyAnonymousRefused = "connector.opcua.error.anonymous_refused" // the server wants users to sign in
	KeyUserDenied       = "connector.opcua.error.user_denied"       // user, password or user certificate not accepted
	KeyTokenMissing     = "connector.opcua.error.token_missing"     // the endpoint does not offer this way to sign in
	KeyUserKey          = "connector.opcua.error.user_key"          // the user's key does not fit the certificate
	KeyTooManySessions  = "connector.opcua.error.too_many_sessions"
)

// statusKeys words the status codes of services, OPC 10000-4 7.39.2. What is
// not listed is an error of the source.
var statusKeys = map[ua.StatusCode]string{
	ua.StatusBadSecurityChecksFailed:           KeyUntrusted,
	ua.StatusBadCertificateUntrusted:           KeyUntrusted,
	ua.StatusBadCertificateInvalid:             KeyUntrusted,
	ua.StatusBadCertificateTimeInvalid:         KeyUntrusted,
	ua.StatusBadCertificateURIInvalid:          KeyUntrusted,
	ua.StatusBadCertificateUseNotAllowed:       KeyUntrusted,
	ua.StatusBadCertificateChainIncomplete:     KeyUntrusted,
	ua.StatusBadCertificatePolicyCheckFailed:   KeyUntrusted,
	ua.StatusBadCertificateRevoked:             KeyUntrusted,
	ua.StatusBadSecurityPolicyRejected:         KeyNoEndpoint,
	ua.StatusBadSecurityModeRejected:           KeyNoEndpoint,
	ua.StatusBadSecurityModeInsufficient:       connector.KeySecurity,
	ua.StatusBadApplicationSignatureInvalid:    connector.KeySecurity,
	ua.StatusBadIdentityTokenRejected:          KeyUserDenied,
	ua.StatusBadUserSignatureInvalid:           KeyUserDenied,
	ua.StatusBadUserAccessDenied:               connector.KeyForbidden,
	ua.StatusBadTooManySessions:                KeyTooManySessions,
	ua.StatusBadTCPServerTooBusy:               connector.KeyThrottled,
	ua.StatusBadTooManyOperations:              connector.KeyThrottled,
	ua.StatusBadTooManySubscriptions:           connector.KeyThrottled,
	ua.StatusBadTooManyPublishRequests:         connector.KeyThrottled,
	ua.StatusBadTCPMessageTooLarge:             connector.KeyTooLarge,
	ua.StatusBadResponseTooLarge:               connector.KeyTooLarge,
	ua.StatusBadRequestTooLarge:                connector.KeyTooLarge,
	ua.StatusBadEncodingLimitsExceeded:         connector.KeyTooLarge,
	ua.StatusBadDecodingError:                  connector.KeyProtocol,
	ua.StatusBadServiceUnsupported:             connector.KeyProtocol,
	ua.StatusBadTimeout:                        connector.KeyUnreachable,
	ua.StatusBadConnectionClosed:               connector.KeyUnreachable,
	ua.StatusBadSecureChannelClosed:            connector.KeyUnreachable,
	ua.StatusBadSecureChannelIDInvalid:         connector.KeyUnreachable,
	ua.StatusBadTCPSecureChannelUnknown:        connector.KeyUnreachable,
	ua.StatusBadServerNotConnected:             connector.KeyUnreachable,
	ua.StatusBadServerHalted:                   connector.KeyUnreachable,
	ua.StatusBadShutdown:                       connector.KeyUnreachable,
	ua.StatusBadSessionIDInvalid:               connector.KeyUnreachable,
	ua.StatusBadSessionClosed:                  connector.KeyUnreachable,
	ua.StatusBadNoSubscription:                 connector.KeySilent,
	ua.StatusBadSessionNotActivated:            connector.KeySecurity,
	ua.StatusBadSecureChannelTokenUnknown:      connector.KeyUnreachable,
	ua.StatusBadSequenceNumberInvalid:          connector.KeyProtocol,
	ua.StatusBadNonceInvalid:                   connector.KeySecurity,
	ua.StatusBadTCPMessageTypeInvalid:          connector.KeyProtocol,
	ua.StatusBadTCPEndpointURLInvalid:          KeyNoEndpoint,
	ua.StatusBadCertificateIssuerUseNotAllowed: KeyUntrusted,
}

// failed wraps cause under one of the keys of this package or of package
// connector. All of this package's own ask for a person but the last.
func failed(key string, cause error) error {
	if strings.HasPrefix(key, "connector.opcua.") && key != KeyTooManySessions {
		return fault.Wrap(fault.Invalid, key, cause)
	}
	return connector.Failed(key, cause)
}

// word turns an error of the library or the network into a fault with a key.
// What ctx ended stays what it is.
func word(ctx context.Context, err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%v)", ctx.Err(), err)
	}
	if status, ok := statusOf(err); ok {
		key, known := statusKeys[status]
		if !known {
			key = connector.KeySourceError
		}
		return failed(key, err)
	}
	var network net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return connector.Unreachable(err)
	case errors.Is(err, secure.ErrTampered):
		return failed(connector.KeySecurity, err)
	default:
		return failed(connector.KeyProtocol, err)
	}
}

// statusOf finds the status code that a service, or the transport, answered.
func statusOf(err error) (ua.StatusCode, bool) {
	var status ua.StatusCode
	if errors.As(err, &status) {
		return status, true
	}
	return 0, false
}

// isStatus reports whether err carries one of the status codes.
func isStatus(err error, codes ...ua.StatusCode) bool {
	status, ok := statusOf(err)
	for _, code := range codes {
		if ok && status == code {
			return true
		}
	}
	return false
}

// tooMuch reports that a call asked for more than the server takes at once.
func tooMuch(err error) bool {
	return isStatus(err, ua.StatusBadTooManyOperations, ua.StatusBadRequestTooLarge, ua.StatusBadResponseTooLarge, ua.StatusBadEncodingLimitsExceeded)
}

// unknownNode reports that the server does not have a node.
func unknownNode(status ua.StatusCode) bool {
	return status == ua.StatusBadNodeIDUnknown || status == ua.StatusBadNodeIDInvalid
}

func bad(status ua.StatusCode) bool { return uint32(status)>>30 >= 2 }
