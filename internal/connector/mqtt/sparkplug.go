package mqtt

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of one session.
const (
	maxNodes     = 10_000
	maxKnown     = 1_000_000 // metrics of all nodes together
	maxWaiting   = 20_000    // messages that wait for a birth certificate
	maxWaitBytes = 32 << 20
	waitsAtMost  = 30 * time.Second
	askAgain     = 15 * time.Second // between two requests for a rebirth of one node
)

// Message keys of notices.
const (
	noticeUnnamed   = "connector.mqtt.notice.unnamed"   // data whose birth certificate never came
	noticeMalformed = "connector.mqtt.notice.malformed" // payloads that cannot be read
	noticeGap       = "connector.mqtt.notice.gap"       // messages of a node are missing
	noticeFull      = "connector.mqtt.notice.full"      // more nodes or metrics than are followed
)

// sparkplug is the format of Sparkplug B payloads of one group, or all.
type sparkplug struct{ group string }

func (s sparkplug) filters() []string {
	group := s.group
	if group == "" {
		group = "+"
	}
	filters := make([]string, 0, 8)
	for _, kind := range []string{"NBIRTH", "NDEATH", "NDATA"} {
		filters = append(filters, "spBv1.0/"+group+"/"+kind+"/+")
	}
	for _, kind := range []string{"DBIRTH", "DDEATH", "DDATA"} {
		filters = append(filters, "spBv1.0/"+group+"/"+kind+"/+/+")
	}
	return filters
}

func (s sparkplug) newReader(wanted map[string]bool) reader {
	return &host{wanted: wanted, nodes: map[string]*node{}}
}

// host is the application that follows edge nodes. It keeps the alias table of
// each node from its birth certificates.
type host struct {
	wanted  map[string]bool // nil for all
	nodes   map[string]*node
	known   int
	waiting int
	bytes   int
}

// node is one edge node with its devices.
type node struct {
	id      string // group/node
	born    bool
	session *uint64 // bdSeq of its birth certificate
	seq     uint64
	aliases map[uint64]*metric
	names   map[string]*metric // by address
	asked   time.Time
	waiting []message
	since   time.Time // when the first of them began to wait
	mute    bool      // messages waited in vain, and no birth certificate came since
}

// place is where a Sparkplug message comes from.
type place struct{ kind, node, device string }

// parseTopic reads spBv1.0/group/kind/node[/device].
func parseTopic(topic string) (place, bool) {
	parts := strings.Split(topic, "/")
	if len(parts) < 4 || len(parts) > 5 || parts[0] != "spBv1.0" || len(topic) > longestName {
		return place{}, false
	}
	p := place{kind: parts[2], node: parts[1] + "/" + parts[3]}
	if len(parts) == 5 {
		p.device = parts[4]
	}
	return p, (p.kind[:min(1, len(p.kind))] == "D") == (p.device != "")
}

// address is the external tag of a metric: group/node/device:name, or
// group/node:name for a metric of the node itself.
func (p place) address(name string) string {
	if p.device == "" {
		return p.node + ":" + name
	}
	return p.node + "/" + p.device + ":" + name
}

// read takes one message in.
func (h *host) read(m message) outcome {
	at, ok := parseTopic(m.topic)
	if !ok {
		return outcome{}
	}
	p, err := parsePayload(m.payload)
	if err != nil {
		return note(noticeMalformed, m.at, m.topic)
	}
	n := h.nodes[at.node]
	if n == nil {
		if len(h.nodes) >= maxNodes {
			return note(noticeFull, m.at, at.node)
		}
		n = &node{id: at.node, aliases: map[uint64]*metric{}, names: map[string]*metric{}}
		h.nodes[at.node] = n
	}
	switch at.kind {
	case "NBIRTH", "DBIRTH":
		return h.birth(n, at, p, m)
	case "NDATA", "DDATA":
		return h.data(n, at, p, m)
	case "NDEATH", "DDEATH":
		return h.death(n, at, p, m)
	}
	return outcome{}
}

func note(key string, at time.Time, tags ...string) outcome {
	return outcome{notices: []connector.Notice{{Time: at, Key: key, Tags: tags}}}
}

// inOrder checks the sequence number of a message. A node counts all of its
// messages from 0 to 255 and begins again.
func (n *node) inOrder(p payload, m message) bool {
	if !p.hasSeq || m.again {
		return true
	}
	expected := (n.seq + 1) % 256
	n.seq = p.seq % 256
	return p.seq == expected
}

// ask requests the birth certificate of a node, not too often.
func (n *node) ask(now time.Time) []publication {
	if now.Sub(n.asked) < askAgain {
		return nil
	}
	n.asked = now
	group, name, _ := strings.Cut(n.id, "/")
	return []publication{{topic: "spBv1.0/" + group + "/NCMD/" + name, payload: rebirth(uint64(now.UnixMilli()))}}
}

