package workflows

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// propose puts a scenario of a finished run forward, as the web tier does.
func (p *platform) propose(run uuid.UUID, preset string) uuid.UUID {
	p.t.Helper()
	var plan uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, launched_by, proposed_by, due_at)
			SELECT s.tenant_id, s.run_id, s.id, r.requested_by, r.requested_by, now() + interval '8 hours'
			FROM optimization.optimization_scenarios s JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
			WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.preset = $3 RETURNING id`, p.tenant, run, preset).Scan(&plan)
	})
	return plan
}

// TestFromRequestToWorkOrders takes a run through every workflow on a real
// database and a real Temporal server, starting each thing twice.
func TestFromRequestToWorkOrders(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()

	run := p.request(5)
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, run))
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, run))
	p.eventually(func() bool { s := p.run(run).State; return s != "requested" && s != "running" }, "run ends")
	p.checkRun(run)
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, run), "starting a finished run changes nothing")

	plan := p.propose(run, "balanced")
	p.decideOn(plan)
	p.releaseTwice(plan)

	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND state = 'done'`, p.tenant))
	report, err := p.db.VerifyAudit(ctx, p.tenant)
	require.NoError(t, err)
	require.True(t, report.Intact)
	described, err := p.client.temporal.DescribeWorkflowExecution(ctx, OptimizationID(p.tenant, run), "")
	require.NoError(t, err)
	require.Contains(t, string(described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[TenantAttribute].GetData()), p.tenant.String())
	require.Equal(t, p.tenant.String(), described.GetWorkflowExecutionInfo().GetPriority().GetFairnessKey())
	p.record("optimization", OptimizationID(p.tenant, run))
	p.record("scoring", SweepID(p.tenant)+"/run/"+run.String())
	p.record("approval", ApprovalID(p.tenant, plan))
	p.record("release", ReleaseID(p.tenant, plan))
}

