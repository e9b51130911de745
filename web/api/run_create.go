package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// RunInput is a request for a run. No sites and no assets mean all of them;
// limits of downtime are hours within the horizon by site id. The names of
// fields and weights are those that list-problems gives for the problem.
type RunInput struct {
	Problem      string             `json:"problem" enum:"maintenance_prioritization,maintenance_deferral_cost,production_risk,workforce_dispatch"`
	Title        string             `json:"title" minLength:"1" maxLength:"200"`
	Start        string             `json:"start" format:"date" doc:"First day of the horizon"`
	Days         int                `json:"days" minimum:"1" maximum:"365" doc:"Length of the horizon; at most max_days of the problem"`
	LimitSeconds int                `json:"time_limit_seconds,omitempty" required:"false" minimum:"5" maximum:"900" default:"30" doc:"Search time per preset"`
	Presets      []string           `json:"presets,omitempty" maxItems:"10" doc:"Objectives to solve; none means all but custom"`
	Weights      map[string]float64 `json:"weights,omitempty" maxProperties:"50" doc:"Adds the preset custom with these weights"`
	Fields       map[string]float64 `json:"fields,omitempty" maxProperties:"50" doc:"Numbers of the problem's form by name"`
	Sites        []uuid.UUID        `json:"sites,omitempty" maxItems:"500"`
	Assets       []uuid.UUID        `json:"assets,omitempty" maxItems:"2000"`
	Pins         []optimize.Pin     `json:"pins,omitempty" maxItems:"200" doc:"Decisions held fixed"`
	DowntimeCaps map[string]float64 `json:"downtime_caps,omitempty" maxProperties:"500"`
	BudgetSAR    *float64           `json:"budget_sar,omitempty" minimum:"0"`
	OneTrainOut  *bool              `json:"one_train_out,omitempty" doc:"Maintenance only, true unless given"`
	WeightCost   *float64           `json:"weight_cost,omitempty" minimum:"0" doc:"Short for weights.weight_cost"`
	WeightRisk   *float64           `json:"weight_risk,omitempty" minimum:"0" doc:"Short for weights.weight_risk"`
	Schedule     string             `json:"schedule,omitempty" maxLength:"120" doc:"Name or id of the schedule whose due time this run answers"`
}

// request states the input in the terms that the rules check.
func (in RunInput) request(spec optimize.Spec) (runs.Request, []runs.Mistake) {
	r := runs.Request{Problem: in.Problem, Title: in.Title, Start: in.Start, Days: in.Days, LimitSeconds: in.LimitSeconds,
		Objective:   runs.Objective{Presets: in.Presets, Weights: in.Weights},
		Constraints: runs.Constraints{SiteIDs: in.Sites, AssetIDs: in.Assets, Pins: in.Pins, BudgetSAR: in.BudgetSAR, DowntimeCaps: map[uuid.UUID]float64{}}}
	for name, v := range map[string]*float64{"weight_cost": in.WeightCost, "weight_risk": in.WeightRisk} {
		if v == nil {
			continue
		}
		if r.Objective.Weights == nil {
			r.Objective.Weights = map[string]float64{}
		}
		r.Objective.Weights[name] = *v
	}
	for name, v := range in.Fields {
		r.Constraints.Set(name, v)
	}
	_, asked := in.Fields["one_train_out"]
	switch {
	case in.OneTrainOut != nil:
		r.Constraints.OneTrainOut = *in.OneTrainOut
	case !asked:
		i := slices.IndexFunc(spec.Constraints, func(f optimize.Field) bool { return f.Name == "one_train_out" })
		r.Constraints.OneTrainOut = i >= 0 && spec.Constraints[i].Default != 0
	}
	var wrong []runs.Mistake
	for site, hours := range in.DowntimeCaps {
		id, err := uuid.Parse(site)
		if err != nil {
			wrong = append(wrong, runs.Mistake{Field: "downtime_caps." + site, Key: "field.choice"})
			continue
		}
		r.Constraints.DowntimeCaps[id] = hours
	}
	return r, wrong
}

// runCreated answers a request for a run.
type runCreated struct {
	Location string `header:"Location"`
	Body     struct {
		ID     uuid.UUID `json:"id"`
		Replay bool      `json:"replay" doc:"The same request was made before; this is its run"`
	}
}

func created(id uuid.UUID, replay bool) *runCreated {
	out := &runCreated{Location: Path + "/runs/" + id.String()}
	out.Body.ID, out.Body.Replay = id, replay
	return out
}

// mayRun refuses a caller who may not run a problem.
func mayRun(ctx context.Context, who access.Principal, problem string) error {
	need, ok := runs.CapabilityOf(problem)
	if !ok {
		return fault.New(fault.Invalid, runs.KeyRequest)
	}
	if !who.Can(need) {
		return newProblem(ctx, http.StatusForbidden, "api.forbidden", "Capability", string(need))
	}
	return nil
}

