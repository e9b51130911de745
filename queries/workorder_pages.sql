-- name: WorkOrderPage :many
-- One page of work orders: what is open by its due date, then what is closed,
-- the last first. status 'active' means open or in progress, 'findings' closed
-- in the maintenance system but without findings; owner keeps orders of plans
-- that the person launched, proposed or released; technician is an id, or
-- 'none' for what is not assigned. With from_day and to_day only orders that
-- touch these days are listed.
SELECT w.id, w.number, w.title_ar, w.title_en, w.start_on, w.due_on, w.status, w.technician_id, w.crew_hours, w.plan_id, w.started_at, w.done_at,
  w.external_id, w.external_state, w.found_condition, w.integration_id, coalesce(i.name, '')::text AS system_name,
  w.asset_id, a.tag, a.name_ar AS asset_ar, a.name_en AS asset_en, a.skill_id, s.name_ar AS site_ar, s.name_en AS site_en,
  coalesce(t.name_ar, '')::text AS technician_ar, coalesce(t.name_en, '')::text AS technician_en,
  r.title AS plan_title, p.version AS plan_version,
  count(*) OVER () AS total
FROM core.work_orders w
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN optimization.plans p ON p.tenant_id = w.tenant_id AND p.id = w.plan_id
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
LEFT JOIN core.technicians t ON t.tenant_id = w.tenant_id AND t.id = w.technician_id
LEFT JOIN core.integrations i ON i.tenant_id = w.tenant_id AND i.id = w.integration_id
WHERE w.tenant_id = @tenant_id
  AND (@status::text = '' OR w.status = @status::text OR (@status::text = 'active' AND w.status IN ('open', 'in_progress'))
    OR (@status::text = 'findings' AND w.status = 'done' AND w.found_condition = '' AND w.integration_id IS NOT NULL))
  AND (sqlc.narg('site_id')::uuid IS NULL OR a.site_id = sqlc.narg('site_id')::uuid)
  AND (sqlc.narg('plan_id')::uuid IS NULL OR w.plan_id = sqlc.narg('plan_id')::uuid)
  AND (sqlc.narg('owner_id')::uuid IS NULL OR sqlc.narg('owner_id')::uuid IN (p.launched_by, p.proposed_by, p.release_requested_by))
  AND (@technician::text = '' OR w.technician_id::text = @technician::text OR (@technician::text = 'none' AND w.technician_id IS NULL))
  AND (sqlc.narg('from_day')::date IS NULL OR w.due_on >= sqlc.narg('from_day')::date)
  AND (sqlc.narg('to_day')::date IS NULL OR w.start_on <= sqlc.narg('to_day')::date)
  AND (@search::text = '' OR strpos(a.search_text, @search::text) > 0 OR w.number::text = @search::text OR lower(w.external_id) = @search::text
    OR strpos(lower(w.title_ar || ' ' || w.title_en), @search::text) > 0)
ORDER BY w.status IN ('done', 'cancelled'), CASE WHEN w.status IN ('open', 'in_progress') THEN w.due_on END,
  CASE WHEN w.status IN ('done', 'cancelled') THEN coalesce(w.done_at, w.updated_at) END DESC, w.number
LIMIT @page_size OFFSET @skip;

-- name: PlansWithOrders :many
-- Plans that have work orders, for the filter.
SELECT p.id, r.title, p.version FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
WHERE p.tenant_id = @tenant_id AND EXISTS (SELECT FROM core.work_orders w WHERE w.tenant_id = p.tenant_id AND w.plan_id = p.id)
ORDER BY p.released_at DESC NULLS LAST, p.id LIMIT 60;

-- name: WorkOrderDetail :one
SELECT sqlc.embed(w), a.tag, a.name_ar AS asset_ar, a.name_en AS asset_en, a.skill_id, s.name_ar AS site_ar, s.name_en AS site_en,
  coalesce(t.name_ar, '')::text AS technician_ar, coalesce(t.name_en, '')::text AS technician_en,
  coalesce(u.name_ar, '')::text AS done_ar, coalesce(u.name_en, '')::text AS done_en,
  coalesce(m.code, '')::text AS mode_code, coalesce(m.name_ar, '')::text AS mode_ar, coalesce(m.name_en, '')::text AS mode_en,
  coalesce(i.name, '')::text AS system_name, r.title AS plan_title, p.version AS plan_version, p.run_id, p.scenario_id, p.state AS plan_state,
  p.proposed_by, p.release_requested_by, c.planned_cost, c.expected_cost, c.value_at_stake, c.failure_probability, c.trusted
