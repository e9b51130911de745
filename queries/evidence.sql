-- name: ListAuditRoots :many
-- The roots of a tenant's days from one day to another, in order.
SELECT day, last_seq, rows, root FROM core.audit_roots
WHERE tenant_id = @tenant_id AND day >= @from_day::date AND day <= @to_day::date ORDER BY day;

-- name: RecentAuditRoots :many
SELECT day, last_seq, rows, root, created_at FROM core.audit_roots
WHERE tenant_id = @tenant_id ORDER BY day DESC LIMIT @page_size;

-- name: LastAuditRoot :many
-- The newest root of a tenant, or none.
SELECT day, last_seq, root FROM core.audit_roots WHERE tenant_id = @tenant_id ORDER BY day DESC LIMIT 1;

-- name: ListRootsOver :many
-- For each of some rows of the chain the root of the first day that holds it,
-- unless that day is not over.
SELECT w.seq::bigint AS seq, r.day, r.root FROM unnest(@seqs::bigint[]) AS w(seq)
CROSS JOIN LATERAL (SELECT a.day, a.root FROM core.audit_roots a
  WHERE a.tenant_id = @tenant_id AND a.last_seq >= w.seq ORDER BY a.day LIMIT 1) r;

-- name: InsertAuditRoot :execrows
INSERT INTO core.audit_roots (tenant_id, day, last_seq, rows, root)
VALUES (@tenant_id, @day, @last_seq, @rows, @root)
ON CONFLICT (tenant_id, day) DO NOTHING;

-- name: FirstAuditTime :many
-- When a chain began; no row while it is empty.
SELECT occurred_at FROM core.audit_logs WHERE tenant_id = @tenant_id ORDER BY seq LIMIT 1;

-- name: LastAuditIn :many
-- The last row of a chain in a span of time, or none.
SELECT seq, hash FROM core.audit_logs
WHERE tenant_id = @tenant_id AND occurred_at >= @since AND occurred_at < @until ORDER BY seq DESC LIMIT 1;

-- name: ListAuditRows :many
SELECT * FROM core.audit_logs WHERE tenant_id = @tenant_id AND seq = ANY (@seqs::bigint[]);

-- name: ListPlanAudit :many
-- What the log holds about a plan, its release and the run that it came from,
-- except that its dossiers were handed out, which the plan lists by itself.
-- Where there is too much, what concerns the plan goes before its run.
SELECT * FROM core.audit_logs
WHERE tenant_id = @tenant_id AND object_id = ANY (@objects::text[])
  AND object_type IN ('plan', 'run') AND action <> 'dossier.created' AND seq <= @up_to::bigint
ORDER BY object_type = 'plan' DESC, seq LIMIT @page_size;

-- name: ListDossierRelease :many
-- The lines of a plan's release with what they became.
SELECT e.state AS release_state, e.requested_at, e.finished_at, u.name_ar, u.name_en, coalesce(i.name, '')::text AS integration,
  l.line, l.recommendation_id, a.tag, l.action, l.state, l.external_id, l.idempotency_key, l.planned_start, l.planned_end, l.reason, l.written_at
FROM optimization.releases e
JOIN optimization.release_lines l ON l.tenant_id = e.tenant_id AND l.release_id = e.id
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
JOIN core.users u ON u.tenant_id = e.tenant_id AND u.id = e.requested_by
LEFT JOIN core.integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
WHERE e.tenant_id = @tenant_id AND e.plan_id = @plan_id ORDER BY l.line;

-- name: ListPlanSubjects :many
-- The equipment of each recommendation of a scenario.
SELECT r.id, r.asset_id, a.tag, a.name_ar, a.name_en FROM optimization.optimization_recommendations r
JOIN core.assets a ON a.tenant_id = r.tenant_id AND a.id = r.asset_id
WHERE r.tenant_id = @tenant_id AND r.scenario_id = @scenario_id;

-- name: ListPlanVersions :many
-- A plan and those that it follows, newest first.
WITH RECURSIVE followed AS (
  SELECT p.tenant_id, p.id, p.previous_id, p.version FROM optimization.plans p WHERE p.tenant_id = @tenant_id AND p.id = @id
  UNION ALL
  SELECT p.tenant_id, p.id, p.previous_id, p.version FROM followed f
  JOIN optimization.plans p ON p.tenant_id = f.tenant_id AND p.id = f.previous_id AND p.version < f.version
)
SELECT sqlc.embed(p), s.preset FROM followed f
JOIN optimization.plans p ON p.tenant_id = f.tenant_id AND p.id = f.id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
ORDER BY p.version DESC;

-- name: AddDossier :exec
INSERT INTO optimization.dossiers (tenant_id, plan_id, format, language, sha256, audit_seq, created_by)
VALUES (@tenant_id, @plan_id, @format, @language, @sha256, @audit_seq, @created_by);

-- name: ListDossiers :many
SELECT d.id, d.format, d.language, d.sha256, d.created_at, u.name_ar, u.name_en FROM optimization.dossiers d
JOIN core.users u ON u.tenant_id = d.tenant_id AND u.id = d.created_by
WHERE d.tenant_id = @tenant_id AND d.plan_id = @plan_id ORDER BY d.created_at DESC LIMIT @page_size;

-- name: FindDossier :many
SELECT d.plan_id, d.created_at FROM optimization.dossiers d
WHERE d.tenant_id = @tenant_id AND d.sha256 = @sha256 ORDER BY d.created_at LIMIT 1;
