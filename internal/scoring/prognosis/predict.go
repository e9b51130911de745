package prognosis

import (
	"fmt"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// AgeSignal names the contribution of the age, which is not a signal.
const AgeSignal = "age"

// Prediction is the remaining life at the last row of a life, in cycles.
type Prediction struct {
	Remaining float64 // within 0 and the cap
	Lo, Hi    float64 // hold the truth, capped, with a probability of 90 %
	// BeyondCap says that more lives than not had the cap or more left when
	// the prediction was like this one: "more than the cap" is the honest value.
	BeyondCap bool
	// Base, the mean over the training rows, and all Contributions add up to
	// Raw, the prediction before it is held within 0 and the cap.
	Base, Raw     float64
	Contributions []Contribution // one per described signal, and the age
	Similar       []Similar      // nearest first, one row per past life
	past          *conformal.Local
}

// Contribution is what one signal adds to the raw prediction, in cycles.
type Contribution struct {
	Signal string  `json:"signal"`
	Value  float64 `json:"value"`
}

// FailureWithin returns the probability of a failure within h cycles. Beyond
// the cap nothing is known: there it is what it is just below the cap.
func (p Prediction) FailureWithin(h float64) float64 {
	return p.Outlook().FailureWithin(h)
}

// Predict returns the prediction at the last of the rows, which are a life from
// its beginning, with its explanation.
func (m *Model) Predict(rows [][]float64) (Prediction, error) {
	if err := checkRows(rows, len(m.config.Signals)); err != nil {
		return Prediction{}, fmt.Errorf("prognosis: %w", err)
	}
	f, parts := m.newFollower(), m.newParts()
	for _, row := range rows {
		f.add(row)
		parts.add(f)
	}
	x := f.describe()
	e := m.trees.Explain(x)
	p := m.prediction(m.trees.Raw(x))
	p.Base, p.Contributions = e.Base, parts.group(e.Contributions)
	p.Similar = m.similar(f.state())
	return p, nil
}

// Trace returns the prediction at every row of a life, as each was when the
// later rows had not been seen, without explanations.
func (m *Model) Trace(rows [][]float64) ([]Prediction, error) {
	if err := checkRows(rows, len(m.config.Signals)); err != nil {
		return nil, fmt.Errorf("prognosis: %w", err)
	}
	f := m.newFollower()
	out := make([]Prediction, 0, len(rows))
	for _, row := range rows {
		f.add(row)
		out = append(out, m.prediction(m.trees.Raw(f.describe())))
	}
	return out, nil
}

// prediction turns a raw prediction into one with interval and probabilities.
func (m *Model) prediction(raw float64) Prediction {
	p := Prediction{Raw: raw, Remaining: min(max(raw, 0), m.config.Cap), past: m.past}
	p.Lo, p.Hi = m.past.At(p.Remaining).Shortest(m.level)
	p.Lo, p.Hi = min(p.Lo, p.Remaining), max(p.Hi, p.Remaining)
	p.BeyondCap = p.FailureWithin(m.config.Cap) < 0.5
	return p
}
