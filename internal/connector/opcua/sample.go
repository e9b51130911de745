package opcua

import (
	"context"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Sample reads the newest value of each tag with its unit.
func (c *OPCUAConnector) Sample(ctx context.Context, tags []string) (connector.Batch, error) {
	var batch connector.Batch
	err := c.with(ctx, func(s *session) error {
		var err error
		batch, err = s.sample(ctx, tags)
		return err
	})
	return batch, err
}

func (s *session) sample(ctx context.Context, tags []string) (connector.Batch, error) {
	found := newNotices()
	known, nodes := s.resolveAll(tags, found)
	reads := make([]*ua.ReadValueID, len(nodes))
	for i, node := range nodes {
		reads[i] = valueOf(node)
	}
	values, err := s.read(ctx, reads)
	if err != nil {
		return connector.Batch{}, err
	}
	now := time.Now()
	batch := connector.Batch{Watermark: now.UTC()}
	var read []*ua.NodeID
	for i, v := range values {
		if r, ok := take(known[i], v, now, found); ok {
			batch.Readings, read = append(batch.Readings, r), append(read, nodes[i])
		}
	}
	described, err := s.describe(ctx, read)
	if err != nil {
		return connector.Batch{}, err
	}
	for i, d := range described {
		batch.Readings[i].Unit = d.unit
	}
	batch.Notices = found.take(now)
	return batch, nil
}

// resolveAll returns the tags that are addresses of this server with their
// nodes, each once, and names the others.
func (s *session) resolveAll(tags []string, found *notices) (known []string, nodes []*ua.NodeID) {
	seen := make(map[string]bool, len(tags))
	for _, tag := range tags {
		if seen[tag] {
			continue
		}
		seen[tag] = true
		node, ok := s.resolve(tag)
		if !ok {
			found.add(connector.NoticeUnknownTag, tag)
			continue
		}
		known, nodes = append(known, tag), append(nodes, node)
	}
	return known, nodes
}

// take turns a value into a reading, or names the tag under what is wrong.
func take(tag string, v *ua.DataValue, now time.Time, found *notices) (connector.Reading, bool) {
	switch {
	case v == nil || unknownNode(v.Status):
		found.add(connector.NoticeUnknownTag, tag)
		return connector.Reading{}, false
	case refusedRead(v.Status):
		found.add(connector.NoticeRefusedTag, tag)
		return connector.Reading{}, false
	}
	r, ok := reading(tag, v, now)
	if !ok {
		found.add(connector.NoticeNotNumeric, tag)
	}
	return r, ok
}

// refusedRead tells the states in which a node says nothing of the plant from
// those in which a bad value was measured.
func refusedRead(status ua.StatusCode) bool {
	switch status {
	case ua.StatusBadNotReadable, ua.StatusBadUserAccessDenied, ua.StatusBadAttributeIDInvalid, ua.StatusBadDataEncodingUnsupported, ua.StatusBadNotSupported:
		return true
	}
	return false
}
