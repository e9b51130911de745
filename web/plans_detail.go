package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

// planRows is what the page of a plan reads.
type planRows struct {
	plan      db.PlanDetailRow
	solved    solvedPlan
	trust     map[uuid.UUID]bool
	book      plantBook
	decisions []db.PlanDecisionsPageRow
	orders    []db.WorkOrderPageRow
	release   string // id of its release, empty before one is asked for
	lines     []db.ListPlanLinesRow
	comments  []db.ListPlanCommentsRow
	standing  approvals.Standing
	deciders  []string
	behalf    *db.User // in whose place the reader decides
	rules     db.GetGovernanceRow
	next      *db.NextVersionOfPlanRow
}

// planView is the page of one plan.
type planView struct {
	ID, Run, Title, Preset, PresetName, State, StateName, StateLabel string
	Version                                                          int
	Previous                                                         string
	LaunchedBy, ProposedBy, ReleasedBy, Note                         string
	ProposedAt, DueAt, From, To                                      time.Time
	DecidedAt, ReleasedAt, EscalatedAt, EndorsedAt                   *time.Time
	Late                                                             bool
	Left                                                             string // working time until due
	Steps                                                            []planStep
	Deciders                                                         []string
	Waiting, Endorsement                                             bool // waits; must be endorsed first
	Jobs                                                             []jobRow
	Held                                                             []heldRow
	Pins                                                             []pinRow
	Talk                                                             commentsView
	Next, Again                                                      string // links to the plan that follows and to a new run
	Content                                                          string
	Total, Risk                                                      float64
	Figures                                                          []figureView
	Certificate                                                      certificate
	Lines                                                            lineTable
	Pager                                                            Pager
	Decisions                                                        []decisionView
	Orders                                                           []orderRow
	MoreOrders                                                       int
	Release                                                          string // id of its release
	Actions                                                          planActions
	Form                                                             decisionForm
	History                                                          string
}

// decisionView is one decision of the timeline.
type decisionView struct {
	Icon, Tone, Label, By, Behalf, Role, Comment string
	At                                           time.Time
}

// planActions says what the reader may do. Own explains in words why somebody
// who may approve plans may not approve this one, Behalf in whose place they
// decide.
type planActions struct {
	Endorse, Approve, Return, Release bool
	Releasing                         bool
	Own, Behalf                       string
}

// Any reports whether a decision form is shown.
func (a planActions) Any() bool { return a.Endorse || a.Approve || a.Return }

// ordersShown bounds the work orders on the page of a plan.
const ordersShown = 50

func (s *Server) showPlan(w http.ResponseWriter, r *http.Request) error {
	return s.planPage(w, r, http.StatusOK, decisionForm{ID: uuid.NewString(), Held: map[string]bool{}})
}

// planPage prints a plan with a decision form as it was filled in.
func (s *Server) planPage(w http.ResponseWriter, r *http.Request, status int, form decisionForm) error {
	p, err := s.page(r, "plans.one")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	x, err := s.loadPlan(r, p, id)
	if err != nil {
		return err
	}
	v := newPlanView(p, x, access.From(r.Context()))
	form.Content = v.Content
	v.Form = form
	v.Jobs = jobRows(p, x.solved, x.book, x.lines, form.Held)
	who := access.From(r.Context())
	if who.Can(access.ViewHistory) {
		v.History = "/plans/" + id.String() + "/history"
	}
	p.Title = v.Title
	p.Crumbs = []Crumb{{Href: "/plans", Label: p.T("plans.title")}, {Label: v.Title}}
	p.Data = v
	s.render.Render(w, r, status, "plans/show", p)
	return nil
}

func (s *Server) loadPlan(r *http.Request, p Page, id uuid.UUID) (planRows, error) {
	var x planRows
	var run db.OptimizationRun
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.plan, err = q.PlanDetail(ctx, tx, tenant, id); err != nil {
			return err
		}
		if run, err = q.LoadRun(ctx, tx, tenant, x.plan.Plan.RunID); err != nil {
			return err
		}
		trust, err := q.ScenarioTrust(ctx, tx, tenant, x.plan.Plan.ScenarioID)
		if err != nil {
			return err
		}
		x.trust = trustOf(trust)
		if x.book, err = loadPlantBook(ctx, tx, q, tenant); err != nil {
			return err
		}
		if err := x.loadApproval(ctx, tx, q, p, access.From(ctx)); err != nil {
			return err
		}
		if x.release, err = releaseOf(ctx, tx, q, tenant, id); err != nil {
			return err
		}
		if x.plan.Plan.ReleasedAt == nil {
			return nil
		}
		x.orders, err = q.WorkOrderPage(ctx, tx, db.WorkOrderPageParams{TenantID: tenant, PlanID: &id, PageSize: ordersShown})
		return err
	})
	if err != nil {
		return x, err
	}
	x.solved, err = newSolvedPlan(run, x.plan.OptimizationScenario)
	return x, err
}

