package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/optria-iq/optria/internal/scoring/monitor"
)

// skabNormal is how many leading rows of a SKAB file are normal.
const skabNormal = 400

// SKAB is one experiment of the Skoltech Anomaly Benchmark: a water loop with
// eight signals, one row per second.
type SKAB struct {
	Times   []string
	Signals []string
	Rows    [][]float64
	Anomaly []bool // nil when the file is not labelled
}

// ReadSKAB reads a table separated by semicolons: datetime, the signals, and
// the labels anomaly and changepoint where they are known. A reading that is
// empty is NaN.
func ReadSKAB(r io.Reader) (SKAB, error) {
	table := csv.NewReader(r)
	table.Comma = ';'
	header, err := table.Read()
	if err != nil {
		return SKAB{}, fmt.Errorf("read header: %w", err)
	}
	if len(header) < 2 || header[0] != "datetime" {
		return SKAB{}, fmt.Errorf("the header begins with %.30q, want datetime and signals separated by semicolons", header[0])
	}
	var s SKAB
	label := slices.Index(header, "anomaly")
	var columns []int
	for j, name := range header {
		if j > 0 && name != "anomaly" && name != "changepoint" {
			columns = append(columns, j)
			s.Signals = append(s.Signals, name)
		}
	}
	if len(columns) == 0 {
		return SKAB{}, errors.New("the header names no signal")
	}
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return SKAB{}, fmt.Errorf("read row: %w", err)
		}
		if err := s.add(record, columns, label); err != nil {
			return SKAB{}, fmt.Errorf("line %d: %w", len(s.Rows)+2, err)
		}
	}
}

func (s *SKAB) add(record []string, columns []int, label int) error {
	row := make([]float64, len(columns))
	for k, j := range columns {
		v, err := reading(record[j])
		if err != nil {
			return fmt.Errorf("signal %s: %w", s.Signals[k], err)
		}
		row[k] = v
	}
	s.Times, s.Rows = append(s.Times, record[0]), append(s.Rows, row)
	if label >= 0 {
		v, err := reading(record[label])
		if err != nil {
			return fmt.Errorf("label anomaly: %w", err)
		}
		s.Anomaly = append(s.Anomaly, v > 0.5)
	}
	return nil
}

// reading parses a number; an empty field is missing.
func reading(field string) (float64, error) {
	if field == "" {
		field = "NaN"
	}
	v, err := strconv.ParseFloat(field, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is not a number", field)
	}
	return v, nil
}

// skabFactor is below the usual one: half of the judged rows are anomalous, so
// a missed row costs as much as a false alarm.
const skabFactor = 1.2

// Detect learns from the first normal rows and judges every row, those
// included.
func (s SKAB) Detect(normal int) ([]monitor.Result, error) {
	if normal >= len(s.Rows) {
		return nil, fmt.Errorf("%d rows, the first %d of them normal: nothing is left to judge", len(s.Rows), normal)
	}
	d, err := monitor.Fit(s.Rows[:normal], monitor.Config{Signals: s.Signals, Factor: skabFactor})
	if err != nil {
		return nil, err
	}
	return d.Score(s.Rows)
}

// readFile opens a file of the benchmark and hands it to a reader.
func readFile[T any](path string, read func(io.Reader) (T, error)) (out T, err error) {
	f, err := os.Open(path) // #nosec G304 -- below the folder named on the command line
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if out, err = read(f); err != nil {
		return out, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return out, nil
}

// counts of judged rows against their labels.
type counts struct{ hit, miss, alarm, quiet int }

func (c *counts) add(alarm, anomaly bool) {
	switch {
	case alarm && anomaly:
		c.hit++
	case anomaly:
		c.miss++
	case alarm:
		c.alarm++
	default:
		c.quiet++
	}
}

func (c counts) f1() float64 { return float64(c.hit) / (float64(c.hit) + float64(c.miss+c.alarm)/2) }

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

// measureSKAB pools the rows after the normal period over all files.
func measureSKAB(ctx context.Context, dir string, _ uint64) ([]Row, error) {
	files, err := filepath.Glob(filepath.Join(dir, "data", "valve*", "*.csv"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(errors.New("no experiment below data/valve*"), err)
	}
	var c counts
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := readFile(path, ReadSKAB)
		if err != nil {
			return nil, err
		}
		if s.Anomaly == nil {
			return nil, fmt.Errorf("%s has no labels", filepath.Base(path))
		}
		results, err := s.Detect(skabNormal)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for i, r := range results[skabNormal:] {
			c.add(r.Alarm, s.Anomaly[skabNormal+i])
		}
	}
	note := fmt.Sprintf("%d files, first %d rows normal, counts pooled", len(files), skabNormal)
	return []Row{
		{Set: "SKAB", Metric: "F1", Value: c.f1(), Goal: Goal{Must: 0.76, Aim: 0.82}, Note: note},
		{Set: "SKAB", Metric: "false-alarm rate", Value: share(c.alarm, c.alarm+c.quiet), Goal: Goal{Must: 0.25, Aim: 0.18, Lower: true}},
		{Set: "SKAB", Metric: "missed-alarm rate", Value: share(c.miss, c.miss+c.hit)},
	}, nil
}
