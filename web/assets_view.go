package web

import (
	"strconv"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/web/chart"
)

// signalRow is one signal with its newest reading.
type signalRow struct {
	ID                        int64
	Name, Metric, Unit, Href  string
	HasValue, Chosen          bool
	Value                     float64
	At                        time.Time
	Low, High, Warn, Alarm    *float64
	Tone, QualityIcon, Status string
	Spark                     chart.Spark
	SparkTone                 string
}

// modeRow is one failure mode of the FMECA with what the score makes of it.
type modeRow struct {
	Code, Name, Detection, Signal string
	S, O, D, RPN                  int
	HasRisk                       bool
	P, Share, Cost                float64
}

// costRow is one cost model in force.
type costRow struct {
	Kind, Name                            string
	Version                               int
	From                                  time.Time
	Direct, Hours, Loss, Factor, SafetyEn float64
	Energy                                float64
}

// assetOrder is one work order of the asset.
type assetOrder struct {
	Number            int64
	Title, Href       string
	Start             time.Time
	State, StateLabel string
}

// assetOrderStates maps the status of a work order to the look of its mark.
var assetOrderStates = map[string]string{"open": "plan", "in_progress": "run", "done": "done", "cancelled": "cancel"}

func newAssetView(p Page, x assetRows, chosen string, span seriesRange) assetView {
	a := x.asset.Asset
	v := assetView{
		ID: a.ID.String(), Tag: a.Tag, Name: localName(p.Lang, a.NameAr, a.NameEn), Class: a.ClassCode, Criticality: a.Criticality,
		Site: localName(p.Lang, x.asset.SiteNameAr, x.asset.SiteNameEn), Unit: localName(p.Lang, x.asset.UnitNameAr, x.asset.UnitNameEn),
		Redundancy: a.Redundancy, AgeDays: a.AgeDays + max(0, time.Since(a.AgeAsOf).Hours()/24), Beta: a.WeibullBeta, EtaDays: a.WeibullEtaDays,
		Tree: assetTree(p, x), Alerts: x.alerts, AlertTotal: x.alertTotal, History: historyPlot(p, x.history),
	}
	names := signalBook{}
	for _, g := range x.signals {
		names[signalKey{a.ID, g.Signal.Metric}] = localName(p.Lang, g.Signal.NameAr, g.Signal.NameEn)
	}
	if x.scored != nil {
		v.Score = newScoreView(p, a.ID, *x.scored, x.score, names, x.background)
	}
	v.Episodes = episodeRows(p, x.episodes)
	v.addSignals(p, x, chosen, span)
	v.addCosts(p, x.costs)
	v.Modes = modeRows(p, x, names)
	for _, o := range x.orders {
		v.Orders = append(v.Orders, assetOrder{Number: o.Number, Title: localName(p.Lang, o.TitleAr, o.TitleEn), Href: "/plans/" + o.PlanID.String(),
			Start: o.StartOn, State: assetOrderStates[o.Status], StateLabel: p.T("assets.order." + o.Status)})
	}
	return v
}

// addSignals lists the signals and picks the one to draw: the one that the
// address names, else the one that drives the score, else the first.
func (v *assetView) addSignals(p Page, x assetRows, chosen string, span seriesRange) {
	trust := map[string]scoring.SignalTrust{}
	for _, s := range x.score.Trust.Signals {
		trust[s.Signal] = s
	}
	pick := -1
	for i, g := range x.signals {
		row := newSignalRow(p, g, trust[g.Signal.Metric], x.sparks[g.Signal.ID])
		if strconv.FormatInt(row.ID, 10) == chosen || pick < 0 && chosen == "" && row.Metric == x.score.Failure.Evidence.Signal {
			pick = i
		}
		v.Signals = append(v.Signals, row)
	}
	if len(v.Signals) == 0 {
		return
	}
	v.Chosen = &v.Signals[max(0, pick)]
	v.Chosen.Chosen = true
	v.SeriesHref = "/assets/" + v.ID + "/series.json?range=" + span.Name + "&signal=" + strconv.FormatInt(v.Chosen.ID, 10)
	for _, x := range seriesRanges {
		v.Ranges = append(v.Ranges, tabView{Href: p.With("range", x.Name, "signal", strconv.FormatInt(v.Chosen.ID, 10)) + "#timeline",
			Label: p.T("assets.range." + x.Name), Active: x.Name == span.Name})
	}
}

