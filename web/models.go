package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

func (s *Server) modelRoutes() []route {
	return []route{
		{http.MethodGet, "/models", access.ViewResults, s.listModels},
		{http.MethodPost, "/models/train", access.ManageModels, s.trainModel},
		{http.MethodGet, "/models/sweeps", access.ViewResults, s.listSweeps},
		{http.MethodGet, "/models/{id}", access.ViewResults, s.showModel},
		{http.MethodPost, "/models/{id}/promote", access.ManageModels, s.promoteModel},
		{http.MethodPost, "/models/{id}/roll-back", access.ManageModels, s.rollBackModel},
	}
}

// recentTrainings is how many trainings a page shows.
const recentTrainings = 12

// modelKind is one line of the list: a kind of model with the one in service.
type modelKind struct {
	Kind, Label, Class, Icon string
	Family                   string     // of learning; empty for the engine
	Model                    *modelCard // nil while nothing serves
	Waiting                  *modelCard // newest candidate that is not decided
	Assets, Failures         int
	Needed                   int  // failures that a first training needs
	Trainable, Fixed         bool // can be trained now; is part of the product
	Running                  bool
	Lack                     string // why the last training had too little data
}

// modelCard is a model as lists show it.
type modelCard struct {
	ID, Version       string
	State, StateLabel string
	Tone              string
	From, To, MadeAt  *time.Time
	Figures           []modelFigure
	Drift             *driftCard
}

// modelFigure is one number with its words. Text is formatted.
type modelFigure struct {
	Label, Text, Note string
}

// driftCard is the newest drift check of a model.
type driftCard struct {
	At              time.Time
	Alarm           bool
	Input, Residual float64
}

// trainingRow is one training.
type trainingRow struct {
	Kind, Reason, State, StateLabel, Note, By string
	Model, Version                            string
	Started                                   time.Time
	Finished                                  *time.Time
	Took                                      time.Duration
}

// modelsView is the Data of models/list.
type modelsView struct {
	Tabs      []tabView
	Kinds     []modelKind
	Trainings []trainingRow
	Manage    bool
	Running   bool
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "models.title")
	if err != nil {
		return err
	}
	v := modelsView{Tabs: modelTabs(p, false), Manage: access.From(r.Context()).Can(access.ManageModels)}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return v.load(ctx, tx, q, p, tenant)
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "models/list", p)
	return nil
}

func (v *modelsView) load(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID) error {
	models, err := q.ListModels(ctx, tx, tenant, "")
	if err != nil {
		return fmt.Errorf("list models: %w", err)
	}
	classes, err := q.ListClasses(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("list classes: %w", err)
	}
	checks, err := q.LastDriftChecks(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("list drift checks: %w", err)
	}
	trainings, err := q.ListTrainings(ctx, tx, tenant, "", recentTrainings)
	if err != nil {
		return fmt.Errorf("list trainings: %w", err)
	}
	labels, err := q.CountAnomalyLabels(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("count verdicts: %w", err)
	}
	v.Kinds = kindsOf(p, models, classes, int(labels))
	for i := range v.Kinds {
		if err := v.Kinds[i].serve(p, models, checks, trainings); err != nil {
			return err
		}
		v.Running = v.Running || v.Kinds[i].Running
	}
	for _, t := range trainings {
		row, err := newTrainingRow(p, t)
		if err != nil {
			return err
		}
		v.Trainings = append(v.Trainings, row)
	}
	return nil
}

// kindsOf lists the engine, the anomaly limits, and every class that has a
// model or failures to learn from, those with most failures first.
func kindsOf(p Page, models []db.ListModelsRow, classes []db.ListClassesRow, labels int) []modelKind {
	kinds := []modelKind{{Kind: learning.KindAnomaly, Icon: "activity", Failures: labels, Needed: learning.LeastLabels}}
	slices.SortStableFunc(classes, func(a, b db.ListClassesRow) int { return int(b.Failures - a.Failures) })
	for _, c := range classes {
		if c.Failures > 0 {
			kinds = append(kinds, modelKind{Kind: learning.RUL(c.ClassCode), Icon: "timer", Assets: int(c.Assets), Failures: int(c.Failures), Needed: learning.LeastLives})
		}
	}
	for _, m := range models {
		if !slices.ContainsFunc(kinds, func(k modelKind) bool { return k.Kind == m.Kind }) {
			kinds = append(kinds, modelKind{Kind: m.Kind, Icon: "cpu"})
		}
	}
	for i := range kinds {
		k := &kinds[i]
		k.Label, k.Class = kindLabel(p, k.Kind)
		family, _, err := learning.Parse(k.Kind)
		k.Family, k.Fixed = family, err != nil
		k.Trainable = !k.Fixed && k.Failures >= k.Needed
	}
	return kinds
}

// kindLabel says a kind in words; the class is a code of the tenant.
func kindLabel(p Page, kind string) (label, class string) {
	family, class, _ := strings.Cut(kind, ":")
	if key := "models.kind." + family; p.Loc().Has(key) {
		return p.T(key), class
	}
	return kind, ""
}

