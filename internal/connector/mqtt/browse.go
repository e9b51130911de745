package mqtt

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of a listening.
const (
	quietAfter   = 1500 * time.Millisecond // without a new metric
	freshFor     = time.Minute             // an inventory is used again for so long
	maxInventory = 200_000                 // metrics that are listed
)

// inventory is what a listening found, by address.
type inventory struct {
	metrics []*metric
	heard   int // messages
}

// listen follows the broker for a short time with a client of its own, and
// asks each node that speaks, and those of the wanted tags, for its birth
// certificate. It ends early when nothing new comes.
func (c *MQTTConnector) listen(ctx context.Context, wanted []string) (*inventory, error) {
	s, err := c.connect(ctx, signIn{clientID: guest()})
	if err != nil {
		return nil, err
	}
	defer s.end()
	if err := s.subscribe(ctx, c.format.filters()); err != nil {
		return nil, err
	}
	read := c.format.newReader(nil)
	if err := s.send(ctx, c.invitations(wanted)); err != nil {
		return nil, err
	}
	found := &inventory{}
	until := time.After(time.Duration(c.settings.ListenSeconds * float64(time.Second)))
	quiet := time.NewTimer(quietAfter)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case err := <-s.failed:
			return nil, err
		case <-until:
			return found.close(read), nil
		case <-quiet.C:
			if found.heard > 0 {
				return found.close(read), nil
			}
		case m := <-s.inbox:
			found.heard++
			known := read.count()
			if err := found.take(ctx, s, read, m); err != nil {
				return nil, err
			}
			if read.count() > known {
				quiet.Reset(quietAfter)
			}
		}
	}
}

// take reads a message and sends what it asks for. Nothing is kept of it, and
// the client leaves no session, so it is acknowledged at once.
func (i *inventory) take(ctx context.Context, s *session, read reader, m message) error {
	out := read.read(m)
	for _, waited := range out.released {
		read.read(waited)
	}
	return errors.Join(s.send(ctx, out.commands), m.ack())
}

// close sorts what was found.
func (i *inventory) close(read reader) *inventory {
	i.metrics = read.metrics()
	slices.SortFunc(i.metrics, func(a, b *metric) int { return cmp.Compare(a.address, b.address) })
	i.metrics = i.metrics[:min(len(i.metrics), maxInventory)]
	return i
}

// guest is a client id that is used once.
func guest() string {
	id := make([]byte, 6)
	_, _ = rand.Read(id) // never fails
	return "optria-look-" + hex.EncodeToString(id)
}

// invitations are the requests for birth certificates of the nodes of tags.
func (c *MQTTConnector) invitations(tags []string) []publication {
	if c.settings.Payload != Sparkplug {
		return nil
	}
	now := time.Now()
	nodes := map[string]*node{}
	var out []publication
	for _, tag := range tags {
		place, _, _ := strings.Cut(tag, ":")
		parts := strings.Split(place, "/")
		if len(parts) < 2 || strings.ContainsAny(place, "+#\x00") || len(nodes) >= 100 {
			continue
		}
		id := parts[0] + "/" + parts[1]
		if nodes[id] == nil {
			nodes[id] = &node{id: id}
			out = append(out, nodes[id].ask(now)...)
		}
	}
	return out
}

// inventory returns what is known of the broker, listening when that is old.
func (c *MQTTConnector) inventory(ctx context.Context, wanted []string) (*inventory, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.seen != nil && time.Since(c.seenAt) < freshFor {
		return c.seen, nil
	}
	found, err := c.listen(ctx, wanted)
	if err != nil {
		return nil, err
	}
	c.seen, c.seenAt = found, time.Now()
	return found, nil
}

// Browse lists the nodes of a group, below them devices and metrics. JSON tags
// have one level. Only what speaks while the connector listens is found.
func (c *MQTTConnector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if parent == "" {
		c.seen = nil // a look at the root is a new look
	}
	found, err := c.inventory(ctx, nil)
	if err != nil {
		return nil, err
	}
	var nodes []connector.Node
	folders := map[string]bool{}
	for _, m := range found.metrics {
		folder, name, here := m.place(c.settings.Payload, parent)
		switch {
		case !here:
		case folder == "":
			nodes = append(nodes, connector.Node{Address: m.address, Name: m.name, Leaf: true, Unit: m.unit, DataType: typeName(m.dataType), Low: m.low, High: m.high})
		case !folders[folder]:
			folders[folder] = true
			nodes = append(nodes, connector.Node{Address: folder, Name: name})
		}
	}
	if len(nodes) == 0 && parent != "" {
		return nil, connector.UnknownNode(parent)
	}
	return nodes, nil
}

// place says where a metric stands below a parent: in a folder, or here as a
// leaf.
func (m *metric) place(payload, parent string) (folder, name string, here bool) {
	device := m.node + "/" + m.device
	switch {
	case payload != Sparkplug:
		return "", m.name, parent == ""
	case parent == "":
		return m.node, m.node, true
	case parent == m.node && m.device == "":
		return "", m.name, true
	case parent == m.node:
		return device, m.device, true
	}
	return "", m.name, parent == device && m.device != ""
}

// typeName is the name of a Sparkplug data type.
func typeName(dataType uint64) string {
	names := []string{"", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Double", "Boolean", "String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File", "Template"}
	if dataType < uint64(len(names)) {
		return names[dataType]
	}
	return fmt.Sprintf("type %d", dataType)
}

// Sample returns the last value of each tag that the broker tells in a short
// time: from birth certificates, retained and passing messages.
func (c *MQTTConnector) Sample(ctx context.Context, tags []string) (connector.Batch, error) {
	c.seen = nil
	found, err := c.inventory(ctx, tags)
	if err != nil {
		return connector.Batch{}, err
	}
	known := make(map[string]*metric, len(found.metrics))
	for _, m := range found.metrics {
		known[m.address] = m
	}
	now := time.Now().UTC()
	batch := connector.Batch{Watermark: now}
	notes := map[string][]string{}
	for _, tag := range tags {
		switch m := known[tag]; {
		case m == nil:
			notes[connector.NoticeUnknownTag] = append(notes[connector.NoticeUnknownTag], tag)
		case !m.numeric:
			notes[connector.NoticeNotNumeric] = append(notes[connector.NoticeNotNumeric], tag)
		case !m.last.Time.IsZero():
			batch.Readings = append(batch.Readings, m.last)
		}
	}
	for _, key := range []string{connector.NoticeUnknownTag, connector.NoticeNotNumeric} {
		if len(notes[key]) > 0 {
			batch.Notices = append(batch.Notices, connector.Notice{Time: now, Key: key, Tags: notes[key]})
		}
	}
	return batch, nil
}
