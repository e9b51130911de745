package piwebapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of one batch of readings.
const (
	smallestPage = 2 // so that a page can show that more follows
	mostRounds   = 64
	mostHeld     = 8 // times the limit that may be held while a batch is put together
)

// Poll returns what the archive holds after the watermark.
func (c *Connector) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	return c.window(ctx, request)
}

// Backfill is Poll: the archive is what both read.
func (c *Connector) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	return c.window(ctx, request)
}

func (c *Connector) window(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	if err := ctx.Err(); err != nil {
		return connector.Batch{}, err
	}
	known, err := c.resolve(ctx, request.Tags)
	if err != nil {
		return connector.Batch{}, err
	}
	list := make([]*series, len(known.tags))
	for i, tag := range known.tags {
		list[i] = &series{tag: tag, point: known.points[tag], covered: since}
	}
	limit := request.BatchLimit()
	if err := c.fill(ctx, list, until, limit); err != nil {
		return connector.Batch{}, err
	}
	if err := allRefused(list); err != nil {
		return connector.Batch{}, err
	}
	for _, s := range list {
		switch {
		case s.refused != 0:
			known.unknown = append(known.unknown, s.tag)
		case s.texts:
			known.texts = append(known.texts, s.tag)
		}
	}
	batch := cut(list, until, limit)
	batch.Notices = known.notices(c)
	return batch, nil
}

// allRefused returns a fault when the service refused to read every point: one
// refusal concerns a point, all of them concern the account or the call, and
// the watermark must not pass them.
func allRefused(list []*series) error {
	worst := 0
	for _, s := range list {
		switch {
		case s.refused == 0:
			return nil
		case s.refused != http.StatusNotFound:
			worst = s.refused
		}
	}
	switch worst {
	case 0:
		return nil
	case http.StatusForbidden:
		return connector.Failed(connector.KeyForbidden, statusError(worst))
	}
	return connector.Failed(connector.KeySourceError, statusError(worst))
}

// fill reads pages until the part of the window that every series covers holds
// enough readings, or the window is exhausted. Each round reads on the series
// that are behind the others.
func (c *Connector) fill(ctx context.Context, list []*series, until time.Time, limit int) error {
	behind := list
	for round := 0; len(behind) > 0 && round < mostRounds; round++ {
		if err := c.read(ctx, behind, until, max(smallestPage, 2*limit/len(behind))); err != nil {
			return err
		}
		held := 0
		for _, s := range list {
			held += len(s.readings)
		}
		if ready(list, horizon(list, until)) >= max(1, limit/2) || held > mostHeld*limit {
			return nil
		}
		behind = laggards(list)
	}
	return nil
}

// horizon is the time up to which every series was read.
func horizon(list []*series, until time.Time) time.Time {
	at := until
	for _, s := range list {
		if s.covered.Before(at) {
			at = s.covered
		}
	}
	return at
}

// ready counts the readings up to a time.
func ready(list []*series, at time.Time) int {
	count := 0
	for _, s := range list {
		count += s.upTo(at)
	}
	return count
}

// upTo counts the readings of a series up to a time.
func (s *series) upTo(at time.Time) int {
	n, _ := slices.BinarySearchFunc(s.readings, at, func(r connector.Reading, t time.Time) int {
		if r.Time.After(t) {
			return 1
		}
		return -1
	})
	return n
}

// laggards returns the unfinished series that were read no further than half
// of the unfinished ones.
func laggards(list []*series) []*series {
	var open []*series
	for _, s := range list {
		if !s.done {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		return nil
	}
	times := make([]time.Time, len(open))
	for i, s := range open {
		times[i] = s.covered
	}
	slices.SortFunc(times, time.Time.Compare)
	middle := times[len(times)/2]
	return slices.DeleteFunc(open, func(s *series) bool { return s.covered.After(middle) })
}

// cut makes one batch of what all series cover: at most limit readings and
// those of one more instant.
func cut(list []*series, until time.Time, limit int) connector.Batch {
	at := horizon(list, until)
	if count := ready(list, at); count > limit {
		times := make([]time.Time, 0, count)
		for _, s := range list {
			for _, r := range s.readings[:s.upTo(at)] {
				times = append(times, r.Time)
			}
		}
		slices.SortFunc(times, time.Time.Compare)
		at = times[limit-1]
	}
	batch := connector.Batch{Watermark: at, More: at.Before(until)}
	for _, s := range list {
		batch.Readings = append(batch.Readings, s.readings[:s.upTo(at)]...)
	}
	return batch
}
