package prognosis

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/conformal"
)

// Outlook is a prediction's failure probability over time, with the past cases
// behind it looked up once.
type Outlook struct {
	cases conformal.Distribution
	most  float64
}

// Outlook looks up what came true of predictions like this one.
func (p Prediction) Outlook() Outlook {
	return Outlook{cases: p.past.At(p.Remaining), most: math.Nextafter(p.past.Most(), 0)}
}

// FailureWithin returns the probability of a failure within h cycles. Beyond
// the cap nothing is known: there it is what it is just below the cap.
func (o Outlook) FailureWithin(h float64) float64 {
	if h < 0 {
		return 0
	}
	return o.cases.Below(min(h, o.most))
}
