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

// unknown returns the wanted tags that the source does not have. A tag without
// a row in the window is looked for once. Where the search takes longer than a
// statement may, nothing is said of it.
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
	for part := range slices.Chunk(missing, b.of.source.dialect.bindLimit) {
		found, err := b.of.search(ctx, part)
		var f *fault.Error
		if errors.As(err, &f) && f.Key == keyTimeout {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, tag := range found {
			b.of.tags[tag] = true
		}
	}
	return slices.DeleteFunc(missing, func(tag string) bool { return b.of.tags[tag] }), nil
}

// search returns which of the tags the source has.
func (r *Readings) search(ctx context.Context, tags []string) ([]string, error) {
	st := r.distinct(0)
	placeholders := make([]string, len(tags))
	for i, tag := range tags {
		placeholders[i] = st.bind(tag)
	}
	st.write(" WHERE ", r.source.dialect.quote(r.source.settings.TagColumn), " IN (", strings.Join(placeholders, ", "), ")")
	return r.texts(ctx, st, math.MaxInt32)
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
	now := time.Now()
	src.from(st, window{column: src.orderColumn(), since: now.AddDate(-1, 0, 0), until: now, limit: maxInstant})
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

// Sample reads the newest value of each tag. Tags beyond maxSamples have to
// be asked for in another call.
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
	w := window{column: r.source.settings.TimeColumn, clock: r.source.time, since: time.Unix(0, 0), until: now.AddDate(1, 0, 0), limit: 1, newestFirst: true}
	for _, w.tags = range groups {
		if b.nothing(w) {
			continue
		}
		rows, err := b.rows(ctx, w)
		if err != nil {
			return connector.Batch{}, err
		}
		b.add(rows)
	}
	notices, err := b.notices(ctx, now)
	return connector.Batch{Readings: b.readings(), Notices: notices, Watermark: now}, err
}

// maxSamples bounds the tags of one preview: each is a statement.
const maxSamples = 200
