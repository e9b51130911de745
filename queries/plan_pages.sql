-- name: LockRunForProposal :one
-- Holds the run while a plan is put forward, so that two proposals of one run
-- come one after the other.
SELECT id, requested_by, state, title, problem, based_on FROM optimization.optimization_runs
WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: PlansOfRun :many
SELECT p.id, p.version, p.state, p.scenario_id, s.preset FROM optimization.plans p
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
WHERE p.tenant_id = @tenant_id AND p.run_id = @run_id ORDER BY p.version DESC, p.proposed_at DESC;

-- name: ScenarioOfRun :one
SELECT id, total_cost, actions_planned FROM optimization.optimization_scenarios
WHERE tenant_id = @tenant_id AND run_id = @run_id AND preset = @preset;

-- name: ProposePlan :one
INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, version, previous_id, launched_by, proposed_by, note, due_at, content_sha256)
VALUES (@tenant_id, @run_id, @scenario_id, @version, sqlc.narg('previous_id'), @launched_by, @proposed_by, @note, @due_at, sqlc.narg('content_sha256'))
RETURNING id;

-- name: PlanPage :many
-- One page of plans. waiting keeps what the person me may act on now: plans to
-- approve that they neither launched nor proposed, by their own role or in
-- place of somebody who did neither; plans to endorse on which they have not
-- spoken; approved plans to release.
SELECT p.id, p.version, p.state, p.lifecycle, p.launched_by, p.proposed_by, p.endorsed_at, p.proposed_at, p.due_at, p.escalated_at, p.decided_at, p.released_at, p.release_requested_at,
  r.title, s.preset, s.total_cost, s.actions_planned, s.gap, s.bound, u.name_ar AS proposed_ar, u.name_en AS proposed_en,
  count(*) OVER () AS total
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
JOIN core.users u ON u.tenant_id = p.tenant_id AND u.id = p.proposed_by
WHERE p.tenant_id = @tenant_id AND (@state::text = '' OR p.lifecycle = @state::text)
  AND (NOT @waiting::boolean
    OR (p.state = 'proposed' AND p.launched_by <> @me::uuid AND p.proposed_by <> @me::uuid AND (@approves::boolean
      OR EXISTS (SELECT FROM unnest(@stands_in_for::uuid[]) f WHERE f <> p.launched_by AND f <> p.proposed_by)))
    OR (@endorses::boolean AND p.state = 'proposed' AND NOT EXISTS (SELECT 1 FROM optimization.plan_decisions d
      WHERE d.tenant_id = p.tenant_id AND d.plan_id = p.id AND d.actor_id = @me::uuid))
    OR (@releases::boolean AND p.state = 'approved' AND p.release_requested_at IS NULL))
ORDER BY (p.state = 'proposed') DESC, CASE WHEN p.state = 'proposed' THEN p.due_at END, p.proposed_at DESC
LIMIT @page_size OFFSET @skip;

-- name: CountPlansWaiting :one
SELECT count(*) FROM optimization.plans p
WHERE p.tenant_id = @tenant_id
  AND ((p.state = 'proposed' AND p.launched_by <> @me::uuid AND p.proposed_by <> @me::uuid AND (@approves::boolean
      OR EXISTS (SELECT FROM unnest(@stands_in_for::uuid[]) f WHERE f <> p.launched_by AND f <> p.proposed_by)))
    OR (@endorses::boolean AND p.state = 'proposed' AND NOT EXISTS (SELECT 1 FROM optimization.plan_decisions d
      WHERE d.tenant_id = p.tenant_id AND d.plan_id = p.id AND d.actor_id = @me::uuid))
    OR (@releases::boolean AND p.state = 'approved' AND p.release_requested_at IS NULL));

-- name: PlanDetail :one
SELECT sqlc.embed(p), sqlc.embed(s), r.title, r.window_start, r.window_days, r.workflow_id AS run_workflow_id,
  l.name_ar AS launched_ar, l.name_en AS launched_en, o.name_ar AS proposed_ar, o.name_en AS proposed_en,
  coalesce(e.name_ar, '')::text AS released_ar, coalesce(e.name_en, '')::text AS released_en
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
JOIN core.users l ON l.tenant_id = p.tenant_id AND l.id = p.launched_by
JOIN core.users o ON o.tenant_id = p.tenant_id AND o.id = p.proposed_by
LEFT JOIN core.users e ON e.tenant_id = p.tenant_id AND e.id = p.release_requested_by
WHERE p.tenant_id = @tenant_id AND p.id = @id;

-- name: PlanDecisionsPage :many
SELECT d.kind, d.comment, d.decided_at, d.actor_id, d.on_behalf_of, u.name_ar, u.name_en, u.roles,
  coalesce(f.name_ar, '')::text AS behalf_ar, coalesce(f.name_en, '')::text AS behalf_en
FROM optimization.plan_decisions d
JOIN core.users u ON u.tenant_id = d.tenant_id AND u.id = d.actor_id
LEFT JOIN core.users f ON f.tenant_id = d.tenant_id AND f.id = d.on_behalf_of
WHERE d.tenant_id = @tenant_id AND d.plan_id = @plan_id ORDER BY d.decided_at DESC, d.id;

-- name: RequestPlanRelease :execrows
-- Asks for the release of an approved plan, once.
UPDATE optimization.plans SET release_requested_by = @actor_id::uuid, release_requested_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'approved' AND release_requested_at IS NULL;

-- name: ListPlanLines :many
-- The recommendations of a plan's scenario with what keeps them back.
SELECT r.id, r.asset_id, r.decision, coalesce(w.stage, '')::text AS stage, coalesce(w.reason, '')::text AS reason,
  coalesce(u.name_ar, '')::text AS held_ar, coalesce(u.name_en, '')::text AS held_en
FROM optimization.optimization_recommendations r
LEFT JOIN optimization.plan_withheld w ON w.tenant_id = r.tenant_id AND w.recommendation_id = r.id AND w.plan_id = sqlc.narg('plan_id')::uuid
LEFT JOIN core.users u ON u.tenant_id = w.tenant_id AND u.id = w.actor_id
WHERE r.tenant_id = @tenant_id AND r.scenario_id = @scenario_id
ORDER BY r.rank, r.id;

-- name: ListOpenEndedPlans :many
-- Returned and expired plans of a problem that no later version follows.
SELECT p.id, p.version, p.state, p.scenario_id, p.run_id, r.title, p.proposed_at
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
WHERE p.tenant_id = @tenant_id AND p.state IN ('returned', 'expired') AND r.problem = @problem
  AND NOT EXISTS (SELECT FROM optimization.plans n WHERE n.tenant_id = p.tenant_id AND n.previous_id = p.id)
ORDER BY p.proposed_at DESC LIMIT 50;

-- name: NextVersionOfPlan :one
-- The latest plan that follows a plan, if one does.
SELECT id, version FROM optimization.plans
WHERE tenant_id = @tenant_id AND previous_id = @id::uuid ORDER BY version DESC LIMIT 1;
