package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
)

func (s *Server) workOrderRoutes() []route {
	return []route{
		{http.MethodGet, "/work-orders", access.ViewResults, s.listWorkOrders},
		{http.MethodGet, "/work-orders/{id}", access.ViewResults, s.showWorkOrder},
		{http.MethodPost, "/work-orders/{id}/start", access.UpdateWorkOrders, s.startWorkOrder},
		{http.MethodPost, "/work-orders/{id}/done", access.UpdateWorkOrders, s.finishWorkOrder},
		{http.MethodPost, "/work-orders/{id}/findings", access.UpdateWorkOrders, s.changeFindings},
		{http.MethodPost, "/work-orders/{id}/cancel", access.UpdateWorkOrders, s.cancelWorkOrder},
		{http.MethodPost, "/work-orders/{id}/assign", access.UpdateWorkOrders, s.assignWorkOrder},
	}
}

// orderStates maps the status of a work order to the look of its mark.
var orderStates = map[string]string{"open": "plan", "in_progress": "run", "done": "done", "cancelled": "cancel"}

// orderFilters are the statuses that the filter offers: those of orders, all
// that is not closed, and what was closed elsewhere without findings.
var orderFilters = []string{"active", "open", "in_progress", "done", "cancelled", "findings"}

// orderSearch bounds what the search box may send, in letters.
const orderSearch = 80

// The views of the work orders.
const (
	viewList     = "list"
	viewBoard    = "board"
	viewCalendar = "calendar"
)

// orderRow is one work order of a view.
type orderRow struct {
	ID, Title, AssetID, Tag, AssetName, Site string
	Number                                   int64
	Status, StatusName, StatusLabel          string
	Start, Due                               time.Time
	DoneAt                                   *time.Time
	Hours                                    float64
	Late, Open, Running                      bool
	Followed, Findings                       bool // has a twin elsewhere; waits for findings
	System, ExternalID, ExternalState        string
	TechnicianID, Technician                 string
	PlanID, PlanTitle                        string
	PlanVersion                              int
	Team                                     []choiceOption // who may be assigned
}

// orderFilter is what the address asks for, and what may be chosen. It stays
// when the view is changed.
type orderFilter struct {
	View, Status, Site, Plan, Technician, Search string
	Mine, Set                                    bool
	Statuses, Sites, Plans, Technicians          []choiceOption
	Clear                                        string
	params                                       db.WorkOrderPageParams
}

type orderList struct {
	orderFilter
	Views     []tabView
	Rows      []orderRow
	Pager     Pager
	Board     []boardColumn
	Calendar  *orderCalendar
	KPI       *attainmentView
	CanUpdate bool
	Back      string
}

// listWorkOrders shows the work orders that released plans have created, as a
// list, a board or a calendar.
func (s *Server) listWorkOrders(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "workorders.title")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := orderList{orderFilter: readOrderFilter(r.URL.Query(), who), CanUpdate: who.Can(access.UpdateWorkOrders), Back: r.URL.RequestURI()}
	for _, name := range []string{viewList, viewBoard, viewCalendar} {
		v.Views = append(v.Views, tabView{Href: p.With("view", name, "page", ""), Label: p.T("workorders.view." + name), Active: v.View == name})
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		team, err := v.loadChoices(ctx, tx, q, p)
		if err != nil {
			return err
		}
		if v.KPI, err = loadAttainment(ctx, tx, q, p, v.params, time.Now()); err != nil {
			return err
		}
		switch v.View {
		case viewBoard:
			return v.loadBoard(ctx, tx, q, p)
		case viewCalendar:
			return v.loadCalendar(ctx, tx, q, p, team)
		}
		return v.loadList(ctx, tx, q, p, team, pageOffset(r, runPageSize))
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "workorders/list", p)
	return nil
}

// readOrderFilter reads the filter from the address; what makes no sense there
// filters nothing.
func readOrderFilter(query url.Values, who access.Principal) orderFilter {
	f := orderFilter{View: query.Get("view"), Status: query.Get("status"), Site: query.Get("site"), Plan: query.Get("plan"),
		Technician: bounded(query.Get("technician"), 40), Search: bounded(query.Get("q"), orderSearch), Mine: query.Get("mine") != ""}
	if f.View != viewBoard && f.View != viewCalendar {
		f.View = viewList
	}
	f.params = db.WorkOrderPageParams{TenantID: who.TenantID, Search: asset.Fold(f.Search), SiteID: optionalUUID(f.Site), PlanID: optionalUUID(f.Plan)}
	if optionalUUID(f.Technician) != nil || f.Technician == "none" {
		f.params.Technician = f.Technician
	}
	for _, known := range orderFilters {
		if f.Status == known {
			f.params.Status = known
		}
	}
	if f.Mine {
		f.params.OwnerID = &who.UserID
	}
	x := f.params
	f.Set = x.Status != "" || x.SiteID != nil || x.PlanID != nil || x.Technician != "" || f.Mine || f.Search != ""
	f.Clear = "/work-orders?view=" + f.View
	return f
}

