-- name: RequestRelease :one
-- Writes down to where a plan is released, once. A release that was undone
-- begins anew, perhaps to another target. No row comes back while one stands.
INSERT INTO optimization.releases AS r (tenant_id, plan_id, integration_id, requested_by)
VALUES (@tenant_id, @plan_id, sqlc.narg('integration_id'), @requested_by)
ON CONFLICT (tenant_id, plan_id) DO UPDATE SET integration_id = excluded.integration_id, requested_by = excluded.requested_by,
  requested_at = now(), finished_at = NULL, reconciled_at = NULL, state = 'running'
  WHERE r.state = 'undone'
RETURNING id;

-- name: ListNextReleaseKeys :many
-- The key that each line of a plan takes when its undone release begins anew.
-- An order that was cancelled keeps its key for ever, so a new one gets the
-- next: KEY, KEY-2, KEY-3. A line that could not be taken back keeps its key,
-- by which its order is found.
SELECT l.line, l.recommendation_id, (CASE WHEN l.state <> 'undone' OR l.action <> 'create' THEN l.idempotency_key
    ELSE substring(l.idempotency_key FROM '^OPT-[0-9A-F]{24}') || '-' || (coalesce(nullif(substring(l.idempotency_key FROM '^OPT-[0-9A-F]{24}-([0-9]+)$'), ''), '1')::int + 1)::text END)::text AS next_key
FROM optimization.release_lines l
JOIN optimization.releases r ON r.tenant_id = l.tenant_id AND r.id = l.release_id
WHERE l.tenant_id = @tenant_id AND r.plan_id = @plan_id ORDER BY l.line;

-- name: RestartReleaseLine :exec
-- Sets a line of a release back that was undone, under its next key.
UPDATE optimization.release_lines SET idempotency_key = @next_key,
  state = 'waiting', action = CASE WHEN state = 'undo_failed' AND action = 'create' THEN 'create' ELSE 'none' END,
  external_asset_id = '', external_id = '', external_version = '', before = NULL, attempts = 0, reason = '', error_key = '', error_detail = '{}',
  written_at = NULL, updated_at = now()
WHERE tenant_id = @tenant_id AND release_id = @release_id AND line = @line;

-- name: ReleaseBegun :one
-- Whether anything of a release was attempted or decided.
SELECT EXISTS (SELECT FROM optimization.release_lines
  WHERE tenant_id = @tenant_id AND release_id = @release_id AND (state <> 'waiting' OR attempts > 0));

-- name: GetRelease :one
SELECT * FROM optimization.releases WHERE tenant_id = @tenant_id AND id = @id;

-- name: LockRelease :one
SELECT * FROM optimization.releases WHERE tenant_id = @tenant_id AND plan_id = @plan_id FOR UPDATE;

-- name: SetReleaseState :execrows
-- Moves a release on from the state that the caller saw.
UPDATE optimization.releases SET state = @next::text, finished_at = CASE WHEN @next::text IN ('done', 'undone') THEN now() END
WHERE tenant_id = @tenant_id AND id = @id AND state = @seen::text;

-- name: AddReleaseLine :exec
INSERT INTO optimization.release_lines (tenant_id, release_id, line, recommendation_id, asset_id, action, idempotency_key, planned_start, planned_end)
VALUES (@tenant_id, @release_id, @line, @recommendation_id, @asset_id, @action, @idempotency_key, @planned_start, @planned_end)
ON CONFLICT (tenant_id, release_id, recommendation_id) DO NOTHING;

-- name: ListReleaseLines :many
SELECT line, state, action, asset_id FROM optimization.release_lines
WHERE tenant_id = @tenant_id AND release_id = @release_id ORDER BY line;

-- name: ListLinesToClear :many
-- Lines that a person left out after attempts, of which nobody has seen yet
-- what these did in the maintenance system.
SELECT l.line FROM optimization.release_lines l
WHERE l.tenant_id = @tenant_id AND l.release_id = @release_id AND l.state = 'skipped' AND l.attempts > 0
  AND NOT EXISTS (SELECT FROM optimization.release_events e WHERE e.tenant_id = l.tenant_id AND e.release_id = l.release_id
    AND e.line = l.line AND e.kind IN ('line_undone', 'cleared', 'undo_failed') AND e.at >= l.updated_at)
