-- name: AddPlanComment :one
-- Comments a scenario or one of its own recommendations. No row comes back when
-- the recommendation is of another scenario.
INSERT INTO optimization.plan_comments (tenant_id, scenario_id, recommendation_id, plan_id, author_id, body)
SELECT s.tenant_id, s.id, sqlc.narg('recommendation_id')::uuid, sqlc.narg('plan_id')::uuid, @author_id, @body
FROM optimization.optimization_scenarios s
WHERE s.tenant_id = @tenant_id AND s.id = @scenario_id
  AND (sqlc.narg('recommendation_id')::uuid IS NULL OR EXISTS (SELECT FROM optimization.optimization_recommendations r
    WHERE r.tenant_id = s.tenant_id AND r.scenario_id = s.id AND r.id = sqlc.narg('recommendation_id')::uuid))
RETURNING id;

-- name: ListPlanComments :many
SELECT c.id, c.recommendation_id, c.author_id, c.body, c.created_at, u.name_ar, u.name_en, u.roles
FROM optimization.plan_comments c
JOIN core.users u ON u.tenant_id = c.tenant_id AND u.id = c.author_id
WHERE c.tenant_id = @tenant_id AND c.scenario_id = @scenario_id
ORDER BY c.created_at, c.id;