// checkRun checks what a finished run leaves behind.
func (p *platform) checkRun(id uuid.UUID) {
	p.t.Helper()
	run := p.run(id)
	require.Equal(p.t, "done", run.State, "%s %s", run.ErrorKey, run.ErrorDetail)
	require.Equal(p.t, "done", run.Stage)
	require.NotEmpty(p.t, run.InputSha256)
	require.NotNil(p.t, run.Incumbent)
	var solver struct{ Name string }
	require.NoError(p.t, json.Unmarshal(run.Solver, &solver))
	require.NotEmpty(p.t, solver.Name)
	require.NotContains(p.t, string(run.Solver), "drafts")
	require.Equal(p.t, 3, p.count(`SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2 AND verified`, p.tenant, id))
	require.Zero(p.t, p.count(`SELECT count(*) FROM optimization.optimization_scenarios s
		WHERE tenant_id = $1 AND run_id = $2 AND (SELECT count(*) FROM optimization.optimization_recommendations r
			WHERE r.tenant_id = s.tenant_id AND r.scenario_id = s.id) <> s.actions_planned + s.actions_deferred`, p.tenant, id))
	require.Equal(p.t, 1, p.count(`SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1 AND state = 'done'`, p.tenant))
	require.Equal(p.t, p.count(`SELECT count(*) FROM core.assets WHERE tenant_id = $1`, p.tenant),
		p.count(`SELECT count(*) FROM ai.asset_score_latest WHERE tenant_id = $1`, p.tenant))
	require.Equal(p.t, 1, p.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.started'`, p.tenant))
	require.Equal(p.t, 1, p.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.finished'`, p.tenant))
	require.Positive(p.t, p.count(`SELECT count(*) FROM optimization.run_events WHERE tenant_id = $1 AND run_id = $2 AND kind = 'progress'`, p.tenant, id))
}

// decideOn goes through the refusals and then approves.
func (p *platform) decideOn(plan uuid.UUID) {
	p.t.Helper()
	ctx := p.t.Context()
	launcher, admin, reliability := p.people["optimization_engineer"], p.people["tenant_admin"], p.people["reliability_engineer"]

	// The first decision arrives before anything started the approval.
	_, err := p.client.Decide(ctx, p.tenant, plan, "own", Decision{ActorID: launcher, Kind: Approved})
	p.refused(err, fault.Forbidden, KeyFourEyes)
	require.NoError(p.t, p.client.StartApproval(ctx, p.tenant, plan))
	require.NoError(p.t, p.client.StartApproval(ctx, p.tenant, plan))

	_, err = p.client.Decide(ctx, p.tenant, plan, "viewer", Decision{ActorID: p.people["viewer"], Kind: Approved})
	p.refused(err, fault.Forbidden, KeyNotAllowed)
	_, err = p.client.Decide(ctx, p.tenant, plan, "service", Decision{ActorID: admin, Service: true, Kind: Approved})
	p.refused(err, fault.Forbidden, KeyNotAllowed)
	_, err = p.client.Decide(ctx, p.tenant, plan, "silent", Decision{ActorID: reliability, Kind: Objected})
	p.refused(err, fault.Invalid, KeyBadDecision)

	state, err := p.client.Decide(ctx, p.tenant, plan, "endorse", Decision{ActorID: reliability, Kind: Endorsed})
	require.NoError(p.t, err)
	require.Equal(p.t, PlanState{State: "proposed", Seq: 1}, state)
	p.halt() // nobody works; the approval waits in Temporal and in its row
	p.work()
	for range 2 { // a repeated request gets the same answer, even after the workflow has ended
		state, err = p.client.Decide(ctx, p.tenant, plan, "approve", Decision{ActorID: admin, Kind: Approved})
		require.NoError(p.t, err)
		require.Equal(p.t, PlanState{State: "approved", Seq: 2}, state)
	}
	_, err = p.client.Decide(ctx, p.tenant, plan, "late", Decision{ActorID: admin, Kind: Returned, Comment: "too late"})
	p.refused(err, fault.Conflict, KeyAlreadyDecided)
	require.Equal(p.t, 2, p.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1 AND plan_id = $2`, p.tenant, plan))
}

func (p *platform) refused(err error, code fault.Code, key string) {
	p.t.Helper()
	var f *fault.Error
	require.ErrorAs(p.t, err, &f)
	require.Equal(p.t, code, f.Code, "%v", err)
	require.Equal(p.t, key, f.Key)
}

// releaseTwice asks for the release of an approved plan two times.
func (p *platform) releaseTwice(plan uuid.UUID) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE optimization.plans SET release_requested_by = $3, release_requested_at = now()
			WHERE tenant_id = $1 AND id = $2`, p.tenant, plan, p.people["optimization_engineer"])
		return err
	})
	ctx := p.t.Context()
	require.NoError(p.t, p.client.StartRelease(ctx, p.tenant, plan))
	require.NoError(p.t, p.client.StartRelease(ctx, p.tenant, plan))
	released := func() bool {
		return p.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'released'`, p.tenant, plan) == 1
	}
	p.eventually(released, "plan released")
	require.NoError(p.t, p.client.StartRelease(ctx, p.tenant, plan))
	orders := p.count(`SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2 AND technician_id IS NOT NULL`, p.tenant, plan)
	require.Positive(p.t, orders)
	require.Equal(p.t, orders, p.count(`SELECT count(*) FROM optimization.optimization_recommendations r
		JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.scenario_id = r.scenario_id
		WHERE p.tenant_id = $1 AND p.id = $2 AND r.decision = 'do'`, p.tenant, plan))
	require.Equal(p.t, orders, p.count(`SELECT max(number) FROM core.work_orders WHERE tenant_id = $1`, p.tenant))
}

// TestStopAndCancel ends searches early, one keeping its plans and one not.
func TestStopAndCancel(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	stopped := p.request(600, "cheapest")
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, stopped))
	for range 2 { // a repeated stop is the same stop
		require.NoError(t, p.client.StopOptimization(ctx, p.tenant, stopped))
	}
	p.eventually(func() bool { return p.run(stopped).State == "done" }, "stopped run keeps its plan")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.run_events WHERE tenant_id = $1 AND run_id = $2 AND kind = 'stop'`, p.tenant, stopped))

	given := p.request(600)
	require.NoError(t, p.client.StartOptimization(ctx, p.tenant, given))
	p.eventually(func() bool { return p.run(given).Stage == "solve" }, "search runs")
	require.NoError(t, p.client.CancelOptimization(ctx, p.tenant, given))
	p.eventually(func() bool { return p.run(given).State == "cancelled" }, "run is cancelled")
	require.Zero(t, p.count(`SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2`, p.tenant, given))
	p.refused(p.client.StopOptimization(ctx, p.tenant, given), fault.Conflict, KeyRunEnded)
	require.NoError(t, p.client.CancelOptimization(ctx, p.tenant, given), "giving up twice changes nothing")
	require.Equal(t, "cancelled", p.run(given).State)
	p.record("optimization-stop", OptimizationID(p.tenant, stopped))
	p.record("optimization-cancel", OptimizationID(p.tenant, given))
}

