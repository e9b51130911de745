// Package dataset reads measurements from files for `optria import`: any CSV
// described by a mapping, and the run-to-failure text of the C-MAPSS turbofan
// simulations. Files are read as a stream within limits; a bad row is counted
// and named, never guessed at and never fatal.
package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// Record is one measurement read from a file.
type Record struct {
	Asset   string // tag of the asset
	Metric  string
	Unit    string // as the file or its mapping says, may be empty
	Time    time.Time
	Value   float64
	Quality asset.Quality
}

// Limits bound what a file may ask of the reader. Exceeding the bytes or rows
// is fatal; a line or row beyond the other limits is a bad row.
type Limits struct {
	Bytes     int64 // of the file
	Rows      int   // after the header
	Columns   int
	LineBytes int
	Problems  int // listed in the report; further ones are only counted
}

// DefaultLimits suit an upload: half a gigabyte, twenty million rows.
func DefaultLimits() Limits {
	return Limits{Bytes: 512 << 20, Rows: 20_000_000, Columns: 2000, LineBytes: 64 << 10, Problems: 200}
}

// Report says what became of a file.
type Report struct {
	Rows     int // data rows seen
	Records  int // measurements emitted
	BadRows  int // rows from which at least one value was refused
	Problems []Problem
	// Truncated says that there were more problems than are listed.
	Truncated bool
}

// Problem names one refused value or row. Reason is a message key.
type Problem struct {
	Line   int
	Column string // empty when the row as a whole is refused
	Reason string
}

// Reasons for refusing a row or a value.
const (
	ReasonLineTooLong = "dataset.reason.line_too_long"
	ReasonEncoding    = "dataset.reason.encoding"
	ReasonQuotes      = "dataset.reason.quotes"
	ReasonColumns     = "dataset.reason.columns"
	ReasonEmpty       = "dataset.reason.empty"
	ReasonNumber      = "dataset.reason.number"
	ReasonNotFinite   = "dataset.reason.not_finite"
	ReasonOutOfRange  = "dataset.reason.out_of_range"
	ReasonTime        = "dataset.reason.time"
	ReasonTimeRange   = "dataset.reason.time_range"
	ReasonQuality     = "dataset.reason.quality"
	ReasonUnitCycle   = "dataset.reason.unit_cycle"
	ReasonCycleOrder  = "dataset.reason.cycle_order"
)

// Message keys of faults that end the reading of a file.
const (
	KeyUTF16           = "dataset.fault.utf16"
	KeyBinary          = "dataset.fault.binary"
	KeyTooManyBytes    = "dataset.fault.too_many_bytes"
	KeyTooManyRows     = "dataset.fault.too_many_rows"
	KeyTooManyColumns  = "dataset.fault.too_many_columns"
	KeyEmpty           = "dataset.fault.empty"
	KeyDuplicateHeader = "dataset.fault.duplicate_header"
	KeyMissingColumn   = "dataset.fault.missing_column"
	KeyMapping         = "dataset.fault.mapping"
)

// Emit receives the measurements one by one; an error of its own ends the
// reading and is returned.
type Emit func(Record) error

var errTooManyBytes = errors.New("file larger than its limit")

// lines yields the lines of a file within the limits.
type lines struct {
	reader *bufio.Reader
	limits Limits
	number int
	report *Report
	bad    bool // the current row has been counted as bad
}

// openLines strips a UTF-8 byte order mark and refuses what is no such text.
func openLines(r io.Reader, limits Limits, report *Report) (*lines, error) {
	capped := &cappedReader{reader: r, left: limits.Bytes}
	l := &lines{reader: bufio.NewReaderSize(capped, max(limits.LineBytes, 4096)), limits: limits, report: report}
	head, err := l.reader.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, l.fatal(err)
	}
	switch {
	case len(head) == 0:
		return nil, fault.New(fault.Invalid, KeyEmpty)
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return nil, fault.New(fault.Invalid, KeyUTF16)
	case bytes.IndexByte(head, 0) >= 0:
		// Without its mark, UTF-16 of Latin text is every other byte zero.
		return nil, fault.New(fault.Invalid, KeyBinary)
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		if _, err := l.reader.Discard(3); err != nil {
			return nil, fmt.Errorf("skip byte order mark: %w", err)
		}
	}
	return l, nil
}