// birth learns the metrics of a node or device and delivers their values. It
// frees the messages of the node that waited.
func (h *host) birth(n *node, at place, p payload, m message) outcome {
	var out outcome
	if at.kind == "NBIRTH" {
		h.forget(n, "")
		n.born, n.seq, n.session = true, p.seq%256, sessionOf(p)
	} else {
		if !n.born || !n.inOrder(p, m) { // the certificate of its node was missed, or another message
			out.commands = n.ask(m.at)
		}
		h.forget(n, at.device)
	}
	for _, sent := range p.metrics {
		if sent.name == "" || at.device == "" && (sent.name == "bdSeq" || strings.HasPrefix(sent.name, "Node Control/")) {
			continue
		}
		learned := h.learn(n, at, sent)
		if learned == nil {
			out.notices = append(out.notices, connector.Notice{Time: m.at, Key: noticeFull, Tags: []string{at.node}})
			break
		}
		h.deliver(&out, learned, sent, p, m)
	}
	h.nameUnknown(&out, n, at, m.at)
	h.unwait(n.waiting)
	for _, waited := range n.waiting {
		waited.again = true // its place in the sequence is long past
		out.released = append(out.released, waited)
	}
	n.waiting, n.mute = nil, false
	return out
}

// learn adds a metric of a birth certificate, or returns nil when the session
// has as many as it follows.
func (h *host) learn(n *node, at place, sent wireMetric) *metric {
	if h.known >= maxKnown {
		return nil
	}
	address := at.address(sent.name)
	learned := &metric{address: address, node: n.id, device: at.device, name: sent.name, alias: sent.alias, dataType: sent.dataType}
	_, learned.numeric = sent.value(sent.dataType)
	learned.unit = property(sent.props, "engUnit", "Engineering Units", "unit")
	learned.low, learned.high = bound(sent.props, "engLow", "Engineering Low"), bound(sent.props, "engHigh", "Engineering High")
	if before := n.names[address]; before == nil {
		h.known++
	}
	n.names[address] = learned
	if sent.hasAlias {
		n.aliases[sent.alias] = learned
	}
	return learned
}

// forget drops the metrics of a device, or all of a node.
func (h *host) forget(n *node, device string) {
	of := func(m *metric) bool { return device == "" || m.device == device }
	before := len(n.names)
	maps.DeleteFunc(n.names, func(_ string, m *metric) bool { return of(m) })
	maps.DeleteFunc(n.aliases, func(_ uint64, m *metric) bool { return of(m) })
	h.known -= before - len(n.names)
}

// nameUnknown names the wanted tags that a birth certificate does not have.
func (h *host) nameUnknown(out *outcome, n *node, at place, now time.Time) {
	var unknown []string
	prefix := at.address("")
	for tag := range h.wanted {
		if strings.HasPrefix(tag, prefix) && n.names[tag] == nil {
			unknown = append(unknown, tag)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		out.notices = append(out.notices, connector.Notice{Time: now, Key: connector.NoticeUnknownTag, Tags: unknown})
	}
}

// data delivers values. A message with an alias that no birth certificate has
// named waits for one, unless its node has let others wait in vain: messages are
// acknowledged in their order, so what waits holds up those of every node.
func (h *host) data(n *node, at place, p payload, m message) outcome {
	var out outcome
	if n.born && !n.inOrder(p, m) {
		out = note(noticeGap, m.at, n.id)
		out.commands = n.ask(m.at)
	}
	named := make([]*metric, len(p.metrics))
	for i, sent := range p.metrics {
		if named[i] = n.find(at, sent); named[i] == nil {
			out.commands = append(out.commands, n.ask(m.at)...)
			if !n.mute && h.wait(n, m) {
				out.held = true
			} else {
				out.notices = append(out.notices, connector.Notice{Time: m.at, Key: noticeUnnamed, Tags: []string{n.id}})
			}
			return out
		}
	}
	for i, sent := range p.metrics {
		h.deliver(&out, named[i], sent, p, m)
	}
	return out
}

// find returns the metric that a message means, by its name or its alias.
func (n *node) find(at place, sent wireMetric) *metric {
	if sent.name != "" {
		if known := n.names[at.address(sent.name)]; known != nil || !sent.hasAlias {
			return known
		}
	}
	known := n.aliases[sent.alias]
	if !sent.hasAlias || known == nil || known.device != at.device {
		return nil
	}
	return known
}

// wait keeps a message for later, unless too many wait.
func (h *host) wait(n *node, m message) bool {
	if h.waiting >= maxWaiting || h.bytes+len(m.payload) > maxWaitBytes {
		return false
	}
	if len(n.waiting) == 0 {
		n.since = m.at
	}
	n.waiting = append(n.waiting, m)
	h.waiting, h.bytes = h.waiting+1, h.bytes+len(m.payload)
	return true
}

func (h *host) unwait(messages []message) {
	for _, m := range messages {
		h.waiting, h.bytes = h.waiting-1, h.bytes-len(m.payload)
	}
}

// overdue gives up what waited too long. Without a birth certificate the data
// cannot be named.
func (h *host) overdue(now time.Time) outcome {
	var out outcome
	for _, n := range h.nodes {
		if len(n.waiting) > 0 && now.Sub(n.since) > waitsAtMost {
			out.spoil(h, n, now)
			n.mute = true
		}
	}
	return out
}

// spoil gives up the waiting messages of a node.
func (out *outcome) spoil(h *host, n *node, now time.Time) {
	out.spoiled = append(out.spoiled, n.waiting...)
	out.notices = append(out.notices, connector.Notice{Time: now, Key: noticeUnnamed, Tags: []string{n.id}})
	h.unwait(n.waiting)
	n.waiting = nil
}

// metrics are the metrics of all nodes.
func (h *host) metrics() []*metric {
	all := make([]*metric, 0, h.known)
	for _, n := range h.nodes {
		for _, m := range n.names {
			all = append(all, m)
		}
	}
	return all
}

func (h *host) count() int { return h.known }
