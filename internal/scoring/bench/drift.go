package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/optria-iq/optria/internal/scoring/drift"
	"github.com/optria-iq/optria/internal/scoring/gbt"
)

// turbineInputs are the columns from which NOX is predicted: ambient and
// process variables, without the other emission.
var turbineInputs = []string{"AT", "AP", "AH", "AFDP", "GTEP", "TIT", "TAT", "TEY", "CDP"}

// A year is watched in blocks of a month's length, and quarters of the two
// training years are held out for false alarms.
const (
	driftBlock = 612 // hourly rows
	heldFolds  = 4
)

// turbineYear is one file of the gas turbine set in its order of time.
type turbineYear struct {
	rows [][]float64
	nox  []float64
}

// measureDrift trains on 2011 and 2012 and watches 2013.
func measureDrift(ctx context.Context, dir string, seed uint64) ([]Row, error) {
	var years []turbineYear
	for _, year := range []string{"2011", "2012", "2013"} {
		y, err := readFile(filepath.Join(dir, "gt_"+year+".csv"), readTurbine)
		if err != nil {
			return nil, err
		}
		years = append(years, y)
	}
	train := turbineYear{rows: slices.Concat(years[0].rows, years[1].rows), nox: slices.Concat(years[0].nox, years[1].nox)}
	heldOut, err := outOfFold(ctx, train, seed)
	if err != nil {
		return nil, err
	}
	rows := []Row{{Set: "GT NOX 2011–12", Metric: "RMSE, quarters held out", Value: rms(heldOut), Note: "mg/m³; boosted trees on 9 inputs"}}
	falseRows, err := falseAlarms(train, heldOut)
	if err != nil {
		return nil, err
	}
	watched, err := watch(ctx, train, heldOut, years[2], seed)
	return slices.Concat(rows, falseRows, watched), err
}

func turbineModel(ctx context.Context, y turbineYear, seed uint64) (*gbt.Model, error) {
	return gbt.Fit(ctx, y.rows, y.nox, nil, gbt.Config{Trees: 200, Seed: seed})
}

// outOfFold predicts each quarter of the training years from the others.
func outOfFold(ctx context.Context, y turbineYear, seed uint64) ([]float64, error) {
	n := len(y.rows)
	errs := make([]float64, n)
	for f := range heldFolds {
		from, to := f*n/heldFolds, (f+1)*n/heldFolds
		rest := turbineYear{rows: slices.Concat(y.rows[:from], y.rows[to:]), nox: slices.Concat(y.nox[:from], y.nox[to:])}
		m, err := turbineModel(ctx, rest, seed)
		if err != nil {
			return nil, err
		}
		for i := from; i < to; i++ {
			errs[i] = m.Predict(y.rows[i]) - y.nox[i]
		}
	}
	return errs, nil
}

// falseAlarms watches each quarter with references learned from the others.
func falseAlarms(y turbineYear, errs []float64) ([]Row, error) {
	windows, blocks := slices.Collect(slices.Chunk(y.rows, driftBlock)), slices.Collect(slices.Chunk(errs, driftBlock))
	inputs, residuals := 0, 0
	for f := range heldFolds {
		from, to := f*len(windows)/heldFolds, (f+1)*len(windows)/heldFolds
		ref, err := drift.Learn(turbineInputs, slices.Concat(windows[:from], windows[to:]))
		if err != nil {
			return nil, err
		}
		res, err := drift.LearnResiduals(slices.Concat(blocks[:from], blocks[to:]))
		if err != nil {
			return nil, err
		}
		for w := from; w < to; w++ {
			found, err := ref.Check(windows[w])
			if err != nil {
				return nil, err
			}
			inputs += count(found.Alarm)
			residuals += count(res.Check(blocks[from : w+1]).Alarm)
		}
	}
	note := fmt.Sprintf("of %d blocks of %d h, quarters held out in turn", len(windows), driftBlock)
	return []Row{
		{Set: "GT NOX 2011–12", Metric: "input drift, false alarms", Value: float64(inputs), Note: note},
		{Set: "GT NOX 2011–12", Metric: "residual drift, false alarms", Value: float64(residuals), Note: note},
	}, nil
}

