package web

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/web/chart"
)

// kpiView is one card of the part "kpi".
type kpiView struct {
	Icon, Label, Value, Unit, Delta, Note, Tip, Href, Tone string
	Up, Good                                               bool
	Spark                                                  chart.Spark
}

// topRisk is one asset of the list of top risks.
type topRisk struct {
	Href, Tag, Name, Site string
	Level                 int
	Loss, P               float64
	Trusted               bool
	Reasons               []wordLine
}

// connectionRow is the freshness of one connector.
type connectionRow struct {
	Name, Tone, Icon, Label string
	Newest                  time.Time
	HasNewest               bool
	Fresh, Signals          int
}

// runCard is the run under way, or the last one.
type runCard struct {
	runView
	Percent int
	Search  *chart.Plot
}

type dashboardView struct {
	Now, ScoredAt, RiskSince time.Time
	Scored                   bool
	Greyed                   int // assets that count by age only
	KPIs                     []kpiView
	Risk                     chart.Plot
	RiskUnit                 string
	RiskDays                 int
	Spans                    []tabView
	Runs                     []choiceOption
	RunID                    string
	Bars                     chart.Bars
	Top                      []topRisk
	Run                      *runCard
	Alerts                   []alertView
	AlertTotal               int
	Connections              []connectionRow
	CanRun, CanIntegrations  bool
}

func newDashboard(p Page, x dashboardRows, span int, canRun bool) (dashboardView, error) {
	v := dashboardView{Now: x.now, Scored: x.fleet.Scored > 0, Greyed: int(x.fleet.Greyed), ScoredAt: x.fleet.ScoredAt, RiskDays: len(x.days), CanRun: canRun,
		Alerts: x.alerts, AlertTotal: x.alertTotal, Run: newRunCard(p, x.run)}
	v.KPIs = []kpiView{assetsKPI(p, x.fleet), riskKPI(p, x), actionsKPI(p, x.actions), deferralKPI(p, x, canRun)}
	for _, n := range []int{30, 90} {
		v.Spans = append(v.Spans, tabView{Href: p.With("days", fmt.Sprint(n)), Label: p.N("time.days", n), Active: n == span})
	}
	if len(x.days) > 0 {
		v.RiskSince = x.days[0].AsOf
	}
	v.Risk, v.RiskUnit = riskPlot(p, x.days)
	for _, run := range x.runs {
		v.Runs = append(v.Runs, choiceOption{run.ID.String(), run.Title})
	}
	if x.chosen != nil {
		v.RunID = x.chosen.ID.String()
		v.Bars = costBars(p, v.RunID, x.costs)
	}
	for _, c := range x.connections {
		v.Connections = append(v.Connections, newConnection(p, c))
	}
	var err error
	v.Top, err = topRisks(p, x)
	return v, err
}

func assetsKPI(p Page, f db.FleetSummaryRow) kpiView {
	k := kpiView{Icon: "factory", Label: p.T("dashboard.kpi.assets"), Value: p.Loc().Int(int(f.Assets)), Unit: p.N("count.sites", int(f.Sites)),
		Tip: p.T("dashboard.kpi.assets.tip"), Href: "/assets", Note: p.T("dashboard.kpi.assets.trusted"), Spark: chart.Spark{Empty: true}}
	switch {
	case f.Scored == 0:
		k.Note = p.T("dashboard.unscored")
	case f.Greyed > 0:
		k.Note = p.N("dashboard.kpi.assets.greyed", int(f.Greyed))
	}
	return k
}

// riskDecades is the width of the logarithmic risk index, as that of the
// production risk index of one asset.
func riskDecades() float64 {
	set := scoring.DefaultSettings()
	return math.Log10(set.RiskHighSAR / set.RiskLowSAR)
}

// fleetIndex is the risk index of a tenant: how far its expected loss stands
// above that of the same assets when new and healthy, 0 to 100 on the
// logarithmic scale.
func fleetIndex(loss, fresh float64) float64 {
	if !(loss > 0) || !(fresh > 0) {
		return 0
	}
	return 100 * min(1, max(0, math.Log10(loss/fresh)/riskDecades()))
}

