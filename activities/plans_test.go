package activities

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/runs"
)

func TestDecisionsAreCheckedAgainstTheRows(t *testing.T) {
	f := newPlant(t)
	// Launched by the tenant admin: the role would permit the approval, the
	// constraint does not.
	plan := f.propose(f.solved("tenant_admin"), "optimization_engineer")
	decide := func(by, kind string) DecisionInput {
		return DecisionInput{PlanRef: plan, DecisionID: uuid.New(), ActorID: f.people[by], Kind: kind, Comment: "because"}
	}
	f.refuse(TypeFourEyes, KeyFourEyes, f.set.Approval.RecordDecision, decide("tenant_admin", kindApproved))
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, decide("viewer", kindApproved))
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, decide("viewer", kindEndorsed))
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, decide("optimization_engineer", kindApproved))
	stranger := decide("viewer", kindApproved)
	stranger.ActorID = uuid.New()
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, stranger)
	f.exec(`UPDATE core.users SET is_active = false WHERE tenant_id = $1 AND id = $2`, f.tenant, f.people["reliability_engineer"])
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, decide("reliability_engineer", kindEndorsed))
	require.Zero(t, f.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1`, f.tenant))
	f.intact()
}

func TestDecisionIsRecordedOnce(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	var view ApprovalView
	f.do(&view, f.set.Approval.LoadApproval, plan)
	require.Equal(t, PlanProposed, view.State)
	require.Equal(t, f.people["optimization_engineer"], view.LaunchedBy)

	approve := DecisionInput{PlanRef: plan, DecisionID: uuid.New(), ActorID: f.people["tenant_admin"], Kind: kindApproved}
	for range 2 {
		var recorded Recorded
		f.do(&recorded, f.set.Approval.RecordDecision, approve)
		require.Equal(t, Recorded{State: PlanApproved, Decisions: 1}, recorded)
	}
	approve.DecisionID = uuid.New()
	f.refuse(TypeAlreadyDecided, KeyAlreadyDecided, f.set.Approval.RecordDecision, approve)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'plan.approved' AND actor_id = $2`,
		f.tenant, f.people["tenant_admin"]))
	f.intact()
}

