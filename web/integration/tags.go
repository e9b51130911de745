package integration

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of walking a source's tree while a person waits.
const (
	maxDepth = 8
	maxTags  = 5000
)

// liveWindow is how far back the latest value of a tag is looked for.
const liveWindow = 15 * time.Minute

// Tag is one readable node of a source. Path names the folders above it.
type Tag struct {
	Address, Name, Unit, Path string
}

// Tags walks the tree of a source and returns its readable nodes in the order
// of the source, at most maxTags of them; more says that there are others.
func Tags(ctx context.Context, c connector.Connector) (found []Tag, more bool, err error) {
	browser, ok := c.(connector.Browser)
	if !ok {
		return nil, false, nil
	}
	w := walk{browser: browser, seen: map[string]bool{}}
	err = w.visit(ctx, "", "", 0)
	return w.found, w.more, err
}

type walk struct {
	browser connector.Browser
	seen    map[string]bool
	found   []Tag
	more    bool
}

func (w *walk) visit(ctx context.Context, parent, path string, depth int) error {
	nodes, err := w.browser.Browse(ctx, parent)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		switch {
		case w.seen[n.Address]:
			continue
		case len(w.found) == maxTags || (!n.Leaf && depth == maxDepth):
			w.more = true
			continue
		}
		w.seen[n.Address] = true
		if n.Leaf {
			w.found = append(w.found, Tag{n.Address, n.Name, n.Unit, path})
			continue
		}
		below := n.Name
		if path != "" {
			below = path + " / " + n.Name
		}
		if err := w.visit(ctx, n.Address, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Live returns the newest reading of each tag within the last minutes, as the
// source gives it.
func Live(ctx context.Context, c connector.Connector, tags []string, now time.Time) (map[string]connector.Reading, error) {
	latest := map[string]connector.Reading{}
	poller, ok := c.(connector.Poller)
	if !ok || len(tags) == 0 {
		return latest, nil
	}
	request := connector.PollRequest{Tags: tags, Since: now.Add(-liveWindow).UTC(), Until: now.UTC()}
	for {
		batch, err := poller.Poll(ctx, request)
		if err != nil {
			return latest, err
		}
		for _, r := range batch.Readings {
			if seen, ok := latest[r.ExternalTag]; !ok || r.Time.After(seen.Time) {
				latest[r.ExternalTag] = r
			}
		}
		if !batch.More || !batch.Watermark.After(request.Since) {
			return latest, nil
		}
		request.Since = batch.Watermark
	}
}

// Source is what a mapping page shows of a source: all its tags, and the
// newest values of some. Problem is set when the source does not answer.
type Source struct {
	Tags    []Tag
	More    bool
	Live    map[string]connector.Reading
	Problem error
}

// Look opens the source of an integration, lists its tags and reads the newest
// values of those that pick chooses among them.
func (s Service) Look(ctx context.Context, tenant, id uuid.UUID, pick func([]Tag) []string) (Source, error) {
	ctx, cancel := context.WithTimeout(ctx, TestTimeout)
	defer cancel()
	found, secrets, err := s.load(ctx, tenant, id)
	if err != nil && fault.CodeOf(err) != fault.Invalid {
		return Source{}, err
	}
	if err != nil { // a credential that cannot be opened any more
		return Source{Problem: err}, nil
	}
	opened, err := s.open(found, secrets)
	if err != nil {
		return Source{Problem: err}, nil
	}
	var x Source
	x.Tags, x.More, x.Problem = Tags(ctx, opened)
	if x.Problem == nil {
		x.Live, x.Problem = Live(ctx, opened, pick(x.Tags), time.Now())
	}
	return x, closed(opened, nil)
}
