package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring/drift"
	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/web/chart"
)

// driftShown is how many drift checks a page draws.
const driftShown = 60

// modelView is the Data of models/show.
type modelView struct {
	modelCard
	Kind, Label, Class string
	Family             string // of learning; empty for the engine
	Protocol           string
	Verdict            string
	Comparison         []comparisonRow
	Weibull            bool   // the comparison has a baseline
	ComparedWith       string // id of the model it was compared with
	Facts              []modelFigure
	Features           []string
	Probability        *chart.Plot // predicted against observed share
	Life               *chart.Plot // predicted against actual remaining life
	Checks             []driftRow
	DriftPlot          *chart.Plot
	Moved              []featureRow // of the newest check, furthest first
	Versions           []modelCard
	DecidedBy          string
	DecidedAt          *time.Time
	Promote, RollBack  bool
	Earlier            string // version that a rollback would put back
	Serving            string // version that a promotion would retire
}

// comparisonRow is one figure of the candidate, the model it was compared with
// and the baseline. Texts are formatted, empty where there is none.
type comparisonRow struct {
	Label, Note                 string
	Candidate, Active, Baseline string
}

// driftRow is one drift check.
type driftRow struct {
	driftCard
	Lives, Labels int
}

// featureRow is the drift of one feature.
type featureRow struct {
	Name                     string
	PSI, PSILimit            float64
	KS, KSLimit, Index, Miss float64
	Beyond                   bool
}

func (s *Server) showModel(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "models.title")
	if err != nil {
		return err
	}
	var v modelView
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		m, err := q.GetModel(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if v, err = newModelView(p, m); err != nil {
			return err
		}
		if err := v.history(ctx, tx, q, p, tenant, m); err != nil {
			return err
		}
		return v.offers(ctx, tx, q, tenant, m, access.From(ctx).Can(access.ManageModels))
	})
	if err != nil {
		return err
	}
	p.Title = v.Label + " " + v.Version
	p.Crumbs = []Crumb{{Href: "/models", Label: p.T("models.title")}, {Label: v.Label + " " + v.Class}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "models/show", p)
	return nil
}

func newModelView(p Page, m db.GetModelRow) (modelView, error) {
	v := modelView{Kind: m.Kind, DecidedAt: m.DecidedAt, DecidedBy: localName(p.Lang, m.DecidedByAr, m.DecidedByEn)}
	v.Label, v.Class = kindLabel(p, m.Kind)
	v.modelCard = modelCard{ID: m.ID.String(), Version: m.Version, State: m.State, From: m.TrainedFrom, To: m.TrainedTo, MadeAt: &m.CreatedAt}
	v.StateLabel, v.Tone = stateOfModel(p, m.State, m.Decision)
	if m.ComparedWith != nil {
		v.ComparedWith = m.ComparedWith.String()
	}
	if err := json.Unmarshal(m.Features, &v.Features); err != nil {
		return v, fmt.Errorf("read features: %w", err)
	}
	family, _, err := learning.Parse(m.Kind)
	if err != nil {
		v.Protocol = p.T("models.protocol.fixed")
		return v, nil
	}
	v.Family, v.Protocol = family, p.T("models.protocol."+family)
	if v.Figures, err = keyFigures(p, m.Kind, m.Metrics); err != nil || v.Figures == nil {
		return v, err
	}
	if family == learning.FamilyAnomaly {
		return v, v.limits(p, m)
	}
	return v, v.prognosis(p, m)
}

// prognosis fills in what is special to a prognosis model.
func (v *modelView) prognosis(p Page, m db.GetModelRow) error {
	var r learning.Report
	if err := json.Unmarshal(m.Metrics, &r); err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	var memory learning.Memory
	if err := json.Unmarshal(m.TrainedOn, &memory); err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	v.Verdict, v.Comparison, v.Weibull = verdictNote(p, r.Verdict), compareFleet(p, r), true
	v.Figures = append(v.Figures,
		modelFigure{Label: p.T("models.figure.brier_skill"), Text: p.Loc().Num(r.Candidate.BrierSkill30, 2), Note: p.T("models.figure.brier_skill.note")},
		modelFigure{Label: p.T("models.figure.width"), Text: p.T("models.in_days", "N", p.Loc().Num(r.Candidate.MeanWidth, 1)), Note: p.T("models.figure.width.note")})
	v.Facts = []modelFigure{
		{Label: p.T("models.fact.lives"), Text: p.N("models.lives", len(memory.Lives))},
		{Label: p.T("models.fact.held"), Text: p.N("models.lives", r.Candidate.Lives)},
		{Label: p.T("models.fact.rows"), Text: p.Loc().Int(memory.Rows)},
		{Label: p.T("models.fact.cap"), Text: p.N("time.days", int(math.Round(memory.Cap)))},
		{Label: p.T("models.fact.weibull"), Text: p.T("models.weibull", "Beta", p.Loc().Num(r.Baseline.Beta, 2), "Eta", p.Loc().Num(r.Baseline.Eta, 0))},
	}
	v.Probability, v.Life = probabilityPlot(p, r), lifePlot(p, r)
	return nil
}

