package web

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Bounds of the page of a release.
const (
	releaseLinesShown  = 50
	releaseEventsShown = 60
)

// releaseStates and lineStates map states to the look of their marks.
var (
	releaseStates = map[string]string{"running": "run", "stuck": "wait", "undoing": "run", "done": "done", "undone": "cancel"}
	lineStates    = map[string]string{"waiting": "plan", "writing": "run", "written": "done", "failed": "fail", "skipped": "cancel", "undone": "cancel", "undo_failed": "fail"}
)

// releaseView is the page of one release.
type releaseView struct {
	ID, Plan, Title, System, By, State, StateName, StateLabel string
	Version                                                   int
	RequestedAt                                               time.Time
	FinishedAt, ReconciledAt                                  *time.Time
	Live, Stuck, CanResolve, CanReconcile                     bool
	Counts                                                    []releaseCount
	Lines                                                     []releaseLine
	Pager                                                     Pager
	Events                                                    []releaseEvent
	Form                                                      resolveForm
}

// releaseLine is one line. Struck holds for an order that was taken back.
type releaseLine struct {
	N                              int
	AssetID, Tag, Name             string
	State, StateLabel, Action      string
	ExternalID, Key, Fault, Reason string
	Order                          string
	External                       string
	From, To                       time.Time
	Attempts                       int
	Struck                         bool
}

// releaseEvent is one entry of the history.
type releaseEvent struct {
	Icon, Tone, Label, By, Text string
	Line                        *int32
	At                          time.Time
}

func (s *Server) showRelease(w http.ResponseWriter, r *http.Request) error {
	return s.releasePage(w, r, http.StatusOK, resolveForm{ID: uuid.NewString()})
}

// showReleaseStatus is the part of the page that renews itself.
func (s *Server) showReleaseStatus(w http.ResponseWriter, r *http.Request) error {
	p, v, err := s.loadRelease(r)
	if err != nil {
		return err
	}
	v.Form = resolveForm{ID: uuid.NewString()}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "releases/show", "release-status", p)
	return nil
}

// releasePage prints a release with a decision form as it was filled in.
func (s *Server) releasePage(w http.ResponseWriter, r *http.Request, status int, form resolveForm) error {
	p, v, err := s.loadRelease(r)
	if err != nil {
		return err
	}
	v.Form = form
	if form.Error != "" || form.ReasonError != "" {
		v.Live = false // what was typed stays
	}
	p.Title = p.T("releases.one")
	p.Crumbs = []Crumb{{Href: "/plans", Label: p.T("plans.title")}, {Href: "/plans/" + v.Plan, Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, status, "releases/show", p)
	return nil
}

func (s *Server) loadRelease(r *http.Request) (Page, releaseView, error) {
	var v releaseView
	p, err := s.page(r, "releases.one")
	if err != nil {
		return p, v, err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return p, v, err
	}
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		x, err := q.OverviewRelease(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v = newReleaseView(p, x, who)
		at := NewPager(r.URL, releaseLinesShown, math.MaxInt32)
		lines, err := q.PageReleaseLines(ctx, tx, db.PageReleaseLinesParams{TenantID: tenant, ReleaseID: id, PageSize: releaseLinesShown, Skip: int32(at.Offset())})
		if err != nil {
			return err
		}
		total := 0
		for _, l := range lines {
			total = int(l.Total)
			v.Lines = append(v.Lines, s.newReleaseLine(p, l))
		}
		v.Pager = NewPager(r.URL, releaseLinesShown, total)
		counts, err := q.CountReleaseLines(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v.count(p, counts)
		events, err := q.PageReleaseEvents(ctx, tx, tenant, id, releaseEventsShown)
		for _, e := range events {
			v.Events = append(v.Events, s.newReleaseEvent(p, e))
		}
		return err
	})
	return p, v, err
}

func newReleaseView(p Page, x db.OverviewReleaseRow, who access.Principal) releaseView {
	r := x.Release
	v := releaseView{ID: r.ID.String(), Plan: r.PlanID.String(), Title: x.Title, System: x.SystemName, By: localName(p.Lang, x.NameAr, x.NameEn), Version: int(x.PlanVersion),
		State: r.State, StateName: releaseStates[r.State], StateLabel: p.T("releases.state." + r.State), RequestedAt: r.RequestedAt, FinishedAt: r.FinishedAt, ReconciledAt: r.ReconciledAt}
	v.Live = r.State == "running" || r.State == "undoing"
	v.Stuck = r.State == "stuck"
	v.CanResolve = v.Stuck && who.Can(access.ReleasePlan)
	v.CanReconcile = r.IntegrationID != nil && r.State == "done" && who.Can(access.ReleasePlan)
	return v
}

// count sums the lines up by their state.
func (v *releaseView) count(p Page, rows []db.CountReleaseLinesRow) {
	n := map[string]int{}
	for _, x := range rows {
		n[x.State] += int(x.Lines)
	}
	open := n["waiting"] + n["writing"]
	v.Counts = []releaseCount{{p.T("releases.lines.written"), "check", "ok", n["written"]}, {p.T("releases.lines.open"), "hourglass", "none", open},
		{p.T("releases.lines.failed"), "octagon-alert", "bad", n["failed"] + n["undo_failed"]}, {p.T("releases.lines.left"), "undo-2", "none", n["skipped"] + n["undone"]}}
}

func (s *Server) newReleaseLine(p Page, x db.PageReleaseLinesRow) releaseLine {
	l := x.ReleaseLine
	line := releaseLine{N: int(l.Line), AssetID: l.AssetID.String(), Tag: x.Tag, Name: localName(p.Lang, x.NameAr, x.NameEn), State: lineStates[l.State],
		StateLabel: p.T("releases.line." + l.State), Action: p.T("releases.action." + l.Action), ExternalID: l.ExternalID, Key: l.IdempotencyKey, Reason: l.Reason,
		From: l.PlannedStart, To: l.PlannedEnd, Attempts: int(l.Attempts), Struck: l.State == "undone"}
	if l.ErrorKey != "" {
		line.Fault = p.T(l.ErrorKey, detailArguments(l.ErrorDetail)...)
	}
	if x.WorkOrderID != nil {
		line.Order = x.WorkOrderID.String()
	}
	if x.ExternalState != "" {
		line.External = p.T("releases.external." + x.ExternalState)
	}
	return line
}

// detailArguments are the arguments of a message as they are stored.
func detailArguments(raw json.RawMessage) []any {
	var detail map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &detail) != nil {
		return nil
	}
	return arguments(detail)
}

