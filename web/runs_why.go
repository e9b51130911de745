package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/web/chart"

	"github.com/optria-iq/optria/internal/optimize"
)

// whyView explains one recommendation.
type whyView struct {
	Run, RunTitle, Preset, PresetName string
	AssetID, Tag, Name, Site          string
	Rank                              int
	Defer, Trusted                    bool
	Start, End                        *time.Time
	Skill                             string
	Hours                             float64
	Reasons                           []reasonLine
	Curve                             chart.Plot
	CurveUnit                         string
	Cheapest                          *time.Time // the cheapest day of the job alone
	Verdict                           verdict
	Compare                           []compareRow
	Verified                          bool
}

// reasonLine is one computed reason in words.
type reasonLine struct {
	Icon string
	Text template.HTML
}

// verdict sums the curve up in one mark.
type verdict struct{ Tone, Icon, Label string }

// compareRow sets the plan against deferring past the horizon.
type compareRow struct {
	Label        string
	Money        bool
	Plan, Defers float64
}

// showRecommendation answers the drawer, or a page of its own when the
// address is opened directly.
func (s *Server) showRecommendation(w http.ResponseWriter, r *http.Request) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "rec")
	if err != nil {
		return err
	}
	var row db.RecommendationDetailRow
	var names nameBook
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if row, err = q.RecommendationDetail(ctx, tx, tenant, id, run); err != nil {
			return err
		}
		names, err = loadNames(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return err
	}
	if r.Header.Get("HX-Request") != "" {
		p := s.render.Page(r)
		if p.Data, err = newWhyView(p, run, row, names); err != nil {
			return err
		}
		s.render.RenderPart(w, r, http.StatusOK, "runs/recommendation", "why", p)
		return nil
	}
	p, err := s.page(r, "runs.why")
	if err != nil {
		return err
	}
	v, err := newWhyView(p, run, row, names)
	if err != nil {
		return err
	}
	p.Data, p.Title = v, v.Tag
	base := "/runs/" + v.Run
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: base, Label: v.RunTitle},
		{Href: base + "/results?scenario=" + v.Preset, Label: p.T("runs.results")}, {Label: v.Tag, Tag: true}}
	s.render.Render(w, r, http.StatusOK, "runs/recommendation", p)
	return nil
}

func newWhyView(p Page, run uuid.UUID, row db.RecommendationDetailRow, names nameBook) (whyView, error) {
	rec, sc := row.OptimizationRecommendation, row.OptimizationScenario
	v := whyView{
		Run: run.String(), RunTitle: row.Title, Preset: sc.Preset, PresetName: p.T("optimize.objective." + sc.Preset),
		AssetID: rec.AssetID.String(), Tag: row.Tag, Name: localName(p.Lang, row.NameAr, row.NameEn), Site: localName(p.Lang, row.SiteAr, row.SiteEn),
		Rank: int(rec.Rank), Defer: rec.Decision == "defer", Trusted: rec.Trusted, Start: rec.StartOn, End: rec.EndOn,
		Skill: names.plain(p.Lang, rec.SkillCode), Hours: rec.CrewHours, Verified: sc.Verified,
	}
	var out maintenance.Output
	if err := json.Unmarshal(sc.Output, &out); err != nil {
		return v, fmt.Errorf("read output of scenario %s: %w", sc.ID, err)
	}
	decision, curve, ok := decisionOf(out, rec.AssetID)
	if !ok {
		return v, fault.New(fault.NotFound, "error.404.text")
	}
	var reasons []optimize.Reason
	if err := json.Unmarshal(rec.Reasons, &reasons); err != nil {
		return v, fmt.Errorf("read reasons of recommendation %s: %w", rec.ID, err)
	}
	for _, reason := range reasons {
		v.Reasons = append(v.Reasons, reasonText(p, names, row.WindowStart, reason))
	}
	v.Curve, v.CurveUnit = moveCurve(p, row.WindowStart, decision, curve)
	v.Verdict = newVerdict(p, row.WindowStart, decision)
	if !decision.Deferred && decision.CheapestDay >= 0 && decision.CheapestDay != decision.StartDay {
		day := row.WindowStart.AddDate(0, 0, decision.CheapestDay)
		v.Cheapest = &day
	}
	v.Compare = compareWithDeferring(p, decision)
	return v, nil
}

// decisionOf finds the decision on an asset with its curve.
func decisionOf(out maintenance.Output, asset uuid.UUID) (maintenance.Decision, maintenance.Curve, bool) {
	for _, d := range out.Schedule {
		if d.AssetID != asset.String() {
			continue
		}
		for _, c := range out.Curves {
			if c.ActionID == d.ActionID {
				return d, c, true
			}
		}
		return d, maintenance.Curve{ActionID: d.ActionID}, true
	}
	return maintenance.Decision{}, maintenance.Curve{}, false
}

// moveCurve draws the cost of moving the job to every other day; days on
// which a constraint would break are drawn apart.
func moveCurve(p Page, start time.Time, d maintenance.Decision, c maintenance.Curve) (plot chart.Plot, unit string) {
	days := len(c.Delta) - 1 // the last entry stands for deferral
	if days < 2 {
		return chart.Plot{Empty: true}, ""
	}
	all, open := make([]chart.Point, days), make([]chart.Point, days)
	for i := range days {
		all[i] = chart.Point{X: float64(i), Y: c.Delta[i]}
		open[i] = chart.Point{X: float64(i), Y: math.NaN()}
		if c.Feasible[i] || i == d.StartDay {
			open[i].Y = c.Delta[i]
		}
	}
	format, unit := moneyAxis(p, all)
	in := chart.Input{
		Dir: chart.For(p.Lang), Height: 190,
		Lines: []chart.Line{
			{Class: "ln-muted", Label: p.T("runs.curve.closed"), Points: all},
			{Class: "ln-main", Label: p.T("runs.curve.open"), Points: open},
		},
		YFormat: format,
		Alt:     p.T("runs.curve.alt"),
	}
	for _, i := range []int{0, days / 2, days - 1} {
		in.XTicks = append(in.XTicks, chart.Mark{At: float64(i), Label: p.Loc().ShortDate(start.AddDate(0, 0, i))})
	}
	if !d.Deferred && d.StartDay >= 0 && d.StartDay < days {
		in.Dot = &chart.Point{X: float64(d.StartDay), Y: c.Delta[d.StartDay]}
	}
	return chart.NewPlot(in), unit
}

// noDifference is the share of the job's cost below which waiting or acting
// cannot be told apart.
const noDifference = 0.005

func newVerdict(p Page, start time.Time, d maintenance.Decision) verdict {
	switch {
	case d.Deferred:
		return verdict{"none", "hourglass", p.T("runs.verdict.defer")}
	case math.Abs(d.ValueAtStake) < noDifference*math.Abs(d.Cost.Total):
		return verdict{"warn", "scale", p.T("runs.verdict.same")}
	case d.StartDay <= 1:
		return verdict{"bad", "flame", p.T("runs.verdict.now")}
	}
	return verdict{"ok", "calendar-check", p.T("runs.verdict.on", "Date", p.Loc().ShortDate(start.AddDate(0, 0, d.StartDay)))}
}

// compareWithDeferring lists what the decision changes against waiting until
// the horizon has passed.
func compareWithDeferring(p Page, d maintenance.Decision) []compareRow {
	deferred := d.Cost.Total + d.ValueAtStake
	return []compareRow{
		{p.T("runs.compare.cost"), true, d.Cost.Total, deferred},
		{p.T("runs.compare.pfail"), false, d.PFail, d.PFailHorizon},
	}
}
