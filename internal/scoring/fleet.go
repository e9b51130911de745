package scoring

import (
	"math"
	"strings"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

const (
	leastLifeRows = 20 // days since the renewal that a fleet model needs
	pastCases     = 60 // independent past cases that a failure probability of the fleet rests on, at most
)

// fleet is what the fleet model says about the asset.
type fleet struct {
	prognosis.Prediction
	outlook prognosis.Outlook
	model   *prognosis.Model
	reads   map[string]bool // signals of the model
	others  float64         // share of the hazard in modes that the model does not see
}

// consult asks the fleet model, if there is one, the data is trusted and covers
// the model's signals. It returns nil and the reason otherwise.
func (a *Assessment) consult() (*fleet, []Reason) {
	m := a.in.Prognosis
	if m == nil || !a.Trust.Trusted {
		return nil, nil
	}
	usable := map[string]*channel{}
	for i := range a.channels {
		if c := &a.channels[i]; c.trust.OK {
			usable[c.signal.Metric] = c
		}
	}
	f := &fleet{model: m, reads: map[string]bool{}}
	var missing []string
	var columns []*channel
	for _, name := range m.Signals() {
		f.reads[name] = true
		if usable[name] == nil {
			missing = append(missing, name)
		}
		columns = append(columns, usable[name])
	}
	if len(missing) > 0 {
		return nil, []Reason{{Code: CodeFleetSignals, Detail: strings.Join(missing, ", ")}}
	}
	rows := a.in.LifeRows
	if rows == nil {
		rows = a.lifeRows(columns)
	}
	if len(rows) < leastLifeRows {
		return nil, []Reason{{Code: CodeFleetLife, Value: float64(len(rows)), Limit: leastLifeRows}}
	}
	p, err := m.Predict(rows)
	if err != nil {
		return nil, []Reason{{Code: CodeFleetSignals, Detail: err.Error()}}
	}
	f.Prediction, f.outlook, f.others = p, p.Outlook(), f.unseen(a.in)
	return f, nil
}

// lifeRows takes the daily means since the renewal from the readings: whole
// days counted back from AsOf. It returns nil when the readings begin later
// than a day after the renewal.
func (a *Assessment) lifeRows(columns []*channel) [][]float64 {
	days := int(a.life.age)
	end := a.in.AsOf.UnixMilli()
	first := int64(math.MaxInt64)
	for _, c := range columns {
		first = min(first, c.samples[0].at)
	}
	if days < 1 || first > end-int64(days-1)*dayMillis {
		return nil
	}
	rows := make([][]float64, days)
	for d := range rows {
		rows[d] = make([]float64, len(columns))
	}
	for j, c := range columns {
		sums, counts := make([]float64, days), make([]float64, days)
		for _, x := range c.samples {
			if back := (end - x.at) / dayMillis; back < int64(days) {
				d := days - 1 - int(back)
				sums[d] += x.value
				counts[d]++
			}
		}
		for d := range rows {
			rows[d][j] = sums[d] / counts[d] // NaN for a day without readings
		}
	}
	return rows
}

// unseen is the share of the hazard, by occurrence rating, in failure modes that
// show in none of the model's signals. When no mode shows in them the model
// stands for all.
func (f *fleet) unseen(in AssetInput) float64 {
	shares := modeShares(in.Modes, f.sees)
	if shares == nil {
		return 0
	}
	all := modeShares(in.Modes, anyMode)
	out := 0.0
	for i, m := range in.Modes {
		if !f.sees(m) {
			out += all[i]
		}
	}
	return out
}

// hazard is the cumulative hazard within h days, up to the cap.
func (f *fleet) hazard(h float64) float64 {
	if h <= 0 {
		return 0
	}
	return -math.Log1p(-min(f.outlook.FailureWithin(h), 1-1e-9))
}

// bounds are the 90 % bounds of a hazard: Wilson's interval of a share seen in
// as many past cases.
func (f *fleet) bounds(hazard float64) (lo, hi float64) {
	const z = 1.6448536269514722
	n := float64(min(f.model.CalibrationSize(), pastCases))
	p := chance(hazard)
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	at := func(p float64) float64 { return -math.Log1p(-min(max(p, 0), 1-1e-9)) }
	return min(at(mid-half), hazard), max(at(mid+half), hazard)
}

// pull is how many days each signal takes off the remaining life.
func (f *fleet) pull() map[string]float64 {
	out := map[string]float64{}
	for _, c := range f.Contributions {
		if c.Value < 0 && c.Signal != prognosis.AgeSignal {
			out[c.Signal] -= c.Value
		}
	}
	return out
}
