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

// Poll returns what the archive holds after the watermark. Interfaces and
// buffers bring events to PI some time after their time stamp, so the watermark
// of a window that ends now stays behind by the settling time: the next poll
// reads the last moments again and finds what came late.
func (c *Connector) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	batch, err := c.window(ctx, request)
	if settled := c.now().Add(-time.Duration(c.settings.Settle) * time.Second).UTC(); err == nil && !batch.More && batch.Watermark.After(settled) {
		since, _, _ := request.Window() // was sound a moment ago
		batch.Watermark = settled
		if settled.Before(since) {
			batch.Watermark = since
		}
	}
	return batch, err
}

// Backfill reads the archive like Poll, and ends where it is asked to end.
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
	list := c.continued(known, since, until)
	limit := request.BatchLimit()
	if err := c.fill(ctx, list, since, until, limit); err != nil {
		return connector.Batch{}, err
	}
	if err := allRefused(list); err != nil {
		return connector.Batch{}, err
	}
	for _, s := range list {
		switch {
		case s.refused == http.StatusNotFound:
			known.unknown = append(known.unknown, s.tag)
		case s.refused != 0:
			known.refused = append(known.refused, s.tag)
		case s.texts:
			known.texts = append(known.texts, s.tag)
		}
	}
	batch := cut(list, until, limit)
	batch.Notices = known.notices(c)
	if batch.More {
		c.ahead = ahead{tags: known.tags, at: batch.Watermark, until: until, list: list}
	}
	return batch, nil
}

// ahead is what was read beyond the end of a batch. The next page, whose window
// may end later, begins with it, so that many tags in small batches are not read again
// and again.
type ahead struct {
	tags      []string
	at, until time.Time
	list      []*series
}

// continued returns the series of a window: those of the page before when the
// request goes on where that ended, new ones otherwise.
func (c *Connector) continued(known resolved, since, until time.Time) []*series {
	kept := c.ahead
	c.ahead = ahead{}
	if kept.at.Equal(since) && !until.Before(kept.until) && len(kept.list) > 0 && slices.Equal(kept.tags, known.tags) {
		for _, s := range kept.list {
			s.goOn(since, until)
		}
		return kept.list
	}
	list := make([]*series, len(known.tags))
	for i, tag := range known.tags {
		list[i] = &series{tag: tag, point: known.points[tag], covered: since}
	}
	return list
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

// goOn drops what was delivered and opens the series again where the window
// now ends later.
func (s *series) goOn(since, until time.Time) {
	s.readings = s.readings[s.upTo(since):]
	switch {
	case s.refused != 0:
		s.covered = until
	case s.covered.Before(until):
		s.done = false
	}
}

// fill reads pages until the part of the window that every series covers holds
// enough readings, or the window is exhausted. Each round reads on the series
// that are behind the others.
func (c *Connector) fill(ctx context.Context, list []*series, since, until time.Time, limit int) error {
	for range mostRounds {
		held, at := 0, horizon(list, until)
		for _, s := range list {
			held += len(s.readings)
		}
		behind := laggards(list)
		if len(behind) == 0 || at.After(since) && (ready(list, at) >= max(1, limit/2) || held > mostHeld*limit) {
			return nil
		}
		if err := c.read(ctx, behind, until, max(smallestPage, 2*limit/len(behind))); err != nil {
			return err
		}
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
