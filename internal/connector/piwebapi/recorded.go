package piwebapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Bounds of one batch.
const (
	batchCalls    = 500    // streams in one batch
	batchEvents   = 50_000 // events that one batch may bring, some 8 MB
	throttledTo   = 3      // times that throttled calls of a batch are repeated
	longestWait   = 30 * time.Second
	standardPause = time.Second // before a repetition when the service names no wait
)

// series is one point while its events are read in pages.
type series struct {
	tag      string
	point    point
	covered  time.Time // every event up to here was read
	done     bool      // nothing is left before the end of the window
	readings []connector.Reading
	texts    bool // an event was a text
	refused  int  // status with which the service refused to read this point, or zero
}

// read reads the next page of every series given, up to until and at most
// count events each.
func (c *Connector) read(ctx context.Context, list []*series, until time.Time, count int) error {
	count = min(count, c.settings.PageSize, c.most)
	for chunk := range slices.Chunk(list, min(batchCalls, max(1, batchEvents/count))) {
		if err := c.readChunk(ctx, chunk, until, count); err != nil {
			return err
		}
	}
	return nil
}

// readChunk reads one batch and repeats the calls that were throttled or asked
// for more than the service gives.
func (c *Connector) readChunk(ctx context.Context, list []*series, until time.Time, count int) error {
	for attempt := 0; ; attempt++ {
		count = min(count, c.settings.PageSize, c.most)
		answers, err := c.batch(ctx, c.recordedCalls(list, until, count))
		if connector.MessageKey(err) == connector.KeyTooLarge {
			return c.readLess(ctx, list, until, count, err)
		}
		if err != nil {
			return err
		}
		again, wait, err := c.take(list, answers, until, count)
		switch {
		case err != nil:
			return err
		case len(again) == 0:
			return nil
		case attempt == throttledTo:
			return connector.Failed(connector.KeyThrottled, fmt.Errorf("%d of %d calls of a batch were put off", len(again), len(list)))
		}
		list = again
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// readLess divides a batch that was too large, down to single events.
func (c *Connector) readLess(ctx context.Context, list []*series, until time.Time, count int, cause error) error {
	half := len(list) / 2
	switch {
	case half > 0:
		if err := c.readChunk(ctx, list[:half], until, count); err != nil {
			return err
		}
		return c.readChunk(ctx, list[half:], until, count)
	case count > smallestPage:
		c.most = max(smallestPage, count/2)
		return c.readChunk(ctx, list, until, c.most)
	}
	return cause
}

// recordedCalls writes the calls of a batch, keyed by the place in the list.
func (c *Connector) recordedCalls(list []*series, until time.Time, count int) map[string]subRequest {
	calls := make(map[string]subRequest, len(list))
	for i, s := range list {
		start, end := span(s.covered, until)
		query := url.Values{"startTime": {start}, "endTime": {end}, "maxCount": {strconv.Itoa(count)}, "boundaryType": {"Inside"},
			"selectedFields": {"Items.Timestamp;Items.Value;Items.Good;Items.Questionable;Items.Substituted;Items.Errors;WebException"}}
		calls[strconv.Itoa(i)] = subRequest{Method: http.MethodGet, Resource: c.base + "/streams/" + s.point.webID + "/recorded?" + query.Encode()}
	}
	return calls
}

// take hands the answers of a batch to their series. It returns the series to
// ask for again, and how long to wait before.
func (c *Connector) take(list []*series, answers map[string]subResponse, until time.Time, count int) (again []*series, wait time.Duration, err error) {
	for i, s := range list {
		answer, there := answers[strconv.Itoa(i)]
		if !there {
			return nil, 0, connector.Failed(connector.KeyProtocol, fmt.Errorf("the batch has no answer to call %d of %d", i+1, len(list)))
		}
		var page timedValues
		status := answer.Status
		if status == http.StatusOK {
			if err := decode(answer.Content, &page); err != nil {
				return nil, 0, err
			}
			if page.WebException.failed() {
				status = page.WebException.StatusCode
			}
		}
		switch {
		case status == http.StatusOK:
			if err := s.append(page.Items, until, count); err != nil {
				return nil, 0, err
			}
		case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
			again, wait = append(again, s), max(wait, waitOf(answer.Headers))
		case status == http.StatusBadRequest && c.shrink(answer.Content, count):
			again = append(again, s)
		case status == http.StatusNotFound, status == http.StatusBadRequest, status == http.StatusForbidden:
			s.refused, s.done, s.covered = status, true, until
		case status == http.StatusUnauthorized:
			return nil, 0, connector.Failed(connector.KeyCredentials, statusError(status))
		default:
			// The archive has the events but did not give them: going on would
			// lose them.
			return nil, 0, connector.Failed(connector.KeySourceError, fmt.Errorf("read %s: %w", s.tag, statusError(status)))
		}
	}
	return again, wait, nil
}

func statusError(status int) error {
	return &httpapi.StatusError{Response: httpapi.Response{Status: status}}
}

// allowed finds the limit that a refusal of maxCount names: "… is greater than
// the maximum allowed (150000)".
var allowed = regexp.MustCompile(`maximum allowed \((\d{1,9})\)`)

// shrink learns the service's own limit from a refusal that names it, and
// reports whether that makes another attempt worthwhile.
func (c *Connector) shrink(content []byte, count int) bool {
	found := allowed.FindSubmatch(content)
	if found == nil {
		return false
	}
	limit, err := strconv.Atoi(string(found[1]))
	if err != nil || limit < 1 || limit >= count {
		return false
	}
	c.most = limit
	return true
}

// waitOf reads how long a throttled call of a batch is to be put off.
func waitOf(headers map[string]any) time.Duration {
	for name, content := range headers {
		text, ok := content.(string)
		if !ok || !strings.EqualFold(name, "Retry-After") {
			continue
		}
		if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second, longestWait)
		}
	}
	return standardPause
}

// pause waits, but not beyond the life of ctx.
func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// append takes a page of events. One reading is kept for an instant, the first
// that the archive gives. A page of count events may have been cut, so the
// series is covered up to the instant of its last event and no further.
func (s *series) append(events []timedValue, until time.Time, count int) error {
	if !slices.IsSortedFunc(events, func(a, b timedValue) int { return a.Timestamp.Compare(b.Timestamp) }) {
		return connector.Failed(connector.KeyProtocol, fmt.Errorf("the events of %s are not in the order of time", s.tag))
	}
	from := s.covered
	for _, event := range events {
		at := event.instant()
		if !at.After(s.covered) || at.After(until) {
			continue // the instant has its reading, or lies outside of the window
		}
		s.covered = at
		reading, numeric := event.reading(s.tag, s.point.unit)
		if !numeric {
			s.texts = true
			continue
		}
		s.readings = append(s.readings, reading)
	}
	switch {
	case len(events) < count:
		s.done, s.covered = true, until
	case !s.covered.After(from):
		return connector.Failed(connector.KeyProtocol, fmt.Errorf("a full page of %s has no event of the window asked for", s.tag))
	case !s.covered.Before(until.Truncate(resolution)):
		s.done, s.covered = true, until
	}
	return nil
}
