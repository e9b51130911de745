package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// orderEvents bounds the course of an order that its page shows.
const orderEvents = 50

// timelineItem is one event of the part "timeline".
type timelineItem struct {
	Icon, Tone string
	Text       string
	Note       string
	Time       time.Time
}

// orderView is the page of one work order.
type orderView struct {
	orderRow
	BaselineStart, BaselineDue        *time.Time // dates of the plan
	Shifted                           bool       // the order was moved since
	StartedAt, SyncedAt               *time.Time
	PlannedCost, Expected, Value, P   float64
	Trusted                           bool
	Why, PlanName                     string
	Reasons                           []reasonLine
	Timeline                          []timelineItem
	Found, FoundLabel, Finding        string
	ModeCode, ModeName, DoneBy        string
	ActualHours, ActualCost           *float64
	CanStart, CanFinish, CanEdit      bool
	CanCancel, CanAssign, HasFindings bool
	Form                              *editForm
	Conditions, Modes                 []Option
	Today, Earliest                   string
}

func (s *Server) showWorkOrder(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	return s.orderPage(w, r, http.StatusOK, id, nil)
}

// orderRows is what the page of an order reads.
type orderRows struct {
	order  db.WorkOrderDetailRow
	plan   db.ScenarioWithRunRow
	book   plantBook
	modes  []db.AssetFailureMode
	team   []db.ListTechniciansRow
	people people
	events []db.AuditLog
}

// orderPage prints an order; entered is a form that was refused.
func (s *Server) orderPage(w http.ResponseWriter, r *http.Request, status int, id uuid.UUID, entered *editForm) error {
	p, err := s.page(r, "workorders.title")
	if err != nil {
		return err
	}
	var x orderRows
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return x.load(ctx, tx, q, tenant, id)
	})
	if err != nil {
		return notFound(err)
	}
	v := newOrderView(p, x, access.From(r.Context()).Can(access.UpdateWorkOrders), time.Now())
	if v.Form = entered; v.Form == nil {
		v.Form = shownFindings(x.order.WorkOrder, time.Now())
	}
	v.Form.show(p, "")
	if v.Reasons, v.Why, err = orderReasons(p, x); err != nil {
		return err
	}
	v.Timeline = s.orderTimeline(p, x)
	p.Title = v.Title
	p.Crumbs = []Crumb{{Href: "/work-orders", Label: p.T("workorders.title")}, {Label: strconv.FormatInt(v.Number, 10), Tag: true}}
	p.Data = v
	s.render.Render(w, r, status, "workorders/show", p)
	return nil
}

