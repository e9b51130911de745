package web_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// presets are what every run of the tests is solved for.
var presets = []string{optimize.PresetCheapest, optimize.PresetBalanced, optimize.PresetLowestRisk}

// horizonStart is day 0 of the runs of the tests.
func horizonStart() time.Time {
	return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
}

// plantInput is the plant of a demonstration tenant as a problem of thirty
// days: Friday and Saturday off, the first asset on the current plan.
func plantInput(t *demo.Tenant) maintenance.Input {
	in := maintenance.Input{StartDate: horizonStart().Format(time.DateOnly), Days: 30}
	for d := range in.Days {
		day := horizonStart().AddDate(0, 0, d).Weekday()
		in.WorkingDay = append(in.WorkingDay, day != time.Friday && day != time.Saturday)
	}
	for _, s := range t.Skills {
		r := maintenance.Resource{ID: "skill:" + s.Code, Name: s.EN, Unit: "h", Available: make([]float64, in.Days)}
		for d, on := range in.WorkingDay {
			if on {
				r.Available[d] = float64(s.Technicians) * 8 * 0.62
			}
		}
		in.Resources = append(in.Resources, r)
	}
	for i, a := range t.Assets {
		site := slices.IndexFunc(t.Sites, func(s demo.Site) bool { return s.Code == a.SiteCode })
		action := maintenance.Action{ID: a.ID.String(), AssetID: a.ID.String(), Tag: a.Tag, SiteID: t.Sites[site].ID.String(),
			DurationDays: max(1, int(math.Ceil(a.Cost.PlannedHours/24))), Skill: "skill:" + a.SkillCode, SkillHours: a.CrewHours,
			PlannedCost: a.Cost.PlannedCost, OutageHours: a.Cost.PlannedHours, LossPerHour: a.Cost.LossPerHour, PlannedFactor: a.Cost.PlannedFactor,
			FailureTotal: a.Cost.FailureTotal(), Weibull: a.Weibull, AgeDays: a.EffectiveAgeDays, Evidence: a.HazardMultiplier}
		if j := slices.IndexFunc(t.Skills, func(s demo.Skill) bool { return s.Code == a.SkillCode }); j >= 0 {
			daily := float64(t.Skills[j].Technicians) * 8 * 0.62
			action.DurationDays = max(action.DurationDays, int(math.Ceil(a.CrewHours/daily)))
		}
		if first := 10 + i%9; i%3 == 0 {
			action.BaselineDay = &first
		}
		in.Actions = append(in.Actions, action)
	}
	return in
}

// solved keeps the plans of each tenant: searching once is enough.
var solved = struct {
	sync.Mutex
	plans map[string]map[string]maintenance.Output
}{plans: map[string]map[string]maintenance.Output{}}

func (f *fixture) plansOf(tenant string) (maintenance.Input, map[string]maintenance.Output) {
	f.Helper()
	in := plantInput(f.tenant(tenant))
	solved.Lock()
	defer solved.Unlock()
	if done := solved.plans[tenant]; done != nil {
		return in, done
	}
	out := map[string]maintenance.Output{}
	for _, preset := range presets {
		in.Weights = optimize.Weights{Preset: preset}
		var err error
		out[preset], err = maintenance.Solve(f.Context(), in, optimize.Options{Solver: optimize.SolverHeuristic, TimeLimit: 10 * time.Second, MaxIterations: 4000, Threads: 1}, nil)
		require.NoError(f, err)
	}
	solved.plans[tenant] = out
	return in, out
}

// within runs work as the application in a demonstration tenant.
func (f *fixture) within(tenant string, work func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error) {
	f.Helper()
	id := f.tenant(tenant).ID
	require.NoError(f, f.db.InTenant(f.Context(), id, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error { return work(ctx, tx, q, id) }))
}

// finishedRun stores a run with solved scenarios as the workers would.
func (f *fixture) finishedRun(tenant string, by access.Role) uuid.UUID {
	f.Helper()
	in, plans := f.plansOf(tenant)
	var id uuid.UUID
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) (err error) {
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: t, Problem: maintenance.Kind, Title: "Thirty days of " + tenant,
			RequestedBy: f.person(tenant, by).ID, IdempotencyKey: uuid.NewString(), Objective: json.RawMessage(`{"presets":["cheapest","balanced","lowest_risk"]}`),
			Constraints: json.RawMessage(`{"site_ids":[],"one_train_out":true}`), WindowStart: horizonStart(), WindowDays: int32(in.Days), TimeLimitSeconds: 30, Channel: "web"})
		if err != nil {
			return err
		}
		if _, err = q.BeginRun(ctx, tx, db.BeginRunParams{TenantID: t, ID: id, WorkflowID: "optimization/test"}); err != nil {
			return err
		}
		input, err := json.Marshal(in)
		if err != nil {
			return err
		}
		digest, err := manifest.Digest(input)
		if err != nil {
			return err
		}
		if _, err = q.StoreRunInput(ctx, tx, db.StoreRunInputParams{TenantID: t, ID: id, Input: input, InputSha256: digest}); err != nil {
			return err
		}
		if err = addCourse(ctx, tx, q, t, id, plans); err != nil {
			return err
		}
		for _, preset := range presets {
			if err = storePlan(ctx, tx, q, t, id, preset, in, plans[preset]); err != nil {
				return err
			}
		}
		_, err = q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: t, ID: id, State: "done", Stage: "done", Solver: json.RawMessage(`{}`), ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
	f.sealed(tenant, id)
	return id
}

