package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/backtest"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of a backtest and what its form offers first.
const (
	backtestsShown    = 30
	leastBacktestDays = 30
	mostBacktestDays  = 3 * 366
	mostOrigins       = 200
	offeredDays       = 365
	offeredStep       = 7
	offeredHorizon    = 30
)

func (s *Server) backtestRoutes() []route {
	return []route{
		{http.MethodGet, "/ledger/backtests", access.ViewResults, s.listBacktests},
		{http.MethodPost, "/ledger/backtests", access.RunBacktest, s.createBacktest},
		{http.MethodGet, "/ledger/backtests/{id}", access.ViewResults, s.showBacktest},
	}
}

// backtestForm is the form of a backtest as it was filled in.
type backtestForm struct {
	From, To, Step, Horizon string
	Errors                  map[string]string
}

// backtestRow is one line of the list. Summary is nil until there is a result.
type backtestRow struct {
	ID, State, StateLabel, By string
	From, To, At              time.Time
	Summary                   *backtest.Summary
}

// backtestList is the Data of ledger/backtests.
type backtestList struct {
	Tabs  []tabView
	Rows  []backtestRow
	Form  backtestForm
	Today string
	May   bool
}

// backtestStates are the marks of the part "state-as".
var backtestStates = map[string]string{"requested": "wait", "running": "run", "done": "done", "failed": "fail"}

func (s *Server) listBacktests(w http.ResponseWriter, r *http.Request) error {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	return s.backtestPage(w, r, http.StatusOK, backtestForm{From: day.AddDate(0, 0, -offeredDays).Format(time.DateOnly), To: day.Format(time.DateOnly),
		Step: strconv.Itoa(offeredStep), Horizon: strconv.Itoa(offeredHorizon)})
}

func (s *Server) backtestPage(w http.ResponseWriter, r *http.Request, status int, f backtestForm) error {
	p, err := s.page(r, "backtests.title")
	if err != nil {
		return err
	}
	var rows []db.BacktestPageRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		rows, err = q.BacktestPage(ctx, tx, tenant, backtestsShown)
		return err
	})
	if err != nil {
		return err
	}
	v := backtestList{Tabs: proofTabs(p, "backtests"), Form: f, May: access.From(r.Context()).Can(access.RunBacktest),
		Today: time.Now().UTC().Format(time.DateOnly)}
	for _, x := range rows {
		row := backtestRow{ID: x.ID.String(), State: backtestStates[x.State], StateLabel: p.T("backtests.state." + x.State), By: localName(p.Lang, x.NameAr, x.NameEn),
			From: x.FromDay, To: x.ToDay, At: x.RequestedAt}
		if err := json.Unmarshal(x.Summary, &row.Summary); err != nil {
			return fmt.Errorf("read result of backtest %s: %w", x.ID, err)
		}
		v.Rows = append(v.Rows, row)
	}
	p.Crumbs = []Crumb{{Href: "/ledger", Label: p.T("ledger.title")}, {Label: p.T("backtests.title")}}
	p.Data = v
	s.render.Render(w, r, status, "ledger/backtests", p)
	return nil
}

// createBacktest records a backtest and starts it. When the engine is away,
// upkeep starts it later.
func (s *Server) createBacktest(w http.ResponseWriter, r *http.Request) error {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := backtestForm{From: value("from"), To: value("to"), Step: value("step"), Horizon: value("horizon")}
	asked, keys := f.parse(time.Now().UTC())
	if len(keys) > 0 {
		f.Errors = translated(s.render.Page(r), keys)
		return s.backtestPage(w, r, http.StatusUnprocessableEntity, f)
	}
	var id uuid.UUID
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		asked.TenantID, asked.RequestedBy, asked.Seed = tenant, access.From(ctx).UserID, 1
		var err error
		if id, err = q.AddBacktest(ctx, tx, asked); errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "backtests.error.open")
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "backtest.requested", ObjectType: "backtest", ObjectID: id.String(),
			After: map[string]any{"from": f.From, "to": f.To, "step_days": asked.StepDays, "horizon_days": asked.HorizonDays}})
	})
	if err != nil {
		return err
	}
	toast := "backtests.started"
	if err := s.Workflows.StartBacktest(r.Context(), access.From(r.Context()).TenantID, id); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "backtests.queued"
	}
	return s.redirect(w, r, "/ledger/backtests/"+id.String(), toast)
}

// parse returns what the form asks for and the message key of every field that
// is wrong.
func (f backtestForm) parse(now time.Time) (db.AddBacktestParams, map[string]string) {
	var out db.AddBacktestParams
	keys := map[string]string{}
	day := func(name, text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			keys[name] = "backtests.error.day"
		}
		return d
	}
	out.FromDay, out.ToDay = day("from", f.From), day("to", f.To)
	span := int(out.ToDay.Sub(out.FromDay).Hours() / 24)
	if len(keys) == 0 && (!out.ToDay.Before(now.Truncate(24*time.Hour)) || span < leastBacktestDays || span > mostBacktestDays) {
		keys["to"] = "backtests.error.to"
	}
	step, err := strconv.Atoi(f.Step)
	if err != nil || step < 1 || step > 90 || span/step >= mostOrigins {
		keys["step"] = "backtests.error.step"
	}
	horizon, err := strconv.Atoi(f.Horizon)
	if err != nil || horizon < max(7, step) || horizon > 365 {
		keys["horizon"] = "backtests.error.horizon"
	}
	out.StepDays, out.HorizonDays = int32(step), int32(horizon) // #nosec G109 -- both are checked
	return out, keys
}
