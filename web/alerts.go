package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Bounds of the alerts: how many the drawer shows and the length of a reason.
const (
	drawerAlerts    = 30
	judgementLength = 500
)

func (s *Server) alertRoutes() []route {
	return []route{
		{http.MethodGet, "/alerts", access.ViewResults, s.listAlerts},
		{http.MethodGet, "/alerts/drawer", access.ViewResults, s.showAlerts},
		{http.MethodGet, "/alerts/{id}", access.ViewResults, s.showAlert},
		{http.MethodPost, "/alerts/{id}/state", access.JudgeAlerts, s.judgeAlert},
	}
}

// judgements are the states a person may give to an open alert.
var judgements = []string{"acknowledged", "confirmed", "false", "expected"}

// alertIcons pictures the kinds of alerts that have words of their own.
var alertIcons = map[string]string{
	"anomaly": "activity", "failure_risk": "shield-alert", "data_trust": "circle-help", "connector_silent": "unplug", "approval_overdue": "hourglass", "release_stuck": "octagon-alert", "break_glass": "key-round", "model_drift": "chart-spline",
	"schedule_missed": "calendar-x", "schedule_failing": "repeat", "schedule_token": "key-round",
}

// alertView is one open alert in plain words.
type alertView struct {
	ID, Icon, Title, Tag, Name, Href string
	Level                            int
	Text                             template.HTML
	State, StateLabel                string
	Raised                           time.Time
	Occurrences                      int
	Closed                           bool
	CanJudge, InDrawer               bool
	Next                             string // where a judgement leads back to
}

// drawerView is the body of the alerts drawer.
type drawerView struct {
	Items []alertView
	Total int
}

func (s *Server) showAlerts(w http.ResponseWriter, r *http.Request) error {
	p := s.render.Page(r)
	return s.drawer(w, r, p)
}

// drawer prints the newest open alerts as a fragment.
func (s *Server) drawer(w http.ResponseWriter, r *http.Request, p Page) error {
	var v drawerView
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		v.Items, v.Total, err = openAlerts(ctx, tx, q, tenant, p, nil, drawerAlerts)
		return err
	})
	if err != nil {
		return err
	}
	judge := access.From(r.Context()).Can(access.JudgeAlerts)
	for i := range v.Items {
		v.Items[i].CanJudge, v.Items[i].InDrawer = judge, true
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "alerts/drawer", "content", p)
	return nil
}

// openAlerts reads open alerts, of one asset when it is given, and words them.
func openAlerts(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page, asset *uuid.UUID, limit int32) ([]alertView, int, error) {
	rows, err := q.OpenAlerts(ctx, tx, tenant, asset, limit)
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	out, err := wordAlerts(ctx, tx, q, tenant, p, rows)
	return out, int(rows[0].Total), err
}