// addCourse stores a course of the search with one failed attempt.
func addCourse(ctx context.Context, tx pgx.Tx, q *db.Queries, t, run uuid.UUID, plans map[string]maintenance.Output) error {
	events := []db.AddRunEventParams{
		{Stage: "load", Kind: "stage"}, {Stage: "solve", Kind: "stage"},
		{Stage: "solve", Kind: "attempt", Scenario: "cheapest", Detail: json.RawMessage(`{"attempt":1}`)},
		{Stage: "solve", Kind: "failure", Scenario: "cheapest", Detail: json.RawMessage(`{"attempt":1,"error_key":"workflows.timeout"}`)},
		{Stage: "solve", Kind: "attempt", Scenario: "cheapest", Detail: json.RawMessage(`{"attempt":2}`)},
	}
	for _, preset := range presets {
		objective := plans[preset].Certificate.Objective
		for i := range 6 {
			best, bound := objective*(1+0.05*math.Exp(-float64(i))), objective*(0.97+0.004*float64(i))
			events = append(events, db.AddRunEventParams{Stage: "solve", Kind: "progress", Scenario: preset, ElapsedSeconds: float64(i), Incumbent: &best, Bound: &bound})
		}
	}
	for _, e := range events {
		e.TenantID, e.RunID = t, run
		if e.Detail == nil {
			e.Detail = json.RawMessage(`{}`)
		}
		if err := q.AddRunEvent(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

func storePlan(ctx context.Context, tx pgx.Tx, q *db.Queries, t, run uuid.UUID, preset string, in maintenance.Input, out maintenance.Output) error {
	encoded, err := json.Marshal(out)
	if err != nil {
		return err
	}
	row := db.UpsertScenarioParams{TenantID: t, RunID: run, Preset: preset, Status: string(out.Certificate.Status), Objective: out.Certificate.Objective,
		Verified: true, Seconds: out.Certificate.Seconds, TotalCost: out.Objective.Total, RiskCost: out.Objective.Failure, Output: encoded}
	if preset != optimize.PresetLowestRisk { // one scenario without a bound
		bound, gap := out.Certificate.Objective*0.996, 0.004
		row.Bound, row.Gap = &bound, &gap
	}
	for i, d := range out.Schedule {
		if d.Deferred {
			row.ActionsDeferred++
			continue
		}
		row.ActionsPlanned++
		row.DowntimeHours += in.Actions[i].OutageHours
		row.LabourHours += in.Actions[i].SkillHours
	}
	id, err := q.UpsertScenario(ctx, tx, row)
	if err != nil {
		return err
	}
	ranks := map[string]int32{}
	for i, r := range out.Assets {
		ranks[r.ID] = int32(i + 1)
	}
	for i, d := range out.Schedule {
		if err := storeAdvice(ctx, tx, q, t, id, in.Actions[i], d, ranks[d.AssetID]); err != nil {
			return err
		}
	}
	return nil
}

func storeAdvice(ctx context.Context, tx pgx.Tx, q *db.Queries, t, scenario uuid.UUID, a maintenance.Action, d maintenance.Decision, rank int32) error {
	reasons, err := json.Marshal(d.Reasons)
	if err != nil {
		return err
	}
	row := db.AddRecommendationParams{TenantID: t, ScenarioID: scenario, AssetID: uuid.MustParse(d.AssetID), Rank: rank, Decision: "defer",
		SkillCode: a.Skill[len("skill:"):], CrewHours: a.SkillHours, PlannedCost: d.Cost.PlannedWork + d.Cost.PlannedOutage, ExpectedCost: d.Cost.Total,
		ValueAtStake: d.ValueAtStake, FailureProbability: d.PFailHorizon, Trusted: rank%4 != 0, Reasons: reasons, MoveCosts: json.RawMessage(`[]`)}
	if !d.Deferred {
		from, to := horizonStart().AddDate(0, 0, d.StartDay), horizonStart().AddDate(0, 0, d.EndDay)
		row.Decision, row.StartOn, row.EndOn = "do", &from, &to
	}
	if a.BaselineDay != nil {
		day := horizonStart().AddDate(0, 0, *a.BaselineDay)
		row.BaselineStartOn = &day
	}
	return q.AddRecommendation(ctx, tx, row)
}

// settled moves a plan to a state as the approval workflow would.
func (f *fixture) settled(tenant string, plan uuid.UUID, state, kind string, by access.Role) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		p, err := q.LockPlan(ctx, tx, t, plan)
		if err != nil {
			return err
		}
		err = q.AddDecision(ctx, tx, db.AddDecisionParams{TenantID: t, ID: uuid.New(), PlanID: plan, LaunchedBy: p.LaunchedBy, ProposedBy: p.ProposedBy,
			ActorID: f.person(tenant, by).ID, Kind: kind, Comment: "The crew of week two is on leave."})
		if err != nil {
			return err
		}
		_, err = q.SettlePlan(ctx, tx, state, t, plan)
		return err
	})
}

// released creates the work orders of an approved plan as the worker would.
func (f *fixture) released(tenant string, plan uuid.UUID) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		jobs, err := q.ListJobsToRelease(ctx, tx, t, plan)
		if err != nil {
			return err
		}
		for i, j := range jobs {
			_, err := tx.Exec(ctx, `INSERT INTO core.work_orders (tenant_id, number, plan_id, recommendation_id, asset_id, title_ar, title_en, start_on, due_on, crew_hours)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				t, 1000+i, plan, j.ID, j.AssetID, "صيانة "+j.NameAr, "Maintain "+j.NameEn, *j.StartOn, *j.EndOn, j.CrewHours)
			if err != nil {
				return err
			}
		}
		_, err = q.MarkReleased(ctx, tx, t, plan)
		return err
	})
}
