package activities

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// tagsNamed is how many tags a stored notice names; the others are counted.
const tagsNamed = 20

// notice is one kind of event of a sync, as stored in integration_syncs.
type notice struct {
	Time  time.Time `json:"time"` // of the first
	Key   string    `json:"key"`
	Tags  []string  `json:"tags,omitempty"` // the first of those concerned
	Count int       `json:"count"`          // tags concerned, or readings where those are counted
}

// notices are the events of a sync, one entry per key.
type notices []notice

// take adds what a connector has to say. The same notice may come with every
// batch, so the largest counts.
func (n *notices) take(batch []connector.Notice) {
	for _, b := range batch {
		entry := n.entry(b.Time, b.Key)
		entry.Count = max(entry.Count, len(b.Tags), 1)
		for _, tag := range b.Tags {
			entry.name(tag)
		}
	}
}

// count adds one reading that the engine has something to say about.
func (n *notices) count(at time.Time, key string, tags ...string) {
	entry := n.entry(at, key)
	entry.Count++
	for _, tag := range tags {
		entry.name(tag)
	}
}

// join adds the notices of a batch to those of a sync.
func (n *notices) join(others notices) {
	for _, o := range others {
		entry := n.entry(o.Time, o.Key)
		entry.Count += o.Count
		for _, tag := range o.Tags {
			entry.name(tag)
		}
	}
}

func (n notices) has(key string) bool {
	return slices.ContainsFunc(n, func(e notice) bool { return e.Key == key })
}

// entry returns the notice of a key, a new one at first.
func (n *notices) entry(at time.Time, key string) *notice {
	for i := range *n {
		if (*n)[i].Key == key {
			return &(*n)[i]
		}
	}
	*n = append(*n, notice{Time: at.UTC(), Key: key})
	return &(*n)[len(*n)-1]
}

func (e *notice) name(tag string) {
	if len(e.Tags) < tagsNamed && !slices.Contains(e.Tags, tag) {
		e.Tags = append(e.Tags, tag)
	}
}

// encode returns the notices in the form in which they are stored.
func (n notices) encode() (json.RawMessage, error) {
	if len(n) == 0 {
		return json.RawMessage("[]"), nil
	}
	raw, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode notices: %w", err)
	}
	return raw, nil
}

// lack reports whether the source does not know a tag, or does not let it be
// read.
func (n notices) lack() bool {
	return n.has(connector.NoticeUnknownTag) || n.has(connector.NoticeRefusedTag)
}

// statusOf is the status of a sync: partial when the source lacks a tag, when
// readings were refused, or when half of them and more are bad.
func statusOf(rows, bad, refused int64, n notices) string {
	if refused > 0 || n.lack() || bad > 0 && 2*bad >= rows {
		return SyncPartial
	}
	return SyncOK
}
