-- name: IntegrationOverview :many
-- Every integration that is not archived, with its mappings: how many, how
-- many are stale by the rule of IntegrationFreshness, and the newest reading,
-- which is 1970 when there is none.
SELECT sqlc.embed(i), coalesce(m.mapped, 0)::int AS mapped, coalesce(m.stale, 0)::int AS stale,
  coalesce(m.newest, 'epoch'::timestamptz)::timestamptz AS newest
FROM core.integrations i
LEFT JOIN (
  SELECT x.integration_id, count(*) AS mapped, max(l.ts)::timestamptz AS newest,
    count(*) FILTER (WHERE l.ts IS NULL OR l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) < CAST(@as_of AS timestamptz)) AS stale
  FROM core.integration_mappings x
  JOIN telemetry.signals s ON s.tenant_id = x.tenant_id AND s.id = x.signal_id AND s.archived_at IS NULL
  LEFT JOIN telemetry.signal_latest l ON l.tenant_id = x.tenant_id AND l.signal_id = x.signal_id
  WHERE x.tenant_id = @tenant_id AND x.archived_at IS NULL
  GROUP BY x.integration_id
) m ON m.integration_id = i.id
WHERE i.tenant_id = @tenant_id AND i.state <> 'archived' AND (sqlc.narg('id')::uuid IS NULL OR i.id = sqlc.narg('id')::uuid)
ORDER BY i.state, i.name;

-- name: GetIntegration :one
SELECT * FROM core.integrations WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived';

-- name: LockIntegration :one
SELECT * FROM core.integrations WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived' FOR UPDATE;

-- name: CreateIntegration :one
INSERT INTO core.integrations (tenant_id, id, name, kind, endpoint, config) VALUES (@tenant_id, @id, @name, @kind, @endpoint, @config)
RETURNING id;

-- name: UpdateIntegration :execrows
-- Other settings may mend what kept the source away, so an open circuit lets
-- an attempt through at once.
UPDATE core.integrations SET name = @name, endpoint = @endpoint, config = @config, updated_at = now(), needs_person = false,
  retry_at = CASE WHEN circuit = 'open' THEN now() ELSE retry_at END
WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived';

-- name: SetIntegrationState :execrows
-- Moves an integration on from the state that the caller saw. The note says
-- why it is paused.
UPDATE core.integrations SET state = @next::text, paused_note = @note, updated_at = now(),
  retry_at = CASE WHEN circuit = 'open' AND @next::text = 'active' THEN now() ELSE retry_at END
WHERE tenant_id = @tenant_id AND id = @id AND state = @seen::text;

-- name: RenameArchivedIntegration :execrows
-- Frees the name of an archived integration for a new one.
UPDATE core.integrations SET name = left(name, 80) || ' · ' || left(CAST(id AS text), 8)
WHERE tenant_id = @tenant_id AND id = @id AND state = 'archived';

-- name: ListCredentialFields :many
-- Which credentials are kept, never what they are.
SELECT field, updated_at FROM core.integration_credentials
WHERE tenant_id = @tenant_id AND integration_id = @integration_id ORDER BY field;

-- name: SaveCredential :exec
INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext)
VALUES (@tenant_id, @integration_id, @field, @ciphertext)
ON CONFLICT (tenant_id, integration_id, field) DO UPDATE SET ciphertext = excluded.ciphertext, updated_at = now();

-- name: ForgetCredential :execrows
DELETE FROM core.integration_credentials WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND field = @field;

-- name: ListSyncs :many
SELECT * FROM core.integration_syncs
WHERE tenant_id = @tenant_id AND integration_id = @integration_id
ORDER BY finished_at DESC, id LIMIT 50;

-- name: ListIntegrationMappings :many
-- The rules of an integration with what they feed and its newest reading.
SELECT sqlc.embed(m), a.tag, a.name_ar AS asset_ar, a.name_en AS asset_en, s.metric, s.unit, s.name_ar AS signal_ar, s.name_en AS signal_en,
  coalesce(c.name_ar, '')::text AS component_ar, coalesce(c.name_en, '')::text AS component_en,
  l.ts AS latest_ts, l.value AS latest_value, l.quality AS latest_quality