// createRun writes the request first and starts the workflow after: when the
// engine is away, upkeep starts the run within a minute.
func (a *API) createRun(ctx context.Context, who access.Principal, in *struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"The same key gives the same run"`
	Body RunInput
}) (*runCreated, error) {
	if err := mayRun(ctx, who, in.Body.Problem); err != nil {
		return nil, err
	}
	var spec optimize.Spec
	if problem, ok := optimize.Lookup(in.Body.Problem); ok {
		spec = problem.Spec()
	}
	scope, err := a.scope(ctx, who)
	if err != nil {
		return nil, err
	}
	request, wrong := in.Body.request(spec)
	checked, more := request.Check(scope)
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return nil, mistaken(ctx, wrong)
	}
	id, replay, err := a.recordRun(ctx, who, idempotent(who, in.Key), checked, in.Body.Schedule)
	if err != nil {
		return nil, err
	}
	return created(id, replay), a.start(ctx, who, id, replay)
}

// idempotent is the stored key of a request: a key belongs to its account.
func idempotent(who access.Principal, key string) string {
	return "api/" + uuid.NewSHA1(who.UserID, []byte(key)).String()
}

// start starts the workflow of a new run.
func (a *API) start(ctx context.Context, who access.Principal, id uuid.UUID, replay bool) error {
	if replay {
		return nil
	}
	err := a.Workflows.StartOptimization(ctx, who.TenantID, id)
	if fault.CodeOf(err) == fault.Unavailable {
		return nil // upkeep starts it
	}
	return err
}

// mistaken answers a request that breaks the rules.
func mistaken(ctx context.Context, wrong []runs.Mistake) error {
	texts := map[string]string{}
	for _, m := range wrong {
		texts[m.Field] = m.Text(localizer(ctx))
	}
	return invalid(ctx, texts)
}

// scope is what a request of the tenant may refer to.
func (a *API) scope(ctx context.Context, who access.Principal) (runs.Scope, error) {
	var s runs.Scope
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		tenant, err := q.GetTenant(ctx, tx, who.TenantID)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(tenant.TimeZone)
		if err != nil {
			return err
		}
		y, m, d := time.Now().In(zone).Date()
		s, err = db.RunScope(ctx, tx, who.TenantID, time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
		return err
	})
	return s, err
}

// recordRun stores a request with its audit entry, or finds the run that the
// same key already made. A key used for another request is a conflict. With a
// schedule the run answers a due time of it.
func (a *API) recordRun(ctx context.Context, who access.Principal, key string, x runs.Checked, schedule string) (id uuid.UUID, replay bool, err error) {
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: who.TenantID, Problem: x.Problem, Title: x.Title, RequestedBy: who.UserID,
			IdempotencyKey: key, Objective: x.Objective, Constraints: x.Constraints, Channel: "api", WindowStart: x.Start,
			WindowDays: int32(x.Days), TimeLimitSeconds: int32(x.Limit)}) //nolint:gosec // both are checked
		if errors.Is(err, pgx.ErrNoRows) {
			replay = true
			id, err = replayed(ctx, tx, q, who, key, func(known db.RunDetailRow) bool { return sameRun(known, x) })
			return err
		}
		if err != nil {
			return err
		}
		if schedule != "" {
			if err := markSchedule(ctx, tx, q, who, schedule, id); err != nil {
				return err
			}
		}
		return origin(ctx).Audit(ctx, tx, db.Entry{Action: "run.requested", ObjectType: "optimization_run", ObjectID: id.String(),
			After: map[string]any{"title": x.Title, "problem": x.Problem, "window_start": x.Start.Format(time.DateOnly), "window_days": x.Days,
				"objective": x.Objective, "constraints": x.Constraints, "channel": "api", "schedule": schedule}})
	})
	return id, replay, err
}

// replayed finds the run that a key made before. One that is not the same
// request is a conflict.
func replayed(ctx context.Context, tx pgx.Tx, q *db.Queries, who access.Principal, key string, same func(db.RunDetailRow) bool) (uuid.UUID, error) {
	id, err := q.RunOfKey(ctx, tx, who.TenantID, key, who.UserID)
	if err != nil {
		return id, err
	}
	known, err := q.RunDetail(ctx, tx, who.TenantID, id)
	if err == nil && !same(known) {
		return id, newProblem(ctx, http.StatusConflict, "api.key_reused")
	}
	return id, err
}

func sameRun(known db.RunDetailRow, x runs.Checked) bool {
	return known.BasedOn == nil && known.Problem == x.Problem && known.Title == x.Title && known.WindowStart.Equal(x.Start) && int(known.WindowDays) == x.Days &&
		int(known.TimeLimitSeconds) == x.Limit && sameJSON(known.Objective, x.Objective) && sameJSON(known.Constraints, x.Constraints)
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return !bytes.Equal(a, nil) && json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
