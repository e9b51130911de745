// Package cmapss reads the text format of the NASA C-MAPSS turbofan data (Saxena
// et al., PHM 2008): one line per cycle with 26 numbers between blanks, the unit,
// the cycle, three operating settings and 21 sensors.
package cmapss

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	settings = 3
	sensors  = 21
	columns  = 2 + settings + sensors
)

// Life is the record of one unit, one row per cycle with the settings and
// sensors in order.
type Life struct {
	Unit string
	Rows [][]float64
}

// Columns names the columns of the rows: setting1–3 and s1–s21.
func Columns() []string {
	names := make([]string, 0, settings+sensors)
	for i := range settings {
		names = append(names, "setting"+strconv.Itoa(i+1))
	}
	for i := range sensors {
		names = append(names, "s"+strconv.Itoa(i+1))
	}
	return names
}

// Operating returns the columns of the operating point.
func Operating() []int { return []int{0, 1, 2} }

// Read reads all lives in the order of the file. The word NaN is a missing
// reading. It fails, with the number of the line, on a wrong number of columns,
// on what is no number, on a cycle that does not follow the one before, and on a
// unit whose lines do not stand together.
func Read(r io.Reader) ([]Life, error) {
	var lives []Life
	seen := map[string]bool{}
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		fields := strings.Fields(scanner.Text())
		if len(fields) == 0 {
			continue
		}
		unit, cycle, row, err := parse(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if len(lives) == 0 || lives[len(lives)-1].Unit != unit {
			if seen[unit] {
				return nil, fmt.Errorf("line %d: unit %s again; the lines of a unit must stand together", line, unit)
			}
			seen[unit] = true
			lives = append(lives, Life{Unit: unit})
		}
		life := &lives[len(lives)-1]
		life.Rows = append(life.Rows, row)
		if cycle != len(life.Rows) {
			return nil, fmt.Errorf("line %d: cycle %d of unit %s where cycle %d was expected", line, cycle, unit, len(life.Rows))
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("after line %d: %w", line, err)
	}
	if len(lives) == 0 {
		return nil, fmt.Errorf("no lines; expected %d columns: unit, cycle, %d settings, %d sensors", columns, settings, sensors)
	}
	return lives, nil
}

func parse(fields []string) (unit string, cycle int, row []float64, err error) {
	if len(fields) != columns {
		return "", 0, nil, fmt.Errorf("%d columns, expected %d: unit, cycle, %d settings, %d sensors", len(fields), columns, settings, sensors)
	}
	unit = fields[0]
	if _, err := strconv.ParseUint(unit, 10, 32); err != nil {
		return "", 0, nil, fmt.Errorf("column 1 (unit): %q is not a whole number", unit)
	}
	if cycle, err = strconv.Atoi(fields[1]); err != nil {
		return "", 0, nil, fmt.Errorf("column 2 (cycle): %q is not a whole number", fields[1])
	}
	row = make([]float64, 0, settings+sensors)
	for i, field := range fields[2:] {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsInf(v, 0) {
			return "", 0, nil, fmt.Errorf("column %d (%s): %q is not a finite number", i+3, Columns()[i], field)
		}
		row = append(row, v)
	}
	return unit, cycle, row, nil
}
