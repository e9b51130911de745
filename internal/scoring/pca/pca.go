// Package pca describes how a table of signals varies together when healthy:
// principal component analysis of the standardised rows, optionally extended
// by earlier rows (dynamic PCA: Ku, Storer and Georgakis, 1995). Hotelling's T²
// measures how far a row lies from normal within the model, SPE (also Q) how
// far it lies outside it (Jackson and Mudholkar, 1979), and reconstruction
// contributions say which signals are behind either (Alcala and Qin, 2009).
package pca

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// floor is the least variance of a component, in squared standard units: below
// it the direction was never excited and its spread is unknown.
const floor = 0.01

// Config says how a model is built. Give either Explained or Parallel.
type Config struct {
	Lags      int     // earlier rows that extend each row; 0 for static PCA
	Explained float64 // share of the variance that the retained components hold
	Parallel  bool    // retain by parallel analysis instead
	Seed      uint64  // of the permutations of parallel analysis
}

// Model is a fitted model of p signals and D = p·(Lags+1) variables: the newest
// row's signals first, then those of the row before, and so on. All directions
// are kept; the first Components of them span the model.
type Model struct {
	Mean, Scale []float64   // one per signal
	Lags        int         // earlier rows in a vector
	Components  int         // retained directions, from 1 to D
	Values      []float64   // variance per direction, descending
	Loadings    [][]float64 // one unit vector of D per direction
}

// Fit learns a model from rows (samples × signals in ascending time, all
// finite). It needs more rows than signals; a signal that never moves gets a
// scale of a thousandth of its value.
func Fit(rows [][]float64, c Config) (*Model, error) {
	if err := check(rows, c); err != nil {
		return nil, fmt.Errorf("fit principal components: %w", err)
	}
	m := &Model{Lags: c.Lags}
	m.standardisation(rows)
	vectors := m.vectors(rows)
	if err := m.decompose(vectors); err != nil {
		return nil, fmt.Errorf("fit principal components: %w", err)
	}
	if !c.Parallel {
		m.Components = explaining(m.Values, c.Explained)
		return m, nil
	}
	k, err := parallelAnalysis(vectors, m.Values, c.Seed)
	if err != nil {
		return nil, fmt.Errorf("fit principal components: %w", err)
	}
	m.Components = k
	return m, nil
}

func check(rows [][]float64, c Config) error {
	switch {
	case len(rows) == 0 || len(rows[0]) == 0:
		return errors.New("no rows")
	case c.Lags < 0:
		return fmt.Errorf("%d lags, want 0 or more", c.Lags)
	case !c.Parallel && !(c.Explained > 0 && c.Explained <= 1):
		return fmt.Errorf("explained share %v is outside (0, 1]", c.Explained)
	case len(rows)-c.Lags <= len(rows[0]):
		return fmt.Errorf("%d rows for %d signals with %d lags: give more rows than signals", len(rows), len(rows[0]), c.Lags)
	}
	return sound(rows, len(rows[0]))
}

// sound refuses rows of another length than p and values that are not finite.
func sound(rows [][]float64, p int) error {
	for i, r := range rows {
		if len(r) != p {
			return fmt.Errorf("row %d has %d values, want %d", i+1, len(r), p)
		}
		for j, v := range r {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("row %d, signal %d: %v is not a number to compute with", i+1, j+1, v)
			}
		}
	}
	return nil
}

// standardisation sets mean and scale of every signal.
func (m *Model) standardisation(rows [][]float64) {
	column := make([]float64, len(rows))
	for j := range rows[0] {
		for i, r := range rows {
			column[i] = r[j]
		}
		mean, sd := stat.MeanStdDev(column, nil)
		if still := 1e-9 * math.Abs(mean); !(sd > still) {
			sd = max(1e-3*math.Abs(mean), 1e-9)
		}
		m.Mean, m.Scale = append(m.Mean, mean), append(m.Scale, sd)
	}
}

// Standardise writes a row in standard units into dst and returns it.
func (m *Model) Standardise(dst, row []float64) []float64 {
	for j, v := range row {
		dst[j] = (v - m.Mean[j]) / m.Scale[j]
	}
	return dst
}

