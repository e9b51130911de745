package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

func (s *Server) planRoutes() []route {
	return []route{
		{http.MethodGet, "/plans", access.ViewResults, s.listPlans},
		{http.MethodGet, "/plans/{id}", access.ViewResults, s.showPlan},
		{http.MethodPost, "/plans/{id}/decision", access.ViewResults, s.decidePlan},
		{http.MethodPost, "/plans/{id}/release", access.ReleasePlan, s.releasePlan},
	}
}

// planStates maps the state of a plan to the look of its mark.
var planStates = map[string]string{"proposed": "wait", "approved": "done", "returned": "retry", "expired": "cancel", "released": "done", "superseded": "cancel"}

// planRow is one line of the list of plans.
type planRow struct {
	ID, Title, Preset, State, StateLabel, By string
	Version, Actions                         int
	Cost, Gap                                float64
	BoundKnown, Late, Waiting                bool
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

// inbox says what a person may act on.
type inbox struct {
	me                           uuid.UUID
	approves, endorses, releases bool
}

func inboxOf(who access.Principal) inbox {
	return inbox{who.UserID, who.Can(access.ApprovePlan), who.Can(access.EndorsePlan), who.Can(access.ReleasePlan)}
}

func (b inbox) any() bool { return b.approves || b.endorses || b.releases }

// listPlans shows what waits for the reader, or every plan.
func (s *Server) listPlans(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "plans.title")
	if err != nil {
		return err
	}
	box := inboxOf(access.From(r.Context()))
	query := r.URL.Query()
	v := planList{Waiting: box.any() && query.Get("tab") != "all", State: query.Get("state")}
	if _, known := planStates[v.State]; !known || v.Waiting {
		v.State = ""
	}
	for _, state := range []string{"proposed", "approved", "returned", "released", "expired", "superseded"} {
		v.States = append(v.States, choiceOption{state, p.T("plans.state." + state)})
	}
	var rows []db.PlanPageRow
	waiting := int64(0)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		waiting, err = q.CountPlansWaiting(ctx, tx, db.CountPlansWaitingParams{TenantID: tenant, Me: box.me, Approves: box.approves, Endorses: box.endorses, Releases: box.releases})
		if err != nil {
			return err
		}
		rows, err = q.PlanPage(ctx, tx, db.PlanPageParams{TenantID: tenant, State: v.State, Waiting: v.Waiting, Me: box.me, Approves: box.approves,
			Endorses: box.endorses, Releases: box.releases, PageSize: runPageSize, Skip: pageOffset(r, runPageSize)})
		return err
	})
	if err != nil {
		return err
	}
	total := 0
	for _, x := range rows {
		total = int(x.Total)
		v.Rows = append(v.Rows, newPlanRow(p, x))
	}
	v.Pager = NewPager(r.URL, runPageSize, total)
	if box.any() {
		v.Tabs = []tabView{{"/plans", p.T("plans.tab.waiting"), v.Waiting, int(waiting)}, {"/plans?tab=all", p.T("plans.tab.all"), !v.Waiting, 0}}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "plans/list", p)
	return nil
}

func newPlanRow(p Page, x db.PlanPageRow) planRow {
	row := planRow{
		ID: x.ID.String(), Title: x.Title, Preset: presetName(p, x.Preset), State: planStates[x.State],
		StateLabel: p.T("plans.state." + x.State), By: localName(p.Lang, x.ProposedAr, x.ProposedEn), Version: int(x.Version),
		Actions: int(x.ActionsPlanned), Cost: x.TotalCost, ProposedAt: x.ProposedAt, DueAt: x.DueAt, DecidedAt: x.DecidedAt,
		Waiting: x.State == "proposed", Late: x.State == "proposed" && time.Now().After(x.DueAt),
	}
	if x.State == "approved" && x.ReleaseRequestedAt != nil {
		row.State, row.StateLabel = "run", p.T("plans.state.releasing")
	}
	if x.Gap != nil && x.Bound != nil {
		row.BoundKnown, row.Gap = true, *x.Gap
	}
	return row
}
