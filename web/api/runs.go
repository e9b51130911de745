package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

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
	BasedOn       *uuid.UUID `json:"based_on,omitempty" doc:"Scenario that this what-if run asks about"`
	StopRequested bool       `json:"stop_requested"`
	Error         string     `json:"error,omitempty"`
	// Conflicts are the constraints of an infeasible request.
	Conflicts   []optimize.Conflict `json:"conflicts,omitempty" doc:"Constraints that cannot hold together, with what would have to give way"`
	RequestedAt time.Time           `json:"requested_at"`
	StartedAt   *time.Time          `json:"started_at,omitempty"`
	FinishedAt  *time.Time          `json:"finished_at,omitempty"`
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

// optimization adds everything about runs, problems and scenarios.
func (a *API) optimization() {
	create := route(http.MethodPost, "/runs", "create-run", "Ask for an optimization run", "Runs")
	create.DefaultStatus, create.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.RunPrioritization, create, a.createRun)
	add(a, access.ViewResults, route(http.MethodGet, "/runs", "list-runs", "List runs, newest first", "Runs"), a.listRuns)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}", "get-run", "State of a run", "Runs"), a.getRun)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/events", "list-run-events", "What happened in a run, oldest first", "Runs"), a.listRunEvents)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/scenarios", "list-scenarios", "Scenarios of a run", "Runs"), a.listScenarios)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/progress", "get-run-progress", "Best plan and bound over time, by scenario", "Runs"), a.runProgress)
	a.problems()
	a.scenarios()
	a.reruns()
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
			Bound: x.Bound, Gap: x.Gap, BasedOn: x.BasedOn, StopRequested: x.StopRequested, Error: a.text(ctx, x.ErrorKey), RequestedAt: x.RequestedAt,
			StartedAt: x.StartedAt, FinishedAt: x.FinishedAt}
	}, func(x db.APIRunsRow) string { return cursorOf(x.RequestedAt.Format(time.RFC3339Nano), x.ID.String()) })), nil
}

// text words a stored message key, empty for none.
func (a *API) text(ctx context.Context, key string, args ...any) string {
	if key == "" || !a.Catalog.Has(key) {
		return key
	}
	return localizer(ctx).T(key, args...)
}

// failure words why a run has no plan, with the arguments stored beside, and
// lists the constraints that cannot hold together.
func (a *API) failure(ctx context.Context, key string, detail json.RawMessage) (string, []optimize.Conflict) {
	var values map[string]any
	var infeasible struct {
		Conflicts []optimize.Conflict `json:"conflicts"`
	}
	if json.Unmarshal(detail, &values) != nil || json.Unmarshal(detail, &infeasible) != nil {
		return a.text(ctx, key), nil // the sentence stands alone
	}
	var args []any
	for name, v := range values {
		args = append(args, name, v)
	}
	return a.text(ctx, key, args...), infeasible.Conflicts
}

func (a *API) showRun(ctx context.Context, x db.RunDetailRow) Run {
	run := Run{ID: x.ID, Title: x.Title, Problem: x.Problem, State: x.State, Stage: x.Stage, RequestedBy: x.RequestedBy,
		WindowStart: x.WindowStart.Format(time.DateOnly), WindowDays: x.WindowDays, LimitSeconds: x.TimeLimitSeconds, Incumbent: x.Incumbent,
		Bound: x.Bound, Gap: x.Gap, BasedOn: x.BasedOn, StopRequested: x.StopRequested, RequestedAt: x.RequestedAt, StartedAt: x.StartedAt, FinishedAt: x.FinishedAt}
	run.Error, run.Conflicts = a.failure(ctx, x.ErrorKey, x.ErrorDetail)
	return run
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

// ProgressPoint is one moment of a search.
type ProgressPoint struct {
	ElapsedSeconds float64  `json:"elapsed_seconds"`
	Incumbent      *float64 `json:"incumbent,omitempty"`
	Bound          *float64 `json:"bound,omitempty"`
}

// ScenarioProgress is the course of the search for one scenario, thinned to
// what a chart can show.
type ScenarioProgress struct {
	Scenario string          `json:"scenario"`
	Points   []ProgressPoint `json:"points"`
}

// RunProgress is the state of a run with the course of its searches.
type RunProgress struct {
	Run       Run                `json:"run"`
	Scenarios []ScenarioProgress `json:"scenarios"`
}

func (a *API) runProgress(ctx context.Context, who access.Principal, in *ByID) (*answer[RunProgress], error) {
	out := RunProgress{Scenarios: []ScenarioProgress{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.RunDetail(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		out.Run = a.showRun(ctx, row)
		points, err := q.RunProgress(ctx, tx, who.TenantID, in.ID)
		for _, x := range points {
			if n := len(out.Scenarios); n == 0 || out.Scenarios[n-1].Scenario != x.Scenario {
				out.Scenarios = append(out.Scenarios, ScenarioProgress{Scenario: x.Scenario})
			}
			last := &out.Scenarios[len(out.Scenarios)-1]
			last.Points = append(last.Points, ProgressPoint{x.ElapsedSeconds, x.Incumbent, x.Bound})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// endRun records who asked for the end before it asks the workflow.
func (a *API) endRun(ctx context.Context, who access.Principal, id uuid.UUID, action string, end func(ctx context.Context, tenant, run uuid.UUID) error) (*answer[Run], error) {
	var row db.RunDetailRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if row, err = q.RunDetail(ctx, tx, who.TenantID, id); err != nil {
			return err
		}
		if err := mayRun(ctx, who, row.Problem); err != nil {
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