// wordAlerts words alerts with the names of their signals.
func wordAlerts(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page, rows []db.OpenAlertsRow) ([]alertView, error) {
	var assets []uuid.UUID
	for _, x := range rows {
		if id := x.Alert.AssetID; id != nil && !slices.Contains(assets, *id) {
			assets = append(assets, *id)
		}
	}
	names := signalBook{}
	if len(assets) > 0 {
		signals, err := q.ListSignals(ctx, tx, tenant, assets)
		if err != nil {
			return nil, err
		}
		names = newSignalBook(p.Lang, signals)
	}
	out := make([]alertView, len(rows))
	for i, x := range rows {
		var err error
		if out[i], err = newAlertView(p, x, names); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func newAlertView(p Page, x db.OpenAlertsRow, names signalBook) (alertView, error) {
	a := x.Alert
	v := alertView{ID: a.ID.String(), Icon: "bell", Title: p.T("alerts.kind.other"), Level: int(a.Severity), State: a.State,
		StateLabel: p.T("alerts.state." + a.State), Raised: a.RaisedAt, Occurrences: int(a.Occurrences), Closed: a.ClosedAt != nil}
	if icon, known := alertIcons[a.Kind]; known {
		v.Icon, v.Title = icon, p.T("alerts.kind."+a.Kind)
	}
	switch {
	case a.AssetID != nil:
		v.Tag, v.Name, v.Href = x.Tag, localName(p.Lang, x.AssetAr, x.AssetEn), "/assets/"+a.AssetID.String()
	case a.IntegrationID != nil:
		v.Name, v.Href = x.Integration, "/integrations"
	case a.Kind == "model_drift":
		v.Name, v.Href = p.T("models.title"), "/models"
	case a.Kind == "release_stuck":
		v.Name, v.Href = p.T("releases.one"), "/plans"
		var d struct {
			Release string `json:"release_id"`
		}
		if err := json.Unmarshal(a.Detail, &d); err != nil {
			return v, fmt.Errorf("read alert %s: %w", a.ID, err)
		}
		if d.Release != "" {
			v.Href = "/releases/" + d.Release
		}
	case a.Kind == "approval_overdue":
		v.Name, v.Href = p.T("alerts.plan"), "/plans"
	case a.Kind == "schedule_missed", a.Kind == "schedule_failing", a.Kind == "schedule_token":
		var d scheduleAlert
		if err := json.Unmarshal(a.Detail, &d); err != nil {
			return v, fmt.Errorf("read alert %s: %w", a.ID, err)
		}
		v.Name, v.Href, v.Text = d.Name, "/schedules/"+d.ID.String(), d.text(p, a.Kind)
		return v, nil
	}
	var err error
	v.Text, err = alertText(p, a, names)
	return v, err
}

// alertDetail is what the worker notes beside an alert.
type alertDetail struct {
	Index         float64   `json:"index"`
	Since         time.Time `json:"since"`
	Signals       any       `json:"signals"` // names of signals, or their number for a connector
	Probability   float64   `json:"probability_30"`
	Loss          float64   `json:"loss_sar"`
	Coverage      float64   `json:"coverage"`
	Usable        int       `json:"usable"`
	Expected      int       `json:"expected"`
	InputDrift    float64   `json:"input_drift"` // of a model, 1 at the limit, as below
	ResidualDrift float64   `json:"residual_drift"`
	Reason        string    `json:"reason"`
	Actor         string    `json:"actor"` // of a break-glass entry
	Until         time.Time `json:"until"`
}

// alertText words an alert with the numbers of its detail.
func alertText(p Page, a db.Alert, names signalBook) (template.HTML, error) {
	var d alertDetail
	if err := json.Unmarshal(a.Detail, &d); err != nil {
		return "", fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	l := p.Loc()
	switch a.Kind {
	case "anomaly":
		return l.HTML("alerts.text.anomaly", "Signals", signalList(p, a.AssetID, d.Signals, names), "Index", isolate(l.Num(d.Index, 1))), nil
	case "failure_risk":
		n, unit := l.Compact(d.Loss)
		return l.HTML("alerts.text.failure_risk", "P", isolate(l.Pct(d.Probability)), "Money", amount(n, unit)), nil
	case "data_trust":
		return l.HTML("alerts.text.data_trust", "Usable", isolate(l.Int(d.Usable)), "Expected", isolate(l.Int(d.Expected))), nil
	case "connector_silent":
		if d.Reason == "failed" {
			return l.HTML("alerts.text.connector_failed"), nil
		}
		return l.HTML("alerts.text.connector_silent"), nil
	case "model_drift":
		return l.HTML("alerts.text.model_drift", "Input", isolate(l.Num(d.InputDrift, 1)), "Residual", isolate(l.Num(d.ResidualDrift, 1))), nil
	case "release_stuck":
		return l.HTML("alerts.text.release_stuck"), nil
	case "approval_overdue":
		return l.HTML("alerts.text.approval_overdue"), nil
	case "break_glass":
		return l.HTML("alerts.text.break_glass", "Actor", d.Actor, "Reason", d.Reason, "Until", isolate(l.Clock(d.Until))), nil
	}
	return l.HTML("alerts.text.other"), nil
}

// signalList names signals in the page's language.
func signalList(p Page, asset *uuid.UUID, metrics any, names signalBook) string {
	list, _ := metrics.([]any)
	var words []string
	for _, m := range list {
		if metric, ok := m.(string); ok && asset != nil {
			words = append(words, names.name(*asset, metric))
		}
	}
	if len(words) == 0 {
		return p.T("alerts.signals")
	}
	return strings.Join(words, p.T("alerts.separator"))
}
