package sqldb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of one batch.
const (
	maxInstant = 1_000_000 // rows that share one value of the order column
	maxOverlap = 200_000   // rows that are read again for those committed late
	maxTags    = 100_000   // tags that a browse lists
)

// Message keys of notices.
const (
	noticeOverlapCut = "connector.sql.notice.overlap_cut" // the overlap holds more rows than are read again
	noticeTimes      = "connector.sql.notice.times"       // rows whose time cannot be read
)

// Readings is a connector that reads tables, views or a query of readings.
type Readings struct {
	session *session
	source  *source
	tags    map[string]bool // those that the source is known to have
	// searches counts the statements that looked for tags.
	searches int
	// continued is where the next call goes on after a page.
	continued page
	skew      time.Duration // how far the server's clock is behind
	skewed    bool
}

// page marks where the page before ended.
type page struct{ since, until time.Time }

// goesOn reports whether a window begins where the page ended. Its end may have
// moved on with the caller's clock.
func (p page) goesOn(since, until time.Time) bool {
	return !p.since.IsZero() && p.since.Equal(since) && !until.Before(p.until)
}

var (
	_ connector.Tester     = (*Readings)(nil)
	_ connector.Browser    = (*Readings)(nil)
	_ connector.Poller     = (*Readings)(nil)
	_ connector.Backfiller = (*Readings)(nil)
	_ connector.Sampler    = (*Readings)(nil)
)

// Kind returns the registered kind.
func (r *Readings) Kind() string { return Kind }

// Close closes the connections.
func (r *Readings) Close() error { return r.session.close() }

// Poll reads what the order column shows as new. A row becomes visible when it
// has settled, so the window lies settle_seconds back. The first page also
// reads again what lies overlap_seconds before it, and what the server's clock
// is behind, since rows that were committed late carry a time of before.
func (r *Readings) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	if err := r.prepare(ctx); err != nil {
		return connector.Batch{}, err
	}
	back := r.source.settings.settle()
	b := newBatch(r, request)
	w := window{tags: request.Tags, column: r.source.orderColumn(), clock: r.source.order, since: since.Add(-back), until: until.Add(-back)}
	if !r.continued.goesOn(since, until) {
		if err := b.overlap(ctx, w); err != nil {
			return connector.Batch{}, err
		}
	}
	return r.answer(ctx, b, w, since, until, back)
}

// Backfill reads the readings whose own time lies in the window and that had
// reached the source as of the caller's clock.
func (r *Readings) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	if err := r.prepare(ctx); err != nil {
		return connector.Batch{}, err
	}
	asOf := request.AsOf
	if asOf.IsZero() {
		asOf = until
	}
	w := window{tags: request.Tags, column: r.source.settings.TimeColumn, clock: r.source.time, since: since, until: until, asOf: asOf}
	return r.answer(ctx, newBatch(r, request), w, since, until, 0)
}

// answer reads one page of a window and words it as a batch. back is how far
// the window lies behind the request.
func (r *Readings) answer(ctx context.Context, b *batch, w window, since, until time.Time, back time.Duration) (connector.Batch, error) {
	last, more, err := b.page(ctx, w, min(b.request.BatchLimit(), r.source.settings.RowLimit))
	if err != nil {
		return connector.Batch{}, err
	}
	result := connector.Batch{Watermark: until, More: more}
	r.continued = page{}
	if more {
		result.Watermark = last.Add(back)
		if !result.Watermark.After(since) { // an hour that a change of clocks repeats
			result.Watermark = since.Add(time.Microsecond)
		}
		r.continued = page{result.Watermark, until}
	}
	if result.Readings = b.readings(); len(result.Readings) == 0 {
		result.Readings = nil
	}
	result.Notices, err = b.notices(ctx, until)
	return result, err
}

// batch gathers the rows of one call.
type batch struct {
	of      *Readings
	request connector.PollRequest
	wanted  map[string]bool
	found   []connector.Reading
	odd     oddities
	cut     bool
}

func newBatch(r *Readings, request connector.PollRequest) *batch {
	b := &batch{of: r, request: request, wanted: make(map[string]bool, len(request.Tags)), odd: oddities{texts: map[string]bool{}}}
	for _, tag := range request.Tags {
		b.wanted[tag] = true
	}
	return b
}

