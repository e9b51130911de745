// Package drift tells when the world a model was trained in has moved on. Input
// drift compares the distribution of each feature with the training period by
// the population stability index and the Kolmogorov–Smirnov distance; residual
// drift watches the errors of the model for a shift of their mean or a growth
// of their size. Rules of thumb alone cry wolf on plant data, which is seasonal
// and autocorrelated: what equally long windows of the training period showed
// against the rest of it raises every limit.
package drift

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

const (
	bins        = 10   // of the stability index: deciles of the reference
	knots       = 200  // steps of the stored distribution
	leastRows   = 30   // fewest usable values with which a feature is judged
	fewWindows  = 4    // fewer windows calibrate nothing
	greatest    = 1e15 // beyond it a value is not a measurement
	psiModerate = 0.25 // "major shift": Siddiqi, Credit Risk Scorecards, 2006
	ksModerate  = 0.2
	// chance is the probability with which sampling alone exceeds a limit.
	chance = 1e-3
	// calibrated is the share of normal windows that may reach the limits.
	calibrated = 0.05
)

// ErrFewRows says that there is too little to learn a reference from.
var ErrFewRows = errors.New("too few rows for a reference of normal operation")

// Feature is what the training period looked like in one column.
type Feature struct {
	Name  string    `json:"name"`
	Edges []float64 `json:"edges"` // inner bin edges, ascending and distinct
	// Shares are the shares of the bins, the missing ones last.
	Shares []float64 `json:"shares"`
	Knots  []float64 `json:"knots"` // equally spaced quantiles, ascending
	// PSILimit and KSLimit hold for a window of any size; a small window adds
	// what sampling explains.
	PSILimit float64 `json:"psi_limit"`
	KSLimit  float64 `json:"ks_limit"`
}

// Reference is the training period in the form in which it is stored with a
// model. Factor raises all limits so that the normal windows keep them jointly.
type Reference struct {
	Rows     int       `json:"rows"`
	Windows  int       `json:"windows"`
	Factor   float64   `json:"factor"`
	Features []Feature `json:"features"`
}

// Learn makes a reference from windows of normal operation in ascending time,
// each rows × len(names); NaN, infinities and absurd magnitudes count as
// missing. Windows should be as long as those that will be checked. It fails on
// ragged rows and when no column has enough values.
func Learn(names []string, windows [][][]float64) (Reference, error) {
	columns, rows, err := split(names, windows)
	if err != nil {
		return Reference{}, err
	}
	ref := Reference{Rows: rows, Windows: len(windows), Factor: 1, Features: make([]Feature, 0, len(names))}
	var held []measured
	enough := false
	for i, name := range names {
		all := join(columns[i], -1)
		enough = enough || len(all.sorted) >= leastRows
		f := describe(all, edgesOf(all.sorted))
		f.Name, f.PSILimit, f.KSLimit = name, psiModerate, ksModerate
		one := measured{psi: make([]float64, 0, len(windows)), ks: make([]float64, 0, len(windows))}
		for w := range columns[i] {
			rest := describe(join(columns[i], w), f.Edges)
			s := columns[i][w]
			one.psi = append(one.psi, max(rest.psi(s)-rest.psiChance(len(s.sorted)+s.missing, rows), 0))
			one.ks = append(one.ks, max(rest.ks(s.sorted)-ksChance(len(s.sorted), len(all.sorted)), 0))
		}
		held = append(held, one)
		ref.Features = append(ref.Features, f)
	}
	if !enough {
		return Reference{}, ErrFewRows
	}
	if len(windows) >= fewWindows {
		ref.calibrate(held)
	}
	return ref, nil
}

// measured holds what each window of one feature showed against the rest.
type measured struct{ psi, ks []float64 }

// calibrate raises the limit of each feature to the most that a normal window
// showed, and the common factor to what a window shows against the limits of
// the others, so that many features do not add up to many false alarms.
func (r *Reference) calibrate(held []measured) {
	index := make([]float64, r.Windows)
	for i := range r.Features {
		f := &r.Features[i]
		for w := range index {
			psi := max(f.PSILimit, greatestBut(held[i].psi, w))
			ks := max(f.KSLimit, greatestBut(held[i].ks, w))
			index[w] = max(index[w], held[i].psi[w]/psi, held[i].ks[w]/ks)
		}
	}
	limit, _ := conformal.Limit(index, calibrated)
	r.Factor = max(1, limit)
	for i := range r.Features {
		f := &r.Features[i]
		f.PSILimit = max(f.PSILimit, slices.Max(held[i].psi))
		f.KSLimit = max(f.KSLimit, slices.Max(held[i].ks))
	}
}

