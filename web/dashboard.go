package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// What the dashboard looks at: jobs due within a week count as due now, a
// deferral is thirty days, and so is the look ahead at actions.
const (
	dueNowDays    = 7
	deferralDays  = 30
	lookAheadDays = 30
	topRiskRows   = 5
	alertRows     = 4
)

func (s *Server) dashboardRoutes() []route {
	return []route{
		{http.MethodGet, "/dashboard", access.ViewResults, s.showDashboard},
		{http.MethodGet, "/dashboard/run", access.ViewResults, s.dashboardRun},
	}
}

// dashboardRows is what the dashboard reads, one query per block.
type dashboardRows struct {
	now         time.Time
	fleet       db.FleetSummaryRow
	days        []db.RiskByDayRow
	actions     db.UpcomingActionsRow
	runs        []db.FinishedRunsRow
	chosen      *db.FinishedRunsRow
	costs       []db.ScenarioCostsRow
	deferral    *db.DeferralCostRow
	top         []db.TopRisksRow
	names       signalBook
	run         *monitorRows
	alerts      []alertView
	alertTotal  int
	connections []db.ConnectorFreshnessRow
}

func (s *Server) showDashboard(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "dashboard.title")
	if err != nil {
		return err
	}
	span := riskSpan(r)
	x := dashboardRows{now: time.Now()}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if err := x.loadFleet(ctx, tx, q, tenant, p, span); err != nil {
			return err
		}
		return x.loadRuns(ctx, tx, q, tenant, optionalUUID(r.URL.Query().Get("run")))
	})
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v, err := newDashboard(p, x, span, who.Can(access.RunPrioritization))
	if err != nil {
		return err
	}
	v.CanIntegrations = who.Can(access.ViewIntegrations)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "dashboard/show", p)
	return nil
}

// riskSpan is the number of days the risk chart shows: 30 or 90.
func riskSpan(r *http.Request) int {
	if r.URL.Query().Get("days") == "90" {
		return 90
	}
	return 30
}

func (x *dashboardRows) loadFleet(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page, span int) (err error) {
	if x.fleet, err = q.FleetSummary(ctx, tx, tenant); err != nil {
		return err
	}
	if x.days, err = q.RiskByDay(ctx, tx, tenant, x.now.AddDate(0, 0, -span)); err != nil {
		return err
	}
	if x.top, err = q.TopRisks(ctx, tx, tenant, topRiskRows); err != nil {
		return err
	}
	if len(x.top) > 0 {
		ids := make([]uuid.UUID, len(x.top))
		for i, a := range x.top {
			ids[i] = a.ID
		}
		signals, err := q.ListSignals(ctx, tx, tenant, ids)
		if err != nil {
			return err
		}
		x.names = newSignalBook(p.Lang, signals)
	}
	today := dateIn(riyadhZone, x.now)
	if x.actions, err = q.UpcomingActions(ctx, tx, tenant, today.AddDate(0, 0, lookAheadDays), today); err != nil {
		return err
	}
	if x.alerts, x.alertTotal, err = openAlerts(ctx, tx, q, tenant, p, nil, alertRows); err != nil {
		return err
	}
	x.connections, err = q.ConnectorFreshness(ctx, tx, tenant)
	return err
}

// loadRuns reads the run under way and the costs of a finished one: the one
// that the address names, else the newest.
func (x *dashboardRows) loadRuns(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, wanted *uuid.UUID) (err error) {
	if x.run, err = runInView(ctx, tx, q, tenant); err != nil {
		return err
	}
	if x.runs, err = q.FinishedRuns(ctx, tx, tenant); err != nil || len(x.runs) == 0 {
		return err
	}
	x.chosen = &x.runs[0]
	for i := range x.runs {
		if wanted != nil && x.runs[i].ID == *wanted {
			x.chosen = &x.runs[i]
		}
	}
	if x.costs, err = q.ScenarioCosts(ctx, tx, tenant, x.chosen.ID); err != nil {
		return err
	}
	newest := x.costs
	if x.chosen != &x.runs[0] {
		if newest, err = q.ScenarioCosts(ctx, tx, tenant, x.runs[0].ID); err != nil {
			return err
		}
	}
	if len(newest) == 0 {
		return nil
	}
	cost, err := q.DeferralCost(ctx, tx, db.DeferralCostParams{TenantID: tenant, ScenarioID: balancedOf(newest), Days: deferralDays,
		DueBy: dateIn(riyadhZone, x.now).AddDate(0, 0, dueNowDays)})
	x.deferral = &cost
	return err
}

// balancedOf picks the balanced scenario, or else the first.
func balancedOf(scenarios []db.ScenarioCostsRow) uuid.UUID {
	for _, sc := range scenarios {
		if sc.Preset == "balanced" {
			return sc.ID
		}
	}
	return scenarios[0].ID
}

// runInView reads the run to watch, nil when there has been none.
func runInView(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (*monitorRows, error) {
	id, err := q.RunInView(ctx, tx, tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // no run is a state of its own
	}
	if err != nil {
		return nil, err
	}
	var m monitorRows
	if m.run, err = q.RunDetail(ctx, tx, tenant, id); err != nil {
		return nil, err
	}
	m.progress, err = q.RunProgress(ctx, tx, tenant, id)
	return &m, err
}

// dashboardRun answers the poll of the card of the run under way.
func (s *Server) dashboardRun(w http.ResponseWriter, r *http.Request) error {
	p := s.render.Page(r)
	var m *monitorRows
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		m, err = runInView(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return err
	}
	v := dashboardView{CanRun: access.From(r.Context()).Can(access.RunPrioritization)}
	v.Run = newRunCard(p, m)
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "dashboard/show", "dashboard-run", p)
	return nil
}
