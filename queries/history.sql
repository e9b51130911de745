-- name: RunHistory :many
-- What a run wrote about its own course, oldest first, without the progress of
-- the search.
SELECT seq, at, stage, kind, scenario, detail FROM optimization.run_events
WHERE tenant_id = @tenant_id AND run_id = @run_id AND kind <> 'progress'
ORDER BY seq LIMIT 500;

-- name: ReleaseHistory :many
-- What happened in the release of a plan, oldest first.
SELECT e.seq, e.at, e.line, e.kind, e.actor_id, e.detail FROM optimization.release_events e
JOIN optimization.releases r ON r.tenant_id = e.tenant_id AND r.id = e.release_id
WHERE e.tenant_id = @tenant_id AND r.plan_id = @plan_id
ORDER BY e.seq LIMIT 1000;

-- name: PlanHistory :many
-- The words spoken on a plan, oldest first.
SELECT kind, actor_id, on_behalf_of, decided_at FROM optimization.plan_decisions
WHERE tenant_id = @tenant_id AND plan_id = @plan_id
ORDER BY decided_at, id LIMIT 200;

-- name: HistoryActs :many
-- What people and accounts did to an object, from the audit log, oldest first.
SELECT seq, occurred_at, actor_id, actor_kind, actor_name, action FROM core.audit_logs
WHERE tenant_id = @tenant_id AND object_id = @object_id AND object_type = ANY (@object_types::text[])
ORDER BY seq LIMIT 300;

-- name: HistoryFiring :one
-- One due time of a schedule with what came of it.
SELECT sqlc.embed(f), s.name, s.kind FROM core.schedule_firings f
JOIN core.schedules s ON s.tenant_id = f.tenant_id AND s.id = f.schedule_id
WHERE f.tenant_id = @tenant_id AND f.id = @id;
