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
INSERT INTO optimization.plan_decisions (tenant_id, id, plan_id, launched_by, proposed_by, actor_id, kind, comment)
VALUES (@tenant_id, @id, @plan_id, @launched_by, @proposed_by, @actor_id, @kind, @comment);

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