func TestOverduePlanIsEscalatedOnceAndExpires(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	open := `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'approval_overdue' AND closed_at IS NULL`
	for range 2 {
		f.do(nil, f.set.Approval.EscalateApproval, plan)
	}
	require.Equal(t, 1, f.count(open, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'plan.escalated'`, f.tenant))
	for range 2 {
		var expired Recorded
		f.do(&expired, f.set.Approval.ExpireApproval, plan)
		require.Equal(t, PlanExpired, expired.State)
	}
	require.Zero(t, f.count(open, f.tenant), "a settled plan is not overdue")
	f.refuse(TypeConflict, KeyNotApproved, f.set.Release.CreateWorkOrders, plan)
}

// approved returns a plan that is approved and whose release is asked for.
func (f *plantFixture) approved() PlanRef {
	f.t.Helper()
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	f.do(nil, f.set.Approval.RecordDecision, DecisionInput{PlanRef: plan, DecisionID: uuid.New(), ActorID: f.people["tenant_admin"], Kind: kindApproved})
	f.requestRelease(plan, "optimization_engineer")
	return plan
}

func (f *plantFixture) requestRelease(plan PlanRef, by string) {
	f.t.Helper()
	f.exec(`UPDATE optimization.plans SET release_requested_by = $3, release_requested_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2`,
		f.tenant, plan.PlanID, f.people[by])
}

func TestReleaseCreatesEachWorkOrderOnceAndReplacesOlderOnes(t *testing.T) {
	f := newPlant(t)
	first := f.approved()
	f.requestRelease(first, "viewer")
	var refused, released, again WorkOrdersResult
	f.do(&refused, f.set.Release.CreateWorkOrders, first)
	require.Equal(t, WorkOrdersResult{State: ReleaseUndone}, refused, "who may not release never begins to")
	require.Equal(t, 1, f.releaseState(first, ReleaseUndone))
	f.requestRelease(first, "optimization_engineer")
	f.do(&released, f.set.Release.CreateWorkOrders, first)
	require.Positive(t, released.Created)
	f.do(&again, f.set.Release.CreateWorkOrders, first)
	require.Equal(t, WorkOrdersResult{State: ReleaseDone}, again)
	orders := `SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2`
	require.Equal(t, released.Created, f.count(orders, f.tenant, first.PlanID))
	require.Equal(t, released.Created, f.count(`SELECT count(DISTINCT number) FROM core.work_orders WHERE tenant_id = $1 AND number BETWEEN 1 AND $2`, f.tenant, released.Created))

	f.exec(`UPDATE core.work_orders SET status = 'in_progress' WHERE tenant_id = $1 AND number = 1`, f.tenant)
	second := f.approved()
	baselines := f.count(`SELECT count(*) FROM optimization.optimization_recommendations r JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.scenario_id = r.scenario_id
		WHERE p.tenant_id = $1 AND p.id = $2 AND r.baseline_start_on IS NOT NULL`, f.tenant, second.PlanID)
	require.Equal(t, released.Created-1, baselines, "open work orders are the current plan; work that has begun is not planned again")
	var newer WorkOrdersResult
	f.do(&newer, f.set.Release.CreateWorkOrders, second)
	require.Equal(t, newer.Cancelled, f.count(orders+` AND status = 'cancelled'`, f.tenant, first.PlanID))
	require.Zero(t, f.count(orders+` AND status = 'cancelled' AND number = 1`, f.tenant, first.PlanID), "work that has begun goes on")
	require.Zero(t, f.count(orders+` AND status = 'open' AND asset_id IN (SELECT asset_id FROM core.work_orders WHERE plan_id = $3)`,
		f.tenant, first.PlanID, second.PlanID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'superseded'`, f.tenant, first.PlanID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND state = 'released'`, f.tenant, second.PlanID))
	f.intact()
}

func TestWorkGoesToTheLeastLoaded(t *testing.T) {
	t.Parallel()
	a, b, other := uuid.New(), uuid.New(), uuid.New()
	crew := []db.ListTechnicianLoadsRow{{ID: a, SkillCode: "rotating", Hours: 10}, {ID: b, SkillCode: "rotating"}, {ID: other, SkillCode: "static"}}
	require.Equal(t, b, *assign(crew, "rotating", 8))
	require.Equal(t, b, *assign(crew, "rotating", 8))
	require.Equal(t, a, *assign(crew, "rotating", 8))
	require.Nil(t, assign(crew, "electrical", 8))
}

func TestUpkeepMendsWhatWasForgotten(t *testing.T) {
	f := newPlant(t)
	young := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	old := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	f.exec(`UPDATE optimization.optimization_runs SET requested_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2`, f.tenant, old.RunID)
	alive := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	orphan := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	for ref, workflow := range map[RunRef]string{alive: "alive", orphan: "orphan"} {
		f.do(nil, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: workflow})
		f.exec(`UPDATE optimization.optimization_runs SET started_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID)
	}
	f.starter.running["alive"] = true
	release := f.approved()
	waiting := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	f.exec(`UPDATE optimization.plans SET proposed_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2`, f.tenant, waiting.PlanID)

	var mended Mended
	f.do(&mended, f.set.Upkeep.ReconcileTenants)
	require.Equal(t, Mended{Runs: 1, Approvals: 1, Releases: 1, Orphans: 1}, mended)
	require.Equal(t, []uuid.UUID{old.RunID}, f.starter.runs)
	require.Equal(t, []uuid.UUID{waiting.PlanID}, f.starter.approvals)
	require.Equal(t, []uuid.UUID{release.PlanID}, f.starter.releases)
	require.NotEmpty(t, f.starter.scheduled, "the tenant is new, so its schedules are ensured")
	require.Equal(t, RunFailed, f.run(orphan).State)
	require.Equal(t, KeyWorkflowGone, f.run(orphan).ErrorKey)
	require.Equal(t, RunRunning, f.run(alive).State)
	require.Equal(t, "requested", f.run(young).State)
}

func TestUpkeepKeepsHouse(t *testing.T) {
	f := newPlant(t)
	f.do(nil, f.set.Upkeep.DeleteExpiredSessions)
	f.do(nil, f.set.Upkeep.EnsurePartitions)
	day := time.Now().UTC().AddDate(0, 0, partitionsAhead).Format("20060102")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM pg_class WHERE relname = 'asset_timeseries_' || $1`, day))
	var packed int
	f.do(&packed, f.set.Upkeep.PackDays)
	require.Equal(t, f.count(`SELECT count(*) FROM telemetry.historian_days WHERE packed_at IS NOT NULL AND NOT late`), packed)
	require.NotZero(t, packed)
	f.do(&packed, f.set.Upkeep.PackDays)
	require.Zero(t, packed, "all closed days are packed")
	require.NoError(t, f.set.EnsureSchedules(t.Context()))
	require.Len(t, f.starter.scheduled, f.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND state = 'active'`, f.tenant))
}