ORDER BY l.line;

-- name: LockReleaseLine :one
-- Holds a line with what its work order is made of.
SELECT sqlc.embed(l), r.start_on, r.end_on, r.crew_hours, r.skill_code, a.tag, a.name_ar, a.name_en
FROM optimization.release_lines l
JOIN optimization.optimization_recommendations r ON r.tenant_id = l.tenant_id AND r.id = l.recommendation_id
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND l.release_id = @release_id AND l.line = @line FOR UPDATE OF l;

-- name: BeginReleaseLine :exec
-- Notes what an attempt is about to do, before it is done.
UPDATE optimization.release_lines SET state = 'writing', action = @action, external_asset_id = @external_asset_id, external_id = @external_id,
  attempts = attempts + 1, error_key = '', error_detail = '{}', updated_at = now()
WHERE tenant_id = @tenant_id AND release_id = @release_id AND line = @line;

-- name: KeepReleaseBefore :exec
-- Keeps the order as it was before its first move, for taking it back.
UPDATE optimization.release_lines SET before = @before::jsonb, updated_at = now()
WHERE tenant_id = @tenant_id AND release_id = @release_id AND line = @line AND before IS NULL;

-- name: FinishReleaseLine :exec
UPDATE optimization.release_lines SET state = 'written', external_id = @external_id, external_version = @external_version,
  error_key = '', error_detail = '{}', written_at = now(), updated_at = now()
WHERE tenant_id = @tenant_id AND release_id = @release_id AND line = @line;

-- name: SetReleaseLine :exec
-- Puts a line into a state with the reason or the fault behind it.
UPDATE optimization.release_lines SET state = @state, reason = @reason, error_key = @error_key, error_detail = @error_detail, updated_at = now()
WHERE tenant_id = @tenant_id AND release_id = @release_id AND line = @line;

-- name: AddReleaseEvent :exec
INSERT INTO optimization.release_events (tenant_id, release_id, line, kind, actor_id, detail)
VALUES (@tenant_id, @release_id, sqlc.narg('line'), @kind, sqlc.narg('actor_id'), @detail);

-- name: FindReleaseRequest :one
-- Whether the choice of a request was recorded before.
SELECT EXISTS (SELECT FROM optimization.release_events
  WHERE tenant_id = @tenant_id AND release_id = @release_id AND detail ->> 'request' = @request::text);

-- name: CountReleaseStops :one
-- How often a release has stopped at a line, ever.
SELECT count(*) FROM optimization.release_events WHERE tenant_id = @tenant_id AND release_id = @release_id AND kind = 'failed';

-- name: ListExternalTwins :many
-- Records of a maintenance system that stand for assets of a plan: equipment
-- before functional locations.
SELECT e.asset_id, e.kind, e.external_id, e.inactive, (e.gone_at IS NOT NULL)::boolean AS gone
FROM core.external_assets e
WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND NOT e.ignored AND e.asset_id = ANY (@asset_ids::uuid[])
ORDER BY e.asset_id, e.kind, e.external_id;

-- name: ListOpenOrdersOf :many
-- Orders of assets that are not closed in their maintenance system, as read
-- last. ours marks those that the product wrote.
SELECT o.asset_id, o.external_id, o.idempotency_key, o.state, o.planned_start, o.planned_end, o.version,
  EXISTS (SELECT FROM core.work_orders w WHERE w.tenant_id = o.tenant_id AND w.integration_id = o.integration_id AND w.external_id = o.external_id) AS ours
FROM core.external_orders o
WHERE o.tenant_id = @tenant_id AND o.integration_id = @integration_id AND o.kind = 'order' AND o.asset_id = ANY (@asset_ids::uuid[])
  AND o.state IN ('open', 'released', 'in_progress', 'on_hold')