// next returns the next line that is not blank, without its end, or io.EOF.
// Lines beyond the limit or in a foreign encoding are reported and passed over.
func (l *lines) next() (string, error) {
	for {
		raw, err := l.reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			l.begin()
			l.refuse("", ReasonLineTooLong)
			if err := l.skipLine(); err != nil {
				return "", err
			}
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", l.fatal(err)
		}
		if len(raw) == 0 {
			return "", io.EOF
		}
		line := bytes.TrimRight(raw, "\r\n")
		l.begin()
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case len(line) > l.limits.LineBytes:
			l.refuse("", ReasonLineTooLong)
		case !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0:
			l.refuse("", ReasonEncoding)
		default:
			return string(line), nil
		}
	}
}

func (l *lines) begin() {
	l.number++
	l.bad = false
}

// skipLine discards the rest of a line that did not fit the buffer.
func (l *lines) skipLine() error {
	for {
		_, err := l.reader.ReadSlice('\n')
		switch {
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return io.EOF
		default:
			return l.fatal(err)
		}
	}
}

// row counts one data row and ends the reading beyond the limit.
func (l *lines) row() error {
	l.report.Rows++
	if l.report.Rows > l.limits.Rows {
		return fault.New(fault.Invalid, KeyTooManyRows).With("limit", l.limits.Rows)
	}
	return nil
}

// refuse records one problem of the current line.
func (l *lines) refuse(column, reason string) {
	if !l.bad {
		l.report.BadRows++
		l.bad = true
	}
	if len(l.report.Problems) >= l.limits.Problems {
		l.report.Truncated = true
		return
	}
	l.report.Problems = append(l.report.Problems, Problem{Line: l.number, Column: column, Reason: reason})
}

func (l *lines) fatal(err error) error {
	if errors.Is(err, errTooManyBytes) {
		return fault.Wrap(fault.Invalid, KeyTooManyBytes, err).With("limit", l.limits.Bytes)
	}
	return fmt.Errorf("read line %d: %w", l.number+1, err)
}

// cappedReader fails, instead of ending, once the limit is passed: a silent
// end would look like a complete file.
type cappedReader struct {
	reader io.Reader
	left   int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooManyBytes
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.reader.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return max(0, n-1), errTooManyBytes
	}
	return n, err
}

// latinDigits writes Arabic-Indic digits, both sets, and their decimal point in
// the form that numbers and times are read in, and drops their divider of
// thousands.
func latinDigits(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(latinDigit, text)
		}
	}
	return text
}

func latinDigit(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return '0' + r - '٠'
	case r >= '۰' && r <= '۹':
		return '0' + r - '۰'
	case r == '٫':
		return '.'
	case r == '٬':
		return -1
	}
	return r
}

// parseNumber reads a decimal number and returns the reason when it is none.
// Hexadecimal and underscored forms, which Go accepts, are no measurements.
func parseNumber(text string) (float64, string) {
	if text == "" {
		return 0, ReasonEmpty
	}
	if strings.ContainsAny(text, "xX_") {
		return 0, ReasonNumber
	}
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, ReasonOutOfRange
	case err != nil:
		return 0, ReasonNumber
	case math.IsNaN(value), math.IsInf(value, 0):
		return 0, ReasonNotFinite
	}
	return value, ""
}

// checkEvery is how many rows pass between looks at the context.
const checkEvery = 1024

func cancelled(ctx context.Context, row int) error {
	if row%checkEvery == 0 {
		return ctx.Err()
	}
	return nil
}
