-- name: CountOpenAlerts :one
SELECT count(*) FROM core.alerts WHERE tenant_id = @tenant_id AND closed_at IS NULL;

-- name: OpenAlerts :many
-- The newest open alerts, of one asset when it is named, with the names of
-- what they concern.
SELECT sqlc.embed(l), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en,
  coalesce(i.name, '')::text AS integration, count(*) OVER () AS total
FROM core.alerts l
LEFT JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
LEFT JOIN core.integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
WHERE l.tenant_id = @tenant_id AND l.closed_at IS NULL
  AND (sqlc.narg('asset_id')::uuid IS NULL OR l.asset_id = sqlc.narg('asset_id')::uuid)
ORDER BY l.severity DESC, l.raised_at DESC, l.id LIMIT @page_size;

-- name: LockAlert :one
SELECT * FROM core.alerts WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: JudgeAlert :execrows
-- A judgement that there is nothing to do closes the alert.
UPDATE core.alerts SET state = @state::text,
  closed_at = CASE WHEN @state::text IN ('false', 'expected') THEN now() ELSE closed_at END,
  closed_by = CASE WHEN @state::text IN ('false', 'expected') THEN @actor_id::uuid ELSE closed_by END
WHERE tenant_id = @tenant_id AND id = @id AND closed_at IS NULL;
