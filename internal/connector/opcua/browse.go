package opcua

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of a listing: references that one answer may hold, and all of a node.
const (
	referencesPerAnswer = 1000
	maxReferences       = 120_000
)

// Browse lists the children of a node: objects as folders, variables as
// leaves. A variable that has children of its own, other than properties, is
// listed twice: as a leaf and as a folder of the same address. Properties and
// the objects of the standard below the root (the server's own diagnostics)
// are left out.
func (c *OPCUAConnector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	var nodes []connector.Node
	err := c.with(ctx, func(s *session) error {
		address := c.root
		if parent != "" {
			var err error
			if address, err = ParseAddress(parent); err != nil {
				return connector.UnknownNode(parent)
			}
		}
		node, ok := s.namespaces.resolve(address)
		if !ok {
			return connector.UnknownNode(parent)
		}
		var err error
		nodes, err = s.list(ctx, node, parent)
		return err
	})
	return nodes, err
}

func (s *session) list(ctx context.Context, node *ua.NodeID, parent string) ([]connector.Node, error) {
	lists, err := s.references(ctx, []*ua.NodeID{node})
	if err != nil {
		return nil, err
	}
	if status := lists[0].status; bad(status) {
		if unknownNode(status) {
			return nil, connector.UnknownNode(parent)
		}
		return nil, failed(keyOf(status), fmt.Errorf("browse %s: %w", parent, status))
	}
	atRoot := node.Namespace() == 0 && node.IntID() == objectsFolder
	var folders, leaves []connector.Node
	var variables []*ua.NodeID
	seen := map[string]bool{}
	for _, r := range lists[0].references {
		child := r.NodeID.NodeID
		entry := connector.Node{Address: s.namespaces.name(child), Name: nameOf(r)}
		switch {
		case isProperty(r), seen[entry.Address], len(entry.Address) > maxAddress, atRoot && child.Namespace() == 0:
			continue
		case r.NodeClass == ua.NodeClassVariable:
			entry.Leaf = true
			leaves, variables = append(leaves, entry), append(variables, child)
		default:
			folders = append(folders, entry)
		}
		seen[entry.Address] = true
	}
	described, err := s.describe(ctx, variables)
	if err != nil {
		return nil, err
	}
	for i, d := range described {
		leaves[i].Unit, leaves[i].DataType, leaves[i].Low, leaves[i].High = d.unit, d.dataType, d.low, d.high
		if d.parent {
			folders = append(folders, connector.Node{Address: leaves[i].Address, Name: leaves[i].Name})
		}
	}
	byName := func(a, b connector.Node) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	}
	slices.SortFunc(folders, byName)
	slices.SortFunc(leaves, byName)
	return append(folders, leaves...), nil
}

func nameOf(r *ua.ReferenceDescription) string {
	switch {
	case r.DisplayName != nil && r.DisplayName.Text != "":
		return r.DisplayName.Text
	case r.BrowseName != nil && r.BrowseName.Name != "":
		return r.BrowseName.Name
	default:
		return r.NodeID.NodeID.String()
	}
}

// listing is what browsing one node gave.
type listing struct {
	references []*ua.ReferenceDescription
	status     ua.StatusCode
}

// references lists the children of nodes, properties included. It finishes
// every continuation point. Where a server has not enough of them, fewer nodes
// are asked for at once.
func (s *session) references(ctx context.Context, nodes []*ua.NodeID) ([]listing, error) {
	lists := make([]listing, len(nodes))
	waiting := make([]int, len(nodes))
	for i := range nodes {
		waiting[i] = i
	}
	width := s.limits.browse
	for len(waiting) > 0 {
		now := waiting[:min(max(width, 1), len(waiting))]
		short, err := s.browseSome(ctx, nodes, now, lists)
		switch {
		case tooMuch(err) && len(now) > 1:
			width = len(now) / 2
			s.limits.browse = width
			continue
		case err != nil:
			return nil, word(ctx, fmt.Errorf("browse: %w", err))
		case len(short) > 0 && len(now) == 1:
			return nil, failed(connector.KeyThrottled, fmt.Errorf("browse: %w", ua.StatusBadNoContinuationPoints))
		case len(short) > 0:
			width = max(1, (len(now)-len(short))/2)
		}
		waiting = append(short, waiting[len(now):]...)
	}
	return lists, nil
}