func greatestBut(values []float64, skip int) float64 {
	most := 0.0
	for i, v := range values {
		if i != skip {
			most = max(most, v)
		}
	}
	return most
}

// sample is one column of one window.
type sample struct {
	sorted  []float64
	missing int
}

// split turns windows of rows into columns of sorted samples.
func split(names []string, windows [][][]float64) ([][]sample, int, error) {
	columns := make([][]sample, len(names))
	for i := range columns {
		columns[i] = make([]sample, len(windows))
	}
	total := 0
	for w, rows := range windows {
		total += len(rows)
		for at, row := range rows {
			if len(row) != len(names) {
				return nil, 0, fmt.Errorf("window %d, row %d has %d values: give one per feature, %d", w, at, len(row), len(names))
			}
			for i, v := range row {
				columns[i][w].add(v)
			}
		}
		for i := range columns {
			slices.Sort(columns[i][w].sorted)
		}
	}
	if total == 0 {
		return nil, 0, ErrFewRows
	}
	return columns, total, nil
}

func (s *sample) add(v float64) {
	if math.Abs(v) <= greatest { // false for NaN
		s.sorted = append(s.sorted, v)
		return
	}
	s.missing++
}

// join puts the windows of a column together, without one.
func join(windows []sample, without int) sample {
	var all sample
	for w, s := range windows {
		if w != without {
			all.sorted = append(all.sorted, s.sorted...)
			all.missing += s.missing
		}
	}
	slices.Sort(all.sorted)
	return all
}

// edgesOf returns the distinct inner deciles. Where one value fills several
// deciles, as in a column that is often zero, a bin holds just that value.
func edgesOf(sorted []float64) []float64 {
	var edges []float64
	for q := 1; q < bins && len(sorted) > 0; q++ {
		v := sorted[min(q*len(sorted)/bins, len(sorted)-1)]
		if len(edges) == 0 || v > edges[len(edges)-1] {
			edges = append(edges, v)
		}
	}
	if len(edges) == 1 { // nearly constant: below, at, above
		edges = append(edges, math.Nextafter(edges[0], math.Inf(1)))
	}
	return edges
}

func describe(s sample, edges []float64) Feature {
	f := Feature{Edges: edges, Shares: shares(s, edges)}
	for k := 0; k <= knots && len(s.sorted) > 0; k++ {
		f.Knots = append(f.Knots, s.sorted[k*(len(s.sorted)-1)/knots])
	}
	return f
}

// shares counts the sample into the bins, the missing last. Half a row is added
// to each bin, so that an empty one does not make the index infinite.
func shares(s sample, edges []float64) []float64 {
	out := make([]float64, len(edges)+2)
	for i := range out {
		out[i] = 0.5
	}
	from := 0
	for i, e := range edges { // bin i holds values below edge i
		to, _ := slices.BinarySearch(s.sorted, e)
		out[i] += float64(to - from)
		from = to
	}
	out[len(edges)] += float64(len(s.sorted) - from)
	out[len(edges)+1] += float64(s.missing)
	total := float64(len(s.sorted)+s.missing) + 0.5*float64(len(out))
	for i := range out {
		out[i] /= total
	}
	return out
}

// psiChance is what sampling alone adds to the index of n rows against m: the
// index times the harmonic size is χ² distributed with one degree of freedom
// less than bins (Yurdakul and Naranjo, Statistical properties of the
// population stability index, 2020).
func (f Feature) psiChance(n, m int) float64 {
	if n == 0 || m == 0 {
		return 0
	}
	degrees := float64(max(len(f.Shares)-1, 1))
	return (1/float64(n) + 1/float64(m)) * distuv.ChiSquared{K: degrees}.Quantile(1-chance)
}

// ksChance is the Kolmogorov–Smirnov distance that sampling alone exceeds with
// the probability chance (asymptotic two-sample formula).
func ksChance(n, m int) float64 {
	if n == 0 || m == 0 {
		return 0
	}
	return math.Sqrt(-math.Log(chance/2) / 2 * (1/float64(n) + 1/float64(m)))
}
