package sqldb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// checks are the steps of a connection test up to the session. Databases
// negotiate TLS inside their own protocol, so the secure step opens a whole
// connection and asks how far it came; the session step judges the rest.
func (s *session) checks() []connector.Check {
	checks := []connector.Check{{Name: connector.StepName, Run: s.checkName}, {Name: connector.StepTCP, Run: s.checkTCP}}
	if s.settings.TLS != TLSOff {
		checks = append(checks, connector.Check{Name: connector.StepSecure, Run: s.checkTLS})
	}
	return append(checks, connector.Check{Name: connector.StepSession, Run: s.checkSession})
}

func (s *session) checkName(ctx context.Context) (string, error) {
	found, err := net.DefaultResolver.LookupHost(ctx, s.settings.Host)
	if err != nil {
		return "", connector.Unreachable(err)
	}
	return strings.Join(found, ", "), nil
}

func (s *session) checkTCP(ctx context.Context) (string, error) {
	connection, err := s.dialer.DialContext(ctx, "tcp", s.settings.address())
	if err != nil {
		if !connector.NeedsPerson(err) {
			err = connector.Unreachable(err)
		}
		return "", err
	}
	return connection.RemoteAddr().String(), connection.Close()
}

// checkTLS opens a connection of its own and watches its handshake.
func (s *session) checkTLS(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	var shown atomic.Pointer[tls.ConnectionState]
	raw, err := newDriver(s.settings, s.dialer, func(state tls.ConnectionState) { shown.Store(&state) })
	if err != nil {
		return "", err
	}
	conn, err := raw.Connect(ctx)
	if err == nil {
		err = conn.Close()
	}
	state := shown.Load()
	switch {
	case state != nil: // whatever failed after it is not for this step
		return fmt.Sprintf("%s, SHA-256 %s", tls.VersionName(state.Version), httpapi.Fingerprint(state.PeerCertificates[0])), nil
	case err != nil:
		return "", s.wordFailure(ctx, err)
	}
	return "", connector.Failed(connector.KeySecurity, errors.New("the server began the session without TLS"))
}

// checkSession signs in, names the server and compares the clocks.
func (s *session) checkSession(ctx context.Context) (string, error) {
	version := ""
	err := s.read(ctx, s.fixed(s.dialect.version), 1, nil, func(cells []any) error {
		version = limited(strings.SplitN(label(cells[0]), "\n", 2)[0], 80)
		return nil
	})
	if err != nil {
		return "", err
	}
	behind, err := s.behind(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s, clock %+.1f s", s.dialect.name, version, -behind.Seconds()), nil
}
