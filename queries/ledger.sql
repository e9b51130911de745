-- name: LedgerPlans :many
-- Plans of the ledger, the last released first: those that were released, or
-- the named one in whatever state.
SELECT p.id, p.version, p.state, p.released_at, r.title, r.window_start, r.window_days, s.preset, s.total_cost, count(*) OVER () AS total
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
WHERE p.tenant_id = @tenant_id
  AND CASE WHEN sqlc.narg('id')::uuid IS NULL THEN p.released_at IS NOT NULL ELSE p.id = sqlc.narg('id')::uuid END
ORDER BY p.released_at DESC NULLS LAST, p.id DESC LIMIT @page_size OFFSET @skip;

-- name: LedgerCases :many
-- Every decision of the given plans with its work order and with what a failure
-- of the asset was taken to cost when the run was asked for: repair, outage,
-- and damage to people and surroundings.
SELECT p.id AS plan_id, c.id, c.asset_id, c.rank, c.decision, c.start_on, c.end_on, c.planned_cost, c.expected_cost, c.value_at_stake, c.failure_probability,
  a.tag, a.name_ar, a.name_en, st.name_ar AS site_ar, st.name_en AS site_en,
  (h.recommendation_id IS NOT NULL)::boolean AS withheld, coalesce(k.consequence, 0)::float8 AS consequence,
  w.id AS order_id, coalesce(w.number, 0)::bigint AS order_number, coalesce(w.status, '')::text AS order_status, w.done_at, w.actual_cost,
  coalesce(w.found_condition, '')::text AS found_condition, w.start_on AS order_start_on,
  w.due_on AS order_due_on, w.baseline_start_on, w.baseline_due_on
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_recommendations c ON c.tenant_id = p.tenant_id AND c.scenario_id = p.scenario_id
JOIN core.assets a ON a.tenant_id = c.tenant_id AND a.id = c.asset_id
JOIN core.sites st ON st.tenant_id = a.tenant_id AND st.id = a.site_id
LEFT JOIN optimization.plan_withheld h ON h.tenant_id = p.tenant_id AND h.plan_id = p.id AND h.recommendation_id = c.id
LEFT JOIN core.work_orders w ON w.tenant_id = c.tenant_id AND w.recommendation_id = c.id AND w.plan_id = p.id
LEFT JOIN LATERAL (
  SELECT x.direct_cost + x.outage_hours * x.loss_per_hour + x.safety_env_cost AS consequence
  FROM optimization.optimization_cost_models x
  WHERE x.tenant_id = c.tenant_id AND x.asset_id = c.asset_id AND x.kind = 'failure'
  ORDER BY (x.effective_from <= r.requested_at) DESC, CASE WHEN x.effective_from <= r.requested_at THEN x.version END DESC, x.version LIMIT 1
) k ON true
WHERE p.tenant_id = @tenant_id AND p.id = ANY (@plan_ids::uuid[])
ORDER BY p.id, c.rank, c.id;

-- name: LedgerFailures :many
-- Failures of the assets of the given plans from a moment on.
SELECT DISTINCT l.asset_id, l.ended_at FROM core.asset_lives l
JOIN optimization.plans p ON p.tenant_id = l.tenant_id AND p.id = ANY (@plan_ids::uuid[])
JOIN optimization.optimization_recommendations c ON c.tenant_id = l.tenant_id AND c.scenario_id = p.scenario_id AND c.asset_id = l.asset_id
WHERE l.tenant_id = @tenant_id AND l.ended_by = 'failure' AND l.ended_at >= @since::timestamptz
ORDER BY l.ended_at, l.asset_id;
