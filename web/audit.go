package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

func (s *Server) auditRoutes() []route {
	return []route{
		{http.MethodGet, "/audit", access.ViewOwnActions, s.showAudit},
		{http.MethodGet, "/audit/export", access.ViewOwnActions, s.exportAudit},
		{http.MethodGet, "/audit/chain", access.ViewAudit, s.exportChain},
		{http.MethodPost, "/audit/verify", access.ViewAudit, s.verifyAudit},
	}
}

// maxTyped bounds what a filter of these pages may send.
const maxTyped = 80

// auditPage is how many rows one page of the log shows.
const auditPage = 40

// auditObjects are the types of objects that the filter offers.
var auditObjects = []string{"user", "tenant", "api_token", "integration", "asset", "failure_mode", "run", "plan", "work_order", "alert", "model", "training", "capability", "file", "integration_mapping", "audit"}

// auditRow is one event.
type auditRow struct {
	Seq                         int64
	At                          time.Time
	Actor, ActorKind, KindIcon  string
	Action, ActionLabel, Tone   string
	Object, ObjectID, ShortID   string
	Href, RemoteAddr, RequestID string
	Changes                     []auditChange
}

// auditFilter is what the address asks for; the strings are as typed.
type auditFilter struct {
	Action, Actor, Object, From, To string
	Set                             bool
	params                          db.ListAuditLogsParams
}

// chainReport is the outcome of checking the chain.
type chainReport struct {
	Intact      bool
	Rows        int64
	Broken      int64
	BreakReason string
}

type auditView struct {
	Rows                     []auditRow
	Filter                   auditFilter
	Actions, Actors, Objects []Option
	Older, Newest, Export    string
	CanVerify, OwnOnly       bool
	Report                   *chainReport
	Roots                    []rootRow
}

func (s *Server) showAudit(w http.ResponseWriter, r *http.Request) error {
	return s.auditPage(w, r, nil)
}

func (s *Server) auditPage(w http.ResponseWriter, r *http.Request, report *db.AuditReport) error {
	p, err := s.page(r, "audit.title")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := auditView{Filter: readAuditFilter(r.URL.Query(), who), CanVerify: who.Can(access.ViewAudit), OwnOnly: !who.Can(access.ViewAudit)}
	v.Filter.params.PageSize = auditPage + 1 // one more tells whether there is an older page
	var rows []db.AuditLog
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		actions, err := q.ListAuditActions(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, a := range actions {
			v.Actions = append(v.Actions, Option{a, s.actionName(p, a)})
		}
		if v.CanVerify {
			if v.Roots, err = auditRootRows(ctx, tx, q, tenant); err != nil {
				return err
			}
			people, err := q.ListUsers(ctx, tx, tenant, true)
			if err != nil {
				return err
			}
			for _, u := range people {
				v.Actors = append(v.Actors, Option{u.ID.String(), localName(p.Lang, u.NameAr, u.NameEn)})
			}
		}
		rows, err = q.ListAuditLogs(ctx, tx, v.Filter.params)
		return err
	})
	if err != nil {
		return err
	}
	for _, o := range auditObjects {
		v.Objects = append(v.Objects, Option{o, p.T("audit.object." + o)})
	}
	if len(rows) > auditPage {
		rows = rows[:auditPage]
		v.Older = withQuery(pathOnly(r.URL), "before", strconv.FormatInt(rows[auditPage-1].Seq, 10))
	}
	if r.URL.Query().Get("before") != "" {
		v.Newest = withQuery(pathOnly(r.URL), "before", "")
	}
	export := *pathOnly(r.URL)
	export.Path = "/audit/export"
	v.Export = withQuery(&export, "before", "", "lang", "", "theme", "")
	for _, x := range rows {
		v.Rows = append(v.Rows, s.newAuditRow(p, x))
	}
	if report != nil {
		v.Report = &chainReport{Intact: report.Intact, Rows: report.Rows, Broken: report.BrokenSeq}
		if !report.Intact {
			v.Report.BreakReason = p.T("audit.break." + string(report.Break))
			if !report.Day.IsZero() {
				v.Report.BreakReason = report.Day.Format(time.DateOnly) + ": " + v.Report.BreakReason
			}
		}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "audit/list", p)
	return nil
}

// pathOnly is the address under which the list is read, also after the chain
// was checked by a POST.
func pathOnly(u *url.URL) *url.URL { return &url.URL{Path: "/audit", RawQuery: u.RawQuery} }

