package rest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// NoticeUnreadable names items of an answer that the mapping does not fit.
const NoticeUnreadable = "connector.rest.notice.unreadable"

// Bounds of what notices name, and of a clock that is trusted. The Date header
// has whole seconds, so one more than the two that count is allowed for.
const (
	noticeTags = 50
	maxSkew    = 3 * time.Second
)

// Poll returns what the source has of the window, and of the overlap before
// it: what a source stores late is not missed, and what it gave before costs
// nothing.
func (c *RESTConnector) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	return c.window(ctx, request, since, until, time.Duration(c.settings.OverlapSeconds)*time.Second)
}

// Backfill returns what the source has of a window of the past.
func (a archive) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	return a.window(ctx, request, since, until, 0)
}

// window reads a window, or the first part of it that is not too much.
func (c *RESTConnector) window(ctx context.Context, request connector.PollRequest, since, until time.Time, overlap time.Duration) (connector.Batch, error) {
	spent, end := newBudget(len(request.Tags)), until
	for {
		if err := ctx.Err(); err != nil {
			return connector.Batch{}, err
		}
		found, err := c.fetch(ctx, spent, request.Tags, since.Add(-overlap), end)
		if errors.Is(err, errTooMuch) && c.path.has(varUntil) && end.Sub(since) >= 2*minWindow {
			end = since.Add(end.Sub(since) / 2).Truncate(time.Microsecond)
			continue
		}
		if errors.Is(err, errTooMuch) {
			err = connector.Failed(connector.KeyTooLarge, err)
		}
		if err != nil {
			return connector.Batch{}, err
		}
		batch := cut(found.readings, since, end, request.BatchLimit())
		batch.More = batch.More || end.Before(until)
		batch.Notices, err = c.notices(ctx, spent, request.Tags, found, batch.Watermark)
		return batch, err
	}
}

// haul is what a window brought.
type haul struct {
	readings []connector.Reading
	seen     map[string]bool // tags with readings
	absent   []string        // tags whose own address does not exist
	texts    []string        // tags whose values are no numbers
	misfits  []string        // places of items that the mapping does not fit
	skewed   bool
}

// fetch reads the pages of a window, or of each tag's window.
func (c *RESTConnector) fetch(ctx context.Context, spent *budget, tags []string, since, until time.Time) (*haul, error) {
	wanted := make(map[string]bool, len(tags))
	for _, tag := range tags {
		wanted[tag] = true
	}
	h := &haul{seen: map[string]bool{}}
	take := func(tag string) visit {
		return func(a answer) (bool, error) {
			h.note(a, tag, c.now())
			for _, r := range a.Readings {
				if tag != "" && c.settings.Shape != jsonmap.Members {
					r.ExternalTag = tag
				}
				if wanted[r.ExternalTag] && r.Time.After(since) && !r.Time.After(until) {
					h.readings = append(h.readings, r)
					h.seen[r.ExternalTag] = true
				}
			}
			if len(h.readings) > c.most {
				return false, errTooMuch
			}
			return true, nil
		}
	}
	if !c.path.has(varTag) {
		err := c.walk(ctx, spent, c.bounds(since, until), until, take(""))
		if errors.Is(err, errNoPath) {
			err = connector.Failed(connector.KeySourceError, err)
		}
		return h, err
	}
	for _, tag := range tags {
		values := c.bounds(since, until)
		values[varTag] = tag
		err := c.walk(ctx, spent, values, until, take(tag))
		if errors.Is(err, errNoPath) {
			h.absent = append(h.absent, tag)
			continue
		}
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

// bounds words a window for the template. Its end is widened, since sources
// differ in whether they include it and in how exactly they take it; what is
// too much is left out again here.
func (c *RESTConnector) bounds(since, until time.Time) map[string]string {
	wide := until
	for _, step := range []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 31 * 24 * time.Hour} {
		wide = until.Add(step)
		if read, ok := c.plan.window.Read(c.plan.window.Format(wide)); !ok || !read.Before(until) {
			break
		}
	}
	return map[string]string{varSince: c.plan.window.Format(since), varUntil: c.plan.window.Format(wide)}
}

// note keeps what an answer says beside its readings.
func (h *haul) note(a answer, tag string, now time.Time) {
	for _, refused := range a.Refused {
		switch {
		case refused.Key == jsonmap.RefusedNumeric && len(h.texts) < noticeTags:
			h.texts = append(h.texts, cmp.Or(tag, refused.Value))
		case refused.Key != jsonmap.RefusedNumeric && len(h.misfits) < noticeTags:
			h.misfits = append(h.misfits, refused.Where)
		}
	}
	if at, err := http.ParseTime(a.header.Get("Date")); err == nil && now.Sub(at).Abs() > maxSkew {
		h.skewed = true
	}
}

// cut sorts readings by time, drops repeated ones and ends the batch after the
// instant in which the limit is reached. Readings of the overlap do not count.
func cut(readings []connector.Reading, since, until time.Time, limit int) connector.Batch {
	slices.SortStableFunc(readings, func(a, b connector.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ExternalTag, b.ExternalTag))
	})
	readings = slices.CompactFunc(readings, func(a, b connector.Reading) bool {
		return a.Time.Equal(b.Time) && a.ExternalTag == b.ExternalTag
	})
	fresh, _ := slices.BinarySearchFunc(readings, since, func(r connector.Reading, at time.Time) int {
		if r.Time.After(at) {
			return 1
		}
		return -1
	})
	end := fresh + limit
	if end >= len(readings) {
		return connector.Batch{Readings: readings, Watermark: until}
	}
	last := readings[end-1].Time
	for end < len(readings) && readings[end].Time.Equal(last) {
		end++
	}
	if end == len(readings) {
		return connector.Batch{Readings: readings, Watermark: until}
	}
	return connector.Batch{Readings: readings[:end], Watermark: last, More: true}
}

// notices words what a batch did not bring.
func (c *RESTConnector) notices(ctx context.Context, spent *budget, tags []string, h *haul, at time.Time) ([]connector.Notice, error) {
	var notices []connector.Notice
	add := func(key string, tags []string) {
		if len(tags) > 0 {
			notices = append(notices, connector.Notice{Time: at, Key: key, Tags: tags})
		}
	}
	absent := h.absent
	if !c.path.has(varTag) {
		var err error
		if absent, err = c.unknown(ctx, spent, tags, h); err != nil {
			return nil, err
		}
	}
	add(connector.NoticeUnknownTag, absent)
	slices.Sort(h.texts)
	add(connector.NoticeNotNumeric, slices.Compact(h.texts))
	add(NoticeUnreadable, h.misfits)
	if h.skewed {
		notices = append(notices, connector.Notice{Time: at, Key: connector.NoticeClockSkew})
	}
	return notices, nil
}

// unknown returns the tags of which neither the window nor the list of the
// source has anything. A list that was cut short proves nothing.
func (c *RESTConnector) unknown(ctx context.Context, spent *budget, tags []string, h *haul) ([]string, error) {
	quiet := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return h.seen[tag] || slices.Contains(h.texts, tag) })
	if len(quiet) == 0 {
		return nil, nil
	}
	known, err := c.list(ctx, spent)
	if err != nil || known.cut {
		return nil, err
	}
	return slices.DeleteFunc(quiet, func(tag string) bool { return known.has(tag) }), nil
}
