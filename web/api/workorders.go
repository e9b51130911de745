package api

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

// WorkOrder is one job of a released plan.
type WorkOrder struct {
	ID        uuid.UUID  `json:"id"`
	Number    int64      `json:"number"`
	TitleAr   string     `json:"title_ar"`
	TitleEn   string     `json:"title_en"`
	Status    string     `json:"status"`
	AssetID   uuid.UUID  `json:"asset_id"`
	Tag       string     `json:"tag"`
	PlanID    uuid.UUID  `json:"plan_id"`
	StartOn   string     `json:"start_on" format:"date"`
	DueOn     string     `json:"due_on" format:"date"`
	CrewHours float64    `json:"crew_hours"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
}

func (a *API) workOrders() {
	add(a, access.ViewResults, route(http.MethodGet, "/work-orders", "list-work-orders", "List work orders, newest number first", "Work orders"), a.listWorkOrders)
}

func (a *API) listWorkOrders(ctx context.Context, who access.Principal, in *struct {
	Paging
	Status string `query:"status" enum:"open,in_progress,done,cancelled"`
}) (*answer[List[WorkOrder]], error) {
	parts, err := in.parts(ctx, 1)
	if err != nil {
		return nil, err
	}
	below := int64(1) << 62
	if parts != nil {
		if below, err = strconv.ParseInt(parts[0], 10, 64); err != nil {
			return nil, badCursor(ctx)
		}
	}
	var rows []db.APIWorkOrdersRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.APIWorkOrders(ctx, tx, db.APIWorkOrdersParams{TenantID: who.TenantID, Status: in.Status, BelowNumber: below, PageSize: in.Limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(page(rows, in.Limit, func(x db.APIWorkOrdersRow) WorkOrder {
		return WorkOrder{ID: x.ID, Number: x.Number, TitleAr: x.TitleAr, TitleEn: x.TitleEn, Status: x.Status, AssetID: x.AssetID, Tag: x.Tag, PlanID: x.PlanID,
			StartOn: x.StartOn.Format(time.DateOnly), DueOn: x.DueOn.Format(time.DateOnly), CrewHours: x.CrewHours, StartedAt: x.StartedAt, DoneAt: x.DoneAt}
	}, func(x db.APIWorkOrdersRow) string { return cursorOf(strconv.FormatInt(x.Number, 10)) })), nil
}
