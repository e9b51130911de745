-- name: LoadApproval :one
-- Notes the workflow beside the plan and returns the plan.
UPDATE optimization.plans SET workflow_id = @workflow_id WHERE tenant_id = @tenant_id AND id = @id
RETURNING *;

-- name: LockPlan :one
SELECT * FROM optimization.plans WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: CountDecisions :one
SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = @tenant_id AND plan_id = @plan_id;

-- name: FindDecision :one
SELECT * FROM optimization.plan_decisions WHERE tenant_id = @tenant_id AND id = @id;

-- name: AddDecision :exec
INSERT INTO optimization.plan_decisions (tenant_id, id, plan_id, launched_by, proposed_by, actor_id, kind, comment, on_behalf_of)
VALUES (@tenant_id, @id, @plan_id, @launched_by, @proposed_by, @actor_id, @kind, @comment, sqlc.narg('on_behalf_of'));

-- name: SetEndorsement :execrows
-- Notes that a technical endorsement of a proposed plan stands, or that an
-- objection has taken it away.
UPDATE optimization.plans SET endorsed_at = CASE WHEN @stands::boolean THEN now() END
WHERE tenant_id = @tenant_id AND id = @id AND state = 'proposed';

-- name: RemindPlan :execrows
UPDATE optimization.plans SET reminded_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'proposed' AND reminded_at IS NULL;

-- name: PlanContent :one
-- What a plan asks to be decided on, for its hash.
SELECT r.input_sha256, s.output FROM optimization.optimization_scenarios s
JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
WHERE s.tenant_id = @tenant_id AND s.id = @scenario_id;

-- name: PlanSummary :one
-- What is told of a plan when something happens to it.
SELECT p.run_id, r.title, s.preset, s.total_cost, s.actions_planned
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
WHERE p.tenant_id = @tenant_id AND p.id = @id;

-- name: WithholdLines :execrows
-- Leaves recommendations to act out of a plan. Ids that are none of its own, or
-- are withheld already, add no row.
INSERT INTO optimization.plan_withheld (tenant_id, plan_id, recommendation_id, stage, reason, actor_id)
SELECT p.tenant_id, p.id, r.id, @stage, @reason, @actor_id
FROM optimization.plans p
JOIN optimization.optimization_recommendations r ON r.tenant_id = p.tenant_id AND r.scenario_id = p.scenario_id
WHERE p.tenant_id = @tenant_id AND p.id = @plan_id AND r.decision = 'do' AND r.id = ANY (@recommendations::uuid[])
ON CONFLICT (tenant_id, plan_id, recommendation_id) DO NOTHING;

-- name: ListWithheld :many
SELECT w.recommendation_id, w.stage, w.reason, w.withheld_at, w.actor_id, u.name_ar, u.name_en
FROM optimization.plan_withheld w
JOIN core.users u ON u.tenant_id = w.tenant_id AND u.id = w.actor_id
WHERE w.tenant_id = @tenant_id AND w.plan_id = @plan_id
ORDER BY w.recommendation_id;

-- name: CountReleasableLines :one
-- Recommendations to act of a plan that nobody has withheld.
SELECT count(*) FROM optimization.plans p
JOIN optimization.optimization_recommendations r ON r.tenant_id = p.tenant_id AND r.scenario_id = p.scenario_id
WHERE p.tenant_id = @tenant_id AND p.id = @plan_id AND r.decision = 'do'
  AND NOT EXISTS (SELECT FROM optimization.plan_withheld w
    WHERE w.tenant_id = p.tenant_id AND w.plan_id = p.id AND w.recommendation_id = r.id);

-- name: SettlePlan :execrows
-- Ends the wait of a proposed plan: approved, returned or expired.
UPDATE optimization.plans SET state = @state, decided_at = now() WHERE tenant_id = @tenant_id AND id = @id AND state = 'proposed';

-- name: EscalatePlan :execrows
UPDATE optimization.plans SET escalated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'proposed' AND escalated_at IS NULL;

-- name: ListWaitingPlans :many
SELECT id FROM optimization.plans
WHERE tenant_id = @tenant_id AND state = 'proposed' AND proposed_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY proposed_at LIMIT 100;

-- name: ListForgottenReleases :many
SELECT id FROM optimization.plans
WHERE tenant_id = @tenant_id AND state = 'approved' AND release_requested_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY release_requested_at LIMIT 100;

-- name: MarkReleased :execrows
UPDATE optimization.plans SET state = 'released', released_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'approved';

-- name: SupersedePlans :execrows
UPDATE optimization.plans SET state = 'superseded' WHERE tenant_id = @tenant_id AND id <> @id AND state = 'released';
