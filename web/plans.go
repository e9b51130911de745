package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/web/approvals"
)

func (s *Server) planRoutes() []route {
	return []route{
		{http.MethodGet, "/plans", access.ViewResults, s.listPlans},
		{http.MethodGet, "/plans/{id}", access.ViewResults, s.showPlan},
		{http.MethodGet, "/plans/{id}/diff", access.ViewResults, s.showPlanDiff},
		{http.MethodGet, "/runs/{id}/propose", access.ProposePlan, s.showProposal},
		{http.MethodGet, "/scenarios/{id}/comments", access.ViewResults, s.showComments},
		{http.MethodPost, "/scenarios/{id}/comments", access.CommentPlans, s.addComment},
		{http.MethodPost, "/plans/{id}/decision", access.ViewResults, s.decidePlan},
	}
}

// planStates maps the state of a plan to the look of its mark.
var planStates = map[string]string{"proposed": "wait", "endorsed": "wait", "approved": "done", "returned": "retry", "expired": "cancel", "released": "done", "superseded": "cancel"}

// planRow is one line of the list of plans.
type planRow struct {
	ID, Title, Preset, State, StateLabel, By string
	Version, Actions                         int
	Cost, Gap                                float64
	BoundKnown, Late, Waiting                bool
	Left, Behalf                             string // working time until due; in whose place the reader decides
	ProposedAt, DueAt                        time.Time
	DecidedAt                                *time.Time
}

type planList struct {
	Rows    []planRow
	Tabs    []tabView
	Waiting bool // the inbox is shown
	State   string
	States  []choiceOption
	Pager   Pager
}

// listPlans shows what waits for the reader, or every plan.
func (s *Server) listPlans(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "plans.title")
	if err != nil {
		return err
	}
	x, err := s.loadPlans(r)
	if err != nil {
		return err
	}
	v := planList{Waiting: x.waits, State: x.state, Pager: NewPager(r.URL, runPageSize, 0)}
	for _, state := range []string{"proposed", "endorsed", "approved", "returned", "released", "expired", "superseded"} {
		v.States = append(v.States, choiceOption{state, p.T("plans.state." + state)})
	}
	for _, row := range x.rows {
		v.Pager = NewPager(r.URL, runPageSize, int(row.Total))
		v.Rows = append(v.Rows, newPlanRow(p, row, x))
	}
	if x.box.Any() {
		v.Tabs = []tabView{{"/plans", p.T("plans.tab.waiting"), v.Waiting, int(x.waiting)}, {"/plans?tab=all", p.T("plans.tab.all"), !v.Waiting, 0}}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "plans/list", p)
	return nil
}

// planPageRows is what the list of plans reads.
type planPageRows struct {
	box     approvals.Inbox
	waits   bool // the inbox is shown
	state   string
	waiting int64
	rows    []db.PlanPageRow
	days    *calendar.Calendar
	names   map[uuid.UUID]db.ListPeopleRow // of the people stood in for
}

func (s *Server) loadPlans(r *http.Request) (planPageRows, error) {
	x := planPageRows{names: map[uuid.UUID]db.ListPeopleRow{}}
	query := r.URL.Query()
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.box, err = approvals.InboxOf(ctx, tx, access.From(ctx)); err != nil {
			return err
		}
		x.waits = x.box.Any() && query.Get("tab") != "all"
		if _, known := planStates[query.Get("state")]; known && !x.waits {
			x.state = query.Get("state")
		}
		if x.waiting, err = q.CountPlansWaiting(ctx, tx, x.box.Count()); err != nil {
			return err
		}
		if x.rows, err = q.PlanPage(ctx, tx, x.box.Page(x.state, x.waits, runPageSize, pageOffset(r, runPageSize))); err != nil {
			return err
		}
		if x.days, err = db.TenantCalendar(ctx, tx, tenant); err != nil || len(x.box.StandsInFor) == 0 {
			return err
		}
		people, err := q.ListPeople(ctx, tx, tenant)
		for _, person := range people {
			x.names[person.ID] = person
		}
		return err
	})
	return x, err
}

// workingLeft says how much working time is left until a moment, empty when it
// has passed.
func workingLeft(p Page, days *calendar.Calendar, now, due time.Time) string {
	if !due.After(now) {
		return ""
	}
	if hours := int(days.WorkingBetween(now, due).Hours()); hours > 0 {
		return p.N("plans.due.left", hours, "N", p.Loc().Num(hours))
	}
	return p.T("plans.due.left.none")
}

func newPlanRow(p Page, x db.PlanPageRow, list planPageRows) planRow {
	now := time.Now()
	row := planRow{
		ID: x.ID.String(), Title: x.Title, Preset: presetName(p, x.Preset), State: planStates[x.State],
		StateLabel: p.T("plans.state." + lifecycle(x.State, x.Lifecycle)), By: localName(p.Lang, x.ProposedAr, x.ProposedEn), Version: int(x.Version),
		Actions: int(x.ActionsPlanned), Cost: x.TotalCost, ProposedAt: x.ProposedAt, DueAt: x.DueAt, DecidedAt: x.DecidedAt,
		Waiting: x.State == "proposed", Late: x.State == "proposed" && now.After(x.DueAt),
	}
	if row.Waiting {
		row.Left = workingLeft(p, list.days, now, x.DueAt)
		if id, ok, _ := approval.StandsInFor(list.box.StandsInFor, x.LaunchedBy, x.ProposedBy); ok {
			row.Behalf = p.T("plans.behalf", "Name", localName(p.Lang, list.names[id].NameAr, list.names[id].NameEn))
		}
	}
	if x.State == "approved" && x.ReleaseRequestedAt != nil {
		row.State, row.StateLabel = "run", p.T("plans.state.releasing")
	}
	if x.Gap != nil && x.Bound != nil {
		row.BoundKnown, row.Gap = true, *x.Gap
	}
	return row
}
