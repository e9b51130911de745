// Package ai4i reads the AI4I 2020 predictive maintenance data (Matzka 2020, UCI
// repository 601) and says which of its columns are signals: a table of
// snapshots of a milling machine with the failure modes of each.
package ai4i

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/optria-iq/optria/internal/scoring/classify"
)

// signals are the columns that a prediction may see, by their names in the file.
var signals = []string{"Type", "Air_temperature", "Process_temperature", "Rotational_speed", "Torque", "Tool_wear"}

// modes are the labelled causes of failure; a failure without one is
// unexplained. Random failures (RNF) are left out: by the description of the
// data they have no cause in the signals.
var modes = []string{"TWF", "HDF", "PWF", "OSF", "unexplained"}

const (
	identifier = "UDI"
	failure    = "Machine.failure"
)

var quality = map[string]float64{"L": 0, "M": 1, "H": 2}

// Data is a table: rows × signals (quality of the product as 0 to 2,
// temperatures in K, speed in 1/min, torque in N·m, wear in min). Without labels
// Modes and Failed are nil.
type Data struct {
	IDs    []string
	Rows   [][]float64
	Modes  [][]bool
	Failed []bool
}

// Config names the signals and the physics of milling: power, heat flow and
// strain.
func Config(seed uint64) classify.Config {
	return classify.Config{
		Signals: slices.Clone(signals),
		Derived: []classify.Derived{
			{Name: "power", Of: classify.Product, A: 3, B: 4},
			{Name: "temperature difference", Of: classify.Difference, A: 2, B: 1},
			{Name: "strain", Of: classify.Product, A: 5, B: 4},
		},
		Modes: slices.Clone(modes), Seed: seed,
	}
}

// Read reads a table with a head. The columns may stand in any order; those of
// the labels may be absent, all together. It names the line of what it cannot
// read.
func Read(r io.Reader) (Data, error) {
	table := csv.NewReader(r)
	head, err := table.Read()
	if err != nil {
		return Data{}, fmt.Errorf("read the head: %w", err)
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	for _, name := range append([]string{identifier}, signals...) {
		if _, ok := column[name]; !ok {
			return Data{}, fmt.Errorf("no column %s", name)
		}
	}
	labelled, err := hasLabels(column)
	if err != nil {
		return Data{}, err
	}
	var d Data
	for {
		line, err := table.Read()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return Data{}, err // names the line
		}
		if err := d.add(line, column, labelled); err != nil {
			n, _ := table.FieldPos(0)
			return Data{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func hasLabels(column map[string]int) (bool, error) {
	_, labelled := column[failure]
	for _, name := range modes[:len(modes)-1] {
		if _, ok := column[name]; ok != labelled {
			return false, fmt.Errorf("the labels are not complete: see the columns %s and %s", failure, name)
		}
	}
	return labelled, nil
}

func (d *Data) add(line []string, column map[string]int, labelled bool) error {
	row := make([]float64, len(signals))
	for k, name := range signals {
		text := line[column[name]]
		v, ok := quality[text]
		if k > 0 {
			var err error
			v, err = strconv.ParseFloat(text, 64)
			ok = err == nil
		}
		if !ok {
			return fmt.Errorf("column %s: cannot read %q", name, text)
		}
		row[k] = v
	}
	d.IDs, d.Rows = append(d.IDs, line[column[identifier]]), append(d.Rows, row)
	if !labelled {
		return nil
	}
	failed, named := line[column[failure]] == "1", false
	occurred := make([]bool, len(modes))
	for k, name := range modes[:len(modes)-1] {
		occurred[k] = line[column[name]] == "1"
		named = named || occurred[k]
	}
	occurred[len(modes)-1] = failed && !named
	d.Modes, d.Failed = append(d.Modes, occurred), append(d.Failed, failed)
	return nil
}
