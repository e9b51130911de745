package piwebapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/connector"
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
	page, err := c.pointPage(ctx, server, prefix+"*", 0, listed, leafFields)
	if err != nil {
		return nil, err
	}
	if page.Links.Next == "" && len(page.Items) < listed {
		return c.leaves(page.Items), nil
	}
	names, err := c.names(ctx, server, prefix)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	groups, lone := group(names)
	nodes := make([]connector.Node, 0, len(groups)+1)
	for _, g := range groups {
		nodes = append(nodes, connector.Node{Address: serverPrefix + server + "/" + g.prefix, Name: fmt.Sprintf("%s… (%d)", g.prefix, g.count)})
	}
	if lone == "" {
		return nodes, nil
	}
	point, err := c.pointNamed(ctx, server, lone)
	return append(nodes, point...), err
}

// leafFields are the fields of a point that a node shows.
const leafFields = "Items.WebId;Items.Name;Items.Path;Items.PointType;Items.EngineeringUnits;Items.Zero;Items.Span;Items.DigitalSetName;Links.Next"

// pointPage reads one page of the points whose names match filter.
func (c *Connector) pointPage(ctx context.Context, server, filter string, start, count int, fields string) (pointPage, error) {
	query := url.Values{"nameFilter": {filter}, "startIndex": {strconv.Itoa(start)}, "maxCount": {strconv.Itoa(count)}, "webIdType": {"IDOnly"}, "selectedFields": {fields}}
	var page pointPage
	if _, err := c.get(ctx, "/dataservers/"+server+"/points", query, &page); err != nil {
		return pointPage{}, err
	}
	if len(page.Items) > count {
		return pointPage{}, connector.Failed(connector.KeyProtocol, fmt.Errorf("%d points in a page of %d", len(page.Items), count))
	}
	return page, nil
}

// names reads the names of all points that begin with prefix, each once.
func (c *Connector) names(ctx context.Context, server, prefix string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for start := 0; start < mostNames; {
		page, err := c.pointPage(ctx, server, prefix+"*", start, min(namesPage, max(c.page, listed)), "Items.Name;Links.Next")
		if err != nil {
			return nil, err
		}
		before := len(names)
		for _, item := range page.Items {
			if item.Name != "" && len(item.Name) <= longestAddress/2 && !seen[item.Name] {
				seen[item.Name] = true
				names = append(names, item.Name)
			}
		}
		start += len(page.Items)
		switch {
		case len(page.Items) == 0, page.Links.Next == "" && len(page.Items) < listed:
			return names, nil
		case len(names) == before:
			return nil, connector.Failed(connector.KeyProtocol, errors.New("the pages of points repeat themselves"))
		}
	}
	return nil, connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d points", mostNames))
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
		node := connector.Node{Address: address, Name: nameOr(p.Name, address), Leaf: true, Unit: p.EngineeringUnits, DataType: p.PointType}
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

// pointNamed lists the one point of a name, for the name that stands beside
// folders.
func (c *Connector) pointNamed(ctx context.Context, server, name string) ([]connector.Node, error) {
	page, err := c.pointPage(ctx, server, name, 0, listed, leafFields)
	if err != nil {
		return nil, err
	}
	return c.leaves(slices.DeleteFunc(page.Items, func(p pointRecord) bool { return p.Name != name })), nil
}

func nameOr(name, standard string) string {
	if name == "" || !utf8.ValidString(name) {
		return standard
	}
	return name
}
