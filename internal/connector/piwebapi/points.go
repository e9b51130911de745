package piwebapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// longestAddress bounds an address, as the store does.
const longestAddress = 400

// Bounds of one look-up of points: http.sys refuses request lines of more than
// 16 KiB.
const (
	lookupTags  = 200
	lookupBytes = 6000
)

// webIDs is the shape of a WebID 2.0: a letter for its type, the version, a
// marker of the class, and base64url.
var webIDs = regexp.MustCompile(`^[FIPLD][0-9][A-Za-z]{2}[A-Za-z0-9_-]*$`)

// isPath reports whether a tag is a path, \\SERVER\TAG.
func isPath(tag string) bool { return strings.HasPrefix(tag, `\\`) }

// wellFormed reports whether a tag can name a point at all.
func wellFormed(tag string) bool {
	return len(tag) <= longestAddress && (isPath(tag) || webIDs.MatchString(tag))
}

// pointRecord is a Point of PI Web API as far as it is used.
type pointRecord struct {
	WebID            string `json:"WebId"`
	Name             string
	Path             string
	PointType        string
	EngineeringUnits string
	Zero, Span       *float64
	DigitalSetName   string
}

// point is a point that a tag was found to name.
type point struct {
	webID string
	path  string
	unit  string
	text  bool // of a type that carries no numbers
}

// carriesNoNumbers lists the point types that are not delivered.
func carriesNoNumbers(pointType string) bool {
	switch strings.ToLower(pointType) {
	case "string", "timestamp", "blob":
		return true
	}
	return false
}

// resolved is what is known of the tags of a request.
type resolved struct {
	tags    []string // readable ones, in the order of the request, each once
	points  map[string]point
	unknown []string
	refused []string // known, but may not be read
	texts   []string
}

// resolve finds the points of tags. What was found is kept for the life of the
// connector, which is that of one task.
func (c *Connector) resolve(ctx context.Context, tags []string) (resolved, error) {
	var paths, ids []string
	seen := map[string]bool{}
	for _, tag := range tags {
		if _, known := c.points[tag]; known || seen[tag] || !wellFormed(tag) {
			continue
		}
		seen[tag] = true
		if isPath(tag) {
			paths = append(paths, tag)
		} else {
			ids = append(ids, tag)
		}
	}
	if err := c.lookup(ctx, "path", paths); err != nil {
		return resolved{}, err
	}
	if err := c.lookup(ctx, "webId", ids); err != nil {
		return resolved{}, err
	}
	found := resolved{points: c.points}
	seen = map[string]bool{}
	for _, tag := range tags {
		p, known := c.points[tag]
		switch {
		case seen[tag]:
		case !known:
			found.unknown = append(found.unknown, tag)
		case p.text:
			found.texts = append(found.texts, tag)
		default:
			found.tags = append(found.tags, tag)
		}
		seen[tag] = true
	}
	return found, nil
}

// lookup asks for points by one parameter, path or webId, in several calls.
func (c *Connector) lookup(ctx context.Context, parameter string, tags []string) error {
	for len(tags) > 0 {
		count, size := 0, 0
		for count < min(len(tags), lookupTags) && (count == 0 || size+len(tags[count]) < lookupBytes) {
			size += len(url.QueryEscape(tags[count])) + len(parameter) + 2
			count++
		}
		if err := c.lookupOnce(ctx, parameter, tags[:count]); err != nil {
			return err
		}
		tags = tags[count:]
	}
	return nil
}

func (c *Connector) lookupOnce(ctx context.Context, parameter string, tags []string) error {
	query := url.Values{parameter: tags, "webIdType": {"IDOnly"},
		"selectedFields": {"Items.Identifier;Items.Object.WebId;Items.Object.Path;Items.Object.PointType;Items.Object.EngineeringUnits"}}
	var answer struct {
		Items []struct {
			Identifier string
			Object     *pointRecord
		}
	}
	header, err := c.get(ctx, "/points/multiple", query, &answer)
	if err != nil {
		return err
	}
	c.readClock(header)
	asked := make(map[string][]string, len(tags))
	for _, tag := range tags {
		asked[fold(tag)] = append(asked[fold(tag)], tag)
	}
	for _, item := range answer.Items {
		if item.Object == nil || !webIDs.MatchString(item.Object.WebID) || len(item.Object.WebID) > longestAddress {
			continue
		}
		for _, tag := range asked[fold(item.Identifier)] {
			c.points[tag] = point{webID: item.Object.WebID, path: item.Object.Path, unit: item.Object.EngineeringUnits, text: carriesNoNumbers(item.Object.PointType)}
		}
	}
	return nil
}

// skewWarned is the difference of clocks worth a notice.
const skewWarned = 2 * time.Second

// readClock compares the clock of the service, which its answers show in whole
// seconds, with that of the product.
func (c *Connector) readClock(header http.Header) {
	shown, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return // a proxy in between may drop the header
	}
	ahead := shown.Sub(c.now())
	c.skewed = ahead > skewWarned || ahead < -skewWarned-time.Second
}

// fold makes paths comparable: PI does not tell upper from lower case in them,
// but does in WebIDs.
func fold(tag string) string {
	if isPath(tag) {
		return strings.ToLower(tag)
	}
	return tag
}

// notices names the tags that are not delivered.
func (r resolved) notices(c *Connector) []connector.Notice {
	var notices []connector.Notice
	if len(r.unknown) > 0 {
		notices = append(notices, connector.Notice{Time: c.now().UTC(), Key: connector.NoticeUnknownTag, Tags: r.unknown})
	}
	if len(r.refused) > 0 {
		notices = append(notices, connector.Notice{Time: c.now().UTC(), Key: connector.NoticeRefusedTag, Tags: r.refused})
	}
	if len(r.texts) > 0 {
		notices = append(notices, connector.Notice{Time: c.now().UTC(), Key: connector.NoticeNotNumeric, Tags: r.texts})
	}
	if c.skewed {
		notices = append(notices, connector.Notice{Time: c.now().UTC(), Key: connector.NoticeClockSkew})
	}
	return notices
}
