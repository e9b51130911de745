package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// judgement is what a person says of an alert.
type judgement struct {
	State, Code, Note string
	Admit             bool // learn the episode as normal operation
}

// check refuses a judgement that cannot be recorded. A reason must belong to
// its verdict.
func (j judgement) check() error {
	switch {
	case !slices.Contains(judgements, j.State):
		return fault.New(fault.Invalid, "alerts.bad_state")
	case utf8.RuneCountInString(j.Note) > judgementLength:
		return fault.New(fault.Invalid, "alerts.long_reason").With("Max", judgementLength)
	case j.Code != "" && !slices.Contains(reasonCodes[j.State], j.Code):
		return fault.New(fault.Invalid, "alerts.bad_reason")
	}
	return nil
}

// readJudgement reads the forms of the drawer and of the page. The page offers
// the reasons of all verdicts at once, each with its verdict before a colon.
func readJudgement(r *http.Request) (judgement, error) {
	j := judgement{State: r.PostFormValue("state"), Note: strings.TrimSpace(r.PostFormValue("reason")), Admit: r.PostFormValue("admit") != ""}
	verdict, code, chosen := strings.Cut(r.PostFormValue("code"), ":")
	if chosen {
		j.Code = code
		if verdict != j.State {
			return j, fault.New(fault.Invalid, "alerts.bad_reason")
		}
	}
	return j, j.check()
}

// judgeAlert records what a person thinks of an alert. False and expected
// close it; the worker then stays quiet about the same cause for a day.
func (s *Server) judgeAlert(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	j, err := readJudgement(r)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		before, err := recordJudgement(ctx, tx, q, tenant, id, who.UserID, j)
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "alert." + j.State, ObjectType: "alert", ObjectID: id.String(),
			Before: map[string]any{"state": before.State},
			After:  map[string]any{"state": j.State, "kind": before.Kind, "reason_code": j.Code, "reason": j.Note, "admit": j.Admit}})
	})
	if err != nil {
		return err
	}
	if r.Header.Get("HX-Request") != "" {
		p := s.render.Page(r)
		p.Toasts = []Toast{{Tone: "ok", Title: p.T("alerts.judged")}}
		return s.drawer(w, r, p)
	}
	return s.redirect(w, r, localPath(r.PostFormValue("next"), "/dashboard"), "alerts.judged")
}

// recordJudgement changes the state of an open alert and, for a verdict about
// an asset, keeps it as a label that models learn from. An episode that is to
// be learned as normal makes the score of its asset due. It returns the alert
// as it was.
func recordJudgement(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id, actor uuid.UUID, j judgement) (db.Alert, error) {
	before, err := q.LockAlert(ctx, tx, tenant, id)
	if err != nil {
		return before, err
	}
	if j.State == "acknowledged" && before.State == "confirmed" {
		return before, fault.New(fault.Conflict, "alerts.seen")
	}
	n, err := q.JudgeAlert(ctx, tx, db.JudgeAlertParams{State: j.State, ActorID: actor, TenantID: tenant, ID: id})
	if err != nil {
		return before, fmt.Errorf("judge alert: %w", err)
	}
	if n == 0 {
		return before, fault.New(fault.Conflict, "alerts.closed")
	}
	if before.AssetID == nil || !slices.Contains(verdicts, j.State) {
		return before, nil
	}
	label, err := labelOf(before, actor, j)
	if err != nil {
		return before, err
	}
	if err := q.AddLabel(ctx, tx, label); err != nil {
		return before, fmt.Errorf("keep verdict: %w", err)
	}
	if j.State == "expected" && j.Admit {
		return before, q.TouchScores(ctx, tx, tenant, []uuid.UUID{*before.AssetID})
	}
	return before, nil
}

// labelOf is a verdict as models learn from it: the episode from its start to
// now, and what the detector saw.
func labelOf(a db.Alert, actor uuid.UUID, j judgement) (db.AddLabelParams, error) {
	var seen struct {
		alertDetail
		Evidence json.RawMessage `json:"evidence"`
	}
	if err := json.Unmarshal(a.Detail, &seen); err != nil {
		return db.AddLabelParams{}, fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	scores := map[string]float64{"anomaly": seen.Index, "failure_risk": seen.Probability, "data_trust": seen.Coverage}
	detail := map[string]any{"kind": a.Kind, "signals": seen.Signals, "admit": j.State == "expected" && j.Admit && a.Kind == "anomaly"}
	if len(seen.Evidence) > 0 {
		detail["contributors"] = seen.Evidence
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return db.AddLabelParams{}, fmt.Errorf("encode verdict: %w", err)
	}
	from, now := a.RaisedAt, time.Now().UTC()
	if !seen.Since.IsZero() && seen.Since.Before(now) {
		from = seen.Since
	}
	return db.AddLabelParams{TenantID: a.TenantID, AlertID: a.ID, AssetID: *a.AssetID, Verdict: j.State, ReasonCode: j.Code, Note: j.Note,
		EpisodeFrom: from, EpisodeTo: now, Score: scores[a.Kind], Detail: text, GivenBy: actor}, nil
}
