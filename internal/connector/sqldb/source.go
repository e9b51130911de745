package sqldb

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// source is the table, view or query that holds readings, in narrow form (a
// column names the tag) or wide form (each value column is a tag).
type source struct {
	settings Settings
	dialect  dialect
	table    table
	tags     table // the table that names the tags, may be nil
	query    query
	values   []string
	codes    map[string]asset.Quality
	// Learned from the first answer of the server.
	order, time clock
	known       bool
}

func newSource(s Settings) (*source, error) {
	assumed := clock{dialect: s.Dialect, format: s.TimeFormat, zone: time.UTC, naive: true}
	src := &source{settings: s, dialect: dialectOf(s.Dialect), order: assumed, time: assumed}
	var err error
	if src.values, err = s.valueColumns(); err != nil {
		return nil, err
	}
	if src.codes, err = qualityCodes(s.QualityCodes); err != nil {
		return nil, err
	}
	if s.TagsTable != "" {
		if src.tags, err = parseTable(s.TagsTable); err != nil {
			return nil, err
		}
	}
	if s.Mode == ModeQuery {
		src.query, err = parseQuery(src.dialect, s.Query)
	} else {
		src.table, err = parseTable(s.Table)
	}
	return src, err
}

func (src *source) wide() bool { return src.settings.TagColumn == "" }

// orderColumn is the column by which the source says what is new.
func (src *source) orderColumn() string {
	if src.settings.OrderColumn != "" {
		return src.settings.OrderColumn
	}
	return src.settings.TimeColumn
}

// window is one question to the source: rows of some tags whose order column
// lies in (since, until]. Only rows of the raw value at are wanted when it is
// set, and none whose order column lies after asOf, when that is set.
type window struct {
	tags         []string // nil for all
	column       string   // the order column or the time column
	clock        clock
	since, until time.Time
	at           any
	asOf         time.Time
	limit        int
	newestFirst  bool
}

// columns are the columns of a row, in order: the column of the window, time,
// quality, unit, tag, values. Absent ones are left out.
func (src *source) columns(w window) []string {
	names := []string{w.column, src.settings.TimeColumn}
	for _, name := range []string{src.settings.QualityColumn, src.settings.UnitColumn, src.settings.TagColumn} {
		if name != "" {
			names = append(names, name)
		}
	}
	names = append(names, src.wantedValues(w.tags)...)
	for i, name := range names {
		names[i] = src.dialect.quote(name)
	}
	return names
}

// wantedValues are the value columns to read: in wide form those of the tags.
func (src *source) wantedValues(tags []string) []string {
	if !src.wide() || tags == nil {
		return src.values
	}
	var wanted []string
	for _, name := range src.values {
		if slices.Contains(tags, name) {
			wanted = append(wanted, name)
		}
	}
	return wanted
}

// from writes what rows are read from. The parameters of a query stand for the
// order column; a window of the time column leaves its end open up to asOf. The
// limit of the query is not that of the window where their orders differ.
func (src *source) from(st *statement, w window) {
	if src.settings.Mode != ModeQuery {
		st.write(src.table.quoted(src.dialect))
		return
	}
	if w.column != src.orderColumn() || w.newestFirst {
		w.limit = maxInstant
	}
	if w.column != src.orderColumn() && !w.asOf.IsZero() {
		w.until = w.asOf
	}
	st.write("(", src.query.texts[0])
	for i, name := range src.query.params {
		var value any
		switch name {
		case paramSince:
			value = src.order.argument(w.since)
		case paramUntil:
			value = src.order.argument(w.until)
		default:
			value = int64(w.limit)
		}
		st.write(st.bind(value), src.query.texts[i+1])
	}
	st.write(")", src.dialect.alias, src.dialect.quote("readings"))
}

