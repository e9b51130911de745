package classify

import (
	"cmp"
	"slices"
)

// Prediction is what a snapshot says.
type Prediction struct {
	// Probability is that any mode is at hand: 1 − Π(1 − P_m).
	Probability float64
	Modes       []Mode // most probable first
}

// Mode is one failure mode with its reasons. Base plus all contributions is the
// raw log-odds of the boosters, before calibration.
type Mode struct {
	Name          string
	Probability   float64
	Base          float64
	Contributions []Contribution // strongest first, one per signal
}

// Contribution is what one signal, alone and in features derived from it, adds
// to the raw log-odds of a mode: its Shapley value.
type Contribution struct {
	Signal string
	Value  float64
}

// Signals returns the names of the columns that a row must have.
func (m *Model) Signals() []string { return slices.Clone(m.config.Signals) }

// Probability returns P(failure) of a row alone, without the reasons. Columns
// that the row lacks count as missing.
func (m *Model) Probability(row []float64) float64 {
	features := m.config.features(row)
	alive := 1.0
	for i := range m.modes {
		alive *= 1 - m.modes[i].probability(features)
	}
	return 1 - alive
}

func (m *mode) probability(features []float64) float64 {
	if len(m.boosters) == 0 {
		return m.share
	}
	return m.scale.probability(rawMean(m.boosters, features))
}

// Predict returns the failure modes of a row with their reasons. Columns that
// the row lacks count as missing.
func (m *Model) Predict(row []float64) Prediction {
	features := m.config.features(row)
	p := Prediction{Modes: make([]Mode, 0, len(m.modes))}
	alive := 1.0
	for i := range m.modes {
		found := Mode{Name: m.config.Modes[i], Probability: m.modes[i].probability(features)}
		found.Base, found.Contributions = m.reasons(&m.modes[i], features)
		alive *= 1 - found.Probability
		p.Modes = append(p.Modes, found)
	}
	p.Probability = 1 - alive
	slices.SortStableFunc(p.Modes, func(a, b Mode) int { return cmp.Compare(b.Probability, a.Probability) })
	return p
}

// reasons averages the Shapley values of the boosters. The value of a derived
// feature is shared by its two signals.
func (m *Model) reasons(k *mode, features []float64) (float64, []Contribution) {
	c := m.config
	out := make([]Contribution, len(c.Signals))
	for i, name := range c.Signals {
		out[i].Signal = name
	}
	base := 0.0
	n := float64(len(k.boosters))
	for _, b := range k.boosters {
		e := b.Explain(features)
		base += e.Base / n
		for i, v := range e.Contributions {
			if i < len(c.Signals) {
				out[i].Value += v / n
				continue
			}
			d := c.Derived[i-len(c.Signals)]
			out[d.A].Value += v / (2 * n)
			out[d.B].Value += v / (2 * n)
		}
	}
	slices.SortStableFunc(out, func(a, b Contribution) int { return cmp.Compare(max(b.Value, -b.Value), max(a.Value, -a.Value)) })
	return base, out
}