// watch follows the year after training block by block, then measures what
// training again on its first half gains in the second.
func watch(ctx context.Context, train turbineYear, heldOut []float64, next turbineYear, seed uint64) ([]Row, error) {
	old, err := turbineModel(ctx, train, seed)
	if err != nil {
		return nil, err
	}
	ref, err := drift.Learn(turbineInputs, slices.Collect(slices.Chunk(train.rows, driftBlock)))
	if err != nil {
		return nil, err
	}
	res, err := drift.LearnResiduals(slices.Collect(slices.Chunk(heldOut, driftBlock)))
	if err != nil {
		return nil, err
	}
	errs := make([]float64, len(next.rows))
	for i, row := range next.rows {
		errs[i] = old.Predict(row) - next.nox[i]
	}
	blocks := slices.Collect(slices.Chunk(errs, driftBlock))
	inputs, residuals, first := 0, 0, math.NaN()
	var furthest string
	for w, window := range slices.Collect(slices.Chunk(next.rows, driftBlock)) {
		found, err := ref.Check(window)
		if err != nil {
			return nil, err
		}
		inputs += count(found.Alarm)
		if residual := res.Check(blocks[:w+1]).Alarm; residual || found.Alarm {
			residuals += count(residual)
			if math.IsNaN(first) {
				first, furthest = float64(w+1), found.Features[0].Name
			}
		}
	}
	half := len(next.rows) / 2
	again, err := turbineModel(ctx, turbineYear{rows: slices.Concat(train.rows, next.rows[:half]), nox: slices.Concat(train.nox, next.nox[:half])}, seed)
	if err != nil {
		return nil, err
	}
	renewed := make([]float64, 0, half)
	for i := half; i < len(next.rows); i++ {
		renewed = append(renewed, again.Predict(next.rows[i])-next.nox[i])
	}
	note := fmt.Sprintf("of %d blocks of %d h", len(blocks), driftBlock)
	return []Row{
		{Set: "GT NOX 2013", Metric: "input drift, alarms", Value: float64(inputs), Note: note + "; furthest at first " + furthest},
		{Set: "GT NOX 2013", Metric: "residual drift, alarms", Value: float64(residuals), Note: note},
		{Set: "GT NOX 2013", Metric: "first alarm, block", Value: first, Note: "of either kind"},
		{Set: "GT NOX 2013", Metric: "RMSE", Value: rms(errs), Note: "model of 2011–12"},
		{Set: "GT NOX 2013", Metric: "RMSE, second half", Value: rms(errs[half:]), Note: "model of 2011–12"},
		{Set: "GT NOX 2013", Metric: "RMSE, second half", Value: rms(renewed), Note: "trained again with the first half"},
	}, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rms returns the root of the mean square.
func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(v)))
}

// readTurbine reads a table with a header line; columns are found by name.
func readTurbine(r io.Reader) (turbineYear, error) {
	var y turbineYear
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return y, fmt.Errorf("read table: %w", err)
	}
	if len(records) < 2 {
		return y, errors.New("the table holds no rows")
	}
	at := make([]int, 0, len(turbineInputs)+1)
	for _, name := range append(slices.Clone(turbineInputs), "NOX") {
		i := slices.Index(records[0], name)
		if i < 0 {
			return y, fmt.Errorf("no column %s", name)
		}
		at = append(at, i)
	}
	for line, record := range records[1:] {
		row := make([]float64, len(at))
		for i, c := range at {
			if row[i], err = strconv.ParseFloat(record[c], 64); err != nil {
				return y, fmt.Errorf("line %d: %w", line+2, err)
			}
		}
		y.rows, y.nox = append(y.rows, row[:len(at)-1]), append(y.nox, row[len(at)-1])
	}
	return y, nil
}
