package piwebapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Bounds of a listing.
const (
	listed       = 1000    // points shown in one folder; also the page of PI Web API
	namesPage    = 10_000  // names asked for in one call when a folder is divided
	mostNames    = 500_000 // points of one folder that are looked through to divide it
	mostFolders  = 500     // folders made by the separators of names
	mostServers  = 1000
	serverPrefix = "server:" // address of a folder: server:WEBID, a slash and the beginning of the names in it
)

// separators end the parts of tag names: areas, units, equipment.
const separators = ".:/-_ "

// dataServer is a PI Data Archive.
type dataServer struct {
	WebID         string `json:"WebId"`
	Name          string
	IsConnected   bool
	ServerVersion string
}

// pointPage is one page of points.
type pointPage struct {
	Items []pointRecord
	Links struct{ Next string }
}

// servers lists the data servers, or the one of the settings.
func (c *Connector) servers(ctx context.Context) ([]dataServer, error) {
	var answer struct{ Items []dataServer }
	query := url.Values{"selectedFields": {"Items.WebId;Items.Name;Items.IsConnected;Items.ServerVersion"}}
	if _, err := c.get(ctx, "/dataservers", query, &answer); err != nil {
		return nil, err
	}
	kept := answer.Items[:0]
	for _, server := range answer.Items {
		if webIDs.MatchString(server.WebID) && len(server.WebID) <= longestAddress/2 &&
			(c.settings.DataServer == "" || strings.EqualFold(c.settings.DataServer, server.Name)) {
			kept = append(kept, server)
		}
	}
	return kept[:min(len(kept), mostServers)], nil
}

// Browse lists data servers, then their points. PI keeps points in one flat
// list; where that is longer than a folder shows, the points are grouped by the
// beginning of their names.
func (c *Connector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if parent == "" {
		servers, err := c.servers(ctx)
		nodes := make([]connector.Node, len(servers))
		for i, server := range servers {
			nodes[i] = connector.Node{Address: serverPrefix + server.WebID, Name: nameOr(server.Name, server.WebID)}
		}
		return nodes, err
	}
	rest, ours := strings.CutPrefix(parent, serverPrefix)
	server, prefix, _ := strings.Cut(rest, "/")
	if !ours || len(parent) > longestAddress || !webIDs.MatchString(server) || strings.ContainsAny(prefix, "*?") {
		return nil, connector.UnknownNode(parent)
	}
	nodes, err := c.folder(ctx, server, prefix)
	if errors.Is(err, errNotFound) {
		return nil, connector.UnknownNode(parent)
	}
	return nodes, err
}

// folder lists the points whose names begin with prefix, or folders of them
// when there are many.
func (c *Connector) folder(ctx context.Context, server, prefix string) ([]connector.Node, error) {
	points, more, err := c.listPoints(ctx, server, prefix+"*", listed, listed, leafFields)
	if err != nil {
		return nil, err
	}
	if !more {
		return c.leaves(points), nil
	}
	points, more, err = c.listPoints(ctx, server, prefix+"*", c.names, namesPage, "Items.Name;Links.Next")
	switch {
	case err != nil:
		return nil, err
	case more:
		return nil, connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d points", c.names))
	}
	names := make([]string, len(points))
	for i, p := range points {
		names[i] = p.Name
	}
	groups, lone := group(names)
	nodes := make([]connector.Node, 0, len(groups)+1)
	for _, g := range groups {
		nodes = append(nodes, connector.Node{Address: serverPrefix + server + "/" + g.prefix, Name: fmt.Sprintf("%s… (%d)", g.prefix, g.count)})
	}
	if lone == "" {
		return nodes, nil
	}
	// The name that ends where the others go on stands beside their folders.
	single, _, err := c.listPoints(ctx, server, lone, 1, listed, leafFields)
	return append(nodes, c.leaves(single)...), err
}

// leafFields are the fields of a point that a node shows.
const leafFields = "Items.WebId;Items.Name;Items.Path;Items.PointType;Items.EngineeringUnits;Items.Zero;Items.Span;Items.DigitalSetName;Links.Next"

// listPoints reads the points whose names match filter, each once, in pages of
// size, but no more than most of them. more says that there are others.
func (c *Connector) listPoints(ctx context.Context, server, filter string, most, size int, fields string) (found []pointRecord, more bool, err error) {
	seen := map[string]bool{}
	for start := 0; ; {
		page, err := c.pointPage(ctx, server, filter, start, size, fields)
		if err != nil {
			return nil, false, err
		}
		before := len(found)
		for _, p := range page.Items {
			if p.Name == "" || len(p.Name) > longestAddress/2 || !utf8.ValidString(p.Name) || seen[p.Name] {
				continue
			}
			if len(found) == most {
				return found, true, nil
			}
			seen[p.Name] = true
			found = append(found, p)
		}
		start += len(page.Items)
		switch {
		case len(page.Items) == 0, page.Links.Next == "" && len(page.Items) < min(size, c.most):
			return found, false, nil
		case len(found) == before:
			return nil, false, connector.Failed(connector.KeyProtocol, errors.New("the pages of points repeat themselves"))
		}
	}
}

// pointPage reads one page, smaller than size where the service gives less.
func (c *Connector) pointPage(ctx context.Context, server, filter string, start, size int, fields string) (pointPage, error) {
	for {
		count := min(size, c.most)
		query := url.Values{"nameFilter": {filter}, "startIndex": {strconv.Itoa(start)}, "maxCount": {strconv.Itoa(count)}, "webIdType": {"IDOnly"}, "selectedFields": {fields}}
		var page pointPage
		_, err := c.get(ctx, "/dataservers/"+server+"/points", query, &page)
		if answer, refused := httpapi.Answer(err); refused && c.shrink(answer.Body, count) {
			continue
		}
		if err == nil && len(page.Items) > count {
			err = connector.Failed(connector.KeyProtocol, fmt.Errorf("%d points in a page of %d", len(page.Items), count))
		}
		return page, err
	}
}

// leaves turns points into nodes.
func (c *Connector) leaves(points []pointRecord) []connector.Node {
	nodes := make([]connector.Node, 0, len(points))
	for _, p := range points {
		address := p.WebID
		if c.settings.Addressing == byPath {
			address = p.Path
		}
		if !wellFormed(address) {
			continue
		}
		node := connector.Node{Address: address, Name: p.Name, Leaf: true, Unit: p.EngineeringUnits, DataType: p.PointType}
		node.Low, node.High = plausible(p)
		nodes = append(nodes, node)
	}
	return nodes
}

// plausible returns the bounds that the zero and span of a point declare. Zero
// and one hundred are what PI fills in by itself, so they say nothing.
func plausible(p pointRecord) (low, high *float64) {
	if p.Zero == nil || p.Span == nil || *p.Span <= 0 || p.DigitalSetName != "" || carriesNoNumbers(p.PointType) || *p.Zero == 0 && *p.Span == 100 {
		return nil, nil
	}
	return connector.Bound(*p.Zero), connector.Bound(*p.Zero + *p.Span)
}

// nameOr is the name, or another text where it cannot be shown.
func nameOr(name, standard string) string {
	if name == "" || !utf8.ValidString(name) {
		return standard
	}
	return name
}
