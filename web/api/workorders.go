package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/ledger"
	"github.com/optria-iq/optria/web/proof"
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

// Attainment is the schedule compliance of the orders that were due in a
// period: in all, by site, by technician, by plan, and by week from Sunday.
type Attainment struct {
	AttainmentShare
	From        string            `json:"from" format:"date"`
	To          string            `json:"to" format:"date"`
	Sites       []AttainmentShare `json:"sites"`
	Technicians []AttainmentShare `json:"technicians" doc:"The zero id stands for orders of nobody"`
	Plans       []AttainmentShare `json:"plans"`
	Weeks       []AttainmentShare `json:"weeks"`
}

// AttainmentShare counts orders that were due and those finished on one of
// their planned days; share is left out while none was due.
type AttainmentShare struct {
	ID    *uuid.UUID `json:"id,omitempty"`
	Week  string     `json:"week,omitempty" format:"date"`
	Due   int        `json:"due"`
	Kept  int        `json:"kept"`
	Share *float64   `json:"share,omitempty"`
}

func (a *API) workOrders() {
	add(a, access.ViewResults, route(http.MethodGet, "/work-orders", "list-work-orders", "List work orders, newest number first", "Work orders"), a.listWorkOrders)
	add(a, access.ViewResults, route(http.MethodGet, "/work-orders/attainment", "get-attainment", "Schedule compliance of work orders (SMRP 5.4.4)", "Work orders"), a.getAttainment)
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

// attainmentDays is the period without dates, and the longest one.
const (
	attainmentDays    = 28
	attainmentLongest = 366
)

// getAttainment measures the orders that were due from one day to another, by
// default the four weeks before today.
func (a *API) getAttainment(ctx context.Context, who access.Principal, in *struct {
	From string `query:"from" format:"date"`
	To   string `query:"to" format:"date"`
	Site string `query:"site" format:"uuid"`
	Plan string `query:"plan" format:"uuid"`
}) (*answer[Attainment], error) {
	var rows []db.AttainmentOrdersRow
	var from, to time.Time
	zone := time.UTC
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		c, err := db.TenantCalendar(ctx, tx, who.TenantID)
		if err != nil {
			return err
		}
		zone = c.Location()
		if from, to, err = attainmentPeriod(ctx, in.From, in.To, dayIn(zone, time.Now())); err != nil {
			return err
		}
		rows, err = q.AttainmentOrders(ctx, tx, db.AttainmentOrdersParams{TenantID: who.TenantID, FromDay: from, ToDay: to, SiteID: optionalID(in.Site), PlanID: optionalID(in.Plan)})
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(newAttainment(rows, from, to, zone)), nil
}

// optionalID reads an id that may be left out; its form was checked before.
func optionalID(v string) *uuid.UUID {
	id, err := uuid.Parse(v)
	if err != nil {
		return nil
	}
	return &id
}

// dayIn is the day of a moment in a zone, as midnight UTC.
func dayIn(zone *time.Location, t time.Time) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func attainmentPeriod(ctx context.Context, first, last string, today time.Time) (from, to time.Time, err error) {
	to = today.AddDate(0, 0, -1)
	if last != "" {
		if to, err = time.Parse(time.DateOnly, last); err != nil {
			return from, to, invalidKeys(ctx, map[string]string{"to": "reliability.error.day"})
		}
	}
	from = to.AddDate(0, 0, 1-attainmentDays)
	if first != "" {
		if from, err = time.Parse(time.DateOnly, first); err != nil {
			return from, to, invalidKeys(ctx, map[string]string{"from": "reliability.error.day"})
		}
	}
	if days := to.Sub(from).Hours() / 24; days < 0 || days > attainmentLongest {
		return from, to, invalidKeys(ctx, map[string]string{"from": "field.range"})
	}
	return from, to, nil
}

func newAttainment(rows []db.AttainmentOrdersRow, from, to time.Time, zone *time.Location) Attainment {
	var all ledger.Attainment
	var sites, technicians, plans ledger.Tally[uuid.UUID]
	var weeks ledger.Tally[string]
	for _, x := range slices.Backward(rows) { // weeks in their order
		o := proof.DueOrder(x, zone)
		technician := uuid.Nil
		if x.TechnicianID != nil {
			technician = *x.TechnicianID
		}
		all.Add(o)
		sites.Add(x.SiteID, o)
		technicians.Add(technician, o)
		plans.Add(x.PlanID, o)
		weeks.Add(x.DueOn.AddDate(0, 0, -int(x.DueOn.Weekday())).Format(time.DateOnly), o)
	}
	byID := func(id uuid.UUID) AttainmentShare { return AttainmentShare{ID: &id} }
	return Attainment{AttainmentShare: AttainmentShare{}.of(all), From: from.Format(time.DateOnly), To: to.Format(time.DateOnly),
		Sites: shares(sites, byID), Technicians: shares(technicians, byID), Plans: shares(plans, byID),
		Weeks: shares(weeks, func(week string) AttainmentShare { return AttainmentShare{Week: week} })}
}

// of fills the figures of a share.
func (s AttainmentShare) of(a ledger.Attainment) AttainmentShare {
	s.Due, s.Kept = a.Due, a.Kept
	if share, known := a.Share(); known {
		s.Share = &share
	}
	return s
}

// shares names the sums of a tally by their keys.
func shares[K comparable](t ledger.Tally[K], head func(K) AttainmentShare) []AttainmentShare {
	out := make([]AttainmentShare, len(t.Keys))
	for i, key := range t.Keys {
		out[i] = head(key).of(t.Sums[i])
	}
	return out
}
