package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// planned stores a plan with two jobs, proposed and due at the given times.
func (p *platform) planned(proposed, due time.Time) (plan uuid.UUID, jobs []uuid.UUID) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		var run, scenario uuid.UUID
		engineer := p.people["optimization_engineer"]
		err := tx.QueryRow(ctx, `INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days, time_limit_seconds)
			VALUES ($1, 'maintenance_prioritization', 'test', $2, gen_random_uuid()::text, '{}', '{}', current_date, 30, 2) RETURNING id`, p.tenant, engineer).Scan(&run)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO optimization.optimization_scenarios (tenant_id, run_id, preset, status, objective, verified, seconds, total_cost, risk_cost, downtime_hours,
			labour_hours, actions_planned, actions_deferred, output) VALUES ($1, $2, 'cheapest', 'optimal', 1, true, 1, 1, 1, 1, 1, 2, 0, '{}') RETURNING id`, p.tenant, run).Scan(&scenario)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `INSERT INTO optimization.optimization_recommendations (tenant_id, scenario_id, asset_id, rank, decision, start_on, end_on, planned_cost, expected_cost, value_at_stake, failure_probability)
			SELECT tenant_id, $2, id, row_number() OVER (ORDER BY tag), 'do', current_date, current_date, 1, 1, 1, 0.1 FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 2 RETURNING id`, p.tenant, scenario)
		if err != nil {
			return err
		}
		if jobs, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, launched_by, proposed_by, proposed_at, due_at)
			VALUES ($1, $2, $3, $4, $4, $5, $6) RETURNING id`, p.tenant, run, scenario, engineer, proposed, due).Scan(&plan)
	})
	return plan, jobs
}

// delegate lets one person decide in place of another for a day.
func (p *platform) delegate(from, to string) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.AddDelegation(ctx, tx, db.AddDelegationParams{TenantID: p.tenant, FromUser: p.people[from], ToUser: p.people[to],
			StartsAt: time.Now().Add(-time.Hour), EndsAt: time.Now().AddDate(0, 0, 1), CreatedBy: p.people[from]})
		return err
	})
}

// TestForgedDecisionsStraightToTheWorkflow sends updates to Temporal past form
// and API.
func TestForgedDecisionsStraightToTheWorkflow(t *testing.T) {
	p := newPlatform(t)
	plan, jobs := p.planned(time.Now(), time.Now().Add(8*time.Hour))
	p.delegate("tenant_admin", "reliability_engineer")
	p.delegate("tenant_admin", "optimization_engineer")
	require.NoError(t, p.client.StartApproval(t.Context(), p.tenant, plan))
	for name, d := range map[string]Decision{
		"the launcher, now also a deputy": {ActorID: p.people["optimization_engineer"], Kind: Approved},
		"a viewer":                        {ActorID: p.people["viewer"], Kind: Approved},
		"a service account":               {ActorID: p.people["tenant_admin"], Service: true, Kind: Approved},
		"a stranger":                      {ActorID: uuid.New(), Kind: Approved},
	} {
		ctx, cancel := context.WithTimeout(withTenant(t.Context(), p.tenant), time.Minute)
		handle, err := p.client.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: ApprovalID(p.tenant, plan), UpdateName: UpdateDecide,
			UpdateID: uuid.NewString(), WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{d}})
		if err == nil {
			err = handle.Get(ctx, nil)
		}
		cancel()
		require.Equal(t, fault.Forbidden, fault.CodeOf(asFault(err)), "%s: %v", name, err)
	}
	require.Zero(t, p.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1`, p.tenant))

	deputy := Decision{ActorID: p.people["reliability_engineer"], Kind: Approved, Withheld: jobs[:1], HoldReason: "spares late"}
	state, err := p.client.Decide(t.Context(), p.tenant, plan, uuid.NewString(), deputy)
	require.NoError(t, err)
	require.Equal(t, PlanState{State: "approved", Seq: 1}, state)
	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1 AND plan_id = $2 AND on_behalf_of = $3`, p.tenant, plan, p.people["tenant_admin"]))
	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.plan_withheld WHERE tenant_id = $1 AND plan_id = $2 AND recommendation_id = $3`, p.tenant, plan, jobs[0]))
	p.record("approval-deputy", ApprovalID(p.tenant, plan))
}

// TestForgottenPlanIsRemindedEscalatedAndExpires goes through every moment of
// the wait on a real server: all of them have passed when the approval starts.
func TestForgottenPlanIsRemindedEscalatedAndExpires(t *testing.T) {
	p := newPlatform(t)
	plan, _ := p.planned(time.Now().AddDate(0, 0, -40), time.Now().AddDate(0, 0, -35))
	require.NoError(t, p.client.StartApproval(t.Context(), p.tenant, plan))
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'expired'`, p.tenant, plan) == 1
	}, "plan expires")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND reminded_at < decided_at AND escalated_at < decided_at`, p.tenant, plan))
	for _, kind := range []string{"plan.reminder", "plan.escalated", "plan.expired"} {
		require.Equal(t, 1, p.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = $2`, p.tenant, kind), kind)
	}
	p.record("approval-expired", ApprovalID(p.tenant, plan))
}

