package piwebapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// sampleTags is the number of points in one stream set.
const sampleTags = 100

// streamValue is one entry of a stream set.
type streamValue struct {
	WebID        string `json:"WebId"`
	Path         string
	Value        *timedValue
	WebException *webException
}

// Sample returns the newest value of each tag.
func (c *Connector) Sample(ctx context.Context, tags []string) (connector.Batch, error) {
	known, err := c.resolve(ctx, tags)
	if err != nil {
		return connector.Batch{}, err
	}
	values := map[string]*timedValue{}
	for chunk := range slices.Chunk(known.tags, sampleTags) {
		if err := c.sample(ctx, chunk, values); err != nil {
			return connector.Batch{}, err
		}
	}
	batch := connector.Batch{Watermark: c.now().UTC()}
	for _, tag := range known.tags {
		newest := values[tag]
		if newest == nil {
			known.unknown = append(known.unknown, tag)
			continue
		}
		reading, numeric := newest.reading(tag, known.points[tag].unit)
		if !numeric {
			known.texts = append(known.texts, tag)
			continue
		}
		batch.Readings = append(batch.Readings, reading)
	}
	batch.Notices = known.notices(c)
	return batch, nil
}

// sample reads one stream set. One point that the service refuses spoils the
// whole set, so a refused set is divided until the culprit stands alone; it is
// then left without a value.
func (c *Connector) sample(ctx context.Context, tags []string, values map[string]*timedValue) error {
	items, err := c.streamSet(ctx, tags)
	if refusesPoint(err) {
		if len(tags) == 1 {
			return nil
		}
		half := len(tags) / 2
		if err := c.sample(ctx, tags[:half], values); err != nil {
			return err
		}
		return c.sample(ctx, tags[half:], values)
	}
	if err != nil {
		return err
	}
	for _, item := range items {
		if item.Value == nil || item.WebException.failed() {
			continue
		}
		for _, tag := range tags {
			if p := c.points[tag]; p.webID == item.WebID || p.path != "" && strings.EqualFold(p.path, item.Path) {
				values[tag] = item.Value
			}
		}
	}
	return nil
}

// refusesPoint reports whether a call failed for what it asks, not for the
// state of the service.
func refusesPoint(err error) bool {
	switch statusOf(err) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict:
		return true
	}
	return false
}

func (c *Connector) streamSet(ctx context.Context, tags []string) ([]streamValue, error) {
	query := url.Values{"webIdType": {"IDOnly"}, "selectedFields": {"Items.WebId;Items.Path;Items.Value;Items.WebException"}}
	for _, tag := range tags {
		query.Add("webId", c.points[tag].webID)
	}
	var answer struct{ Items []streamValue }
	if _, err := c.get(ctx, "/streamsets/value", query, &answer); err != nil {
		return nil, err
	}
	if len(answer.Items) > len(tags) {
		return nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("%d values for %d points", len(answer.Items), len(tags)))
	}
	return answer.Items, nil
}
