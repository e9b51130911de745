package web

import (
	"html/template"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// signalKey names a signal the way scores do: by its asset and metric.
type signalKey struct {
	asset  uuid.UUID
	metric string
}

// signalBook holds the names of signals in the page's language.
type signalBook map[signalKey]string

func newSignalBook(lang string, signals []db.Signal) signalBook {
	book := signalBook{}
	for _, g := range signals {
		book[signalKey{g.AssetID, g.Metric}] = localName(lang, g.NameAr, g.NameEn)
	}
	return book
}

// name falls back to the metric, which is at least what engineers call it.
func (b signalBook) name(asset uuid.UUID, metric string) string {
	if n, ok := b[signalKey{asset, metric}]; ok {
		return n
	}
	return metric
}

// unitSigns prints units that are stored in plain letters.
var unitSigns = map[string]string{"degC": "°C", "degF": "°F", "m3/h": "m³/h", "Nm3/h": "Nm³/h", "m3/d": "m³/d", "uS/cm": "µS/cm", "um": "µm", "mm/s2": "mm/s²"}

func unitSign(unit string) string {
	if s, ok := unitSigns[unit]; ok {
		return s
	}
	return unit
}

// wordLine is one finding in plain words with its icon.
type wordLine struct {
	Icon string
	Text template.HTML
}

// measured prints a value with its unit as one isolated run.
func measured(p Page, v float64, unit string) template.HTML {
	return quantity(p.Loc().Num(v, 2), unitSign(unit))
}

// riskReasons says in plain words why an asset stands where it stands, the
// strongest first. Every number comes from the score.
func riskReasons(p Page, id uuid.UUID, s scoring.AssetScore, names signalBook) []wordLine {
	var out []wordLine
	say := func(icon, key string, args ...any) {
		out = append(out, wordLine{icon, p.Loc().HTML(key, args...)})
	}
	if !s.Trusted {
		say("circle-help", "scoring.why.untrusted", "Coverage", isolate(p.Loc().Pct(s.Trust.Coverage, 0)))
	}
	if c := s.Anomaly.Contributors; s.Anomaly.Flag && len(c) > 0 {
		say("activity", "scoring.why.anomaly", "Signal", names.name(id, c[0].Signal),
			"Actual", measured(p, c[0].Actual, c[0].Unit), "Expected", measured(p, c[0].Expected, c[0].Unit))
	}
	p30 := isolate(p.Loc().Pct(s.Failure.P30.Value))
	if times := s.Failure.Evidence.Multiplier.Value; times >= 1.05 {
		say("trending-up", "scoring.why.evidence", "P", p30, "Times", isolate(p.Loc().Num(times, 1)))
	} else {
		say("hourglass", "scoring.why.age", "P", p30)
	}
	if t := s.RUL.Trend; t != nil && t.Days.Value < s.RUL.CapDays {
		say("thermometer", "scoring.why.trend", "Signal", names.name(id, t.Signal), "Days", p.N("time.days", int(t.Days.Value+.5)))
	}
	n, unit := p.Loc().Compact(s.Risk.FailureCost)
	say("wallet", "scoring.why.cost", "Money", amount(n, unit))
	return out
}

// knownFindings are the codes that have words of their own.
var knownFindings = map[scoring.Code]bool{
	scoring.CodeMissing: true, scoring.CodeStale: true, scoring.CodeStuck: true, scoring.CodeWrongUnit: true, scoring.CodeOutOfRange: true,
	scoring.CodeUncertain: true, scoring.CodeBadRows: true, scoring.CodeNoSignals: true, scoring.CodeLowCoverage: true,
	scoring.CodeShortHistory: true, scoring.CodeCounter: true, scoring.CodePriorLife: true, scoring.CodeResidual: true,
	scoring.CodeWarn: true, scoring.CodeAlarm: true, scoring.CodeAgeOnly: true,
	scoring.CodeBadQuality: true, scoring.CodeBaseline: true, scoring.CodeRegime: true, scoring.CodeFleetSignals: true, scoring.CodeFleetLife: true,
	scoring.CodeStep: true, scoring.CodeNoise: true, scoring.CodeT2: true, scoring.CodeSPE: true, scoring.CodeCusum: true, scoring.CodeElectrical: true, scoring.CodeOperating: true,
}

// findingText words one finding of the engine. A code that this version does
// not know is named as it is.
func findingText(p Page, r scoring.Reason, unit string) template.HTML {
	if !knownFindings[r.Code] {
		return tag(r.Code)
	}
	return p.Loc().HTML("scoring.finding."+string(r.Code),
		"Value", measured(p, r.Value, unit), "Limit", measured(p, r.Limit, unit),
		"Number", isolate(p.Loc().Num(r.Value, 0)), "Ratio", isolate(p.Loc().Num(r.Value, 2)),
		"Pct", isolate(p.Loc().Pct(r.Value, 0)), "LimitPct", isolate(p.Loc().Pct(r.Limit, 0)),
		"Span", p.Loc().Span(time.Duration(r.Value*float64(time.Second))), "Detail", tag(r.Detail), "At", moment(p, r.At))
}

// moment words when something happened, nothing when that is not known.
func moment(p Page, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return p.T("scoring.at", "Time", p.Loc().Minute(at))
}

// healthTone is the colour of a health score: that of its band.
func healthTone(score float64) string {
	tones := [...]string{"risk-2", "risk-2", "risk-3", "risk-4", "risk-5"}
	for i, edge := range scoring.DefaultSettings().HealthBands {
		if score >= edge {
			return tones[i]
		}
	}
	return tones[len(tones)-1]
}

// lifeText prints remaining life in days; what lies beyond the cap is only
// said to lie beyond.
func lifeText(p Page, days, capDays float64) string {
	if days >= capDays {
		return p.T("scoring.beyond", "Days", p.N("time.days", int(capDays)))
	}
	return p.N("time.days", int(days+.5))
}
