package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// RunInput is a request for a run. No sites means all of them; limits of
// downtime are hours within the horizon by site id.
type RunInput struct {
	Problem      string             `json:"problem" enum:"maintenance_prioritization,maintenance_deferral_cost,production_risk,workforce_dispatch"`
	Title        string             `json:"title" minLength:"1" maxLength:"200"`
	Start        string             `json:"start" format:"date" doc:"First day of the horizon"`
	Days         int                `json:"days" enum:"7,30,90"`
	LimitSeconds int                `json:"time_limit_seconds,omitempty" required:"false" enum:"10,30,60,120,300" default:"30"`
	Sites        []uuid.UUID        `json:"sites,omitempty" maxItems:"500"`
	DowntimeCaps map[string]float64 `json:"downtime_caps,omitempty" maxProperties:"500"`
	BudgetSAR    *float64           `json:"budget_sar,omitempty" minimum:"0"`
	OneTrainOut  bool               `json:"one_train_out,omitempty" required:"false" default:"true"`
	WeightCost   *float64           `json:"weight_cost,omitempty" minimum:"0" doc:"With weight_risk, adds a scenario with these weights"`
	WeightRisk   *float64           `json:"weight_risk,omitempty" minimum:"0"`
}

// Run is the state of one run.
type Run struct {
	ID            uuid.UUID  `json:"id"`
	Title         string     `json:"title"`
	Problem       string     `json:"problem"`
	State         string     `json:"state" doc:"requested, running, done, failed or cancelled"`
	Stage         string     `json:"stage"`
	RequestedBy   uuid.UUID  `json:"requested_by"`
	WindowStart   string     `json:"window_start" format:"date"`
	WindowDays    int32      `json:"window_days"`
	LimitSeconds  int32      `json:"time_limit_seconds"`
	Incumbent     *float64   `json:"incumbent,omitempty" doc:"Best cost found, SAR"`
	Bound         *float64   `json:"bound,omitempty" doc:"Proven lower bound, SAR"`
	Gap           *float64   `json:"gap,omitempty" doc:"Relative optimality gap"`
	StopRequested bool       `json:"stop_requested"`
	Error         string     `json:"error,omitempty"`
	RequestedAt   time.Time  `json:"requested_at"`
	StartedAt     *time.Time `json:"started_at,omitempty"`
	FinishedAt    *time.Time `json:"finished_at,omitempty"`
}

// RunEvent is one thing that happened in a run.
type RunEvent struct {
	Seq            int64     `json:"seq"`
	At             time.Time `json:"at"`
	Stage          string    `json:"stage"`
	Kind           string    `json:"kind"`
	Scenario       string    `json:"scenario,omitempty"`
	ElapsedSeconds float64   `json:"elapsed_seconds"`
	Incumbent      *float64  `json:"incumbent,omitempty"`
	Bound          *float64  `json:"bound,omitempty"`
	Gap            *float64  `json:"gap,omitempty"`
}

// runCreated answers a request for a run.
type runCreated struct {
	Location string `header:"Location"`
	Body     struct {
		ID     uuid.UUID `json:"id"`
		Replay bool      `json:"replay" doc:"The same request was made before; this is its run"`
	}
}

func (a *API) runs() {
	create := route(http.MethodPost, "/runs", "create-run", "Ask for an optimization run", "Runs")
	create.DefaultStatus, create.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.RunPrioritization, create, a.createRun)
	add(a, access.ViewResults, route(http.MethodGet, "/runs", "list-runs", "List runs, newest first", "Runs"), a.listRuns)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}", "get-run", "State of a run", "Runs"), a.getRun)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/events", "list-run-events", "What happened in a run, oldest first", "Runs"), a.listRunEvents)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/scenarios", "list-scenarios", "Scenarios of a run", "Runs"), a.listScenarios)
	add(a, access.ViewResults, route(http.MethodGet, "/scenarios/{id}/recommendations", "list-recommendations", "Recommendations of a scenario", "Runs"), a.listRecommendations)
	for _, x := range []struct {
		id, summary, action string
		end                 func(ctx context.Context, tenant, run uuid.UUID) error
	}{
		{"stop", "Stop searching and keep the best plans", "run.stop_requested", a.Workflows.StopOptimization},
		{"cancel", "Give a run up; nothing of it is saved", "run.cancel_requested", a.Workflows.CancelOptimization},
	} {
		op := route(http.MethodPost, "/runs/{id}/"+x.id, x.id+"-run", x.summary, "Runs")
		op.DefaultStatus, op.Errors = http.StatusAccepted, []int{http.StatusConflict}
		add(a, access.RunPrioritization, op, func(ctx context.Context, who access.Principal, in *ByID) (*answer[Run], error) {
			return a.endRun(ctx, who, in.ID, x.action, x.end)
		})
	}
}

