package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// reasonCodes are the reasons that go with each verdict.
var reasonCodes = map[string][]string{
	"confirmed": {"wear", "lubrication", "leak", "imbalance", "electrical", "process", "other"},
	"false":     {"sensor", "calibration", "communication", "model", "other"},
	"expected":  {"startup", "load_change", "maintenance", "test", "weather", "other"},
}

// verdicts are the judgements that close the question, in the order shown.
var verdicts = []string{"confirmed", "expected", "false"}

// reasonGroup is the reasons of one verdict.
type reasonGroup struct {
	Label   string
	Options []choiceOption
}

// alertEvidence is one signal behind an alert: what was expected and measured.
type alertEvidence struct {
	Name             string
	Expected, Actual template.HTML
	Share            float64
}

// alertEvent is one step of an alert's life.
type alertEvent struct {
	Icon, Tone string
	Text       template.HTML
	Note       string
	Time       time.Time
}

type alertPage struct {
	Alert    alertView
	Advisory bool
	Open     bool
	CanAdmit bool
	Evidence []alertEvidence
	Events   []alertEvent
	Reasons  []reasonGroup
}

// showAlert shows one alert with its evidence, its history and the form of the
// verdict.
func (s *Server) showAlert(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "alerts.one")
	if err != nil {
		return err
	}
	var v alertPage
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.AlertDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		labels, err := q.AlertLabels(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		words, err := wordAlerts(ctx, tx, q, tenant, p, []db.OpenAlertsRow{{
			Alert: row.Alert, Tag: row.Tag, AssetAr: row.AssetAr, AssetEn: row.AssetEn, Integration: row.Integration,
		}})
		if err != nil {
			return err
		}
		v = newAlertPage(p, row, labels, words[0])
		v.Evidence, err = evidenceOf(ctx, tx, q, tenant, p, row.Alert)
		return err
	})
	if err != nil {
		return err
	}
	v.Alert.CanJudge = v.Open && access.From(r.Context()).Can(access.JudgeAlerts)
	v.Alert.Next = r.URL.Path
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "alerts/show", p)
	return nil
}

func newAlertPage(p Page, row db.AlertDetailRow, labels []db.AlertLabelsRow, words alertView) alertPage {
	a := row.Alert
	v := alertPage{Alert: words, Advisory: a.Advisory, Open: a.ClosedAt == nil, CanAdmit: a.Kind == "anomaly" && a.AssetID != nil}
	for _, x := range verdicts {
		group := reasonGroup{Label: p.T("alerts.state." + x)}
		for _, code := range reasonCodes[x] {
			group.Options = append(group.Options, choiceOption{x + ":" + code, p.T("alerts.reason." + code)})
		}
		v.Reasons = append(v.Reasons, group)
	}
	v.Events = eventsOf(p, row, labels)
	return v
}

// eventsOf tells the life of an alert, the newest first.
func eventsOf(p Page, row db.AlertDetailRow, labels []db.AlertLabelsRow) []alertEvent {
	l, a := p.Loc(), row.Alert
	var out []alertEvent
	if a.State == "cleared" && a.ClosedAt != nil {
		out = append(out, alertEvent{Icon: "check", Tone: "ok", Text: l.HTML("alerts.event.cleared"), Time: *a.ClosedAt})
	}
	judged := map[string]string{"confirmed": "bad", "expected": "none", "false": "none"}
	for _, x := range labels {
		note := x.Label.Note
		if x.Label.ReasonCode != "" {
			note = p.T("alerts.reason."+x.Label.ReasonCode) + map[bool]string{true: ": " + note}[note != ""]
		}
		out = append(out, alertEvent{Icon: "scale", Tone: judged[x.Label.Verdict], Note: note, Time: x.Label.GivenAt,
			Text: l.HTML("alerts.event.judged", "Who", localName(p.Lang, x.NameAr, x.NameEn), "Verdict", p.T("alerts.state."+x.Label.Verdict))})
	}
	if a.AcknowledgedAt != nil {
		out = append(out, alertEvent{Icon: "eye", Tone: "busy", Time: *a.AcknowledgedAt,
			Text: l.HTML("alerts.event.acknowledged", "Who", localName(p.Lang, row.AcknowledgedAr, row.AcknowledgedEn))})
	}
	if a.Occurrences > 1 {
		out = append(out, alertEvent{Icon: "refresh-cw", Tone: "warn", Text: l.HTML("alerts.event.returned", "Times", isolate(l.Int(int(a.Occurrences)))), Time: a.LastSeenAt})
	}
	return append(out, alertEvent{Icon: "bell", Tone: "warn", Text: l.HTML("alerts.event.raised"), Time: a.RaisedAt})
}

// evidenceOf reads what the detector saw signal by signal.
func evidenceOf(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page, a db.Alert) ([]alertEvidence, error) {
	var d struct {
		Evidence []struct {
			Signal   string  `json:"signal"`
			Unit     string  `json:"unit"`
			Expected float64 `json:"expected"`
			Actual   float64 `json:"actual"`
			Share    float64 `json:"share"`
		} `json:"evidence"`
	}
	if err := json.Unmarshal(a.Detail, &d); err != nil {
		return nil, fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	if a.AssetID == nil || len(d.Evidence) == 0 {
		return nil, nil
	}
	signals, err := q.ListSignals(ctx, tx, tenant, []uuid.UUID{*a.AssetID})
	if err != nil {
		return nil, err
	}
	names := newSignalBook(p.Lang, signals)
	out := make([]alertEvidence, 0, len(d.Evidence))
	for _, e := range d.Evidence {
		out = append(out, alertEvidence{Name: names.name(*a.AssetID, e.Signal), Expected: measured(p, e.Expected, e.Unit), Actual: measured(p, e.Actual, e.Unit), Share: e.Share})
	}
	return out, nil
}