// nothing reports whether no value column is wanted.
func (b *batch) nothing(w window) bool {
	return len(b.wanted) == 0 || b.of.source.wide() && len(b.of.source.wantedValues(w.tags)) == 0
}

// overlap reads again what lies before the window, newest first, so that a
// flood cuts off what is oldest.
func (b *batch) overlap(ctx context.Context, w window) error {
	back := b.of.source.settings.overlap() + b.of.skew
	if back == 0 || b.nothing(w) {
		return nil
	}
	w.since, w.until, w.limit, w.newestFirst = w.since.Add(-back), w.since, maxOverlap, true
	rows, err := b.rows(ctx, w)
	if err != nil {
		return err
	}
	b.cut = len(rows) == maxOverlap
	b.add(rows)
	return nil
}

// page reads rows of the window in their order. When there are more than
// limit it stops before the value of the order column that does not fit, or,
// when a single value fills the page, behind all rows of it. Rows are told
// apart by that value alone: comparing tags in the database would follow a
// collation that may hold different tags for equal.
func (b *batch) page(ctx context.Context, w window, limit int) (last time.Time, more bool, err error) {
	if b.nothing(w) {
		return time.Time{}, false, nil
	}
	w.limit = limit + 1
	rows, err := b.rows(ctx, w)
	if err != nil {
		return time.Time{}, false, err
	}
	if len(rows) <= limit {
		b.add(rows)
		return time.Time{}, false, nil
	}
	end := limit
	for end > 0 && rows[end-1].order.Equal(rows[limit].order) {
		end--
	}
	if end == 0 {
		w.at, w.limit = rows[0].raw, maxInstant
		if rows, err = b.rows(ctx, w); err != nil {
			return time.Time{}, false, err
		}
		if end = len(rows); end == maxInstant {
			return time.Time{}, false, connector.Failed(connector.KeyTooLarge, fmt.Errorf("%d rows share one value of %s", end, w.column))
		}
	}
	b.add(rows[:end])
	return rows[end-1].order, true, nil
}

func (b *batch) add(rows []row) {
	for _, r := range rows {
		b.found = append(b.found, r.readings...)
	}
}

// rows runs one statement.
func (b *batch) rows(ctx context.Context, w window) ([]row, error) {
	var rows []row
	err := b.of.session.read(ctx, b.of.source.statement(w), w.limit, nil, func(cells []any) error {
		parsed, err := b.of.source.parse(w, cells, b.wanted, &b.odd)
		rows = append(rows, parsed)
		return err
	})
	return rows, err
}

// readings are what was found, by time, each instant of a tag once: the first
// version counts.
func (b *batch) readings() []connector.Reading {
	slices.SortStableFunc(b.found, func(x, y connector.Reading) int { return x.Time.Compare(y.Time) })
	newest := make(map[string]time.Time, len(b.wanted))
	return slices.DeleteFunc(b.found, func(reading connector.Reading) bool {
		before, seen := newest[reading.ExternalTag]
		if seen && !reading.Time.After(before) {
			return true
		}
		newest[reading.ExternalTag] = reading.Time
		return false
	})
}

// notices name what was not delivered. Unknown tags come first.
func (b *batch) notices(ctx context.Context, at time.Time) ([]connector.Notice, error) {
	var notices []connector.Notice
	unknown, err := b.unknown(ctx)
	if err != nil {
		return nil, err
	}
	note := func(key string, tags []string) {
		notices = append(notices, connector.Notice{Time: at, Key: key, Tags: tags})
	}
	if len(unknown) > 0 {
		note(connector.NoticeUnknownTag, unknown)
	}
	if len(b.odd.texts) > 0 {
		note(connector.NoticeNotNumeric, slices.Sorted(maps.Keys(b.odd.texts)))
	}
	if b.odd.times {
		note(noticeTimes, nil)
	}
	if b.cut {
		note(noticeOverlapCut, nil)
	}
	if b.of.skewed {
		note(connector.NoticeClockSkew, nil)
	}
	return notices, nil
}
