package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Test checks the connection step by step, with a client id of its own so that
// a running subscription is not disturbed.
func (c *MQTTConnector) Test(ctx context.Context) []connector.Step {
	checks := []connector.Check{{Name: connector.StepName, Run: c.checkName}, {Name: connector.StepTCP, Run: c.checkTCP}}
	if c.settings.TLS != TLSOff {
		checks = append(checks, connector.Check{Name: connector.StepSecure, Run: c.checkTLS})
	}
	checks = append(checks,
		connector.Check{Name: connector.StepSession, Run: c.checkSession},
		connector.Check{Name: connector.StepBrowse, Run: func(ctx context.Context) (string, error) {
			c.seen = nil
			found, err := c.inventory(ctx, nil)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d tags, %d messages heard", len(found.metrics), found.heard), nil
		}},
		connector.Check{Name: connector.StepRead, Run: c.checkRead})
	return connector.RunChecks(ctx, checks...)
}

func (c *MQTTConnector) checkName(ctx context.Context) (string, error) {
	found, err := net.DefaultResolver.LookupHost(ctx, c.settings.Host)
	if err != nil {
		return "", connector.Unreachable(err)
	}
	return strings.Join(found, ", "), nil
}

func (c *MQTTConnector) checkTCP(ctx context.Context) (string, error) {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.settings.address())
	if err != nil {
		return "", wordDial(ctx, err)
	}
	return conn.RemoteAddr().String(), conn.Close()
}

func (c *MQTTConnector) checkTLS(ctx context.Context) (detail string, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := c.dial(ctx, func(state tls.ConnectionState) {
		detail = fmt.Sprintf("%s, SHA-256 %s", tls.VersionName(state.Version), httpapi.Fingerprint(state.PeerCertificates[0]))
	})
	if err != nil {
		return "", err
	}
	return detail, conn.Close()
}

// checkSession signs in and asks for the topics.
func (c *MQTTConnector) checkSession(ctx context.Context) (string, error) {
	s, err := c.connect(ctx, signIn{clientID: guest()})
	if err != nil {
		return "", err
	}
	defer s.end()
	filters := c.format.filters()
	return "MQTT 5, " + strings.Join(filters, ", "), s.subscribe(ctx, filters)
}

// checkRead shows one value of those that the listening heard. A broker on
// which nothing is said right now is no failure.
func (c *MQTTConnector) checkRead(ctx context.Context) (string, error) {
	found, err := c.inventory(ctx, nil)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(found.metrics, func(m *metric) bool { return !m.last.Time.IsZero() })
	if i < 0 {
		return "no value was sent while listening", nil
	}
	last := found.metrics[i].last
	return fmt.Sprintf("%s = %g %s", last.ExternalTag, last.Value, last.Unit), nil
}