FROM core.work_orders w
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN optimization.plans p ON p.tenant_id = w.tenant_id AND p.id = w.plan_id
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_recommendations c ON c.tenant_id = w.tenant_id AND c.id = w.recommendation_id
LEFT JOIN core.technicians t ON t.tenant_id = w.tenant_id AND t.id = w.technician_id
LEFT JOIN core.users u ON u.tenant_id = w.tenant_id AND u.id = w.done_by
LEFT JOIN core.asset_failure_modes m ON m.tenant_id = w.tenant_id AND m.id = w.failure_mode_id
LEFT JOIN core.integrations i ON i.tenant_id = w.tenant_id AND i.id = w.integration_id
WHERE w.tenant_id = @tenant_id AND w.id = @id;

-- name: LockWorkOrder :one
-- Holds a work order for one change.
SELECT * FROM core.work_orders WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: MoveWorkOrder :execrows
-- Moves an order on from the status that was seen. Why one was given up is kept
-- as its finding.
UPDATE core.work_orders SET status = @next::text, updated_at = now(), finding = CASE WHEN @next::text = 'cancelled' THEN @reason::text ELSE finding END,
  started_at = CASE WHEN @next::text = 'in_progress' THEN now() ELSE started_at END
WHERE tenant_id = @tenant_id AND id = @id AND status = @seen::text;

-- name: AssignWorkOrder :execrows
-- Gives an order that is not closed to a technician, or to nobody.
UPDATE core.work_orders SET technician_id = sqlc.narg('technician_id')::uuid, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND status IN ('open', 'in_progress')
  AND technician_id IS NOT DISTINCT FROM sqlc.narg('seen_id')::uuid;

-- name: FinishWorkOrder :exec
-- Closes an order with what was found. An order that the maintenance system
-- closed before keeps its moment.
UPDATE core.work_orders SET status = 'done', done_at = @done_at::timestamptz, done_by = @done_by::uuid, found_condition = @found_condition,
  failure_mode_id = sqlc.narg('failure_mode_id')::uuid, finding = @finding, actual_hours = sqlc.narg('actual_hours')::float8,
  actual_cost = sqlc.narg('actual_cost')::float8, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

-- name: ChangeFindings :exec
-- Changes what nothing else was computed from.
UPDATE core.work_orders SET finding = @finding, actual_hours = sqlc.narg('actual_hours')::float8, actual_cost = sqlc.narg('actual_cost')::float8, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

-- name: RenewAsset :execrows
-- A finished job renews its asset: the effective age starts over at that
-- moment, unless it has started over later already.
UPDATE core.assets SET age_days = 0, age_as_of = @renewed_at::timestamptz
WHERE tenant_id = @tenant_id AND id = @id AND age_as_of - make_interval(secs => age_days * 86400) < @renewed_at::timestamptz;

-- name: AttainmentOrders :many
-- Work orders that were due by their plan in a range of days, the latest first;
-- cancelled ones are not due.
SELECT coalesce(w.baseline_start_on, w.start_on)::date AS start_on, coalesce(w.baseline_due_on, w.due_on)::date AS due_on,
  w.status, w.done_at, w.plan_id, r.title AS plan_title, p.version AS plan_version,
  a.site_id, s.name_ar AS site_ar, s.name_en AS site_en, w.technician_id,
  coalesce(t.name_ar, '')::text AS technician_ar, coalesce(t.name_en, '')::text AS technician_en
FROM core.work_orders w
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN optimization.plans p ON p.tenant_id = w.tenant_id AND p.id = w.plan_id
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
LEFT JOIN core.technicians t ON t.tenant_id = w.tenant_id AND t.id = w.technician_id
WHERE w.tenant_id = @tenant_id AND w.status <> 'cancelled'
  AND coalesce(w.baseline_due_on, w.due_on) BETWEEN @from_day::date AND @to_day::date
  AND (sqlc.narg('site_id')::uuid IS NULL OR a.site_id = sqlc.narg('site_id')::uuid)
  AND (sqlc.narg('plan_id')::uuid IS NULL OR w.plan_id = sqlc.narg('plan_id')::uuid)
  AND (@technician::text = '' OR w.technician_id::text = @technician::text OR (@technician::text = 'none' AND w.technician_id IS NULL))
ORDER BY 2 DESC, w.number DESC LIMIT 20000;