// TestRecurringWork polls, sweeps and does upkeep through schedules.
func TestRecurringWork(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	var integration uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT integration_id FROM core.integration_mappings WHERE tenant_id = $1 LIMIT 1`, p.tenant).Scan(&integration)
	})
	for range 2 { // creating and updating give the same
		require.NoError(t, p.client.EnsureTenantSchedules(ctx, p.tenant, []uuid.UUID{integration}))
		require.NoError(t, p.client.EnsureUpkeepSchedule(ctx))
	}
	require.NoError(t, p.client.PauseIntegration(ctx, p.tenant, integration, true))
	require.NoError(t, p.client.PollNow(ctx, p.tenant, integration), "a paused integration can be polled by hand")
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1 AND integration_id = $2`, p.tenant, integration) > 0
	}, "poll is recorded")
	require.NoError(t, p.client.StartSweep(ctx, p.tenant))

	// A request whose start was lost is taken up by upkeep.
	lost := p.request(5, "cheapest")
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE optimization.optimization_runs SET requested_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2`, p.tenant, lost)
		return err
	})
	upkeep := p.client.temporal.ScheduleClient().GetHandle(ctx, UpkeepID)
	require.NoError(t, upkeep.Trigger(ctx, triggerNow))
	p.eventually(func() bool { return p.run(lost).State == "done" }, "lost run is taken up")
	require.Zero(t, p.count(`SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1 AND state = 'failed'`, p.tenant))

	alive, err := p.client.Alive(ctx)
	require.NoError(t, err)
	require.True(t, alive.Healthy(), "%v", alive.Problems)
	require.WithinDuration(t, time.Now(), alive.LastUpkeep, 5*time.Minute)
	p.recordPrefix("ingest", IngestID(p.tenant, integration))
	p.recordPrefix("upkeep", UpkeepID)
}

// TestTenantIsRequired starts a workflow past the client, without a header.
func TestTenantIsRequired(t *testing.T) {
	p := newPlatform(t)
	options := startOptions(p.tenant, "forged")
	started, err := p.client.temporal.ExecuteWorkflow(t.Context(), options, Release, ReleaseInput{TenantID: p.tenant, PlanID: uuid.New()})
	require.NoError(t, err)
	err = started.Get(t.Context(), nil)
	require.True(t, hasType(err, ErrTenantMissing), "%v", err)
}

func TestErrorTypesAgree(t *testing.T) {
	t.Parallel()
	require.Equal(t, activities.TypeFourEyes, ErrFourEyes)
	require.Equal(t, activities.TypeAlreadyDecided, ErrAlreadyDecided)
	require.Equal(t, activities.TypeForbidden, ErrForbidden)
	require.Equal(t, activities.TypeInvalid, ErrInvalid)
}