// vectors extends every row from the Lags-th on by the rows before it.
func (m *Model) vectors(rows [][]float64) *mat.Dense {
	p := len(m.Mean)
	out := mat.NewDense(len(rows)-m.Lags, p*(m.Lags+1), nil)
	for i := range rows[m.Lags:] {
		v := out.RawRowView(i)
		for l := range m.Lags + 1 {
			m.Standardise(v[l*p:(l+1)*p], rows[i+m.Lags-l])
		}
	}
	return out
}

// decompose sets directions and variances from the covariance of the vectors.
func (m *Model) decompose(vectors *mat.Dense) error {
	values, loadings, err := eigen(vectors, true)
	if err != nil {
		return err
	}
	d := len(values)
	m.Values, m.Loadings = values, make([][]float64, d)
	for k := range d {
		m.Loadings[k] = mat.Col(nil, d-1-k, loadings)
	}
	return nil
}

// eigen returns the variances in descending order, not below the floor, and
// the directions as columns in ascending order.
func eigen(vectors *mat.Dense, directions bool) ([]float64, *mat.Dense, error) {
	n, d := vectors.Dims()
	cov := mat.NewSymDense(d, nil)
	cov.SymOuterK(1/float64(max(n-1, 1)), vectors.T())
	var e mat.EigenSym
	if !e.Factorize(cov, directions) {
		return nil, nil, errors.New("the covariance has no eigenvalues")
	}
	values := e.Values(nil)
	slices.Reverse(values)
	for k, v := range values {
		values[k] = max(v, floor)
	}
	var columns mat.Dense
	if directions {
		e.VectorsTo(&columns)
	}
	return values, &columns, nil
}

// explaining counts the leading directions that hold the share of variance.
func explaining(values []float64, share float64) int {
	total, held := floats.Sum(values), 0.0
	for k, v := range values {
		if held += v; held >= share*total {
			return k + 1
		}
	}
	return len(values)
}

// Check refuses a model whose parts do not fit together, as one read from a
// broken file.
func (m *Model) Check() error {
	p, d := len(m.Mean), len(m.Values)
	if p == 0 || len(m.Scale) != p || m.Lags < 0 || d != p*(m.Lags+1) || len(m.Loadings) != d || m.Components < 1 || m.Components > d {
		return errors.New("the principal components do not fit their signals")
	}
	for k, v := range m.Values {
		if !(v >= floor) || math.IsInf(v, 0) || len(m.Loadings[k]) != d {
			return fmt.Errorf("principal component %d is broken", k+1)
		}
	}
	if err := sound([][]float64{m.Mean, m.Scale}, p); err != nil {
		return fmt.Errorf("standardisation: %w", err)
	}
	if err := sound(m.Loadings, d); err != nil {
		return fmt.Errorf("principal components: %w", err)
	}
	return nil
}

// Signals returns the number of signals in a row.
func (m *Model) Signals() int { return len(m.Mean) }

// Scores writes the coordinates of a standardised vector of D along the D
// directions into dst and returns it.
func (m *Model) Scores(dst, vector []float64) []float64 {
	for k, v := range m.Loadings {
		dst[k] = floats.Dot(v, vector)
	}
	return dst
}

// Vector writes the standardised vector of the last row of a window of
// Lags+1 rows, oldest first, into dst and returns it.
func (m *Model) Vector(dst []float64, window [][]float64) []float64 {
	p := len(m.Mean)
	for l := range m.Lags + 1 {
		m.Standardise(dst[l*p:(l+1)*p], window[m.Lags-l])
	}
	return dst
}

// T2 is Hotelling's statistic Σ t²/λ over the retained directions.
func (m *Model) T2(scores []float64) float64 {
	sum := 0.0
	for k, t := range scores[:m.Components] {
		sum += t * t / m.Values[k]
	}
	return sum
}

// SPE is the squared prediction error: the squared length of what the retained
// directions leave, in standard units.
func (m *Model) SPE(scores []float64) float64 {
	sum := 0.0
	for _, t := range scores[m.Components:] {
		sum += t * t
	}
	return sum
}

// Expected writes what the retained directions say the newest row should read,
// in original units, into dst of p and returns it.
func (m *Model) Expected(dst, scores []float64) []float64 {
	for j := range dst {
		dst[j] = 0
	}
	for k, t := range scores[:m.Components] {
		floats.AddScaled(dst, t, m.Loadings[k][:len(dst)])
	}
	for j := range dst {
		dst[j] = m.Mean[j] + m.Scale[j]*dst[j]
	}
	return dst
}
