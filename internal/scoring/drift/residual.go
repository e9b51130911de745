package drift

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// The combined Shewhart–CUSUM scheme of Lucas (Technometrics 24, 1982): slack
// k = 0.5 and decision interval h = 5 find a lasting shift of one standard
// deviation in about ten blocks, the Shewhart limit 3.5 a large one at once;
// the average run length between false alarms is about 390 blocks. Errors of
// neighbouring blocks are alike on a plant, so the decision interval is raised
// to what the held-out blocks reached by themselves.
const (
	slack    = 0.5
	decision = 5.0
	shewhart = 3.5
)

const (
	leastBlocks = 4   // fewest blocks that give a spread
	trim        = 0.1 // share of each tail left out of a block's mean
)

// ErrFewBlocks says that there are too few blocks of errors to learn from.
var ErrFewBlocks = errors.New("too few blocks of held-out errors to learn their spread")

// Residuals is how the errors of a model behave on data that it has not seen:
// mean and standard deviation, over blocks, of the block's mean error and of
// the logarithm of its mean absolute error.
type Residuals struct {
	Blocks     int     `json:"blocks"`
	Mean       float64 `json:"mean"`
	SD         float64 `json:"sd"`
	LogSize    float64 `json:"log_size"`
	LogSizeDev float64 `json:"log_size_dev"`
	Decision   float64 `json:"decision"` // limit of the sums
}

// LearnResiduals learns from blocks of held-out errors (predicted − actual) in
// ascending time: a block is a stretch of time or a life, because errors within
// one are alike.
// Errors that are not numbers are left out, and blocks without any.
func LearnResiduals(blocks [][]float64) (Residuals, error) {
	var means, sizes []float64
	for _, b := range blocks {
		if mean, size, ok := summary(b); ok {
			means, sizes = append(means, mean), append(sizes, size)
		}
	}
	if len(means) < leastBlocks {
		return Residuals{}, ErrFewBlocks
	}
	r := Residuals{Blocks: len(means)}
	r.Mean, r.SD = moments(means)
	r.LogSize, r.LogSizeDev = moments(sizes)
	r.Decision = decision
	for _, s := range r.Check(blocks).Steps {
		r.Decision = max(r.Decision, s.Upper, s.Lower, s.Growth)
	}
	return r, nil
}

// Step is the state of the scheme after one block: standard scores of bias and
// size, and the sums that the scheme accumulates of them.
type Step struct {
	Bias   float64 `json:"bias"`
	Size   float64 `json:"size"`
	Upper  float64 `json:"upper"`
	Lower  float64 `json:"lower"`
	Growth float64 `json:"growth"`
}

// Residual is the drift of errors. Index is the furthest of the statistics
// over its limit after the last block, 1 at the limit.
type Residual struct {
	Index float64 `json:"index"`
	Alarm bool    `json:"alarm"`
	Steps []Step  `json:"steps"`
}

// Check runs the scheme over blocks of errors in ascending time. Blocks without
// a usable error are skipped.
func (r Residuals) Check(blocks [][]float64) Residual {
	out := Residual{Steps: make([]Step, 0, len(blocks))}
	var s Step
	for _, b := range blocks {
		mean, size, ok := summary(b)
		if !ok {
			continue
		}
		s.Bias = r.score(mean, r.Mean, r.SD)
		s.Size = r.score(size, r.LogSize, r.LogSizeDev)
		s.Upper = max(0, s.Upper+s.Bias-slack)
		s.Lower = max(0, s.Lower-s.Bias-slack)
		s.Growth = max(0, s.Growth+s.Size-slack)
		out.Steps = append(out.Steps, s)
		out.Index = max(math.Abs(s.Bias)/shewhart, s.Size/shewhart, max(s.Upper, s.Lower, s.Growth)/max(r.Decision, decision))
	}
	out.Alarm = out.Index > 1
	return out
}

// score turns a new block's value into a standard score. Mean and deviation
// are estimates from few blocks, so the prediction follows Student's t; the
// score is the normal quantile of the same probability. It is limited to ±8.
func (r Residuals) score(v, mean, dev float64) float64 {
	m := float64(r.Blocks)
	if m < 2 {
		return 0
	}
	floor := 1e-9 * max(math.Abs(mean), 1)
	t := (v - mean) / (max(dev, floor) * math.Sqrt(1+1/m))
	tail := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: m - 1}.CDF(-math.Abs(t))
	z := 8.0
	if tail > 1e-15 {
		z = min(-distuv.UnitNormal.Quantile(tail), 8)
	}
	return math.Copysign(z, t)
}

// summary returns the trimmed mean of a block and the logarithm of its trimmed
// mean absolute error.
func summary(block []float64) (mean, size float64, ok bool) {
	values := make([]float64, 0, len(block))
	sizes := make([]float64, 0, len(block))
	for _, v := range block {
		if math.Abs(v) <= greatest {
			values, sizes = append(values, v), append(sizes, math.Abs(v))
		}
	}
	if len(values) == 0 {
		return 0, 0, false
	}
	return trimmed(values), math.Log(max(trimmed(sizes), 1e-12)), true
}

func trimmed(values []float64) float64 {
	slices.Sort(values)
	cut := int(trim * float64(len(values)))
	kept := values[cut : len(values)-cut]
	sum := 0.0
	for _, v := range kept {
		sum += v
	}
	return sum / float64(len(kept))
}

func moments(values []float64) (mean, dev float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		dev += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(dev / float64(len(values)-1))
}