// createRun writes the request first and starts the workflow after: when the
// engine is away, upkeep starts the run within a minute.
func (a *API) createRun(ctx context.Context, who access.Principal, in *struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"The same key gives the same run"`
	Body RunInput
}) (*runCreated, error) {
	var sites []db.Site
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		sites, err = q.ListSites(ctx, tx, who.TenantID)
		return err
	})
	if err != nil {
		return nil, err
	}
	request, problems := a.CheckRun(localizer(ctx).Lang, who, in.Body, sites)
	if len(problems) > 0 {
		return nil, invalid(ctx, problems)
	}
	id, replay, err := a.recordRun(ctx, who, "api/"+uuid.NewSHA1(who.UserID, []byte(in.Key)).String(), request)
	if err != nil {
		return nil, err
	}
	if !replay {
		if err := a.Workflows.StartOptimization(ctx, who.TenantID, id); err != nil && fault.CodeOf(err) != fault.Unavailable {
			return nil, err
		}
	}
	out := &runCreated{Location: Path + "/runs/" + id.String()}
	out.Body.ID, out.Body.Replay = id, replay
	return out, nil
}

// recordRun stores a request with its audit entry, or finds the run that the
// same key already made. A key used for another request is a conflict.
func (a *API) recordRun(ctx context.Context, who access.Principal, key string, x RunRequest) (id uuid.UUID, replay bool, err error) {
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: who.TenantID, Problem: x.Problem, Title: x.Title, RequestedBy: who.UserID,
			IdempotencyKey: key, Objective: x.Objective, Constraints: x.Constraints, WindowStart: x.Start,
			WindowDays: int32(x.Days), TimeLimitSeconds: int32(x.Limit)}) //nolint:gosec // both come from a short list
		if errors.Is(err, pgx.ErrNoRows) {
			replay = true
			if id, err = q.RunOfKey(ctx, tx, who.TenantID, key, who.UserID); err != nil {
				return err
			}
			known, err := q.RunDetail(ctx, tx, who.TenantID, id)
			if err == nil && !sameRun(known, x) {
				return newProblem(ctx, http.StatusConflict, "api.key_reused")
			}
			return err
		}
		if err != nil {
			return err
		}
		return origin(ctx).Audit(ctx, tx, db.Entry{Action: "run.requested", ObjectType: "optimization_run", ObjectID: id.String(),
			After: map[string]any{"title": x.Title, "problem": x.Problem, "window_start": x.Start.Format(time.DateOnly), "window_days": x.Days,
				"objective": x.Objective, "constraints": x.Constraints, "channel": "api"}})
	})
	return id, replay, err
}

func sameRun(known db.RunDetailRow, x RunRequest) bool {
	return known.Problem == x.Problem && known.Title == x.Title && known.WindowStart.Equal(x.Start) && int(known.WindowDays) == x.Days &&
		int(known.TimeLimitSeconds) == x.Limit && sameJSON(known.Objective, x.Objective) && sameJSON(known.Constraints, x.Constraints)
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return !bytes.Equal(a, nil) && json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func (a *API) listRuns(ctx context.Context, who access.Principal, in *struct {
	Paging
	State string `query:"state" enum:"requested,running,done,failed,cancelled"`
}) (*answer[List[Run]], error) {
	at, id, err := in.before(ctx)
	if err != nil {
		return nil, err
	}
	var rows []db.APIRunsRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.APIRuns(ctx, tx, db.APIRunsParams{TenantID: who.TenantID, State: in.State, BeforeAt: at, BeforeID: id, PageSize: in.Limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(page(rows, in.Limit, func(x db.APIRunsRow) Run {
		return Run{ID: x.ID, Title: x.Title, Problem: x.Problem, State: x.State, Stage: x.Stage, RequestedBy: x.RequestedBy,
			WindowStart: x.WindowStart.Format(time.DateOnly), WindowDays: x.WindowDays, LimitSeconds: x.TimeLimitSeconds, Incumbent: x.Incumbent,
			Bound: x.Bound, Gap: x.Gap, StopRequested: x.StopRequested, Error: a.text(ctx, x.ErrorKey), RequestedAt: x.RequestedAt,
			StartedAt: x.StartedAt, FinishedAt: x.FinishedAt}
	}, func(x db.APIRunsRow) string { return cursorOf(x.RequestedAt.Format(time.RFC3339Nano), x.ID.String()) })), nil
}

// text words a stored message key, empty for none.
func (a *API) text(ctx context.Context, key string) string {
	if key == "" || !a.Catalog.Has(key) {
		return key
	}
	return localizer(ctx).T(key)
}

func (a *API) showRun(ctx context.Context, x db.RunDetailRow) Run {
	return Run{ID: x.ID, Title: x.Title, Problem: x.Problem, State: x.State, Stage: x.Stage, RequestedBy: x.RequestedBy,
		WindowStart: x.WindowStart.Format(time.DateOnly), WindowDays: x.WindowDays, LimitSeconds: x.TimeLimitSeconds, Incumbent: x.Incumbent,
		Bound: x.Bound, Gap: x.Gap, StopRequested: x.StopRequested, Error: a.text(ctx, x.ErrorKey), RequestedAt: x.RequestedAt,
		StartedAt: x.StartedAt, FinishedAt: x.FinishedAt}
}

func (a *API) getRun(ctx context.Context, who access.Principal, in *ByID) (*answer[Run], error) {
	var row db.RunDetailRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.RunDetail(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(a.showRun(ctx, row)), nil
}

func (a *API) listRunEvents(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
}) (*answer[List[RunEvent]], error) {
	parts, err := in.parts(ctx, 1)
	if err != nil {
		return nil, err
	}
	after := int64(0)
	if parts != nil {
		if after, err = strconv.ParseInt(parts[0], 10, 64); err != nil {
			return nil, badCursor(ctx)
		}
	}
	var rows []db.APIRunEventsRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.RunDetail(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = q.APIRunEvents(ctx, tx, db.APIRunEventsParams{TenantID: who.TenantID, RunID: in.ID, AfterSeq: after, PageSize: in.Limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(page(rows, in.Limit, func(x db.APIRunEventsRow) RunEvent { return RunEvent(x) },
		func(x db.APIRunEventsRow) string { return cursorOf(strconv.FormatInt(x.Seq, 10)) })), nil
}

// endRun records who asked for the end before it asks the workflow.
func (a *API) endRun(ctx context.Context, who access.Principal, id uuid.UUID, action string, end func(ctx context.Context, tenant, run uuid.UUID) error) (*answer[Run], error) {
	var row db.RunDetailRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if row, err = q.RunDetail(ctx, tx, who.TenantID, id); err != nil {
			return err
		}
		if row.State != "requested" && row.State != "running" {
			return fault.New(fault.Conflict, "runs.ended")
		}
		return origin(ctx).Audit(ctx, tx, db.Entry{Action: action, ObjectType: "optimization_run", ObjectID: id.String(),
			Before: map[string]any{"state": row.State, "stage": row.Stage}})
	})
	if err != nil {
		return nil, err
	}
	if err := end(ctx, who.TenantID, id); err != nil {
		return nil, err
	}
	return reply(a.showRun(ctx, row)), nil
}