// approvalOfBefore is PlanApproval as it was before tenants had rules.
func approvalOfBefore(ctx workflow.Context, in ApprovalInput) (PlanState, error) {
	p := &approval{ref: activities.PlanRef{TenantID: in.TenantID, PlanID: in.PlanID}, state: PlanState{State: activities.PlanProposed}, turn: workflow.NewMutex(ctx)}
	if err := p.listen(ctx); err != nil {
		return p.state, err
	}
	if err := p.load(ctx); err != nil {
		return p.state, err
	}
	if err := p.waitAsBefore(ctx); err != nil {
		return p.state, err
	}
	return p.state, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// TestVersionChangeKeepsRunningApprovalsAlive starts an approval on a worker
// with the code of before and decides on it after a worker with the code of
// today has taken over.
func TestVersionChangeKeepsRunningApprovalsAlive(t *testing.T) {
	p := newPlatform(t)
	p.halt()
	old := worker.New(p.client.temporal, QueueControl, worker.Options{DisableRegistrationAliasing: true, WorkerStopTimeout: drain,
		Interceptors: []interceptor.WorkerInterceptor{&tenantGuard{}, &activities.Faults{}}})
	old.RegisterWorkflowWithOptions(approvalOfBefore, workflow.RegisterOptions{Name: "PlanApproval"})
	p.set.Register(old)
	require.NoError(t, old.Start())
	plan, _ := p.planned(time.Now(), time.Now().Add(8*time.Hour))
	id := ApprovalID(p.tenant, plan)
	_, err := p.client.Decide(t.Context(), p.tenant, plan, uuid.NewString(), Decision{ActorID: p.people["reliability_engineer"], Kind: Endorsed})
	require.NoError(t, err)
	p.eventually(func() bool { return p.events(id)[enumspb.EVENT_TYPE_TIMER_STARTED] > 0 }, "the old code waits for the due time")
	old.Stop()

	p.work()
	state, err := p.client.Decide(t.Context(), p.tenant, plan, uuid.NewString(), Decision{ActorID: p.people["tenant_admin"], Kind: Approved})
	require.NoError(t, err)
	require.Equal(t, PlanState{State: "approved", Seq: 2}, state)
	p.eventually(func() bool { return p.events(id)[enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED] == 1 }, "the approval ends")
	require.Zero(t, p.events(id)[enumspb.EVENT_TYPE_MARKER_RECORDED], "it keeps the deadlines that it began with")
	require.Zero(t, p.events(id)[enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED], "the new code understands the old history")
	p.record("approval-of-before", id)
}

// events counts the events of a workflow's history by their type.
func (p *platform) events(id string) map[enumspb.EventType]int {
	p.t.Helper()
	seen := map[enumspb.EventType]int{}
	history := p.client.temporal.GetWorkflowHistory(p.t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(p.t, err)
		seen[event.GetEventType()]++
	}
	return seen
}
