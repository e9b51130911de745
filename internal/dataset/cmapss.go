package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// CMAPSS describes a file of the C-MAPSS turbofan degradation data (Saxena,
// Goebel, Simon and Eklund 2008): rows of unit, cycle, three operational
// settings and 21 sensors, separated by blanks, cycles counting from 1.
type CMAPSS struct {
	Prefix string    // of the asset tags: "FD001" makes FD001-001, FD001-002, …
	Start  time.Time // the day of cycle 1; a cycle is one day
}

// cmapssWidth is unit, cycle, 3 settings and 21 sensors.
const cmapssWidth = 26

// cmapssLastCycle keeps the times of absurd cycles inside the calendar.
const cmapssLastCycle = 50_000

// CMAPSSMetrics returns the names of the 24 measured columns in their order:
// op1…op3 and s1…s21.
func CMAPSSMetrics() []string {
	names := make([]string, 0, cmapssWidth-2)
	for i := 1; i <= 3; i++ {
		names = append(names, fmt.Sprintf("op%d", i))
	}
	for i := 1; i <= 21; i++ {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	return names
}

// ReadCMAPSS reads the text format. A row with any bad value is refused as a
// whole, since its sensors belong together.
func ReadCMAPSS(ctx context.Context, r io.Reader, c CMAPSS, limits Limits, emit Emit) (Report, error) {
	var report Report
	l, err := openLines(r, limits, &report)
	if err != nil {
		return report, err
	}
	run := cmapssRun{lines: l, source: c, metrics: CMAPSSMetrics(), last: map[int]int{}}
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
		if err != nil {
			return report, err
		}
		if !run.parse(line) {
			continue
		}
		if err := run.emit(emit); err != nil {
			return report, err
		}
		report.Records += len(run.metrics)
	}
}

// cmapssRun holds the row being read.
type cmapssRun struct {
	lines   *lines
	source  CMAPSS
	metrics []string
	values  [cmapssWidth]float64
	last    map[int]int // last cycle of each unit
}

// parse reads a row into values and reports why when it cannot.
func (c *cmapssRun) parse(line string) bool {
	cells := strings.Fields(line)
	if len(cells) != cmapssWidth {
		c.lines.refuse("", ReasonColumns)
		return false
	}
	sound := true
	for i, text := range cells {
		value, reason := parseNumber(text)
		if reason != "" {
			c.lines.refuse(c.column(i), reason)
			sound = false
		}
		c.values[i] = value
	}
	if !sound {
		return false
	}
	unit, cycle := c.values[0], c.values[1]
	if unit < 1 || cycle < 1 || unit > 1e6 || cycle > cmapssLastCycle || unit != math.Trunc(unit) || cycle != math.Trunc(cycle) {
		c.lines.refuse("", ReasonUnitCycle)
		return false
	}
	if int(cycle) <= c.last[int(unit)] {
		c.lines.refuse("cycle", ReasonCycleOrder)
		return false
	}
	c.last[int(unit)] = int(cycle)
	return true
}

func (c *cmapssRun) column(i int) string {
	switch i {
	case 0:
		return "unit"
	case 1:
		return "cycle"
	}
	return c.metrics[i-2]
}

func (c *cmapssRun) emit(emit Emit) error {
	record := Record{
		Asset: fmt.Sprintf("%s-%03d", c.source.Prefix, int(c.values[0])),
		Time:  c.source.Start.UTC().AddDate(0, 0, int(c.values[1])-1),
	}
	for i, metric := range c.metrics {
		record.Metric, record.Value = metric, c.values[i+2]
		if err := emit(record); err != nil {
			return err
		}
	}
	return nil
}
