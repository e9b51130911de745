package web

import (
	"context"
	"net/http"
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
		{http.MethodPost, "/work-orders/{id}/start", access.UpdateWorkOrders, s.startWorkOrder},
		{http.MethodPost, "/work-orders/{id}/done", access.UpdateWorkOrders, s.finishWorkOrder},
		{http.MethodPost, "/work-orders/{id}/assign", access.UpdateWorkOrders, s.assignWorkOrder},
	}
}

// orderStates maps the status of a work order to the look of its mark.
var orderStates = map[string]string{"open": "plan", "in_progress": "run", "done": "done", "cancelled": "cancel"}

// orderSearch bounds what the search box may send, in letters.
const orderSearch = 80

// orderRow is one line of the list of work orders.
type orderRow struct {
	ID, Title, AssetID, Tag, AssetName, Site string
	Number                                   int64
	Status, StatusName, StatusLabel          string
	Start, Due                               time.Time
	Hours                                    float64
	Late, Open, Running                      bool
	TechnicianID, Technician                 string
	PlanID, PlanTitle                        string
	PlanVersion                              int
	Team                                     []choiceOption // who may be assigned
}

type orderList struct {
	Rows                 []orderRow
	Pager                Pager
	Status, Site, Search string
	Mine, CanUpdate      bool
	Filtered             bool
	Statuses, Sites      []choiceOption
	Back                 string
	PlanID               string
}

// listWorkOrders shows the work orders that released plans have created.
func (s *Server) listWorkOrders(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "workorders.title")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	query := r.URL.Query()
	v := orderList{Status: query.Get("status"), Site: query.Get("site"), Search: bounded(query.Get("q"), orderSearch), Mine: query.Get("mine") != "",
		CanUpdate: who.Can(access.UpdateWorkOrders), Back: r.URL.RequestURI(), PlanID: query.Get("plan")}
	filter := db.WorkOrderPageParams{TenantID: who.TenantID, Search: asset.Fold(v.Search), PageSize: runPageSize, Skip: pageOffset(r, runPageSize),
		SiteID: optionalUUID(v.Site), PlanID: optionalUUID(v.PlanID)}
	if _, known := orderStates[v.Status]; known || v.Status == "active" {
		filter.Status = v.Status
	}
	if v.Mine {
		filter.OwnerID = &who.UserID
	}
	v.Filtered = filter.Status != "" || filter.SiteID != nil || filter.PlanID != nil || v.Mine || v.Search != ""
	for _, status := range []string{"active", "open", "in_progress", "done", "cancelled"} {
		v.Statuses = append(v.Statuses, choiceOption{status, p.T("workorders.status." + status)})
	}
	var rows []db.WorkOrderPageRow
	var technicians []db.ListTechniciansRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		sites, err := q.ListSites(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range sites {
			v.Sites = append(v.Sites, choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)})
		}
		if technicians, err = q.ListTechnicians(ctx, tx, tenant); err != nil {
			return err
		}
		rows, err = q.WorkOrderPage(ctx, tx, filter)
		return err
	})
	if err != nil {
		return err
	}
	total := 0
	for _, x := range rows {
		total = int(x.Total)
		row := newOrderRow(p, x)
		if v.CanUpdate && (row.Open || row.Running) {
			row.Team = teamFor(p, technicians, x)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Pager = NewPager(r.URL, runPageSize, total)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "workorders/list", p)
	return nil
}

func newOrderRow(p Page, x db.WorkOrderPageRow) orderRow {
	row := orderRow{
		ID: x.ID.String(), Number: x.Number, Title: localName(p.Lang, x.TitleAr, x.TitleEn), AssetID: x.AssetID.String(), Tag: x.Tag,
		AssetName: localName(p.Lang, x.AssetAr, x.AssetEn), Site: localName(p.Lang, x.SiteAr, x.SiteEn), Status: x.Status,
		StatusName: orderStates[x.Status], StatusLabel: p.T("workorders.status." + x.Status), Start: x.StartOn, Due: x.DueOn, Hours: x.CrewHours,
		Open: x.Status == "open", Running: x.Status == "in_progress", Technician: localName(p.Lang, x.TechnicianAr, x.TechnicianEn),
		PlanID: x.PlanID.String(), PlanTitle: x.PlanTitle, PlanVersion: int(x.PlanVersion),
	}
	row.Late = (row.Open || row.Running) && x.DueOn.Before(dateIn(riyadhZone, time.Now()))
	if x.TechnicianID != nil {
		row.TechnicianID = x.TechnicianID.String()
	}
	return row
}

// teamFor lists the technicians of the asset's trade, or all when it has none,
// always with the one who is assigned.
func teamFor(p Page, all []db.ListTechniciansRow, x db.WorkOrderPageRow) []choiceOption {
	var out []choiceOption
	for _, t := range all {
		if x.SkillID == nil || t.SkillID == *x.SkillID || (x.TechnicianID != nil && t.ID == *x.TechnicianID) {
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