// eventLooks gives each kind of event its mark.
var eventLooks = map[string]struct{ icon, tone string }{
	"writing": {"send", "none"}, "written": {"check", "ok"}, "failed": {"octagon-alert", "bad"}, "retry": {"rotate-ccw", "none"}, "skip": {"circle-slash", "warn"},
	"undo": {"undo-2", "warn"}, "line_undone": {"undo-2", "none"}, "cleared": {"check", "none"}, "undo_failed": {"octagon-alert", "bad"}, "done": {"check-check", "ok"}, "undone": {"undo-2", "warn"},
	"replaced": {"circle-slash", "none"}, "replaced_left": {"triangle-alert", "warn"}, "followed": {"refresh-cw", "none"}, "drift": {"triangle-alert", "warn"},
}

// releaseDetail is what the worker notes beside an event.
type releaseDetail struct {
	Action     string         `json:"action"`
	ExternalID string         `json:"external_id"`
	Reason     string         `json:"reason"`
	ErrorKey   string         `json:"error_key"`
	Arguments  map[string]any `json:"error_detail"`
	Drift      string         `json:"drift"`
	From       string         `json:"from"`
	To         string         `json:"to"`
}

func (s *Server) newReleaseEvent(p Page, x db.PageReleaseEventsRow) releaseEvent {
	look := eventLooks[x.Kind]
	e := releaseEvent{Icon: look.icon, Tone: look.tone, Label: p.T("releases.event." + x.Kind), By: localName(p.Lang, x.NameAr, x.NameEn), Line: x.Line, At: x.At}
	var d releaseDetail
	if err := json.Unmarshal(x.Detail, &d); err != nil {
		s.Log.Error("read release event", "error", err, "seq", x.Seq)
		return e
	}
	switch {
	case d.ErrorKey != "":
		e.Text = p.T(d.ErrorKey, arguments(d.Arguments)...)
	case d.Drift != "":
		e.Text = p.T("releases.drift."+d.Drift, "From", d.From, "To", d.To, "Order", d.ExternalID)
	case d.Reason != "":
		e.Text = d.Reason
	case d.ExternalID != "":
		e.Text = d.ExternalID
	}
	return e
}
