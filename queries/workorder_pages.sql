-- name: WorkOrderPage :many
-- One page of work orders. status 'active' means open or in progress; owner
-- keeps orders of plans that the person launched, proposed or released.
SELECT w.id, w.number, w.title_ar, w.title_en, w.start_on, w.due_on, w.status, w.technician_id, w.crew_hours, w.plan_id, w.started_at, w.done_at,
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
WHERE w.tenant_id = @tenant_id
  AND (@status::text = '' OR w.status = @status::text OR (@status::text = 'active' AND w.status IN ('open', 'in_progress')))
  AND (sqlc.narg('site_id')::uuid IS NULL OR a.site_id = sqlc.narg('site_id')::uuid)
  AND (sqlc.narg('plan_id')::uuid IS NULL OR w.plan_id = sqlc.narg('plan_id')::uuid)
  AND (sqlc.narg('owner_id')::uuid IS NULL OR sqlc.narg('owner_id')::uuid IN (p.launched_by, p.proposed_by, p.release_requested_by))
  AND (@search::text = '' OR strpos(a.search_text, @search::text) > 0 OR w.number::text = @search::text
    OR strpos(lower(w.title_ar || ' ' || w.title_en), @search::text) > 0)
ORDER BY w.status IN ('done', 'cancelled'), w.due_on, w.number
LIMIT @page_size OFFSET @skip;

-- name: WorkOrderDetail :one
SELECT id, number, status, technician_id, asset_id FROM core.work_orders WHERE tenant_id = @tenant_id AND id = @id;

-- name: MoveWorkOrder :execrows
-- Moves an order on from the status that the reader saw.
UPDATE core.work_orders SET status = @next::text, updated_at = now(),
  started_at = CASE WHEN @next::text = 'in_progress' THEN now() ELSE started_at END,
  done_at = CASE WHEN @next::text = 'done' THEN now() ELSE done_at END
WHERE tenant_id = @tenant_id AND id = @id AND status = @seen::text;

-- name: AssignWorkOrder :execrows
-- Gives an order that is not closed to a technician, or to nobody.
UPDATE core.work_orders SET technician_id = sqlc.narg('technician_id')::uuid, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND status IN ('open', 'in_progress')
  AND technician_id IS NOT DISTINCT FROM sqlc.narg('seen_id')::uuid;

-- name: RenewAsset :execrows
-- A finished planned job renews its asset: the effective age starts over.
UPDATE core.assets SET age_days = 0, age_as_of = now() WHERE tenant_id = @tenant_id AND id = @id;