// readAuditFilter turns the address into a query. Whoever may not see the
// whole log sees their own actions whatever the address says.
func readAuditFilter(q url.Values, who access.Principal) auditFilter {
	f := auditFilter{Action: bounded(q.Get("action"), maxTyped), Object: bounded(q.Get("object"), maxTyped), Actor: q.Get("actor"), From: q.Get("from"), To: q.Get("to")}
	f.params = db.ListAuditLogsParams{TenantID: who.TenantID, Action: f.Action, ObjectType: f.Object, ObjectID: bounded(q.Get("id"), maxTyped), ActorID: optionalUUID(f.Actor)}
	if !who.Can(access.ViewAudit) {
		f.Actor, f.params.ActorID = "", &who.UserID
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.From, riyadhZone); err == nil {
		f.params.FromTime = &day
	} else {
		f.From = ""
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.To, riyadhZone); err == nil {
		day = day.AddDate(0, 0, 1)
		f.params.ToTime = &day
	} else {
		f.To = ""
	}
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		f.params.BeforeSeq = before
	}
	f.Set = f.Action != "" || f.Object != "" || f.Actor != "" || f.From != "" || f.To != "" || f.params.ObjectID != ""
	return f
}

// actionName is the words of an action, or its code when it has none.
func (s *Server) actionName(p Page, action string) string {
	if key := "audit.action." + action; s.catalog.Has(key) {
		return p.T(key)
	}
	return action
}

// auditTones colour the events that an auditor looks for.
var auditTones = map[string]string{
	"auth.failed": "warn", "auth.locked": "bad", "access.denied": "bad", "break_glass.granted": "warn", "break_glass.ended": "none",
	"tenant.suspended": "warn", "user.archived": "warn", "user.deactivated": "warn", "plan.approved": "ok", "plan.released": "ok",
}

// actorIcons show what kind of actor it was.
var actorIcons = map[string]string{string(db.ActorUser): "user", string(db.ActorService): "bot", string(db.ActorSystem): "cog", string(db.ActorAnonymous): "circle-help"}

// auditPages are the types of objects that have a page under their id.
var auditPages = map[string]string{"asset": "/assets/", "plan": "/plans/", "integration": "/integrations/"}

func (s *Server) newAuditRow(p Page, x db.AuditLog) auditRow {
	row := auditRow{Seq: x.Seq, At: x.OccurredAt, Actor: x.ActorName, ActorKind: p.T("audit.actor." + x.ActorKind), KindIcon: actorIcons[x.ActorKind],
		Action: x.Action, ActionLabel: s.actionName(p, x.Action), Tone: auditTones[x.Action], Object: x.ObjectType, ObjectID: x.ObjectID,
		ShortID: x.ObjectID, RemoteAddr: x.RemoteAddr, RequestID: x.RequestID, Changes: auditChanges(x.BeforeState, x.AfterState)}
	if key := "audit.object." + x.ObjectType; s.catalog.Has(key) {
		row.Object = p.T(key)
	}
	if _, err := uuid.Parse(x.ObjectID); err == nil {
		row.ShortID = x.ObjectID[:8]
		row.Href = s.objectPage(p, x)
	}
	return row
}

// objectPage is the page of an object, for readers who have that page.
func (s *Server) objectPage(p Page, x db.AuditLog) string {
	for _, section := range p.Nav {
		for _, item := range section.Items {
			switch {
			case auditPages[x.ObjectType] == item.Href+"/":
				return item.Href + "/" + x.ObjectID
			case x.ObjectType == "run" && item.Href == "/scenarios":
				return "/runs/" + x.ObjectID
			case x.ObjectType == "user" && item.Href == "/users":
				return "/users/" + x.ObjectID
			case x.ObjectType == "tenant" && item.Href == "/tenants":
				return "/tenants/" + x.ObjectID
			}
		}
	}
	return ""
}

// verifyAudit walks the whole chain and names the first link that is broken.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request) error {
	tenant := access.From(r.Context()).TenantID
	report, err := s.DB.VerifyAudit(r.Context(), tenant)
	if err != nil {
		return err
	}
	err = s.auditTenant(r, tenant, db.Entry{Action: "audit.verified", ObjectType: "audit", ObjectID: strconv.FormatInt(report.Rows, 10),
		After: map[string]any{"intact": report.Intact, "rows": report.Rows, "roots": report.Roots, "broken_seq": report.BrokenSeq}})
	if err != nil {
		return err
	}
	return s.auditPage(w, r, &report)
}
