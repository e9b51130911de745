package opcua

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Test checks the connection step by step. The step of the secure channel
// shows the fingerprint of the server's certificate; where none is trusted
// yet, it fails with it, so that a person can compare and enter it.
func (c *OPCUAConnector) Test(ctx context.Context) []connector.Step {
	t := &connectionTest{c: c}
	steps := connector.RunChecks(ctx,
		connector.Check{Name: connector.StepName, Run: t.name},
		connector.Check{Name: connector.StepTCP, Run: t.tcp},
		connector.Check{Name: connector.StepSecure, Run: t.secure},
		connector.Check{Name: connector.StepSession, Run: t.session},
		connector.Check{Name: connector.StepBrowse, Run: t.browse},
		connector.Check{Name: connector.StepRead, Run: t.read},
	)
	_ = c.Close() // the session of the test; never fails
	if t.channel != nil {
		t.channel.close()
	}
	return steps
}

// connectionTest carries what one step opened to the next.
type connectionTest struct {
	c        *OPCUAConnector
	endpoint *ua.EndpointDescription
	channel  *channel
	nodes    []connector.Node
}

func (t *connectionTest) name(ctx context.Context) (string, error) {
	host, _ := t.c.hostPort()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", connector.Unreachable(err)
	}
	return strings.Join(found, ", "), nil
}

func (t *connectionTest) tcp(ctx context.Context) (string, error) {
	connection, err := t.c.dial(ctx)
	if err != nil {
		return "", word(ctx, err)
	}
	return connection.RemoteAddr().String(), connection.Close()
}

func (t *connectionTest) secure(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	var err error
	if t.endpoint, err = t.c.endpoint(ctx); err != nil {
		return "", err
	}
	if t.channel, err = t.c.channel(ctx, t.endpoint); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%s, %s, server certificate SHA-256 %s", t.c.settings.SecurityPolicy, t.c.settings.SecurityMode, Fingerprint(t.endpoint.ServerCertificate))
	if t.c.settings.SecurityMode == none && t.c.settings.Authentication != Anonymous {
		detail += ", nothing protects the sign-in from being read on the way"
	}
	return detail, nil
}

func (t *connectionTest) session(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	opened := t.channel
	t.channel = nil // from here on the session's
	s, err := t.c.signIn(ctx, opened, t.endpoint)
	if err != nil {
		return "", err
	}
	t.c.session, t.c.used = s, time.Now()
	return fmt.Sprintf("%s, clock %+.1f s against ours, %d namespaces, at once: %d reads, %d items", s.product, s.skew.Seconds(), len(s.namespaces), s.limits.read, s.limits.monitor), nil
}

func (t *connectionTest) browse(ctx context.Context) (string, error) {
	var err error
	if t.nodes, err = t.c.Browse(ctx, ""); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d nodes at the root", len(t.nodes)), nil
}

// readAmong is how many nodes are looked at for a variable to read.
const readAmong = 50

// read looks for a variable near the root and reads it; a server without one
// there is asked for its clock.
func (t *connectionTest) read(ctx context.Context) (string, error) {
	open := t.nodes
	for looked := 0; len(open) > 0 && looked < readAmong; looked++ {
		node := open[0]
		open = open[1:]
		if !node.Leaf {
			below, err := t.c.Browse(ctx, node.Address)
			if err != nil {
				return "", err
			}
			open = append(open, below...)
			continue
		}
		batch, err := t.c.Sample(ctx, []string{node.Address})
		if err != nil {
			return "", err
		}
		if len(batch.Readings) == 1 {
			r := batch.Readings[0]
			return strings.TrimSpace(fmt.Sprintf("%s = %g %s", r.ExternalTag, r.Value, r.Unit)), nil
		}
	}
	var clock time.Time
	err := t.c.with(ctx, func(s *session) error {
		var err error
		clock, err = s.clock(ctx)
		return err
	})
	return "clock of the server " + clock.Format(time.RFC3339), err
}