// statement writes the SELECT of a window.
func (src *source) statement(w window) *statement {
	st := &statement{dialect: src.dialect}
	column := src.dialect.quote(w.column)
	st.selectFrom(src.columns(w), w.limit)
	src.from(st, w)
	st.write(" WHERE ")
	if w.at != nil {
		st.write(column, " = ", st.bind(w.clock.again(w.at)))
	} else {
		st.write(column, " > ", st.bind(w.clock.argument(w.since)), " AND ", column, " <= ", st.bind(w.clock.argument(w.until)))
	}
	if !w.asOf.IsZero() && w.column != src.orderColumn() {
		st.write(" AND ", src.dialect.quote(src.orderColumn()), " <= ", st.bind(src.order.argument(w.asOf)))
	}
	src.filterTags(st, w.tags)
	st.write(" ORDER BY ", column)
	if w.newestFirst {
		st.write(" DESC")
	}
	st.limit(w.limit)
	return st
}

// filterTags lets the server leave out other tags, where the list is short
// enough for one statement. Longer lists are filtered here.
func (src *source) filterTags(st *statement, tags []string) {
	if src.wide() || len(tags) == 0 || len(tags) > src.dialect.bindLimit {
		return
	}
	placeholders := make([]string, len(tags))
	for i, tag := range tags {
		placeholders[i] = st.bind(tag)
	}
	st.write(" AND ", src.dialect.quote(src.settings.TagColumn), " IN (", strings.Join(placeholders, ", "), ")")
}

// describe is a statement without rows whose columns tell the types of the
// time columns.
func (src *source) describe() *statement {
	st := &statement{dialect: src.dialect}
	w := window{column: src.orderColumn(), limit: 1, since: time.Unix(0, 0), until: time.Unix(1, 0)}
	st.write("SELECT ", strings.Join(src.columns(w), ", "), " FROM ")
	src.from(st, w)
	st.write(" WHERE 1 = 0")
	return st
}

// learn takes the types of the columns that describe asked for.
func (src *source) learn(types []string) error {
	var err error
	if src.order, err = newClock(src.settings, types[0]); err != nil {
		return err
	}
	src.time, err = newClock(src.settings, types[1])
	src.known = err == nil
	return err
}

// row is one row as read: the raw value of the window's column and the
// readings in it.
type row struct {
	raw      any
	order    time.Time
	readings []connector.Reading
}

// oddities are what cannot be delivered and is named once.
type oddities struct {
	texts map[string]bool // tags whose values are no numbers
	times bool            // a row whose time cannot be read
}

// longestTag bounds the address of a tag, in bytes.
const longestTag = 400

// parse reads one row of the columns of a window.
func (src *source) parse(w window, cells []any, wanted map[string]bool, odd *oddities) (row, error) {
	r := row{raw: clone(cells[0])}
	var err error
	if r.order, err = w.clock.instant(cells[0]); err != nil {
		return row{}, connector.Failed(connector.KeyProtocol, fmt.Errorf("column %s: %w", w.column, err))
	}
	at, err := src.time.instant(cells[1])
	if err != nil {
		odd.times = odd.times || cells[1] != nil
		return r, nil
	}
	next := 2
	take := func(column string) any {
		if column == "" {
			return nil
		}
		next++
		return cells[next-1]
	}
	reading := connector.Reading{Time: at.Truncate(time.Microsecond), Quality: judge(src.codes, take(src.settings.QualityColumn))}
	reading.Unit = limited(label(take(src.settings.UnitColumn)), 60)
	tag := label(take(src.settings.TagColumn))
	for i, column := range src.wantedValues(w.tags) {
		reading.ExternalTag = column
		if !src.wide() {
			reading.ExternalTag = tag
		}
		if !wanted[reading.ExternalTag] || len(reading.ExternalTag) > longestTag {
			continue
		}
		r.readings = appendReading(r.readings, reading, cells[next+i], odd)
	}
	return r, nil
}

// appendReading adds the reading with its value, unless it is no number.
func appendReading(readings []connector.Reading, reading connector.Reading, cell any, odd *oddities) []connector.Reading {
	value, ok := number(cell)
	if !ok {
		odd.texts[reading.ExternalTag] = true
		return readings
	}
	reading.Value = value
	if math.IsNaN(value) {
		reading.Quality = asset.Bad
	}
	return append(readings, reading)
}

// clone keeps a cell beyond the next row: drivers reuse the bytes.
func clone(cell any) any {
	if b, ok := cell.([]byte); ok {
		return string(b)
	}
	return cell
}

func limited(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