// limits fills in what is special to anomaly limits.
func (v *modelView) limits(p Page, m db.GetModelRow) error {
	var r learning.LimitsReport
	if err := json.Unmarshal(m.Metrics, &r); err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	v.Verdict, v.Comparison = verdictNote(p, r.Verdict), compareLimits(p, r)
	v.Facts = []modelFigure{
		{Label: p.T("models.fact.factor"), Text: p.Loc().Num(r.Candidate.Factor, 2)},
		{Label: p.T("models.fact.materiality"), Text: p.Loc().Pct(r.Candidate.Materiality)},
		{Label: p.T("models.fact.confirmed"), Text: p.Loc().Int(r.Candidate.Confirmed)},
		{Label: p.T("models.fact.rejected"), Text: p.Loc().Int(r.Candidate.Rejected)},
		{Label: p.T("models.fact.quiet"), Text: p.Loc().Int(r.Candidate.QuietWeeks)},
	}
	return nil
}

func compareFleet(p Page, r learning.Report) []comparisonRow {
	l := p.Loc()
	days := func(v float64) string { return p.T("models.in_days", "N", l.Num(v, 1)) }
	rows := []comparisonRow{
		{Label: p.T("models.figure.rmse_capped"), Note: p.T("models.decides"), Candidate: days(r.Candidate.RMSECapped), Baseline: days(r.Baseline.RMSE)},
		{Label: p.T("models.figure.coverage"), Candidate: l.Pct(r.Candidate.Coverage90)},
		{Label: p.T("models.figure.width"), Candidate: days(r.Candidate.MeanWidth)},
		{Label: p.T("models.figure.calibration_error"), Candidate: l.Num(r.Candidate.CalibrationError30, 3)},
		{Label: p.T("models.figure.missed"), Candidate: l.Pct(r.Candidate.Missed)},
		{Label: p.T("models.figure.lead"), Candidate: days(r.Candidate.LeadP05)},
	}
	if a := r.Active; a != nil {
		for i, text := range []string{days(a.RMSECapped), l.Pct(a.Coverage90), days(a.MeanWidth), l.Num(a.CalibrationError30, 3), l.Pct(a.Missed), days(a.LeadP05)} {
			rows[i].Active = text
		}
	}
	return rows
}

func compareLimits(p Page, r learning.LimitsReport) []comparisonRow {
	l := p.Loc()
	row := func(key, note string, of func(learning.LimitsFigures) string) comparisonRow {
		return comparisonRow{Label: p.T("models.figure." + key), Note: note, Candidate: of(r.Candidate), Active: of(r.Active)}
	}
	return []comparisonRow{
		row("f1", p.T("models.decides"), func(f learning.LimitsFigures) string { return l.Num(f.F1, 2) }),
		row("precision", "", func(f learning.LimitsFigures) string { return l.Pct(f.Precision) }),
		row("recall", "", func(f learning.LimitsFigures) string { return l.Pct(f.Recall) }),
		row("false_alarms", "", func(f learning.LimitsFigures) string { return l.Num(f.FalseAlarms, 2) }),
	}
}

// history reads drift checks and the other versions of the kind.
func (v *modelView) history(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, m db.GetModelRow) error {
	checks, err := q.ListDriftChecks(ctx, tx, tenant, &m.ID, driftShown)
	if err != nil {
		return fmt.Errorf("list drift checks: %w", err)
	}
	for i, c := range checks {
		var d struct {
			Input  *drift.Input `json:"input"`
			Lives  int          `json:"lives"`
			Labels int          `json:"labels"`
		}
		if err := json.Unmarshal(c.Detail, &d); err != nil {
			return fmt.Errorf("read drift check: %w", err)
		}
		v.Checks = append(v.Checks, driftRow{driftCard{At: c.CheckedAt, Alarm: c.Alarm, Input: c.InputDrift, Residual: c.ResidualDrift}, d.Lives, d.Labels})
		if i > 0 || d.Input == nil {
			continue
		}
		for _, f := range d.Input.Features {
			v.Moved = append(v.Moved, featureRow{Name: f.Name, PSI: f.PSI, PSILimit: f.PSILimit, KS: f.KS, KSLimit: f.KSLimit, Index: f.Index, Miss: f.Missing, Beyond: f.Index > 1})
		}
	}
	v.DriftPlot = driftPlot(p, v.Checks)
	others, err := q.ListModels(ctx, tx, tenant, m.Kind)
	if err != nil {
		return fmt.Errorf("list versions: %w", err)
	}
	for _, o := range others {
		card, err := newModelCard(p, o)
		if err != nil {
			return err
		}
		v.Versions = append(v.Versions, card)
		if o.State == registry.Active {
			v.Serving = o.Version
		}
	}
	return nil
}

// offers says which changes the person may make, and what they would change.
func (v *modelView) offers(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, m db.GetModelRow, manage bool) error {
	family, _, err := learning.Parse(m.Kind)
	if err != nil || !manage {
		return nil
	}
	v.Promote = m.State != registry.Active && (m.Stored || family == learning.FamilyAnomaly)
	if m.State != registry.Active {
		return nil
	}
	earlier, err := q.PreviousModel(ctx, tx, tenant, m.Kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find earlier model: %w", err)
	}
	v.RollBack, v.Earlier = true, earlier.Version
	return nil
}
