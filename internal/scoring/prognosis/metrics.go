package prognosis

import (
	"math"
	"slices"
)

// Scored is one prediction of a life whose end is known.
type Scored struct {
	Unit       string
	Age        int     // rows of the life that were seen
	Truth      float64 // cycles then left, not capped
	Prediction Prediction
}

// Metrics says how good predictions were. Figures that nothing could be said
// about, such as coverage without predictions, are 0.
type Metrics struct {
	N                  int     `json:"n"`                    // predictions
	RMSECapped         float64 `json:"rmse_capped"`          // truth capped as the labels were
	RMSE               float64 `json:"rmse"`                 // truth as it was
	Score              float64 `json:"score"`                // PHM08, sum over the predictions, truth capped
	ScoreUncapped      float64 `json:"score_uncapped"`       // PHM08, truth as it was
	Coverage90         float64 `json:"coverage_90"`          // share of capped truths within the interval
	Coverage90Below50  float64 `json:"coverage_90_below_50"` // the same where less than 50 cycles were left
	MeanWidth          float64 `json:"mean_width"`           // of the interval, cycles
	BrierSkill30       float64 `json:"brier_skill_30"`       // of P(fail ≤ 30) against the base rate
	CalibrationError30 float64 `json:"calibration_error_30"` // mean |predicted − observed| over ten bins, by size
	Missed             float64 `json:"missed"`               // share of lives that ended without an alarm
	LeadP05            float64 `json:"lead_p05"`             // 5th percentile of the cycles left at the alarm
	Premature          float64 `json:"premature"`            // share of lives with an alarm more than 60 cycles early
	Calibration        []Bin   `json:"calibration"`          // of P(fail ≤ 30)
}

// Bin is one point of a calibration plot.
type Bin struct {
	Predicted float64 `json:"predicted"` // mean probability
	Observed  float64 `json:"observed"`  // share that failed
	N         int     `json:"n"`
}

// Horizons and limits of the metrics, in cycles.
const (
	horizon       = 30 // of the failure probability and of the alarm
	alarmRow      = 3  // predictions at or below the horizon, one after the other
	prematureLead = 60
	lowLife       = 50
	bins          = 10
)

// Evaluate measures predictions. The alarm rule (a prediction of at most 30
// cycles three times running) is followed along every unit's predictions in
// order of age, so it means something only when all ages are there.
func Evaluate(preds []Scored) Metrics {
	m := Metrics{N: len(preds)}
	if m.N == 0 {
		return m
	}
	var covered, low, lowCovered float64
	for _, s := range preds {
		p := s.Prediction
		truth := min(s.Truth, p.past.Most())
		m.RMSECapped += square(p.Remaining - truth)
		m.RMSE += square(p.Remaining - s.Truth)
		m.Score += phm08(p.Remaining - truth)
		m.ScoreUncapped += phm08(p.Remaining - s.Truth)
		m.MeanWidth += p.Hi - p.Lo
		in := 0.0
		if truth >= p.Lo && truth <= p.Hi {
			in = 1
		}
		covered += in
		if s.Truth < lowLife {
			low++
			lowCovered += in
		}
	}
	n := float64(m.N)
	m.RMSECapped, m.RMSE = math.Sqrt(m.RMSECapped/n), math.Sqrt(m.RMSE/n)
	m.MeanWidth, m.Coverage90 = m.MeanWidth/n, covered/n
	if low > 0 {
		m.Coverage90Below50 = lowCovered / low
	}
	m.probability(preds)
	m.alarms(preds)
	return m
}

// phm08 is the score of the PHM 2008 data challenge for one error, predicted
// minus true: late predictions cost more than early ones.
func phm08(d float64) float64 {
	if d < 0 {
		return math.Exp(-d/13) - 1
	}
	return math.Exp(d/10) - 1
}

func square(v float64) float64 { return v * v }

// probability measures P(fail ≤ 30).
func (m *Metrics) probability(preds []Scored) {
	n := float64(len(preds))
	sums := make([]Bin, bins)
	var brier, base float64
	for _, s := range preds {
		p, y := s.Prediction.FailureWithin(horizon), 0.0
		if s.Truth <= horizon {
			y = 1
		}
		brier += square(p - y)
		base += y
		b := &sums[min(int(p*bins), bins-1)]
		b.N, b.Predicted, b.Observed = b.N+1, b.Predicted+p, b.Observed+y
	}
	rate := base / n
	if spread := rate * (1 - rate); spread > 0 {
		m.BrierSkill30 = 1 - brier/n/spread
	}
	for _, b := range sums {
		if b.N == 0 {
			continue
		}
		m.CalibrationError30 += math.Abs(b.Predicted-b.Observed) / n
		b.Predicted, b.Observed = b.Predicted/float64(b.N), b.Observed/float64(b.N)
		m.Calibration = append(m.Calibration, b)
	}
}

// alarms follows the alarm rule along each life.
func (m *Metrics) alarms(preds []Scored) {
	lives := map[string][]Scored{}
	for _, s := range preds {
		lives[s.Unit] = append(lives[s.Unit], s)
	}
	var leads []float64
	var missed, premature float64
	for _, life := range lives {
		slices.SortFunc(life, func(a, b Scored) int { return a.Age - b.Age })
		lead, ok := firstAlarm(life)
		switch {
		case !ok:
			missed++
			continue
		case lead > prematureLead:
			premature++
		}
		leads = append(leads, lead)
	}
	n := float64(len(lives))
	m.Missed, m.Premature = missed/n, premature/n
	if len(leads) > 0 {
		slices.Sort(leads)
		m.LeadP05 = leads[int(0.05*float64(len(leads)-1))]
	}
}

func firstAlarm(life []Scored) (lead float64, ok bool) {
	running := 0
	for _, s := range life {
		if s.Prediction.Remaining > horizon {
			running = 0
			continue
		}
		if running++; running == alarmRow {
			return s.Truth, true
		}
	}
	return 0, false
}