func newSignalRow(p Page, g db.ListSignalsWithLatestRow, trust scoring.SignalTrust, bands []db.Band) signalRow {
	row := signalRow{ID: g.Signal.ID, Name: localName(p.Lang, g.Signal.NameAr, g.Signal.NameEn), Metric: g.Signal.Metric, Unit: unitSign(g.Signal.Unit),
		Href: p.With("signal", strconv.FormatInt(g.Signal.ID, 10)) + "#timeline", Low: g.Signal.NormalLow, High: g.Signal.NormalHigh,
		Warn: g.Signal.Warn, Alarm: g.Signal.Alarm, Tone: "none", QualityIcon: "circle-dashed", Status: p.T("assets.quality.none"), SparkTone: "accent"}
	if g.LatestTs != nil && g.LatestValue != nil {
		row.HasValue, row.Value, row.At = true, *g.LatestValue, *g.LatestTs
	}
	if g.LatestTs != nil && g.LatestQuality != nil {
		switch asset.Quality(*g.LatestQuality) {
		case asset.Good:
			row.Tone, row.QualityIcon, row.Status = "ok", "circle-check", p.T("assets.quality.good")
		case asset.Uncertain:
			row.Tone, row.QualityIcon, row.Status = "warn", "circle-help", p.T("assets.quality.uncertain")
		default:
			row.Tone, row.QualityIcon, row.Status = "bad", "circle-x", p.T("assets.quality.bad")
		}
	}
	for _, r := range trust.Reasons {
		if r.Code == scoring.CodeStale || r.Code == scoring.CodeMissing {
			row.Tone, row.QualityIcon, row.Status = "warn", "clock", p.T("assets.quality.stale")
		}
	}
	values := make([]float64, len(bands))
	for i, b := range bands {
		values[i] = b.Mean
	}
	row.Spark = chart.NewSpark(chart.For(p.Lang), values)
	if beyond(g.Signal, row) {
		row.SparkTone = "bad"
	}
	return row
}

// beyond reports whether the newest reading is past its warning limit.
func beyond(g db.Signal, row signalRow) bool {
	if !row.HasValue || g.Warn == nil {
		return false
	}
	if asset.Sense(g.Sense) == asset.SenseLow {
		return row.Value <= *g.Warn
	}
	return row.Value >= *g.Warn
}

// modeRows joins the FMECA with the part of each mode in the score.
func modeRows(p Page, x assetRows, names signalBook) []modeRow {
	risks := map[string]scoring.ModeRisk{}
	for _, m := range x.score.Failure.Modes {
		risks[m.ModeID] = m
	}
	out := make([]modeRow, 0, len(x.modes))
	for _, m := range x.modes {
		row := modeRow{Code: m.Code, Name: localName(p.Lang, m.NameAr, m.NameEn), Detection: m.Detection, S: int(m.Severity), O: int(m.Occurrence),
			D: int(m.Detectability), RPN: int(m.Rpn)}
		if m.Metric != "" {
			row.Signal = names.name(x.asset.Asset.ID, m.Metric)
		}
		if risk, ok := risks[m.ID.String()]; ok {
			row.HasRisk, row.P, row.Share, row.Cost = true, risk.Probability, risk.Share, risk.ExpectedCost
		}
		out = append(out, row)
	}
	return out
}

// addCosts lists the cost models in force and what a failure and a planned
// job cost in all. The planned job loses the production that a failure would,
// by its own factor.
func (v *assetView) addCosts(p Page, costs []db.CostModel) {
	for _, c := range costs {
		v.Costs = append(v.Costs, costRow{Kind: c.Kind, Name: p.T("assets.cost." + c.Kind), Version: int(c.Version), From: c.EffectiveFrom, Direct: c.DirectCost,
			Hours: c.OutageHours, Loss: c.LossPerHour, Factor: c.PlannedFactor, SafetyEn: c.SafetyEnvCost, Energy: c.EnergyCostPerHour})
	}
	total := db.CostOf(costs)
	v.FailureTotal, v.PlannedTotal = total.FailureTotal(), total.PlannedTotal()
}

// historyPlot draws health and risk index of the last three months.
func historyPlot(p Page, days []db.AssetScoreDaysRow) chart.Plot {
	if len(days) < 2 {
		return chart.Plot{Empty: true}
	}
	var health, risk []chart.Point
	for _, d := range days {
		x := float64(dateIn(riyadhZone, d.AsOf).Unix() / 86400)
		health = append(health, chart.Point{X: x, Y: d.HealthScore})
		risk = append(risk, chart.Point{X: x, Y: d.ProductionRiskIndex})
	}
	zero, hundred := 0.0, 100.0
	return chart.NewPlot(chart.Input{Dir: chart.For(p.Lang), Height: 190, Alt: p.T("assets.history.alt"), YMin: &zero, YMax: &hundred,
		Lines:   []chart.Line{{Class: "ln-good", Label: p.T("assets.health"), Points: health}, {Class: "ln-bad", Label: p.T("assets.riskindex"), Points: risk}},
		YFormat: func(v float64) string { return p.Loc().Num(v, 0) }, XTicks: dayTicks(p, health[0].X, health[len(health)-1].X, 6)})
}