ORDER BY o.asset_id, o.planned_start NULLS LAST, o.external_id;

-- name: PutWorkOrder :execrows
-- Creates the work order of a line that was written, or opens the one again
-- that an undone release cancelled.
INSERT INTO core.work_orders AS w (tenant_id, number, plan_id, recommendation_id, asset_id, title_ar, title_en, start_on, due_on, technician_id, crew_hours,
  integration_id, external_id, external_state, external_version, external_synced_at, baseline_start_on, baseline_due_on)
VALUES (@tenant_id, @number, @plan_id, @recommendation_id, @asset_id, @title_ar, @title_en, @start_on, @due_on, sqlc.narg('technician_id'), @crew_hours,
  sqlc.narg('integration_id'), @external_id, @external_state, @external_version, now(), @start_on, @due_on)
ON CONFLICT (tenant_id, recommendation_id) DO UPDATE SET status = CASE w.status WHEN 'cancelled' THEN 'open' ELSE w.status END,
  start_on = excluded.start_on, due_on = excluded.due_on, integration_id = excluded.integration_id, external_id = excluded.external_id,
  external_state = excluded.external_state, external_version = excluded.external_version, external_synced_at = now(), updated_at = now();

-- name: CancelWorkOrderOf :execrows
-- Cancels the work order of a line that is taken back, unless work has begun.
UPDATE core.work_orders SET status = 'cancelled', external_state = @external_state, external_synced_at = now(), updated_at = now()
WHERE tenant_id = @tenant_id AND recommendation_id = @recommendation_id AND status = 'open';

-- name: ListReplacedTwins :many
-- Orders in maintenance systems behind work orders that a release has replaced
-- and that no work order of the plan has taken over.
SELECT w.id, w.number, w.integration_id, w.external_id FROM core.work_orders w
WHERE w.tenant_id = @tenant_id AND w.status = 'cancelled' AND w.plan_id <> @plan_id AND w.asset_id = ANY (@asset_ids::uuid[])
  AND w.integration_id IS NOT NULL AND w.external_state IN ('open', 'released', 'on_hold')
  AND NOT EXISTS (SELECT FROM core.work_orders n WHERE n.tenant_id = w.tenant_id AND n.integration_id = w.integration_id
    AND n.external_id = w.external_id AND n.status <> 'cancelled')
ORDER BY w.number;

-- name: NoteTwin :exec
-- Notes how the twin of a work order stands in its maintenance system.
UPDATE core.work_orders SET external_state = @external_state, external_version = @external_version, external_synced_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

-- name: CancelReleaseRequest :exec
-- After a release was undone the plan is approved as before and may be
-- released again.
UPDATE optimization.plans SET release_requested_by = NULL, release_requested_at = NULL
WHERE tenant_id = @tenant_id AND id = @id AND state = 'approved';

-- name: ListStaleTwins :many
-- Work orders whose twin was read since they last followed it. A twin that a
-- later work order has taken over is followed by that one alone.
SELECT w.id, w.number, w.status, w.start_on, w.due_on, w.external_state, w.plan_id, w.recommendation_id, a.tag,
  o.external_id, o.state, o.planned_start, o.planned_end, o.actual_start, o.actual_end, o.version, o.seen_at,
  l.release_id, l.line
FROM core.work_orders w
JOIN core.external_orders o ON o.tenant_id = w.tenant_id AND o.integration_id = w.integration_id AND o.kind = 'order' AND o.external_id = w.external_id
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
LEFT JOIN optimization.release_lines l ON l.tenant_id = w.tenant_id AND l.recommendation_id = w.recommendation_id
WHERE w.tenant_id = @tenant_id AND w.integration_id = @integration_id AND w.external_id <> ''
  AND o.seen_at > w.external_synced_at AND NOT (w.status = 'cancelled' AND o.state = 'cancelled')
  AND NOT EXISTS (SELECT FROM core.work_orders n WHERE n.tenant_id = w.tenant_id AND n.integration_id = w.integration_id
    AND n.external_id = w.external_id AND n.number > w.number AND n.status <> 'cancelled')
