package drift

import (
	"fmt"
	"math"
	"slices"
)

// FeatureDrift is how far one feature of a window has moved. Index is the
// greater of the two distances over their limits, 1 at the limit.
type FeatureDrift struct {
	Name     string  `json:"name"`
	PSI      float64 `json:"psi"`
	PSILimit float64 `json:"psi_limit"`
	KS       float64 `json:"ks"`
	KSLimit  float64 `json:"ks_limit"`
	Index    float64 `json:"index"`
	Missing  float64 `json:"missing"` // share of the rows without a usable value
	// Judged is false when window or reference hold too few values.
	Judged bool `json:"judged"`
}

// Input is the drift of a window. Features are sorted, the furthest first.
type Input struct {
	Rows     int            `json:"rows"`
	Index    float64        `json:"index"` // of the furthest feature, 1 at the limit
	Alarm    bool           `json:"alarm"`
	Features []FeatureDrift `json:"features"`
}

// Check compares a window with the reference. Rows have one value per feature;
// values that are not measurements count as missing. A window that is too small
// raises no alarm and has features that are not judged.
func (r Reference) Check(rows [][]float64) (Input, error) {
	names := make([]string, 0, len(r.Features))
	for _, f := range r.Features {
		names = append(names, f.Name)
	}
	out := Input{Rows: len(rows), Features: make([]FeatureDrift, 0, len(names))}
	if len(rows) == 0 {
		return out, nil
	}
	columns, _, err := split(names, [][][]float64{rows})
	if err != nil {
		return out, fmt.Errorf("check drift: %w", err)
	}
	for i, f := range r.Features {
		one := f.check(columns[i][0], r.Rows, r.Factor)
		out.Features = append(out.Features, one)
		if one.Judged {
			out.Index = max(out.Index, one.Index)
		}
	}
	slices.SortStableFunc(out.Features, func(a, b FeatureDrift) int {
		switch {
		case a.Index > b.Index:
			return -1
		case a.Index < b.Index:
			return 1
		}
		return 0
	})
	out.Alarm = out.Index > 1
	return out, nil
}

func (f Feature) check(s sample, reference int, factor float64) FeatureDrift {
	n := len(s.sorted) + s.missing
	out := FeatureDrift{
		Name: f.Name, PSI: f.psi(s), KS: f.ks(s.sorted), Missing: float64(s.missing) / float64(n),
		PSILimit: f.PSILimit*factor + f.psiChance(n, reference),
		KSLimit:  min(f.KSLimit*factor+ksChance(len(s.sorted), reference), 1),
		Judged:   n >= leastRows && len(f.Knots) > 0,
	}
	if !out.Judged {
		return out
	}
	out.Index = out.PSI / out.PSILimit
	if len(s.sorted) >= leastRows {
		out.Index = max(out.Index, out.KS/out.KSLimit)
	}
	return out
}

// psi is the population stability index Σ (a − e) ln(a/e) over the bins, with
// the missing values as a bin of their own.
func (f Feature) psi(s sample) float64 {
	if len(s.sorted)+s.missing == 0 {
		return 0
	}
	sum := 0.0
	for i, a := range shares(s, f.Edges) {
		sum += (a - f.Shares[i]) * math.Log(a/f.Shares[i])
	}
	return max(sum, 0)
}

// ks is the greatest distance between the distribution of the sample and the
// stored one, looked at on both sides of every value.
func (f Feature) ks(sorted []float64) float64 {
	if len(sorted) == 0 || len(f.Knots) == 0 {
		return 0
	}
	worst := 0.0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		below, upTo := f.distribution(sorted[i])
		n := float64(len(sorted))
		worst = max(worst, math.Abs(float64(i)/n-below), math.Abs(float64(j)/n-upTo))
		i = j
	}
	return worst
}

// distribution returns the share of the reference below v and up to v. Between
// knots both are interpolated; a value that fills several knots is a step.
func (f Feature) distribution(v float64) (below, upTo float64) {
	last := len(f.Knots) - 1
	if last == 0 || v < f.Knots[0] || v > f.Knots[last] {
		switch {
		case v < f.Knots[0]:
			return 0, 0
		case v > f.Knots[last]:
			return 1, 1
		}
		return 0, 1
	}
	first, found := slices.BinarySearch(f.Knots, v)
	if !found {
		lo, hi := f.Knots[first-1], f.Knots[first]
		at := (float64(first-1) + (v-lo)/(hi-lo)) / float64(last)
		return at, at
	}
	end := first
	for end < last && f.Knots[end+1] == v {
		end++
	}
	if end == first {
		at := float64(first) / float64(last)
		return at, at
	}
	below, upTo = float64(first)/float64(last), float64(end)/float64(last)
	if first == 0 {
		below = 0
	}
	return below, upTo
}
