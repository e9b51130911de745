package monitor

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

const (
	greatest  = 1e15 // larger magnitudes are no measurements
	reach     = 10.0 // spreads from the centre beyond which a normal reading is drawn in
	leastGood = 0.5  // share of usable readings a signal needs
)

// intake makes raw rows fit to compute with.
type intake struct {
	Width  int       // columns of a raw row
	Kept   []int     // columns that are watched
	Centre []float64 // median per kept signal
	Spread []float64 // robust standard deviation per kept signal
	Scale  []float64 // standard deviation of the drawn-in readings
}

// usable reports whether v can be computed with; NaN is not.
func usable(v float64) bool { return math.Abs(v) <= greatest }

func newIntake(rows [][]float64) intake {
	in := intake{Width: len(rows[0])}
	for j := range rows[0] {
		var column []float64
		for _, r := range rows {
			if usable(r[j]) {
				column = append(column, r[j])
			}
		}
		if float64(len(column)) < leastGood*float64(len(rows)) {
			continue
		}
		mid, spread := centre(column)
		for i, v := range column {
			column[i] = min(max(v, mid-reach*spread), mid+reach*spread)
		}
		sd := stat.StdDev(column, nil)
		if !(sd > 1e-9*math.Abs(mid)) {
			sd = stillScale(mid)
		}
		in.Kept = append(in.Kept, j)
		in.Centre, in.Spread, in.Scale = append(in.Centre, mid), append(in.Spread, spread), append(in.Scale, sd)
	}
	return in
}

// stillScale is the unit of a signal that never moved: any change stands out.
func stillScale(mid float64) float64 { return max(1e-3*math.Abs(mid), 1e-9) }

// centre returns the median of v and the standard deviation of its bulk: half
// the 95 % quantile of the deviations from it, which a signal that dwells at
// several levels fills and a few wild readings do not.
func centre(v []float64) (mid, spread float64) {
	sorted := slices.Sorted(slices.Values(v))
	mid = stat.Quantile(0.5, stat.LinInterp, sorted, nil)
	for i, x := range sorted {
		sorted[i] = math.Abs(x - mid)
	}
	slices.Sort(sorted)
	if spread = stat.Quantile(0.95, stat.Empirical, sorted, nil) / 2; spread > 1e-9*math.Abs(mid) {
		return mid, spread
	}
	return mid, stillScale(mid)
}

// fill returns the kept columns of training rows with missing readings replaced
// by the last usable one and far ones drawn in, and the number of missing ones.
func (in intake) fill(rows [][]float64) (out [][]float64, bad int) {
	last := slices.Clone(in.Centre)
	for _, r := range rows {
		row := make([]float64, len(in.Kept))
		for k, j := range in.Kept {
			if v := r[j]; usable(v) {
				last[k] = min(max(v, in.Centre[k]-reach*in.Spread[k]), in.Centre[k]+reach*in.Spread[k])
			} else {
				bad++
			}
			row[k] = last[k]
		}
		out = append(out, row)
	}
	return out, bad
}

// admit returns the kept columns of a row to be judged, NaN where a reading
// is missing, and how many are.
func (in intake) admit(r []float64) (row []float64, bad int) {
	row = make([]float64, len(in.Kept))
	for k, j := range in.Kept {
		if row[k] = r[j]; !usable(r[j]) {
			row[k] = math.NaN()
			bad++
		}
	}
	return row, bad
}
