-- name: PlanAssets :many
-- What result pages say of an asset. Archived assets keep their name in the
-- plans that were made with them.
SELECT a.id, a.tag, a.name_ar, a.name_en, a.site_id, s.name_ar AS site_ar, s.name_en AS site_en, a.archived_at,
  coalesce(sc.risk_level, 1)::int AS risk_level
FROM core.assets a
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id
ORDER BY a.tag;

-- name: ScenarioTrust :many
-- Whether the score behind each recommendation of a scenario was trusted.
SELECT asset_id, trusted FROM optimization.optimization_recommendations
WHERE tenant_id = @tenant_id AND scenario_id = @scenario_id;

-- name: ScenarioWithRun :one
SELECT sqlc.embed(s), sqlc.embed(r)
FROM optimization.optimization_scenarios s
JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
WHERE s.tenant_id = @tenant_id AND s.id = @id;

-- name: ComparableScenarios :many
-- The scenarios of one problem that a comparison can take, those of the given
-- run first, then the newest.
SELECT s.id, s.run_id, s.preset, s.total_cost, r.title, r.window_start, r.window_days, r.requested_at
FROM optimization.optimization_scenarios s
JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
WHERE s.tenant_id = @tenant_id AND r.problem = @problem AND r.state = 'done'
ORDER BY (r.id = @run_id::uuid) DESC, r.requested_at DESC, r.id,
  array_position(ARRAY['cheapest', 'balanced', 'lowest_risk', 'custom'], s.preset)
LIMIT @many;

-- name: ScenarioByPreset :one
SELECT * FROM optimization.optimization_scenarios WHERE tenant_id = @tenant_id AND run_id = @run_id AND preset = @preset;
