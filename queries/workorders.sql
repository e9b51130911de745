-- name: LockWorkOrderNumbers :exec
-- Numbers are handed out one release at a time, so that they stay dense.
SELECT pg_advisory_xact_lock(hashtextextended(CAST(CAST(@tenant_id AS uuid) AS text), 727302));

-- name: LastWorkOrderNumber :one
SELECT coalesce(max(number), 0)::bigint AS number FROM core.work_orders WHERE tenant_id = @tenant_id;

-- name: ListJobsToRelease :many
-- The recommendations to act of a plan that nobody withheld, in the order of
-- their start.
SELECT r.id, r.asset_id, r.start_on, r.end_on, r.crew_hours, r.skill_code, a.tag, a.name_ar, a.name_en
FROM optimization.plans p
JOIN optimization.optimization_recommendations r ON r.tenant_id = p.tenant_id AND r.scenario_id = p.scenario_id
JOIN core.assets a ON a.tenant_id = r.tenant_id AND a.id = r.asset_id
WHERE p.tenant_id = @tenant_id AND p.id = @plan_id AND r.decision = 'do'
  AND NOT EXISTS (SELECT FROM optimization.plan_withheld w
    WHERE w.tenant_id = p.tenant_id AND w.plan_id = p.id AND w.recommendation_id = r.id)
ORDER BY r.start_on, r.rank, r.id;

-- name: ListTechnicianLoads :many
-- Technicians with their skill and the crew hours of their open work orders.
SELECT t.id, s.code AS skill_code, coalesce(sum(w.crew_hours), 0)::float8 AS hours
FROM core.technicians t
JOIN core.crews c ON c.tenant_id = t.tenant_id AND c.id = t.crew_id AND c.archived_at IS NULL
JOIN core.skills s ON s.tenant_id = c.tenant_id AND s.id = c.skill_id
LEFT JOIN core.work_orders w ON w.tenant_id = t.tenant_id AND w.technician_id = t.id AND w.status IN ('open', 'in_progress')
WHERE t.tenant_id = @tenant_id AND t.archived_at IS NULL
GROUP BY t.id, s.code ORDER BY t.id;

-- name: CancelReplacedWorkOrders :execrows
-- Cancels open work orders of other plans for assets that get a new one. Work
-- that has begun, and work on other assets, stays.
UPDATE core.work_orders SET status = 'cancelled', updated_at = now()
WHERE tenant_id = @tenant_id AND status = 'open' AND plan_id <> @plan_id AND asset_id = ANY (@asset_ids::uuid[]);
