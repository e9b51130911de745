package web

import (
	"html/template"
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

// matrixCell is one cell of the risk matrix.
type matrixCell struct {
	N, Level int
	Href     string
}

// trustView says how far the data carries the score.
type trustView struct {
	Coverage                            float64
	Fresh, Stale, Bad, Total            int
	FreshShare, StaleFrom, StaleShare   float64
	BadFrom, BadShare                   float64
	FreshNames, StaleNames, BadFindings []trustLine
	Reasons                             []template.HTML
}

// trustLine is one signal with the findings about its data.
type trustLine struct {
	Name string
	Text []template.HTML
}

// modelRow names a model behind the score.
type modelRow struct{ Output, Model string }

func newScoreView(p Page, id uuid.UUID, row db.AssetScorePageRow, s scoring.AssetScore, names signalBook) *scoreView {
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
		v.AnomalyReasons = append(v.AnomalyReasons, wordLine{"activity", p.Loc().HTML("scoring.named", "Signal", names.name(id, r.Signal), "Text", findingText(p, r, units[r.Signal]))})
	}
	v.addLife(p, id, s, names)
	for _, x := range []struct {
		days int
		e    scoring.Estimate
	}{{7, s.Failure.P7}, {30, s.Failure.P30}, {90, s.Failure.P90}} {
		v.Chances = append(v.Chances, chanceRow{x.days, x.e.Value, x.e.Lo, x.e.Hi, 100 * x.e.Value})
	}
	v.addMatrix(p, s.Risk)
	for _, m := range []struct {
		key string
		o   scoring.Output
	}{{"assets.health", s.Health.Output}, {"assets.chance", s.Failure.Output}, {"assets.life", s.RUL.Output}, {"assets.anomaly", s.Anomaly.Output}, {"assets.production", s.Risk.Output}} {
		v.Models = append(v.Models, modelRow{p.T(m.key), m.o.ModelID + " " + m.o.ModelVersion})
	}
	return v
}

// partName names a part of the health score.
func partName(p Page, name string) string {
	switch name {
	case "condition", "prognostic", "reliability", "age":
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

// addMatrix marks the place of the asset on the risk matrix.
func (v *scoreView) addMatrix(p Page, r scoring.ProductionRisk) {
	levels := scoring.DefaultSettings().RiskMatrix
	for row := range 5 {
		for column := range 5 {
			level := int(levels[4-row][column])
			v.Matrix[row][column] = matrixCell{Level: level, Href: "/assets?level=" + p.Loc().Int(level)}
		}
	}
	if r.Likelihood >= 1 && r.Likelihood <= 5 && r.Consequence >= 1 && r.Consequence <= 5 {
		v.Matrix[5-r.Likelihood][r.Consequence-1].N = 1
		v.Likelihood, v.Consequence = p.T("matrix.l"+p.Loc().Int(r.Likelihood)), p.T("matrix.c"+p.Loc().Int(r.Consequence))
	}
}

// newTrustView sorts the signals into fresh, stale and bad.
func newTrustView(p Page, id uuid.UUID, t scoring.Trust, names signalBook) trustView {
	v := trustView{Coverage: t.Coverage, Total: len(t.Signals)}
	for _, s := range t.Signals {
		line := trustLine{Name: names.name(id, s.Signal)}
		stale := false
		for _, r := range s.Reasons {
			line.Text = append(line.Text, findingText(p, r, ""))
			stale = stale || r.Code == scoring.CodeStale || r.Code == scoring.CodeMissing
		}
		switch {
		case s.OK:
			v.Fresh++
			v.FreshNames = append(v.FreshNames, line)
		case stale:
			v.Stale++
			v.StaleNames = append(v.StaleNames, line)
		default:
			v.Bad++
			v.BadFindings = append(v.BadFindings, line)
		}
	}
	if v.Total > 0 {
		v.FreshShare, v.StaleShare, v.BadShare = 100*float64(v.Fresh)/float64(v.Total), 100*float64(v.Stale)/float64(v.Total), 100*float64(v.Bad)/float64(v.Total)
		v.StaleFrom, v.BadFrom = v.FreshShare, v.FreshShare+v.StaleShare
		if p.RTL() {
			v.StaleFrom, v.BadFrom = v.BadShare, 0
		}
	}
	for _, r := range t.Reasons {
		v.Reasons = append(v.Reasons, findingText(p, r, ""))
	}
	return v
}