// loadChoices fills what the filter offers and returns the technicians.
func (f *orderFilter) loadChoices(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page) ([]db.ListTechniciansRow, error) {
	for _, status := range orderFilters {
		f.Statuses = append(f.Statuses, choiceOption{status, p.T("workorders.status." + status)})
	}
	sites, err := q.ListSites(ctx, tx, f.params.TenantID)
	if err != nil {
		return nil, err
	}
	for _, x := range sites {
		f.Sites = append(f.Sites, choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)})
	}
	plans, err := q.PlansWithOrders(ctx, tx, f.params.TenantID)
	if err != nil {
		return nil, err
	}
	for _, x := range plans {
		f.Plans = append(f.Plans, choiceOption{x.ID.String(), planName(p, x.Title, x.Version)})
	}
	team, err := q.ListTechnicians(ctx, tx, f.params.TenantID)
	if err != nil {
		return nil, err
	}
	f.Technicians = append(f.Technicians, choiceOption{"none", p.T("workorders.unassigned")})
	for _, x := range team {
		f.Technicians = append(f.Technicians, choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)})
	}
	return team, nil
}

// planName is the title of a plan, with its version from the second on.
func planName(p Page, title string, version int32) string {
	if version < 2 {
		return title
	}
	return title + " · " + p.T("plans.version", "N", version)
}

func (v *orderList) loadList(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, team []db.ListTechniciansRow, skip int32) error {
	params := v.params
	params.PageSize, params.Skip = runPageSize, skip
	rows, err := q.WorkOrderPage(ctx, tx, params)
	if err != nil {
		return err
	}
	total := 0
	for _, x := range rows {
		total = int(x.Total)
		row := newOrderRow(p, x)
		if v.CanUpdate && (row.Open || row.Running) {
			row.Team = teamFor(p, team, x.SkillID, x.TechnicianID)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Pager = NewPager(p.URL, runPageSize, total)
	return nil
}

func newOrderRow(p Page, x db.WorkOrderPageRow) orderRow {
	row := orderRow{
		ID: x.ID.String(), Number: x.Number, Title: localName(p.Lang, x.TitleAr, x.TitleEn), AssetID: x.AssetID.String(), Tag: x.Tag,
		AssetName: localName(p.Lang, x.AssetAr, x.AssetEn), Site: localName(p.Lang, x.SiteAr, x.SiteEn), Status: x.Status,
		StatusName: orderStates[x.Status], StatusLabel: p.T("workorders.status." + x.Status), Start: x.StartOn, Due: x.DueOn, DoneAt: x.DoneAt, Hours: x.CrewHours,
		Open: x.Status == "open", Running: x.Status == "in_progress", Technician: localName(p.Lang, x.TechnicianAr, x.TechnicianEn),
		Followed: x.IntegrationID != nil, System: x.SystemName, ExternalID: x.ExternalID, ExternalState: x.ExternalState,
		PlanID: x.PlanID.String(), PlanTitle: x.PlanTitle, PlanVersion: int(x.PlanVersion),
	}
	row.Late = (row.Open || row.Running) && x.DueOn.Before(dateIn(riyadhZone, time.Now()))
	row.Findings = row.Followed && x.Status == "done" && x.FoundCondition == ""
	if x.TechnicianID != nil {
		row.TechnicianID = x.TechnicianID.String()
	}
	return row
}

// teamFor lists the technicians of a trade, or all when there is none, always
// with the one who is assigned.
func teamFor(p Page, all []db.ListTechniciansRow, skill, assigned *uuid.UUID) []choiceOption {
	var out []choiceOption
	for _, t := range all {
		if skill == nil || t.SkillID == *skill || (assigned != nil && t.ID == *assigned) {
			out = append(out, choiceOption{t.ID.String(), localName(p.Lang, t.NameAr, t.NameEn)})
		}
	}
	return out
}

// bounded cuts a text to at most n runes.
func bounded(v string, n int) string {
	if runes := []rune(v); len(runes) > n {
		return string(runes[:n])
	}
	return v
}

// optionalUUID reads an id from a filter; anything else means no filter.
func optionalUUID(v string) *uuid.UUID {
	id, err := uuid.Parse(v)
	if err != nil {
		return nil
	}
	return &id
}
