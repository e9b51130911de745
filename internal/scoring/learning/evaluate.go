package learning

import (
	"context"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

const (
	firstDay = 10   // a held-out life is predicted on every day from its tenth on
	horizon  = 30.0 // days of the failure probability that is measured
	// Margin is the share by which a candidate's error must be smaller.
	Margin = 0.02
	// leastCoverage is the least share of truths inside the 90 % intervals with
	// which a model may serve.
	leastCoverage = 0.70
	mostPoints    = 400
)

// Protocol is how prognosis models are measured and compared, for people.
const Protocol = "Whole lives: the newest quarter of the failures (at least two) is held out, and nothing that ended later is used in training. " +
	"Each held-out life is predicted on every day from its tenth on, from what was known on that day. " +
	"RMSE and coverage count remaining lives capped at 0.6 of the median training life. " +
	"A candidate serves only if its RMSE is at least 2 % below that of the model in service on the same lives; " +
	"the first model of a class must be that much better than the Weibull life of the class; " +
	"and its 90 % intervals must hold at least 70 % of the truths."

// Point is one prediction beside what happened, in days.
type Point struct {
	Life      string  `json:"life"`
	Actual    float64 `json:"actual"`
	Predicted float64 `json:"predicted"`
	Lo        float64 `json:"lo"`
	Hi        float64 `json:"hi"`
}

// Baseline is how the Weibull life of the class does on the same points.
type Baseline struct {
	Beta  float64 `json:"beta"`
	Eta   float64 `json:"eta_days"`
	RMSE  float64 `json:"rmse_capped"`
	Brier float64 `json:"brier_30"`
}

// Measured is how a model did on held-out lives.
type Measured struct {
	prognosis.Metrics
	Lives  int     `json:"lives"`
	Points int     `json:"points"`
	Cap    float64 `json:"cap_days"`
}

// Report is the whole comparison that is stored with a candidate.
type Report struct {
	Candidate      Measured          `json:"candidate"`
	Active         *Measured         `json:"active,omitempty"`
	Baseline       Baseline          `json:"baseline"`
	CrossValidated prognosis.Metrics `json:"cross_validated"`
	Scatter        []Point           `json:"scatter"`
	Verdict        Verdict           `json:"verdict"`
	// Left counts held-out lives that the active model had learned from and
	// that are therefore left out for both.
	Left int `json:"left_out"`
}

// Contender is a model with what it remembers of its training.
type Contender struct {
	Model  *prognosis.Model
	Memory Memory
}

// Contest measures a candidate, and the active model if there is one, on the
// lives that the candidate's training kept aside, and gives the verdict.
func Contest(ctx context.Context, f Fleet, candidate Contender, active *Contender) (Report, error) {
	d, err := f.Divide()
	if err != nil {
		return Report{}, err
	}
	report := Report{CrossValidated: candidate.Memory.CrossValidated}
	held, limit := d.Held, candidate.Memory.Cap
	if active != nil {
		held = unseen(d.Held, active.Memory.Lives)
		report.Left, limit = len(d.Held)-len(held), min(limit, active.Memory.Cap)
	}
	if len(held) < leastHeld {
		return report, &TooLittleError{What: "held_out", Have: len(held), Need: leastHeld}
	}
	scored, err := score(ctx, candidate.Model, held)
	if err != nil {
		return report, err
	}
	report.Candidate = measure(scored, len(held), limit)
	report.Scatter = scatter(scored)
	report.Baseline = baseline(d.Baseline, held, limit)
	reference, reasons := report.Baseline.RMSE, [2]string{ReasonBeatsBaseline, ReasonBelowBaseline}
	if active != nil {
		old, err := score(ctx, active.Model, held)
		if err != nil {
			return report, fmt.Errorf("score with the active model: %w", err)
		}
		m := measure(old, len(held), limit)
		report.Active, reference, reasons = &m, m.RMSECapped, [2]string{ReasonBeatsActive, ReasonNotBetter}
	}
	report.Verdict = compare(report.Candidate, reference, reasons)
	return report, nil
}

func compare(candidate Measured, reference float64, reasons [2]string) Verdict {
	v := Verdict{Figure: "rmse_capped", Candidate: candidate.RMSECapped, Reference: reference, Margin: Margin, Reason: reasons[1]}
	switch {
	case candidate.Coverage90 < leastCoverage:
		v.Reason = ReasonNotCovering
	case candidate.RMSECapped < (1-Margin)*reference:
		v.Promote, v.Reason = true, reasons[0]
	}
	return v
}

func unseen(held []Life, learned []string) []Life {
	known := make(map[string]bool, len(learned))
	for _, id := range learned {
		known[id] = true
	}
	var out []Life
	for _, l := range held {
		if !known[l.ID] {
			out = append(out, l)
		}
	}
	return out
}

// days lists the rows on which a life is predicted.
func (l Life) days() []int {
	var out []int
	for i := min(firstDay, len(l.Rows)) - 1; i < len(l.Rows); i++ {
		out = append(out, i)
	}
	return out
}

// left is the remaining life after row i, in days.
func (l Life) left(i int) float64 { return float64(len(l.Rows) - 1 - i) }

func score(ctx context.Context, m *prognosis.Model, lives []Life) ([]prognosis.Scored, error) {
	var out []prognosis.Scored
	for _, l := range lives {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("score held-out lives: %w", err)
		}
		course, err := m.Trace(l.Rows)
		if err != nil {
			return nil, fmt.Errorf("predict life %s: %w", l.ID, err)
		}
		for _, i := range l.days() {
			out = append(out, prognosis.Scored{Unit: l.ID, Age: i + 1, Truth: l.left(i), Prediction: course[i]})
		}
	}
	return out, nil
}

// measure takes the metrics of the prognosis and counts its capped error by
// the cap that both contenders share.
func measure(scored []prognosis.Scored, lives int, limit float64) Measured {
	m := Measured{Metrics: prognosis.Evaluate(scored), Lives: lives, Points: len(scored), Cap: limit}
	sum := 0.0
	for _, s := range scored {
		e := errorOf(s, limit)
		sum += e * e
	}
	m.RMSECapped = math.Sqrt(sum / float64(len(scored)))
	return m
}

// scatter thins the points evenly to what a chart can show.
func scatter(scored []prognosis.Scored) []Point {
	step := max(1, (len(scored)+mostPoints-1)/mostPoints)
	var out []Point
	for i := 0; i < len(scored); i += step {
		s := scored[i]
		out = append(out, Point{Life: s.Unit, Actual: s.Truth, Predicted: s.Prediction.Remaining, Lo: s.Prediction.Lo, Hi: s.Prediction.Hi})
	}
	return out
}

// baseline predicts the same days from age alone: the median of the life left.
func baseline(w survival.Weibull, held []Life, limit float64) Baseline {
	out := Baseline{Beta: w.Beta, Eta: w.Eta}
	n := 0.0
	for _, l := range held {
		for _, i := range l.days() {
			age, actual := float64(i+1), l.left(i)
			e := min(w.RemainingAt(age, math.Ln2), limit) - min(actual, limit)
			out.RMSE += e * e
			failed := 0.0
			if actual <= horizon {
				failed = 1
			}
			b := w.Conditional(age, horizon, 1) - failed
			out.Brier += b * b
			n++
		}
	}
	out.RMSE, out.Brier = math.Sqrt(out.RMSE/n), out.Brier/n
	return out
}