func newPlanView(p Page, x planRows, who access.Principal) planView {
	plan, sc := x.plan.Plan, x.plan.OptimizationScenario
	v := planView{
		ID: plan.ID.String(), Run: plan.RunID.String(), Title: x.plan.Title, Preset: sc.Preset, PresetName: presetName(p, sc.Preset),
		State: plan.State, StateName: planStates[plan.State], StateLabel: p.T("plans.state." + lifecycle(plan.State, plan.Lifecycle)), Version: int(plan.Version),
		LaunchedBy: localName(p.Lang, x.plan.LaunchedAr, x.plan.LaunchedEn), ProposedBy: localName(p.Lang, x.plan.ProposedAr, x.plan.ProposedEn),
		ReleasedBy: localName(p.Lang, x.plan.ReleasedAr, x.plan.ReleasedEn), Note: plan.Note, ProposedAt: plan.ProposedAt, DueAt: plan.DueAt,
		From: x.plan.WindowStart, To: x.plan.WindowStart.AddDate(0, 0, int(x.plan.WindowDays)-1), DecidedAt: plan.DecidedAt,
		ReleasedAt: plan.ReleasedAt, EscalatedAt: plan.EscalatedAt, Late: plan.State == "proposed" && time.Now().After(plan.DueAt),
		Total: x.solved.view.Total, Risk: x.solved.view.Risk, Figures: figureViews(p, x.solved.view.Figures), Actions: actionsOn(p, x, who),
		Certificate: newCertificate(x.solved.view.Certificate),
	}
	v.Release = x.release
	v.showApproval(p, x, who)
	if plan.PreviousID != nil {
		v.Previous = plan.PreviousID.String()
	}
	if v.Actions.Releasing {
		v.StateName, v.StateLabel = "run", p.T("plans.state.releasing")
	}
	v.Pager = NewPager(p.URL, runPageSize, len(x.solved.view.Lines))
	v.Pager.Target = "plan-advice"
	v.Lines = newLineTable(p, x.solved, x.book, x.trust, v.Pager)
	markLines(p, &v, x)
	for _, d := range x.decisions {
		v.Decisions = append(v.Decisions, newDecisionView(p, d))
	}
	for _, o := range x.orders {
		v.MoreOrders = int(o.Total) - len(x.orders)
		v.Orders = append(v.Orders, newOrderRow(p, o))
	}
	return v
}

// actionsOn says what the reader may do about a plan in its state.
func actionsOn(p Page, x planRows, who access.Principal) planActions {
	plan := x.plan.Plan
	a := planActions{Endorse: x.standing.May(workflows.Endorsed), Approve: x.standing.May(workflows.Approved), Return: x.standing.May(workflows.Returned)}
	if x.standing.Waiting && x.standing.Own != "" {
		a.Own = p.T("plans.own." + x.standing.Own)
	}
	if x.standing.Waiting && x.behalf != nil {
		a.Behalf = p.T("plans.behalf", "Name", localName(p.Lang, x.behalf.NameAr, x.behalf.NameEn))
	}
	if plan.State == "approved" {
		a.Releasing = plan.ReleaseRequestedAt != nil
		a.Release = !a.Releasing && who.Can(access.ReleasePlan)
	}
	return a
}

// decisionLooks gives each kind of decision its mark.
var decisionLooks = map[string]struct{ icon, tone string }{
	workflows.Endorsed: {"badge-check", "ok"}, workflows.Objected: {"octagon-alert", "warn"},
	workflows.Approved: {"check-check", "ok"}, workflows.Returned: {"undo-2", "bad"},
}

func newDecisionView(p Page, d db.PlanDecisionsPageRow) decisionView {
	look := decisionLooks[d.Kind]
	v := decisionView{Icon: look.icon, Tone: look.tone, Label: p.T("plans.decided." + d.Kind), By: localName(p.Lang, d.NameAr, d.NameEn),
		Comment: d.Comment, At: d.DecidedAt}
	if d.OnBehalfOf != nil {
		v.Behalf = p.T("plans.decided.behalf", "Name", localName(p.Lang, d.BehalfAr, d.BehalfEn))
	}
	if len(d.Roles) > 0 {
		v.Role = p.T("role." + d.Roles[0])
	}
	return v
}