func (x *orderRows) load(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (err error) {
	if x.order, err = q.WorkOrderDetail(ctx, tx, tenant, id); err != nil {
		return err
	}
	if x.plan, err = q.ScenarioWithRun(ctx, tx, tenant, x.order.ScenarioID); err != nil {
		return err
	}
	if x.book, err = loadPlantBook(ctx, tx, q, tenant); err != nil {
		return err
	}
	if x.modes, err = q.ListFailureModes(ctx, tx, tenant, []uuid.UUID{x.order.WorkOrder.AssetID}); err != nil {
		return err
	}
	if x.team, err = q.ListTechnicians(ctx, tx, tenant); err != nil {
		return err
	}
	if x.people, err = loadPeople(ctx, tx, q, tenant); err != nil {
		return err
	}
	x.events, err = q.ListAuditLogs(ctx, tx, db.ListAuditLogsParams{TenantID: tenant, ObjectType: "work_order", ObjectID: id.String(), PageSize: orderEvents})
	return err
}

func newOrderView(p Page, x orderRows, canUpdate bool, now time.Time) orderView {
	d, o := x.order, x.order.WorkOrder
	v := orderView{orderRow: newOrderRow(p, db.WorkOrderPageRow{ID: o.ID, Number: o.Number, TitleAr: o.TitleAr, TitleEn: o.TitleEn, StartOn: o.StartOn, DueOn: o.DueOn,
		Status: o.Status, TechnicianID: o.TechnicianID, CrewHours: o.CrewHours, PlanID: o.PlanID, DoneAt: o.DoneAt, ExternalID: o.ExternalID,
		ExternalState: o.ExternalState, FoundCondition: o.FoundCondition, IntegrationID: o.IntegrationID, SystemName: d.SystemName, AssetID: o.AssetID, Tag: d.Tag,
		AssetAr: d.AssetAr, AssetEn: d.AssetEn, SiteAr: d.SiteAr, SiteEn: d.SiteEn, TechnicianAr: d.TechnicianAr, TechnicianEn: d.TechnicianEn,
		PlanTitle: d.PlanTitle, PlanVersion: d.PlanVersion}),
		BaselineStart: o.BaselineStartOn, BaselineDue: o.BaselineDueOn, StartedAt: o.StartedAt, SyncedAt: o.ExternalSyncedAt,
		PlannedCost: d.PlannedCost, Expected: d.ExpectedCost, Value: d.ValueAtStake, P: d.FailureProbability, Trusted: d.Trusted,
		PlanName: planName(p, d.PlanTitle, d.PlanVersion), Found: o.FoundCondition, Finding: o.Finding, ModeCode: d.ModeCode,
		ModeName: localName(p.Lang, d.ModeAr, d.ModeEn), DoneBy: localName(p.Lang, d.DoneAr, d.DoneEn), ActualHours: o.ActualHours, ActualCost: o.ActualCost,
		HasFindings: o.FoundCondition != "", Today: now.In(riyadhZone).Format(time.DateOnly), Earliest: o.CreatedAt.In(riyadhZone).Format(time.DateOnly),
	}
	if v.BaselineStart == nil {
		v.BaselineStart = &o.StartOn
	}
	if v.BaselineDue == nil {
		v.BaselineDue = &o.DueOn
	}
	v.Shifted = !v.BaselineStart.Equal(o.StartOn) || !v.BaselineDue.Equal(o.DueOn)
	if canUpdate {
		v.CanStart, v.CanFinish = v.Open && !v.Followed, closable(o) == nil
		v.CanEdit, v.CanCancel = v.HasFindings, (v.Open || v.Running) && !v.Followed
		if v.CanAssign = v.Open || v.Running; v.CanAssign {
			v.Team = teamFor(p, x.team, d.SkillID, o.TechnicianID)
		}
	}
	if v.HasFindings {
		v.FoundLabel = p.T("workorders.found." + o.FoundCondition)
	}
	for _, c := range foundConditions {
		v.Conditions = append(v.Conditions, Option{c, p.T("workorders.found." + c)})
	}
	for _, m := range x.modes {
		v.Modes = append(v.Modes, Option{m.ID.String(), m.Code + " · " + localName(p.Lang, m.NameAr, m.NameEn)})
	}
	return v
}

// orderReasons words why the plan has the job, and leads to the explanation.
func orderReasons(p Page, x orderRows) ([]reasonLine, string, error) {
	plan, err := newSolvedPlan(x.plan.OptimizationRun, x.plan.OptimizationScenario)
	if err != nil {
		return nil, "", err
	}
	var out []reasonLine
	for _, l := range plan.view.Lines {
		if l.AssetID != x.order.WorkOrder.AssetID.String() {
			continue
		}
		for _, reason := range l.Reasons {
			out = append(out, reasonText(p, x.book.names, plan.time, reason))
		}
		return out, whyPath(plan, l.Subject), nil
	}
	return nil, "", nil
}

// orderLooks gives the events of an order their marks.
var orderLooks = map[string]struct{ icon, tone string }{
	"work_order.started": {"play", "busy"}, "work_order.done": {"check", "ok"}, "work_order.cancelled": {"ban", "none"},
	"work_order.assigned": {"user", "none"}, "work_order.findings_changed": {"pencil", "none"},
}

// orderTimeline lists what happened to an order, the last first, down to its
// creation by the release of its plan.
func (s *Server) orderTimeline(p Page, x orderRows) []timelineItem {
	var out []timelineItem
	for _, e := range x.events {
		look, known := orderLooks[e.Action]
		if !known {
			look.icon, look.tone = "refresh-cw", "none"
		}
		out = append(out, timelineItem{Icon: look.icon, Tone: look.tone, Text: s.actionName(p, e.Action), Note: x.people.actor(p, e), Time: e.OccurredAt})
	}
	return append(out, timelineItem{Icon: "send", Tone: "wait", Text: p.T("workorders.created"), Note: planName(p, x.order.PlanTitle, x.order.PlanVersion), Time: x.order.WorkOrder.CreatedAt})
}