// browseSome browses nodes[now...] in one call and follows what continues. It
// returns those for which the server had no continuation point left.
func (s *session) browseSome(ctx context.Context, nodes []*ua.NodeID, now []int, lists []listing) (short []int, err error) {
	request := &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, RequestedMaxReferencesPerNode: referencesPerAnswer}
	for _, i := range now {
		request.NodesToBrowse = append(request.NodesToBrowse, &ua.BrowseDescription{
			NodeID: nodes[i], BrowseDirection: ua.BrowseDirectionForward, ReferenceTypeID: ua.NewNumericNodeID(0, id.HierarchicalReferences),
			IncludeSubtypes: true, NodeClassMask: uint32(ua.NodeClassObject | ua.NodeClassVariable), ResultMask: uint32(ua.BrowseResultMaskAll),
		})
	}
	answer, err := call[*ua.BrowseResponse](ctx, s.channel, request)
	if err != nil {
		return nil, err
	}
	if err := counted(len(answer.Results), len(now)); err != nil {
		return nil, err
	}
	open := map[int][]byte{}
	defer func() { s.releaseBrowse(open) }()
	for k, i := range now {
		r := answer.Results[k]
		if r.StatusCode == ua.StatusBadNoContinuationPoints {
			short = append(short, i)
			continue
		}
		lists[i] = listing{status: r.StatusCode}
		lists[i].add(r.References)
		if len(r.ContinuationPoint) > 0 {
			open[i] = r.ContinuationPoint
		}
	}
	for len(open) > 0 {
		if err := s.browseNext(ctx, open, lists); err != nil {
			return nil, err
		}
	}
	return short, nil
}

// browseNext fetches the next page of everything open, and drops what ended.
func (s *session) browseNext(ctx context.Context, open map[int][]byte, lists []listing) error {
	order := make([]int, 0, len(open))
	request := &ua.BrowseNextRequest{}
	for i, point := range open {
		order = append(order, i)
		request.ContinuationPoints = append(request.ContinuationPoints, point)
	}
	answer, err := call[*ua.BrowseNextResponse](ctx, s.channel, request)
	if err != nil {
		return err
	}
	if err := counted(len(answer.Results), len(order)); err != nil {
		return err
	}
	for k, i := range order {
		r := answer.Results[k]
		if bad(r.StatusCode) {
			return failed(keyOf(r.StatusCode), fmt.Errorf("continue browsing: %w", r.StatusCode))
		}
		added := lists[i].add(r.References)
		delete(open, i)
		if len(r.ContinuationPoint) == 0 {
			continue
		}
		open[i] = r.ContinuationPoint
		if !added {
			return failed(connector.KeyProtocol, errors.New("continue browsing: a page without anything new, and more to come"))
		}
		if len(lists[i].references) > maxReferences {
			return failed(connector.KeyTooLarge, fmt.Errorf("a node has more than %d children", maxReferences))
		}
	}
	return nil
}

// add keeps references to nodes of this server, and reports whether there were
// any.
func (l *listing) add(references []*ua.ReferenceDescription) bool {
	before := len(l.references)
	for _, r := range references {
		if r == nil || r.NodeID == nil || r.NodeID.NodeID == nil || r.NodeID.ServerIndex != 0 || !r.IsForward {
			continue
		}
		l.references = append(l.references, r)
	}
	return len(l.references) > before
}

// releaseBrowse gives continuation points back that an error left open. When
// that fails too they end with the session.
func (s *session) releaseBrowse(open map[int][]byte) {
	if len(open) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request := &ua.BrowseNextRequest{ReleaseContinuationPoints: true}
	for _, point := range open {
		request.ContinuationPoints = append(request.ContinuationPoints, point)
	}
	_, _ = call[*ua.BrowseNextResponse](ctx, s.channel, request)
}

// isProperty tells the references that describe a node from those to its
// children.
func isProperty(r *ua.ReferenceDescription) bool {
	return r.ReferenceTypeID != nil && r.ReferenceTypeID.Namespace() == 0 &&
		(r.ReferenceTypeID.IntID() == id.HasProperty || r.ReferenceTypeID.IntID() == id.HasHistoricalConfiguration)
}
