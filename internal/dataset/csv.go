package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// table reads the rows of one CSV file after its mapping.
type table struct {
	lines    *lines
	mapping  Mapping
	comma    rune
	index    map[string]int // column name to position
	width    int
	clock    clock
	codes    map[string]asset.Quality
	emit     Emit
	measured []WideColumn
}

// ReadCSV reads a CSV file with a header row. A quoted cell must end on its
// line. It returns the report also when it fails, as far as it got.
func ReadCSV(ctx context.Context, r io.Reader, m Mapping, limits Limits, emit Emit) (Report, error) {
	var report Report
	if err := m.check(); err != nil {
		return report, err
	}
	l, err := openLines(r, limits, &report)
	if err != nil {
		return report, err
	}
	t := &table{lines: l, mapping: m, emit: emit, measured: m.Wide}
	if m.Layout == Long {
		t.measured = []WideColumn{{Column: m.Value.Column}}
	}
	t.comma, _ = utf8.DecodeRuneInString(m.delimiter())
	if err := t.readHeader(); err != nil {
		return report, err
	}
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err == nil {
			err = l.row()
		}
		if err == nil {
			err = cancelled(ctx, report.Rows)
		}
		if err == nil {
			err = t.readRow(line)
		}
		if err != nil {
			return report, err
		}
	}
}

// readHeader indexes the columns and prepares what the rows need.
func (t *table) readHeader() error {
	line, err := t.lines.next()
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, KeyEmpty)
	}
	if err != nil {
		return err
	}
	header, err := t.split(line)
	if err != nil {
		return fault.Wrap(fault.Invalid, KeyMissingColumn, err).With("column", "")
	}
	if len(header) > t.lines.limits.Columns {
		return fault.New(fault.Invalid, KeyTooManyColumns).With("limit", t.lines.limits.Columns)
	}
	t.width, t.index = len(header), make(map[string]int, len(header))
	for i, name := range header {
		name = strings.TrimSpace(name)
		if _, twice := t.index[name]; twice {
			return fault.New(fault.Invalid, KeyDuplicateHeader).With("column", name)
		}
		t.index[name] = i
	}
	for _, name := range t.wanted() {
		if _, ok := t.index[name]; !ok && name != "" {
			return fault.New(fault.Invalid, KeyMissingColumn).With("column", name)
		}
	}
	zone, err := time.LoadLocation(t.mapping.Time.Zone)
	if err != nil {
		return fmt.Errorf("load zone: %w", err)
	}
	t.clock = clock{format: t.mapping.Time.Format, zone: zone}
	if t.mapping.Quality != nil {
		t.codes = t.mapping.Quality.codes()
	}
	return nil
}

// wanted lists the columns that the mapping names; empty names stand for
// constants.
func (t *table) wanted() []string {
	m := t.mapping
	names := []string{m.Asset.Column, m.Metric.Column, m.Unit.Column, m.Time.Column}
	for _, c := range t.measured {
		names = append(names, c.Column)
	}
	if m.Quality != nil {
		names = append(names, m.Quality.Column)
	}
	return names
}

// split cuts a line into cells. Only lines with quotes need the CSV reader.
func (t *table) split(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, string(t.comma)), nil
	}
	reader := csv.NewReader(strings.NewReader(line))
	reader.Comma = t.comma
	cells, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("split line: %w", err)
	}
	return cells, nil
}

// readRow emits the sound measurements of a row and reports the others.
func (t *table) readRow(line string) error {
	cells, err := t.split(line)
	switch {
	case err != nil:
		t.lines.refuse("", ReasonQuotes)
		return nil
	case len(cells) != t.width:
		t.lines.refuse("", ReasonColumns)
		return nil
	}
	record, ok := t.readKeys(cells)
	if !ok {
		return nil
	}
	for _, column := range t.measured {
		text := latinDigits(strings.TrimSpace(cells[t.index[column.Column]]))
		if text == "" && t.mapping.Layout == Wide {
			continue // nothing was measured at this instant
		}
		if t.mapping.DecimalComma {
			text = strings.Replace(text, ",", ".", 1)
		}
		value, reason := parseNumber(text)
		if reason != "" {
			t.lines.refuse(column.Column, reason)
			continue
		}
		record.Value = value
		if t.mapping.Layout == Wide {
			record.Metric, record.Unit = column.Metric, column.Unit
		}
		if err := t.emit(record); err != nil {
			return err
		}
		t.lines.report.Records++
	}
	return nil
}

// readKeys reads everything of a row but its values.
func (t *table) readKeys(cells []string) (Record, bool) {
	m := t.mapping
	record := Record{Asset: t.text(cells, m.Asset), Metric: t.text(cells, m.Metric), Unit: t.text(cells, m.Unit)}
	if record.Asset == "" {
		t.lines.refuse(m.Asset.Column, ReasonEmpty)
		return record, false
	}
	if m.Layout == Long && record.Metric == "" {
		t.lines.refuse(m.Metric.Column, ReasonEmpty)
		return record, false
	}
	at, reason := t.clock.parse(latinDigits(strings.TrimSpace(cells[t.index[m.Time.Column]])))
	if reason != "" {
		t.lines.refuse(m.Time.Column, reason)
		return record, false
	}
	record.Time = at
	if m.Quality != nil {
		quality, known := t.codes[strings.TrimSpace(cells[t.index[m.Quality.Column]])]
		if !known {
			t.lines.refuse(m.Quality.Column, ReasonQuality)
			return record, false
		}
		record.Quality = quality
	}
	return record, true
}

func (t *table) text(cells []string, source Source) string {
	if source.Column == "" {
		return source.Constant
	}
	return strings.TrimSpace(cells[t.index[source.Column]])
}
