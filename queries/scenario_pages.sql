-- name: RunPage :many
-- One page of the run history. An empty state shows all; total counts all pages.
SELECT r.id, r.title, r.problem, r.state, r.stage, r.window_start, r.window_days, r.requested_at, r.finished_at, r.gap, r.bound,
  (r.based_on IS NOT NULL)::boolean AS what_if,
  u.name_ar AS requested_ar, u.name_en AS requested_en, coalesce(best.total_cost, 0)::float8 AS best_cost, coalesce(best.scenarios, 0)::int AS scenarios,
  count(*) OVER () AS total
FROM optimization.optimization_runs r
JOIN core.users u ON u.tenant_id = r.tenant_id AND u.id = r.requested_by
LEFT JOIN (
  SELECT s.tenant_id, s.run_id, min(s.total_cost) AS total_cost, count(*) AS scenarios
  FROM optimization.optimization_scenarios s WHERE s.tenant_id = @tenant_id GROUP BY s.tenant_id, s.run_id
) best ON best.tenant_id = r.tenant_id AND best.run_id = r.id
WHERE r.tenant_id = @tenant_id AND (@state::text = '' OR r.state = @state::text)
ORDER BY r.requested_at DESC, r.id
LIMIT @page_size OFFSET @skip;

-- name: RunDetail :one
SELECT r.id, r.title, r.problem, r.state, r.stage, r.requested_by, r.objective, r.constraints, r.window_start, r.window_days,
  r.time_limit_seconds, r.incumbent, r.bound, r.gap, r.attempt, r.stop_requested, r.error_key, r.error_detail, r.workflow_id, r.based_on, r.what_if,
  r.requested_at, r.started_at, r.finished_at, u.name_ar AS requested_ar, u.name_en AS requested_en
FROM optimization.optimization_runs r
JOIN core.users u ON u.tenant_id = r.tenant_id AND u.id = r.requested_by
WHERE r.tenant_id = @tenant_id AND r.id = @id;

-- name: RequestRun :one
-- Records a request once: the same form sent again finds the key taken and
-- returns no row.
INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
  window_start, window_days, time_limit_seconds, channel)
VALUES (@tenant_id, @problem, @title, @requested_by, @idempotency_key, @objective, @constraints, @window_start, @window_days, @time_limit_seconds, @channel)
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING id;

-- name: RunOfKey :one
SELECT id FROM optimization.optimization_runs
WHERE tenant_id = @tenant_id AND idempotency_key = @idempotency_key AND requested_by = @requested_by;

-- name: RunProgress :many
-- The course of the search, oldest first, thinned to what a chart can show.
SELECT scenario, elapsed_seconds, incumbent, bound FROM (
  SELECT e.scenario, e.elapsed_seconds, e.incumbent, e.bound, e.seq,
    row_number() OVER (PARTITION BY e.scenario ORDER BY e.seq) AS n,
    count(*) OVER (PARTITION BY e.scenario) AS many
  FROM optimization.run_events e
  WHERE e.tenant_id = @tenant_id AND e.run_id = @run_id AND e.kind = 'progress'
) x
WHERE x.n % greatest(1, x.many / 300) = 0 OR x.n = x.many OR x.n = 1
ORDER BY scenario, seq;

-- name: RunTimeline :many
-- What happened beside the search itself, newest first.
SELECT seq, at, stage, kind, scenario, detail FROM optimization.run_events
WHERE tenant_id = @tenant_id AND run_id = @run_id AND kind <> 'progress'
ORDER BY seq DESC LIMIT 40;

-- name: RunScenarios :many
SELECT * FROM optimization.optimization_scenarios WHERE tenant_id = @tenant_id AND run_id = @run_id
ORDER BY array_position(ARRAY['cheapest', 'balanced', 'lowest_risk', 'custom'], preset), preset;

-- name: ScenarioRecommendations :many
-- The recommendations of one scenario with their assets and the level of risk.
SELECT sqlc.embed(r), a.tag, a.name_ar, a.name_en, a.site_id, s.name_ar AS site_ar, s.name_en AS site_en,
  coalesce(sc.risk_level, 1)::int AS risk_level
FROM optimization.optimization_recommendations r
JOIN core.assets a ON a.tenant_id = r.tenant_id AND a.id = r.asset_id
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE r.tenant_id = @tenant_id AND r.scenario_id = @scenario_id
ORDER BY r.rank, a.tag;

-- name: RecommendationDetail :one
SELECT sqlc.embed(r), sqlc.embed(s), a.tag, a.name_ar, a.name_en, si.name_ar AS site_ar, si.name_en AS site_en,
  n.title, n.window_start, n.window_days
FROM optimization.optimization_recommendations r
JOIN optimization.optimization_scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
JOIN optimization.optimization_runs n ON n.tenant_id = s.tenant_id AND n.id = s.run_id
JOIN core.assets a ON a.tenant_id = r.tenant_id AND a.id = r.asset_id
JOIN core.sites si ON si.tenant_id = a.tenant_id AND si.id = a.site_id
WHERE r.tenant_id = @tenant_id AND r.id = @id AND s.run_id = @run_id;

-- name: PreflightAssets :many
-- Assets that the engine would plan with less than it should have: no score,
-- a score that is not trusted, a signal that seems to come in another unit, or
-- no cost of failure or of the planned job.
SELECT a.id, a.tag, a.name_ar, a.name_en,
  (sc.as_of IS NULL)::boolean AS unscored, coalesce(NOT sc.trusted, false)::boolean AS greyed,
  coalesce(jsonb_path_exists(sc.detail, '$.trust.signals[*].reasons[*] ? (@.code == "wrong_unit")'), false)::boolean AS wrong_unit,
  (NOT EXISTS (SELECT 1 FROM optimization.optimization_cost_models m
    WHERE m.tenant_id = a.tenant_id AND m.asset_id = a.id AND m.kind = 'failure' AND m.effective_from <= now())
   OR NOT EXISTS (SELECT 1 FROM optimization.optimization_cost_models m
    WHERE m.tenant_id = a.tenant_id AND m.asset_id = a.id AND m.kind = 'maintenance' AND m.effective_from <= now()))::boolean AS unpriced
FROM core.assets a
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL
ORDER BY a.tag;

-- name: PreflightIntegrations :many
-- Active connectors whose last poll failed or is older than the given time.
SELECT id, name, last_sync_at, last_sync_status FROM core.integrations
WHERE tenant_id = @tenant_id AND state = 'active'
  AND (last_sync_status = 'failed' OR last_sync_at IS NULL OR last_sync_at < @stale_before::timestamptz)
ORDER BY name;