// serve finds the models and trainings of a kind.
func (k *modelKind) serve(p Page, models []db.ListModelsRow, checks []db.LastDriftChecksRow, trainings []db.ListTrainingsRow) error {
	for _, m := range models {
		if m.Kind != k.Kind || (m.State != registry.Active && (m.State != registry.Candidate || k.Waiting != nil)) {
			continue
		}
		card, err := newModelCard(p, m)
		if err != nil {
			return err
		}
		if m.State == registry.Candidate {
			k.Waiting = &card
			continue
		}
		for _, c := range checks {
			if c.ModelID == m.ID {
				card.Drift = &driftCard{At: c.CheckedAt, Alarm: c.Alarm, Input: c.InputDrift, Residual: c.ResidualDrift}
			}
		}
		k.Model = &card
	}
	last := slices.IndexFunc(trainings, func(t db.ListTrainingsRow) bool { return t.Kind == k.Kind })
	if last < 0 {
		return nil
	}
	k.Running = trainings[last].State == "running"
	if trainings[last].Outcome == "too_little_data" {
		var err error
		if k.Lack, err = outcomeNote(p, "too_little_data", trainings[last].Detail); err != nil {
			return err
		}
	}
	return nil
}

func newModelCard(p Page, m db.ListModelsRow) (modelCard, error) {
	card := modelCard{ID: m.ID.String(), Version: m.Version, State: m.State, From: m.TrainedFrom, To: m.TrainedTo, MadeAt: &m.CreatedAt}
	card.StateLabel, card.Tone = stateOfModel(p, m.State, m.Decision)
	var err error
	card.Figures, err = keyFigures(p, m.Kind, m.Metrics)
	return card, err
}

// stateOfModel words a state, a retired one by how it left.
func stateOfModel(p Page, state, decision string) (label, tone string) {
	tone = map[string]string{registry.Active: "ok", registry.Candidate: "wait", registry.Retired: "none"}[state]
	if state == registry.Retired && decision != "" {
		return p.T("models.retired." + decision), tone
	}
	return p.T("models.state." + state), tone
}

// keyFigures are the two or three numbers that a list shows of a model.
func keyFigures(p Page, kind string, metrics []byte) ([]modelFigure, error) {
	family, _, err := learning.Parse(kind)
	if err != nil || len(metrics) <= len(`{}`) {
		return nil, nil
	}
	if family == learning.FamilyAnomaly {
		var r learning.LimitsReport
		if err := json.Unmarshal(metrics, &r); err != nil {
			return nil, fmt.Errorf("read metrics of %s: %w", kind, err)
		}
		return []modelFigure{
			{Label: p.T("models.figure.f1"), Text: p.Loc().Num(r.Candidate.F1, 2)},
			{Label: p.T("models.figure.false_alarms"), Text: p.Loc().Num(r.Candidate.FalseAlarms, 2)},
		}, nil
	}
	var r learning.Report
	if err := json.Unmarshal(metrics, &r); err != nil {
		return nil, fmt.Errorf("read metrics of %s: %w", kind, err)
	}
	return []modelFigure{
		{Label: p.T("models.figure.rmse"), Text: p.T("models.in_days", "N", p.Loc().Num(r.Candidate.RMSECapped, 1)),
			Note: p.T("models.against_weibull", "N", p.Loc().Num(r.Baseline.RMSE, 1))},
		{Label: p.T("models.figure.coverage"), Text: p.Loc().Pct(r.Candidate.Coverage90)},
	}, nil
}

func newTrainingRow(p Page, t db.ListTrainingsRow) (trainingRow, error) {
	label, class := kindLabel(p, t.Kind)
	row := trainingRow{Kind: strings.TrimSpace(label + " " + class), Reason: p.T("models.reason." + t.Reason), Started: t.StartedAt, Finished: t.FinishedAt,
		Version: t.Version, By: localName(p.Lang, t.RequestedByAr, t.RequestedByEn)}
	if t.CandidateID != nil {
		row.Model = t.CandidateID.String()
	}
	if t.FinishedAt != nil {
		row.Took = t.FinishedAt.Sub(t.StartedAt)
	}
	switch t.State {
	case "running":
		row.State, row.StateLabel = "run", p.T("models.training.running")
	case "failed":
		row.State, row.StateLabel, row.Note = "fail", p.T("models.training.failed"), p.T(t.ErrorKey)
	default:
		row.State, row.StateLabel = map[string]string{"promoted": "done", "kept": "draft", "too_little_data": "stale"}[t.Outcome], p.T("models.outcome."+t.Outcome)
		var err error
		if row.Note, err = outcomeNote(p, t.Outcome, t.Detail); err != nil {
			return row, err
		}
	}
	return row, nil
}

// outcomeNote explains how a training ended.
func outcomeNote(p Page, outcome string, detail []byte) (string, error) {
	if outcome == "too_little_data" {
		var lack learning.TooLittleError
		if err := json.Unmarshal(detail, &lack); err != nil {
			return "", fmt.Errorf("read outcome: %w", err)
		}
		return p.T("models.lack."+lack.What, "Have", p.Loc().Int(lack.Have), "Need", p.Loc().Int(lack.Need)), nil
	}
	var verdict learning.Verdict
	if err := json.Unmarshal(detail, &verdict); err != nil {
		return "", fmt.Errorf("read outcome: %w", err)
	}
	return verdictNote(p, verdict), nil
}

// verdictNote words a verdict with its numbers.
func verdictNote(p Page, v learning.Verdict) string {
	if v.Reason == "" {
		return ""
	}
	digits := 1
	if v.Figure == "f1" {
		digits = 2
	}
	return p.T("models.verdict."+v.Reason, "Figure", p.T("models.figure."+v.Figure), "Candidate", p.Loc().Num(v.Candidate, digits),
		"Reference", p.Loc().Num(v.Reference, digits))
}