ORDER BY w.number LIMIT 5000
FOR UPDATE OF w;

-- name: FollowTwin :exec
-- Brings a work order to where its twin is.
UPDATE core.work_orders SET status = @status, start_on = @start_on, due_on = @due_on, external_state = @external_state, external_version = @external_version,
  external_synced_at = @synced_at::timestamptz, started_at = coalesce(started_at, sqlc.narg('started_at')::timestamptz),
  done_at = coalesce(done_at, sqlc.narg('done_at')::timestamptz),
  updated_at = CASE WHEN status <> @status OR start_on <> @start_on OR due_on <> @due_on THEN now() ELSE updated_at END
WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListTwinsToRead :many
-- Work orders that are not closed and have a twin, for the reconciliation.
SELECT w.id, w.number, w.integration_id, w.external_id, w.plan_id, a.tag, w.external_state, l.release_id, l.line
FROM core.work_orders w
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
LEFT JOIN optimization.release_lines l ON l.tenant_id = w.tenant_id AND l.recommendation_id = w.recommendation_id
WHERE w.tenant_id = @tenant_id AND w.integration_id IS NOT NULL AND w.external_id <> '' AND w.status IN ('open', 'in_progress')
ORDER BY w.integration_id, w.number;

-- name: NoteReconciled :exec
UPDATE optimization.releases SET reconciled_at = now()
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND state IN ('done', 'stuck');

-- name: OverviewRelease :one
SELECT sqlc.embed(r), coalesce(i.name, '')::text AS system_name, coalesce(i.kind, '')::text AS system_kind, u.name_ar, u.name_en,
  p.state AS plan_state, p.version AS plan_version, p.run_id, o.title
FROM optimization.releases r
JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.id = r.plan_id
JOIN optimization.optimization_runs o ON o.tenant_id = p.tenant_id AND o.id = p.run_id
JOIN core.users u ON u.tenant_id = r.tenant_id AND u.id = r.requested_by
LEFT JOIN core.integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
WHERE r.tenant_id = @tenant_id AND r.id = @id;

-- name: ReleaseOfPlan :one
SELECT id, state FROM optimization.releases WHERE tenant_id = @tenant_id AND plan_id = @plan_id;

-- name: PageReleaseLines :many
SELECT sqlc.embed(l), a.tag, a.name_ar, a.name_en, w.id AS work_order_id, w.number, coalesce(w.status, '')::text AS order_status,
  coalesce(w.external_state, '')::text AS external_state, count(*) OVER () AS total
FROM optimization.release_lines l
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
LEFT JOIN core.work_orders w ON w.tenant_id = l.tenant_id AND w.recommendation_id = l.recommendation_id
WHERE l.tenant_id = @tenant_id AND l.release_id = @release_id
ORDER BY l.line LIMIT @page_size OFFSET @skip;

-- name: CountReleaseLines :many
SELECT state, action, count(*) AS lines FROM optimization.release_lines
WHERE tenant_id = @tenant_id AND release_id = @release_id GROUP BY state, action;

-- name: PageReleaseEvents :many
-- What happened in a release, the last first.
SELECT e.seq, e.at, e.line, e.kind, e.detail, coalesce(u.name_ar, '')::text AS name_ar, coalesce(u.name_en, '')::text AS name_en
FROM optimization.release_events e
LEFT JOIN core.users u ON u.tenant_id = e.tenant_id AND u.id = e.actor_id
WHERE e.tenant_id = @tenant_id AND e.release_id = @release_id
ORDER BY e.seq DESC LIMIT @page_size;

-- name: ListWriteTargets :many
-- Active integrations of kinds that take orders.
SELECT id, name, kind, records_synced_at FROM core.integrations
WHERE tenant_id = @tenant_id AND state = 'active' AND kind = ANY (@kinds::text[]) ORDER BY name, id;
