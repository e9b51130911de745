-- name: RequestWhatIf :one
-- Records a what-if run on a scenario once: everything but the forced
-- decisions is that of the run behind the scenario. The same key sent again
-- finds it taken and returns no row, as does a scenario that does not exist.
INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
  window_start, window_days, time_limit_seconds, seed, based_on, what_if, channel)
SELECT r.tenant_id, r.problem, @title, @requested_by, @idempotency_key, 
  CASE WHEN s.preset = 'custom' THEN r.objective ELSE '{}' END || jsonb_build_object('presets', jsonb_build_array(s.preset)), r.constraints,
  r.window_start, r.window_days, r.time_limit_seconds, r.seed, s.id, @what_if::jsonb, @channel
FROM optimization.optimization_scenarios s
JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
WHERE s.tenant_id = @tenant_id AND s.id = @scenario_id
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING id;

-- name: ScenarioWhatIfs :many
-- The what-if runs on a scenario, newest first, with the scenario that each
-- gave once it is done.
SELECT r.id, r.title, r.state, r.what_if, r.requested_at, r.finished_at, r.error_key, r.error_detail,
  u.name_ar AS requested_ar, u.name_en AS requested_en, s.id AS scenario_id, s.total_cost, s.risk_cost, s.status
FROM optimization.optimization_runs r
JOIN core.users u ON u.tenant_id = r.tenant_id AND u.id = r.requested_by
LEFT JOIN optimization.optimization_scenarios s ON s.tenant_id = r.tenant_id AND s.run_id = r.id
WHERE r.tenant_id = @tenant_id AND r.based_on = @scenario_id::uuid
ORDER BY r.requested_at DESC, r.id
LIMIT @page_size;
