package sqldb

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// bearableSkew is how far the server's clock may be off before it is named.
const bearableSkew = 2 * time.Second

// prepare learns the types of the time columns and the server's clock, once.
func (r *Readings) prepare(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.source.known {
		return nil
	}
	behind, err := r.session.behind(ctx)
	if err != nil {
		return err
	}
	if r.skewed = behind.Abs() > bearableSkew; r.skewed {
		r.skew = max(0, behind).Round(time.Second)
	}
	none := func([]any) error { return nil }
	return r.session.read(ctx, r.source.describe(), 1, r.source.learn, none)
}

// behind measures how far the server's clock is behind that of this machine,
// half of the round trip taken off.
func (s *session) behind(ctx context.Context) (time.Duration, error) {
	var server time.Time
	sent := time.Now()
	err := s.read(ctx, s.fixed(s.dialect.now), 1, nil, func(cells []any) error {
		at, err := (clock{dialect: s.settings.Dialect, format: TimesNative, zone: time.UTC}).instant(cells[0])
		server = at
		return err
	})
	if err != nil {
		return 0, err
	}
	return sent.Add(time.Since(sent) / 2).Sub(server), nil
}

// fixed is a statement of the product's own.
func (s *session) fixed(text string) *statement {
	st := &statement{dialect: s.dialect}
	st.write(text)
	return st
}

// Bounds of the search for tags that are not in a batch.
const (
	searchWithin = 5 * time.Second
	maxSearches  = 50 // statements in the life of a connector
)

// unknown returns the wanted tags that the source does not have. A tag without
// a row in the window is looked for once. Where that would take too long,
// nothing is said of it.
func (b *batch) unknown(ctx context.Context) ([]string, error) {
	var missing []string
	for _, reading := range b.found {
		b.of.tags[reading.ExternalTag] = true
	}
	for _, tag := range b.request.Tags {
		if !b.of.tags[tag] && !b.odd.texts[tag] && !slices.Contains(missing, tag) {
			missing = append(missing, tag)
		}
	}
	if b.of.source.wide() {
		return slices.DeleteFunc(missing, func(tag string) bool { return slices.Contains(b.of.source.values, tag) }), nil
	}
	limited, cancel := context.WithTimeout(ctx, searchWithin)
	defer cancel()
	unknown, err := b.of.search(limited, missing)
	var f *fault.Error
	if errors.As(err, &f) && f.Key == keyTimeout && ctx.Err() == nil {
		b.of.searches = maxSearches // the table is too large for it
		return unknown, nil
	}
	return unknown, err
}

// search returns which of the tags the source does not have. A table that
// names the tags is asked for many at once, readings for one row of each.
func (r *Readings) search(ctx context.Context, tags []string) (unknown []string, err error) {
	together := 1
	if r.source.tags != nil {
		together = r.source.dialect.bindLimit
	}
	for part := range slices.Chunk(tags, together) {
		if r.searches >= maxSearches {
			return unknown, nil
		}
		r.searches++
		found, err := r.texts(ctx, r.among(part), math.MaxInt32)
		if err != nil {
			return unknown, err
		}
		for _, tag := range found {
			r.tags[tag] = true
		}
		for _, tag := range part {
			if !r.tags[tag] {
				unknown = append(unknown, tag)
			}
		}
	}
	return unknown, nil
}

// among is the statement for those of the tags that the source has.
func (r *Readings) among(tags []string) *statement {
	st := r.distinct(0)
	if r.source.tags == nil {
		st = &statement{dialect: r.source.dialect}
		st.selectFrom([]string{r.source.dialect.quote(r.source.settings.TagColumn)}, 1)
		r.anyTime(st)
	}
	placeholders := make([]string, len(tags))
	for i, tag := range tags {
		placeholders[i] = st.bind(tag)
	}
	st.write(" WHERE ", r.source.dialect.quote(r.source.settings.TagColumn), " IN (", strings.Join(placeholders, ", "), ")")
	if r.source.tags == nil {
		st.limit(1)
	}
	return st
}

// anyTime writes the source of readings without a window; a query gets the
// last year.
func (r *Readings) anyTime(st *statement) {
	now := time.Now()
	r.source.from(st, window{column: r.source.orderColumn(), since: now.AddDate(-1, 0, 0), until: now, limit: maxInstant})
}

// distinct begins the list of tags: from the table that names them where there
// is one, otherwise from the readings.
func (r *Readings) distinct(limit int) *statement {
	src := r.source
	st := &statement{dialect: src.dialect}
	st.write("SELECT DISTINCT ")
	st.top(limit)
	st.write(src.dialect.quote(src.settings.TagColumn), " FROM ")
	if src.tags != nil {
		st.write(src.tags.quoted(src.dialect))
		return st
	}
	r.anyTime(st)
	return st
}

// texts reads the first column.
func (r *Readings) texts(ctx context.Context, st *statement, most int) ([]string, error) {
	var found []string
	err := r.session.read(ctx, st, most, nil, func(cells []any) error {
		if tag := label(cells[0]); tag != "" && len(tag) <= longestTag {
			found = append(found, tag)
		}
		return nil
	})
	return found, err
}

// Sample reads the newest value of each tag, of the last day where there is
// one. Tags beyond maxSamples have to be asked for in another call.
func (r *Readings) Sample(ctx context.Context, tags []string) (connector.Batch, error) {
	if err := r.prepare(ctx); err != nil {
		return connector.Batch{}, err
	}
	if len(tags) > maxSamples {
		tags = tags[:maxSamples]
	}
	now := time.Now().UTC()
	b := newBatch(r, connector.PollRequest{Tags: tags})
	groups := [][]string{tags}
	if !r.source.wide() {
		groups = slices.Collect(slices.Chunk(tags, 1))
	}
	for _, group := range groups {
		if err := b.newest(ctx, group, now); err != nil {
			return connector.Batch{}, err
		}
	}
	notices, err := b.notices(ctx, now)
	return connector.Batch{Readings: b.readings(), Notices: notices, Watermark: now}, err
}

// newest reads the newest row of some tags, first of the last day: a query
// that limits itself would otherwise end before it.
func (b *batch) newest(ctx context.Context, tags []string, now time.Time) error {
	w := window{tags: tags, column: b.of.source.settings.TimeColumn, clock: b.of.source.time, until: now.AddDate(1, 0, 0), limit: 1, newestFirst: true}
	if b.nothing(w) {
		return nil
	}
	for _, w.since = range []time.Time{now.AddDate(0, 0, -1), time.Unix(0, 0)} {
		rows, err := b.rows(ctx, w)
		if err != nil || len(rows) > 0 {
			b.add(rows)
			return err
		}
	}
	return nil
}

// maxSamples bounds the tags of one preview: each is a statement.
const maxSamples = 200
