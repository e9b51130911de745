package opcua

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// objectsFolder is the root of what a server shows, i=85.
const objectsFolder = id.ObjectsFolder

// session is a session that is signed in, with what it says of itself.
type session struct {
	channel    *channel
	namespaces namespaces
	limits     limits
	product    string
	skew       time.Duration // the server's clock minus ours
}

// limits are the most operations in one call.
type limits struct {
	read, browse, monitor, history int
}

// Bounds of limits: unknown is what a server is asked for that does not say,
// the others are this product's own, so that answers stay within a message.
const (
	unknownLimit = 100
	mostReads    = 1000
	mostBrowses  = 500
	mostItems    = 1000
	mostHistory  = 100
)

func (s *session) close() { s.channel.close() }

// begin reads the namespaces, the clock, the product and the limits.
func (s *session) begin(ctx context.Context) error {
	s.limits = limits{read: unknownLimit}
	started := time.Now()
	nodes := make([]*ua.ReadValueID, 0, 7)
	for _, n := range []uint32{
		id.Server_ServerStatus_CurrentTime, id.Server_NamespaceArray, id.Server_ServerStatus_BuildInfo_ProductName,
		id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead, id.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
		id.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall, id.Server_ServerCapabilities_OperationLimits_MaxNodesPerHistoryReadData,
	} {
		nodes = append(nodes, valueOf(ua.NewNumericNodeID(0, n)))
	}
	values, err := s.read(ctx, nodes)
	if err != nil {
		return err
	}
	now, err := clockOf(values[0])
	if err != nil {
		return err
	}
	s.skew = now.Sub(started.Add(time.Since(started) / 2))
	uris, _ := scalarOf(values[1]).([]string)
	s.namespaces = uris
	s.product, _ = scalarOf(values[2]).(string)
	s.limits = limits{
		read:    limitOf(values[3], mostReads),
		browse:  limitOf(values[4], mostBrowses),
		monitor: limitOf(values[5], mostItems),
		history: limitOf(values[6], mostHistory),
	}
	return nil
}

func scalarOf(v *ua.DataValue) any {
	if v == nil || v.Value == nil || bad(v.Status) {
		return nil
	}
	return v.Value.Value()
}

// limitOf reads a limit of the server: zero means none, and then this
// product's own applies; a server that does not say is asked for little.
func limitOf(v *ua.DataValue, most int) int {
	n, ok := scalarOf(v).(uint32)
	switch {
	case !ok:
		return min(unknownLimit, most)
	case n == 0:
		return most
	default:
		return min(int(n), most)
	}
}

// clockOf reads the server's clock, which every server has.
func clockOf(v *ua.DataValue) (time.Time, error) {
	now, ok := scalarOf(v).(time.Time)
	switch {
	case v == nil:
		return now, failed(connector.KeyProtocol, errors.New("read the server's clock: no result"))
	case bad(v.Status):
		return now, failed(keyOf(v.Status), fmt.Errorf("read the server's clock: %w", v.Status))
	case !ok || !plausible(now):
		return now, failed(connector.KeyProtocol, errors.New("the server's clock is not a time"))
	}
	return now.UTC(), nil
}

func keyOf(status ua.StatusCode) string {
	if key, known := statusKeys[status]; known {
		return key
	}
	return connector.KeySourceError
}

// clock asks for the server's time.
func (s *session) clock(ctx context.Context) (time.Time, error) {
	values, err := s.read(ctx, []*ua.ReadValueID{valueOf(clockNode())})
	if err != nil {
		return time.Time{}, err
	}
	return clockOf(values[0])
}

func clockNode() *ua.NodeID { return ua.NewNumericNodeID(0, id.Server_ServerStatus_CurrentTime) }

func valueOf(node *ua.NodeID) *ua.ReadValueID { return attributeOf(node, ua.AttributeIDValue) }

func attributeOf(node *ua.NodeID, attribute ua.AttributeID) *ua.ReadValueID {
	return &ua.ReadValueID{NodeID: node, AttributeID: attribute, DataEncoding: &ua.QualifiedName{}}
}

// resolve returns the node of an external tag, or false when the text is no
// address or the server does not have its namespace.
func (s *session) resolve(tag string) (*ua.NodeID, bool) {
	a, err := ParseAddress(tag)
	if err != nil {
		return nil, false
	}
	return s.namespaces.resolve(a)
}

// inChunks runs an operation over n things, at most *most at once, and halves
// that when the server says that it was too much.
func inChunks(n int, most *int, run func(from, to int) error) error {
	for from := 0; from < n; {
		to := min(from+max(*most, 1), n)
		err := run(from, to)
		if tooMuch(err) && to-from > 1 {
			*most = (to - from) / 2
			continue
		}
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// counted checks that a service answered as many things as it was asked for.
func counted(got, want int) error {
	if got != want {
		return failed(connector.KeyProtocol, fmt.Errorf("%d results for %d requests", got, want))
	}
	return nil
}

// read reads attributes in chunks; the results come in the order of nodes and
// are never nil.
func (s *session) read(ctx context.Context, nodes []*ua.ReadValueID) ([]*ua.DataValue, error) {
	values := make([]*ua.DataValue, 0, len(nodes))
	err := inChunks(len(nodes), &s.limits.read, func(from, to int) error {
		answer, err := call[*ua.ReadResponse](ctx, s.channel, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnBoth, NodesToRead: nodes[from:to]})
		if err != nil {
			return err
		}
		values = append(values, answer.Results...)
		return counted(len(answer.Results), to-from)
	})
	if err != nil {
		return nil, word(ctx, fmt.Errorf("read: %w", err))
	}
	return values, nil
}