func riskKPI(p Page, x dashboardRows) kpiView {
	k := kpiView{Icon: "shield-alert", Label: p.T("dashboard.kpi.risk"), Value: "–", Note: p.T("dashboard.unscored"), Href: "/assets?sort=-risk", Tone: "risk4", Spark: chart.Spark{Empty: true}}
	if x.fleet.Scored == 0 {
		k.Tip = p.T("dashboard.kpi.risk.tip.none")
		return k
	}
	now := fleetIndex(x.fleet.RiskSar, x.fleet.FreshSar)
	k.Value, k.Unit = p.Loc().Num(now, 1), p.T("dashboard.of100")
	k.Tip = p.T("dashboard.kpi.risk.tip", "Loss", p.Loc().MoneyCompact(x.fleet.RiskSar), "Fresh", p.Loc().MoneyCompact(x.fleet.FreshSar))
	k.Note = p.T("dashboard.kpi.risk.first")
	series := make([]float64, len(x.days))
	for i, d := range x.days {
		series[i] = fleetIndex(d.RiskSar, d.FreshSar)
	}
	k.Spark = chart.NewSpark(chart.For(p.Lang), series)
	if n := len(series); n > 1 {
		change := now - series[n-2]
		k.Note = p.T("dashboard.kpi.since", "Date", p.Loc().ShortDate(x.days[n-2].AsOf))
		if text := p.Loc().Num(math.Abs(change), 1); text != "0" {
			k.Delta, k.Up, k.Good = text, change > 0, change < 0
		}
	}
	return k
}

func actionsKPI(p Page, a db.UpcomingActionsRow) kpiView {
	k := kpiView{Icon: "calendar-check", Label: p.T("dashboard.kpi.actions"), Value: p.Loc().Int(int(a.Orders + a.Recommended)),
		Unit: p.T("dashboard.kpi.actions.unit", "Days", p.Loc().Int(lookAheadDays)), Tip: p.T("dashboard.kpi.actions.tip"), Href: "/work-orders", Spark: chart.Spark{Empty: true},
		Note: p.T("dashboard.kpi.actions.note", "Orders", p.Loc().Int(int(a.Orders)), "Recommended", p.Loc().Int(int(a.Recommended)))}
	if a.Overdue > 0 {
		k.Note = p.N("dashboard.kpi.actions.overdue", int(a.Overdue))
	}
	return k
}

func deferralKPI(p Page, x dashboardRows, canRun bool) kpiView {
	k := kpiView{Icon: "wallet", Label: p.T("dashboard.kpi.deferral"), Value: "–", Tip: p.T("dashboard.kpi.deferral.tip"), Note: p.T("dashboard.kpi.deferral.none"), Spark: chart.Spark{Empty: true}}
	if x.deferral == nil {
		if canRun {
			k.Href, k.Note = "/scenarios/new", p.T("dashboard.kpi.deferral.run")
		}
		return k
	}
	k.Value, k.Unit = p.Loc().Compact(x.deferral.CostSar)
	k.Note = p.N("dashboard.kpi.deferral.jobs", int(x.deferral.Jobs))
	k.Href = "/runs/" + x.runs[0].ID.String() + "/results"
	return k
}

// scale chooses the unit in which a chart prints money.
func scale(p Page, most float64) (divisor float64, unit string) {
	_, unit = p.Loc().Compact(most)
	for _, divisor = range []float64{1e9, 1e6, 1e3} {
		if most >= divisor*0.9995 {
			return divisor, unit
		}
	}
	return 1, unit
}

// riskPlot draws the expected loss of the fleet by day with its interval.
func riskPlot(p Page, days []db.RiskByDayRow) (chart.Plot, string) {
	if len(days) < 2 {
		return chart.Plot{Empty: true}, ""
	}
	most := 0.0
	for _, d := range days {
		most = max(most, d.HiSar)
	}
	divisor, unit := scale(p, most)
	var line, high, low []chart.Point
	for _, d := range days {
		x := float64(d.Day.Unix() / 86400)
		line = append(line, chart.Point{X: x, Y: d.RiskSar / divisor})
		high = append(high, chart.Point{X: x, Y: d.HiSar / divisor})
		low = append(low, chart.Point{X: x, Y: d.LoSar / divisor})
	}
	zero := 0.0
	return chart.NewPlot(chart.Input{Dir: chart.For(p.Lang), Height: 290, Alt: p.T("dashboard.risk.alt"),
		Lines: []chart.Line{{Class: "ln-main", Label: p.T("dashboard.risk.loss"), Points: line}},
		Areas: []chart.Area{{Class: "band", Label: p.T("dashboard.risk.band"), High: high, Low: low}},
		Dot:   &line[len(line)-1], YMin: &zero, YFormat: func(v float64) string { return p.Loc().Num(v, 2) },
		XTicks: dayTicks(p, line[0].X, line[len(line)-1].X, 6),
	}), unit
}