FROM core.integration_mappings m
JOIN core.assets a ON a.tenant_id = m.tenant_id AND a.id = m.asset_id
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id
LEFT JOIN core.asset_components c ON c.tenant_id = m.tenant_id AND c.id = m.component_id
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
ORDER BY m.external_tag;

-- name: GetMapping :one
SELECT * FROM core.integration_mappings
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND id = @id AND archived_at IS NULL;

-- name: FindMapping :many
-- The rule of one external tag, none or one.
SELECT * FROM core.integration_mappings
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND external_tag = @external_tag AND archived_at IS NULL;

-- name: AddMapping :one
INSERT INTO core.integration_mappings (tenant_id, integration_id, external_tag, asset_id, component_id, signal_id, source_unit, factor, shift, low, high)
VALUES (@tenant_id, @integration_id, @external_tag, @asset_id, sqlc.narg('component_id'), @signal_id, @source_unit, @factor, @shift, sqlc.narg('low'), sqlc.narg('high'))
RETURNING id;

-- name: ChangeMapping :execrows
UPDATE core.integration_mappings SET asset_id = @asset_id, component_id = sqlc.narg('component_id'), signal_id = @signal_id,
  source_unit = @source_unit, factor = @factor, shift = @shift, low = sqlc.narg('low'), high = sqlc.narg('high')
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: ArchiveMapping :execrows
UPDATE core.integration_mappings SET archived_at = now()
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND id = @id AND archived_at IS NULL;

-- name: MappingTargets :many
-- Every signal that a tag can be mapped to, for suggestions.
SELECT s.id, s.metric, s.unit, s.name_ar, s.name_en, s.asset_id, s.component_id, a.tag
FROM telemetry.signals s
JOIN core.assets a ON a.tenant_id = s.tenant_id AND a.id = s.asset_id AND a.archived_at IS NULL
WHERE s.tenant_id = @tenant_id AND s.archived_at IS NULL
ORDER BY a.tag, s.metric LIMIT 20000;

-- name: SyncRate :one
-- Readings stored in the last ten minutes.
SELECT coalesce(sum(rows_written), 0)::bigint AS rows_written FROM core.integration_syncs
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND finished_at > CAST(@as_of AS timestamptz) - interval '10 minutes';

-- name: ListStaleTags :many
-- Mapped tags whose newest reading is too old, by the rule of
-- IntegrationFreshness, those that never had one first.
SELECT m.external_tag, m.asset_id, a.tag, s.metric, l.ts AS latest_ts
FROM core.integration_mappings m
JOIN core.assets a ON a.tenant_id = m.tenant_id AND a.id = m.asset_id
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id AND s.archived_at IS NULL
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
  AND (l.ts IS NULL OR l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) < CAST(@as_of AS timestamptz))
ORDER BY l.ts NULLS FIRST, m.external_tag LIMIT 10;

-- name: ListBackfills :many
-- Windows to fill or filled, open ones first, the newest first.
SELECT b.id, b.cause, b.from_ts, b.to_ts, b.reached_ts, coalesce(cardinality(b.tags), 0)::int AS tags, b.state, b.rows_written, b.error, b.created_at, b.finished_at,
  coalesce(u.name_ar, '')::text AS by_ar, coalesce(u.name_en, '')::text AS by_en
FROM core.integration_backfills b
LEFT JOIN core.users u ON u.tenant_id = b.tenant_id AND u.id = b.requested_by
WHERE b.tenant_id = @tenant_id AND b.integration_id = @integration_id
ORDER BY b.state NOT IN ('waiting', 'running'), b.created_at DESC, b.id LIMIT @page_size OFFSET @skip;

-- name: AskBackfill :many
-- RequestBackfill under an id of the caller's choice; no row comes back when
-- it was asked for before.
INSERT INTO core.integration_backfills (tenant_id, id, integration_id, cause, from_ts, to_ts, reached_ts, tags, requested_by)
VALUES (@tenant_id, @id, @integration_id, @cause, @from_ts, @to_ts, @from_ts, sqlc.narg('tags')::text[], @requested_by)
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id;

-- name: CountMessages :one
SELECT count(*) AS messages, count(*) FILTER (WHERE state = 'received') AS waiting, count(*) FILTER (WHERE state = 'failed') AS failed
FROM core.integration_messages WHERE tenant_id = @tenant_id AND integration_id = @integration_id;
