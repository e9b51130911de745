// Package csvfile is the connector to sources that only give files: a person
// uploads an export, and its columns become readings. One message is one file.
//
// A file is read as a stream of lines, but its readings are held until they
// are stored together: at most MaxReadings of them, 72 bytes each.
package csvfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/dataset"
	"github.com/optria-iq/optria/internal/fault"
)

// Kind is the registered kind.
const Kind = "file"

// Bounds of one file. A larger one is divided before it is uploaded.
const (
	MaxBytes    = 64 << 20
	MaxReadings = 1_000_000
	maxTag      = 400 // letters
	maxRefused  = 1000
)

// Message keys of what is refused beyond the reasons of package dataset.
const (
	RefusedTag    = "connector.file.refused.tag"  // no tag, or one that is too long
	RefusedMore   = "connector.file.refused.more" // further lines that are not listed
	KeyManyRows   = "connector.file.fault.many"   // more than MaxReadings
	KeyNoColumns  = "connector.file.fault.columns"
	KeyUnreadable = "connector.file.fault.unreadable"
)

// FileConnector reads files after its settings. It opens no connection.
type FileConnector struct {
	settings Settings
	most     int // readings of one file
}

var _ connector.Receiver = (*FileConnector)(nil)

func init() { connector.Register(Spec(), open) }

func open(config connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
	var settings Settings
	if err := config.Decode(&settings); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return New(settings), nil
}

// New opens a connector from settings that Spec accepts.
func New(settings Settings) *FileConnector {
	return &FileConnector{settings: settings, most: MaxReadings}
}

// Kind returns the registered kind.
func (c *FileConnector) Kind() string { return Kind }

// Close has nothing to release.
func (c *FileConnector) Close() error { return nil }

// Receive reads one file. Lines that cannot be read are refused by number; a
// file that is no table of the configured columns fails as a whole.
func (c *FileConnector) Receive(ctx context.Context, message connector.Message) (connector.Received, error) {
	if err := ctx.Err(); err != nil {
		return connector.Received{}, err
	}
	if len(message.Body) > MaxBytes {
		return connector.Received{}, connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d bytes", MaxBytes))
	}
	mapping, err := c.settings.mapping(func() (string, error) { return c.header(message.Body) })
	if err != nil {
		return connector.Received{}, err
	}
	limits := dataset.Limits{Bytes: 3 * MaxBytes, Rows: MaxReadings, Columns: 2000, LineBytes: 64 << 10, Problems: maxRefused}
	expected := bytes.Count(message.Body, []byte{'\n'}) * max(len(mapping.Wide), 1)
	sink := &sink{settings: c.settings, most: c.most, texts: map[string]string{}, readings: make([]connector.Reading, 0, min(expected, c.most))}
	report, err := dataset.ReadCSV(ctx, c.decode(bytes.NewReader(message.Body)), mapping, limits, sink.take)
	if err != nil {
		return connector.Received{}, err
	}
	return connector.Received{Readings: sink.readings, Refused: append(refusals(report), sink.refused...)}, nil
}

// decode turns the encoding of the file into UTF-8.
func (c *FileConnector) decode(r io.Reader) io.Reader {
	switch c.settings.Encoding {
	case Windows1256:
		return charmap.Windows1256.NewDecoder().Reader(r)
	case UTF16:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r)
	}
	return r
}

// header returns the first line of a file that is not blank.
func (c *FileConnector) header(body []byte) (string, error) {
	// The first columns of a wide table may take a line of the longest kind.
	head, err := io.ReadAll(io.LimitReader(c.decode(bytes.NewReader(body)), 128<<10))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, KeyUnreadable, fmt.Errorf("decode header: %w", err))
	}
	text := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), "\r\n \t")
	line, _, _ := strings.Cut(text, "\n")
	if !utf8.ValidString(line) {
		return "", fault.New(fault.Invalid, KeyUnreadable)
	}
	return strings.TrimRight(line, "\r"), nil
}

// sink turns the records of a file into readings.
type sink struct {
	settings Settings
	most     int
	readings []connector.Reading
	refused  []connector.Refusal
	texts    map[string]string // tags and units, kept once instead of once a line
}

func (s *sink) take(record dataset.Record) error {
	tag := record.Asset
	if s.settings.Layout == Wide {
		tag = record.Metric
	}
	if utf8.RuneCountInString(tag) > maxTag {
		if len(s.refused) < maxRefused {
			s.refused = append(s.refused, connector.Refusal{Key: RefusedTag, Value: tag[:maxTag]})
		}
		return nil
	}
	if len(s.readings) == s.most {
		return fault.New(fault.Invalid, KeyManyRows).With("Max", s.most)
	}
	s.readings = append(s.readings, connector.Reading{ExternalTag: s.keep(tag), Time: record.Time.Truncate(time.Microsecond), Value: record.Value,
		Quality: record.Quality, Unit: s.keep(record.Unit)})
	return nil
}

// keep returns one copy of a text, which else would hold its whole line.
func (s *sink) keep(text string) string {
	if kept, ok := s.texts[text]; ok {
		return kept
	}
	kept := strings.Clone(text)
	s.texts[kept] = kept
	return kept
}

// refusals words the problems of a file, each by line and column.
func refusals(report dataset.Report) []connector.Refusal {
	var out []connector.Refusal
	for _, p := range report.Problems {
		out = append(out, connector.Refusal{Where: strconv.Itoa(p.Line), Key: p.Reason, Value: p.Column})
	}
	if report.Truncated {
		out = append(out, connector.Refusal{Key: RefusedMore, Value: strconv.Itoa(report.BadRows)})
	}
	return out
}