// dayTicks labels up to n days between two day numbers of the Unix calendar.
func dayTicks(p Page, from, to float64, n int) []chart.Mark {
	var marks []chart.Mark
	step := max(1, math.Ceil((to-from)/float64(n-1)))
	for at := from; at <= to; at += step {
		marks = append(marks, chart.Mark{At: at, Label: p.Loc().ShortDate(time.Unix(int64(at)*86400, 0).UTC())})
	}
	return marks
}

// costBars compares the expected cost of the scenarios of a run.
func costBars(p Page, run string, scenarios []db.ScenarioCostsRow) chart.Bars {
	var bars []chart.Bar
	best := 0
	for i, sc := range scenarios {
		if sc.TotalCost < scenarios[best].TotalCost {
			best = i
		}
	}
	for i, sc := range scenarios {
		note := p.T("dashboard.costs.note", "Planned", p.Loc().Int(int(sc.ActionsPlanned)), "Deferred", p.Loc().Int(int(sc.ActionsDeferred)))
		if sc.Gap != nil && sc.Bound != nil {
			note += " · " + p.T("dashboard.costs.gap", "Gap", p.Loc().Pct(*sc.Gap, 2))
		} else {
			note += " · " + p.T("dashboard.costs.nobound")
		}
		rest := sc.TotalCost - sc.PlannedWork - sc.PlannedOutage - sc.Failure
		bars = append(bars, chart.Bar{Label: presetName(p, sc.Preset), Total: p.Loc().MoneyCompact(sc.TotalCost), Note: note,
			Href: "/runs/" + run + "/results?scenario=" + sc.Preset, Best: i == best,
			Parts: []chart.Part{
				{Class: "s1", Label: p.T("dashboard.costs.work"), Value: sc.PlannedWork},
				{Class: "s2", Label: p.T("dashboard.costs.outage"), Value: sc.PlannedOutage},
				{Class: "bad", Label: p.T("dashboard.costs.failure"), Value: sc.Failure},
				{Class: "s4", Label: p.T("dashboard.costs.rest"), Value: rest},
			}})
	}
	return chart.NewBars(chart.For(p.Lang), p.T("dashboard.costs.alt"), bars)
}

func topRisks(p Page, x dashboardRows) ([]topRisk, error) {
	out := make([]topRisk, 0, len(x.top))
	for _, a := range x.top {
		var score scoring.AssetScore
		if err := json.Unmarshal(a.Detail, &score); err != nil {
			return nil, fmt.Errorf("read score of %s: %w", a.Tag, err)
		}
		reasons := riskReasons(p, a.ID, score, x.names)
		out = append(out, topRisk{Href: "/assets/" + a.ID.String(), Tag: a.Tag, Name: localName(p.Lang, a.NameAr, a.NameEn),
			Site: localName(p.Lang, a.SiteAr, a.SiteEn), Level: int(a.RiskLevel), Loss: a.ProductionRiskSar, P: a.FailureProbability30,
			Trusted: a.Trusted, Reasons: reasons[:min(2, len(reasons))]})
	}
	return out, nil
}

// newRunCard shows a run with the search of its first scenario.
func newRunCard(p Page, m *monitorRows) *runCard {
	if m == nil {
		return nil
	}
	c := &runCard{runView: newRunView(p, *m)}
	done := 0
	for _, step := range c.Steps {
		if step.State == "done" {
			done++
		}
	}
	c.Percent = 100 * done / max(1, len(c.Steps))
	if len(c.Tracks) > 0 && !c.Tracks[0].Plot.Empty {
		c.Search = &c.Tracks[0].Plot
		c.Search.Height = 64
	}
	return c
}

func newConnection(p Page, c db.ConnectorFreshnessRow) connectionRow {
	row := connectionRow{Name: c.Name, Tone: "ok", Icon: "circle-check", Label: p.T("dashboard.sync.ok"), Newest: c.Newest,
		HasNewest: c.Newest.Unix() > 0, Fresh: int(c.Fresh), Signals: int(c.Signals)}
	switch {
	case c.State == "paused":
		row.Tone, row.Icon, row.Label = "none", "circle-pause", p.T("dashboard.sync.paused")
	case c.LastSyncStatus == "failed":
		row.Tone, row.Icon, row.Label = "bad", "circle-x", p.T("dashboard.sync.failed")
	case c.LastSyncStatus == "never":
		row.Tone, row.Icon, row.Label = "none", "circle-dashed", p.T("dashboard.sync.never")
	case c.Signals > 0 && c.Fresh < c.Signals, c.LastSyncStatus == "partial":
		row.Tone, row.Icon, row.Label = "warn", "clock", p.T("dashboard.sync.late")
	}
	return row
}
