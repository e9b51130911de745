package web

import (
	"html/template"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// scoreView is the newest score of an asset in plain words.
type scoreView struct {
	AsOf                    time.Time
	Model                   string
	Trusted, Anomaly        bool
	Level, Band             int
	Health                  scoring.Estimate
	HealthTone              string
	Parts                   []scorePart
	Drivers                 []driverRow
	Life, LifeLo, LifeHi    string
	Cap                     string
	Trend                   template.HTML
	Chances                 []chanceRow
	AgeOnly, Evidence       float64
	Loss, Index             scoring.Estimate
	FailureCost             float64
	Matrix                  [5][5]matrixCell
	Likelihood, Consequence string
	AnomalyIndex            float64
	AnomalySince            time.Time
	AnomalyReasons          []wordLine
	Trust                   trustView
	Reasons                 []wordLine
	Confidence              float64
	Models                  []modelRow
	LifeWhy                 lifeView
	Modifiers               []modifierRow
}

// scorePart is one part of the health score, 0 to 100.
type scorePart struct {
	Name, Tone    string
	Score, Weight float64
}

// driverRow is one signal's part in the score: what it should read and what
// it reads.
type driverRow struct {
	Name, Unit, Metric      string
	Expected, Actual, Share float64
}

// chanceRow is the failure probability over a horizon.
type chanceRow struct {
	Days      int
	P, Lo, Hi float64
	Meter     float64 // 0 to 100
}

// matrixCell is one cell of the risk matrix. Tip says more about its assets.
type matrixCell struct {
	N, Level  int
	Href, Tip string
	Chosen    bool
}

// modifierRow is a factor of the network asset method, for electrical assets,
// with the observation it comes from.
type modifierRow struct {
	Name, Input string
	Factor      float64
}

func newScoreView(p Page, id uuid.UUID, row db.AssetScorePageRow, s scoring.AssetScore, names signalBook, b background) *scoreView {
	v := &scoreView{
		AsOf: row.AssetScore.AsOf, Model: row.ModelKind + " " + row.ModelVersion, Trusted: s.Trusted, Anomaly: s.Anomaly.Flag,
		Level: int(s.Risk.Level), Band: s.Health.Band, Health: s.Health.Estimate, HealthTone: healthTone(s.Health.Value),
		AgeOnly: s.Failure.AgeOnly, Evidence: s.Failure.Evidence.Multiplier.Value, Loss: s.Risk.Estimate, Index: s.Risk.Index, FailureCost: s.Risk.FailureCost,
		AnomalyIndex: s.Anomaly.Value, AnomalySince: s.Anomaly.Since, Reasons: riskReasons(p, id, s, names), Confidence: s.Failure.Confidence,
		Trust: newTrustView(p, id, s.Trust, names),
	}
	if !s.Trusted {
		v.HealthTone = "t-none"
	}
	for _, part := range s.Health.SubScores {
		v.Parts = append(v.Parts, scorePart{Name: partName(p, part.Name), Tone: healthTone(100 * part.Score), Score: 100 * part.Score, Weight: part.Weight})
	}
	units := map[string]string{}
	for i, c := range s.Anomaly.Contributors {
		units[c.Signal] = c.Unit
		if i < 5 {
			v.Drivers = append(v.Drivers, driverRow{names.name(id, c.Signal), unitSign(c.Unit), c.Signal, c.Expected, c.Actual, c.Share})
		}
	}
	for _, r := range s.Anomaly.Reasons {
		text := findingText(p, r, units[r.Signal])
		if r.Signal != "" {
			text = p.Loc().HTML("scoring.named", "Signal", names.name(id, r.Signal), "Text", text)
		}
		v.AnomalyReasons = append(v.AnomalyReasons, wordLine{"activity", text})
	}
	v.addLife(p, id, s, names)
	for _, x := range []struct {
		days int
		e    scoring.Estimate
	}{{7, s.Failure.P7}, {30, s.Failure.P30}, {90, s.Failure.P90}} {
		v.Chances = append(v.Chances, chanceRow{x.days, x.e.Value, x.e.Lo, x.e.Hi, 100 * x.e.Value})
	}
	v.addMatrix(p, s.Risk)
	v.Models, v.LifeWhy = modelRows(p, row, s, b), newLifeView(p, id, s.RUL, names, b)
	for _, m := range s.Failure.Modifiers {
		v.Modifiers = append(v.Modifiers, modifierRow{m.Name, m.Input, m.Factor})
	}
	return v
}

// partName names a part of the health score.
func partName(p Page, name string) string {
	switch name {
	case "condition", "prognostic", "reliability", "inspection", "age":
		return p.T("scoring.part." + name)
	}
	return name
}

func (v *scoreView) addLife(p Page, id uuid.UUID, s scoring.AssetScore, names signalBook) {
	limit := s.RUL.CapDays
	v.Cap = p.N("time.days", int(limit))
	v.Life, v.LifeLo, v.LifeHi = lifeText(p, s.RUL.Value, limit), lifeText(p, s.RUL.Lo, limit), lifeText(p, s.RUL.Hi, limit)
	if s.RUL.BeyondCap {
		v.Life = lifeText(p, limit, limit)
	}
	if s.RUL.HiBeyondCap {
		v.LifeHi = lifeText(p, limit, limit)
	}
	if t := s.RUL.Trend; t != nil {
		v.Trend = p.Loc().HTML("scoring.why.trend", "Signal", names.name(id, t.Signal), "Days", p.N("time.days", int(t.Days.Value+.5)))
	}
}

// emptyMatrix is the risk matrix, the greatest likelihood first, with the level
// and the address of every cell.
func emptyMatrix(href func(likelihood, consequence int) string) [5][5]matrixCell {
	var m [5][5]matrixCell
	levels := scoring.DefaultSettings().RiskMatrix
	for row := range m {
		for column := range m[row] {
			level := int(levels[4-row][column])
			m[row][column] = matrixCell{Level: level, Href: href(5-row, column+1)}
		}
	}
	return m
}

// addMatrix marks the place of the asset on the risk matrix; a cell leads to
// the assets of the fleet in it.
func (v *scoreView) addMatrix(p Page, r scoring.ProductionRisk) {
	v.Matrix = emptyMatrix(func(likelihood, consequence int) string {
		return "/assets?cell=" + strconv.Itoa(likelihood) + strconv.Itoa(consequence)
	})
	if r.Likelihood >= 1 && r.Likelihood <= 5 && r.Consequence >= 1 && r.Consequence <= 5 {
		v.Matrix[5-r.Likelihood][r.Consequence-1].N = 1
		v.Likelihood, v.Consequence = p.T("matrix.l"+p.Loc().Int(r.Likelihood)), p.T("matrix.c"+p.Loc().Int(r.Consequence))
	}
}
