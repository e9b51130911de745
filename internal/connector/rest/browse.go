package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// Bounds of the list of tags.
const (
	maxTags     = 20_000
	maxTag      = 400 // letters
	samplePages = 20  // of a window that only shows which tags there are
)

// listing is what is known of the tags of a source: from its list of tags, or
// from a sample of its answers.
type listing struct {
	nodes []connector.Node
	index map[string]bool
	cut   bool // there may be more
	first connector.Reading
}

func (l *listing) has(tag string) bool { return l.index[tag] }

func (l *listing) add(tag, unit string) {
	switch {
	case l.index[tag] || tag == "" || utf8.RuneCountInString(tag) > maxTag:
	case len(l.nodes) == maxTags:
		l.cut = true
	default:
		l.index[tag] = true
		l.nodes = append(l.nodes, connector.Node{Address: tag, Name: tag, Leaf: true, Unit: unit})
	}
}

// Browse lists the tags of the source at the root. A source whose address
// names the tag, and that has no list of them, shows none: they are typed.
func (c *RESTConnector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if parent != "" {
		return nil, connector.UnknownNode(parent)
	}
	known, err := c.list(ctx, newBudget(0))
	if err != nil {
		return nil, err
	}
	return slices.Clone(known.nodes), nil
}

// list reads the tags once for the life of the connector.
func (c *RESTConnector) list(ctx context.Context, spent *budget) (*listing, error) {
	if c.listed != nil {
		return c.listed, nil
	}
	found := &listing{index: map[string]bool{}}
	var err error
	switch {
	case c.tagItems != nil:
		err = c.listTags(ctx, found)
	case !c.path.has(varTag):
		err = c.sampleTags(ctx, spent, found)
	default:
		found.cut = true
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found.nodes, func(a, b connector.Node) int { return cmp.Compare(a.Address, b.Address) })
	c.listed = found
	return found, nil
}

// listTags reads the source's own list of tags.
func (c *RESTConnector) listTags(ctx context.Context, found *listing) error {
	path, query := c.tags.expand(nil)
	response, err := c.client.Do(ctx, httpapi.Request{Path: path, Query: query})
	if err != nil {
		return fmt.Errorf("list tags: %w", err)
	}
	if response.Status >= 400 {
		return connector.Failed(connector.KeySourceError, &httpapi.StatusError{Response: response})
	}
	document, err := jsonmap.Parse(response.Body)
	if err != nil {
		return fmt.Errorf("list tags: %w", err)
	}
	for _, match := range c.tagItems.All(document, document) {
		found.add(jsonmap.Text(match), "")
	}
	return nil
}

// sampleTags looks which tags the latest readings have.
func (c *RESTConnector) sampleTags(ctx context.Context, spent *budget, found *listing) error {
	until := c.now().UTC()
	since := until.Add(-time.Duration(c.settings.SampleHours) * time.Hour)
	pages := 0
	err := c.walk(ctx, spent, c.bounds(since, until), until, func(a answer) (bool, error) {
		for _, r := range a.Readings {
			if found.first.ExternalTag == "" {
				found.first = r
			}
			found.add(r.ExternalTag, r.Unit)
		}
		pages++
		found.cut = found.cut || pages == samplePages
		return pages < samplePages, nil
	})
	if errors.Is(err, errNoPath) {
		return connector.Failed(connector.KeySourceError, err)
	}
	return err
}

// sampleWindows are tried in turn until every tag has been seen; the last is
// the configured one.
func (c *RESTConnector) sampleWindows() []time.Duration {
	longest := time.Duration(c.settings.SampleHours) * time.Hour
	if !c.path.has(varSince) || longest <= time.Hour {
		return []time.Duration{longest}
	}
	return []time.Duration{time.Hour, longest}
}

