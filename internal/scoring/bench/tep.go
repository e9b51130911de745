package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/scoring/monitor"
)

const (
	tepSignals  = 52
	tepTestRows = 960 // of a test file
	tepOnset    = 160 // row of a test file at which its fault begins
	tepFaults   = 21
)

// tepHidden are the faults that leave the mean and variance of every signal as
// they were; the literature leaves them out of the mean.
var tepHidden = []int{3, 9, 15}

// ReadTEP reads a table of the Tennessee Eastman process: 52 numbers per row,
// separated by blanks. A table of 52 rows with another number of columns is
// taken for a transposed one.
func ReadTEP(r io.Reader) ([][]float64, error) {
	var rows [][]float64
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		row := make([]float64, len(fields))
		for j, f := range fields {
			v, err := reading(f)
			if err != nil {
				return nil, fmt.Errorf("line %d, column %d: %w", n, j+1, err)
			}
			row[j] = v
		}
		if len(rows) > 0 && len(row) != len(rows[0]) {
			return nil, fmt.Errorf("line %d has %d numbers, the first has %d", n, len(row), len(rows[0]))
		}
		rows = append(rows, row)
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("read rows: %w", lines.Err())
	case len(rows) == 0:
		return nil, errors.New("the file has no rows")
	case len(rows[0]) == tepSignals:
		return rows, nil
	case len(rows) == tepSignals:
		return transposed(rows), nil
	}
	return nil, fmt.Errorf("%d × %d numbers, want rows of %d or %[3]d rows of samples", len(rows), len(rows[0]), tepSignals)
}

func transposed(rows [][]float64) [][]float64 {
	out := make([][]float64, len(rows[0]))
	for i := range out {
		out[i] = make([]float64, len(rows))
		for j, r := range rows {
			out[i][j] = r[i]
		}
	}
	return out
}

// FitTEP learns from one normal run and sets the limits on another, at 1 %.
func FitTEP(normal, calibrate [][]float64) (*monitor.Detector, error) {
	return monitor.FitCalibrated(normal, calibrate, monitor.Config{Alpha: 0.01})
}

// measureTEP detects every fault there is a file of, preferring the test run
// (dNN_te.dat) to the training run.
func measureTEP(ctx context.Context, dir string, _ uint64) ([]Row, error) {
	d, calibrate, err := tepDetector(dir)
	if err != nil {
		return nil, err
	}
	var normal counts
	results, err := d.Score(calibrate)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		normal.add(r.Alarm, false)
	}
	rates := make([]float64, tepFaults+1)
	var before counts
	for fault := 1; fault <= tepFaults; fault++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if rates[fault], err = tepRate(dir, fault, d, &before); err != nil {
			return nil, err
		}
	}
	mean, least, worst := 0.0, 1.0, 0
	for fault, v := range rates[1:] {
		if fault++; slices.Contains(tepHidden, fault) {
			continue
		}
		mean += v / float64(tepFaults-len(tepHidden))
		if v < least {
			least, worst = v, fault
		}
	}
	rows := []Row{
		{Set: "TEP", Metric: "detection, mean of 18 faults", Value: mean, Goal: Goal{Must: 0.89, Aim: 0.92}, Note: "fitted on d00, limits from d00_te"},
		{Set: "TEP", Metric: "detection, hardest fault", Value: least, Note: fmt.Sprintf("fault %d", worst)},
		{Set: "TEP", Metric: "false alarms on d00_te", Value: share(normal.alarm, len(results)), Goal: Goal{Must: 0.01, Aim: 0.01, Lower: true}},
	}
	if n := before.alarm + before.quiet; n > 0 {
		rows = append(rows, Row{Set: "TEP", Metric: "false alarms before the fault", Value: share(before.alarm, n), Goal: Goal{Must: 0.01, Aim: 0.01, Lower: true}})
	}
	return rows, nil
}

func tepDetector(dir string) (*monitor.Detector, [][]float64, error) {
	normal, err := readFile(filepath.Join(dir, "d00.dat"), ReadTEP)
	if err != nil {
		return nil, nil, err
	}
	calibrate, err := readFile(filepath.Join(dir, "d00_te.dat"), ReadTEP)
	if err != nil {
		return nil, nil, err
	}
	d, err := FitTEP(normal, calibrate)
	return d, calibrate, err
}

// tepRate is the share of rows with an alarm after the fault began. A training
// run has the fault from its first row.
func tepRate(dir string, fault int, d *monitor.Detector, before *counts) (float64, error) {
	path := filepath.Join(dir, fmt.Sprintf("d%02d_te.dat", fault))
	if found, err := filepath.Glob(path); err != nil || len(found) == 0 {
		path = filepath.Join(dir, fmt.Sprintf("d%02d.dat", fault))
	}
	rows, err := readFile(path, ReadTEP)
	if err != nil {
		return 0, err
	}
	results, err := d.Score(rows)
	if err != nil {
		return 0, err
	}
	onset := 0
	if len(rows) == tepTestRows {
		onset = tepOnset
	}
	var c counts
	for i, r := range results {
		if i < onset {
			before.add(r.Alarm, false)
			continue
		}
		c.add(r.Alarm, true)
	}
	return share(c.hit, c.hit+c.miss), nil
}
