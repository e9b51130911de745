package opcua

import (
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// notices gathers tags under the keys of notices, in the order in which they
// come up. A tag appears once under a key.
type notices struct {
	order []string
	tags  map[string][]string
	seen  map[string]map[string]bool
}

func newNotices() *notices {
	return &notices{tags: map[string][]string{}, seen: map[string]map[string]bool{}}
}

func (n *notices) add(key string, tags ...string) {
	if n.seen[key] == nil {
		n.seen[key] = map[string]bool{}
		n.order = append(n.order, key)
	}
	for _, tag := range tags {
		if !n.seen[key][tag] {
			n.seen[key][tag] = true
			n.tags[key] = append(n.tags[key], tag)
		}
	}
}

// take returns what was gathered and forgets it.
func (n *notices) take(at time.Time) []connector.Notice {
	var taken []connector.Notice
	for _, key := range n.order {
		taken = append(taken, connector.Notice{Time: at.UTC(), Key: key, Tags: n.tags[key]})
	}
	*n = *newNotices()
	return taken
}