// Sample returns the newest reading of each tag within the configured hours.
func (c *RESTConnector) Sample(ctx context.Context, tags []string) (connector.Batch, error) {
	until := c.now().UTC()
	spent := newBudget(2 * len(tags))
	newest := map[string]connector.Reading{}
	batch := connector.Batch{Watermark: until}
	var last *haul
	for _, span := range c.sampleWindows() {
		missing := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { _, seen := newest[tag]; return seen })
		if len(missing) == 0 {
			break
		}
		found, err := c.fetch(ctx, spent, missing, until.Add(-span), until)
		if errors.Is(err, errTooMuch) {
			err = connector.Failed(connector.KeyTooLarge, err)
		}
		if err != nil {
			return connector.Batch{}, err
		}
		for _, r := range found.readings {
			if before, seen := newest[r.ExternalTag]; !seen || r.Time.After(before.Time) {
				newest[r.ExternalTag] = r
			}
		}
		last = found
	}
	for _, tag := range tags {
		if r, seen := newest[tag]; seen {
			batch.Readings = append(batch.Readings, r)
		}
	}
	if last == nil {
		return batch, nil
	}
	for tag := range newest {
		last.seen[tag] = true
	}
	var err error
	batch.Notices, err = c.notices(ctx, spent, tags, last, until)
	return batch, err
}

// Test checks name, connection and security, then that the credentials are
// taken, which tags the source shows, and one reading.
func (c *RESTConnector) Test(ctx context.Context) []connector.Step {
	checks := append(c.client.Checks(), connector.Check{Name: connector.StepSession, Run: c.checkSession})
	if c.tagItems != nil || !c.path.has(varTag) {
		checks = append(checks, connector.Check{Name: connector.StepBrowse, Run: c.checkTags}, connector.Check{Name: connector.StepRead, Run: c.checkRead})
	}
	return connector.RunChecks(ctx, checks...)
}

// checkSession asks once; what the answer holds is the matter of later steps.
// A source may well have nothing under the tag that is made up here.
func (c *RESTConnector) checkSession(ctx context.Context) (string, error) {
	until := c.now().UTC()
	values := c.bounds(until.Add(-time.Minute), until)
	values[varTag], values[varLimit], values[varOffset], values[varPage], values[varCursor] = "test", "1", "0", fmt.Sprint(c.settings.FirstPage), ""
	path, query := c.path.expand(values)
	response, err := c.client.Do(ctx, httpapi.Request{Path: path, Query: query})
	switch {
	case err != nil:
		return "", err
	case response.Status >= 400 && !c.path.has(varTag):
		return "", connector.Failed(connector.KeySourceError, &httpapi.StatusError{Response: response})
	}
	detail := []string{fmt.Sprintf("HTTP %d", response.Status)}
	if server := response.Header.Get("Server"); server != "" {
		detail = append(detail, server[:min(len(server), 80)])
	}
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		detail = append(detail, fmt.Sprintf("clock %+ds", int(at.Sub(c.now()).Round(time.Second).Seconds())))
	}
	return strings.Join(detail, ", "), nil
}

func (c *RESTConnector) checkTags(ctx context.Context) (string, error) {
	known, err := c.list(ctx, newBudget(0))
	if err != nil {
		return "", err
	}
	if len(known.nodes) == 0 {
		return "", connector.Failed(connector.KeySilent, errors.New("no tag in the answer"))
	}
	return fmt.Sprintf("%d", len(known.nodes)), nil
}

func (c *RESTConnector) checkRead(ctx context.Context) (string, error) {
	known, err := c.list(ctx, newBudget(0))
	if err != nil {
		return "", err
	}
	first := known.first
	if first.ExternalTag == "" {
		batch, err := c.Sample(ctx, []string{known.nodes[0].Address})
		if err != nil {
			return "", err
		}
		if len(batch.Readings) == 0 {
			return "", connector.Failed(connector.KeySilent, errors.New("no reading in the answer"))
		}
		first = batch.Readings[0]
	}
	return fmt.Sprintf("%s = %g %s @ %s", first.ExternalTag, first.Value, first.Unit, first.Time.Format(time.RFC3339)), nil
}
