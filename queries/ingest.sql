-- name: LoadPolledIntegration :one
SELECT * FROM core.integrations WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListPolledMappings :many
-- Which external tag feeds which signal, the stored value is raw times factor + shift.
SELECT m.external_tag, m.signal_id, m.source_unit, m.factor, m.shift
FROM core.integration_mappings m
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id AND s.archived_at IS NULL
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
ORDER BY m.external_tag;

-- name: ListSealedCredentials :many
SELECT field, ciphertext FROM core.integration_credentials
WHERE tenant_id = @tenant_id AND integration_id = @integration_id ORDER BY field;

-- name: AdvanceWatermark :execrows
-- Moves the watermark only from where the poll found it, so that of two polls
-- at once one fails and stores nothing.
UPDATE core.integrations SET watermark = @watermark, last_sync_at = now(), last_sync_status = @status, last_error = @last_error,
  rows_total = rows_total + @rows_written
WHERE tenant_id = @tenant_id AND id = @id AND watermark IS NOT DISTINCT FROM sqlc.narg('previous')::timestamptz;

-- name: MarkPollFailed :execrows
UPDATE core.integrations SET last_sync_at = now(), last_sync_status = 'failed', last_error = @last_error
WHERE tenant_id = @tenant_id AND id = @id;

-- name: RecordSync :exec
INSERT INTO core.integration_syncs (tenant_id, integration_id, started_at, finished_at, status, from_ts, to_ts, rows_written, rows_bad, error)
VALUES (@tenant_id, @integration_id, @started_at, now(), @status, sqlc.narg('from_ts'), sqlc.narg('to_ts'), @rows_written, @rows_bad, @error);

-- name: IntegrationFreshness :one
-- How many of an integration's signals have a reading no older than three of
-- their periods, a quarter of an hour at least.
SELECT count(*) AS signals,
  count(*) FILTER (WHERE l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) >= CAST(@as_of AS timestamptz)) AS fresh
FROM core.integration_mappings m
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id AND s.archived_at IS NULL
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL;

-- name: ListPolledIntegrations :many
-- Integrations to poll, none older than the given age, zero for all.
SELECT id FROM core.integrations
WHERE tenant_id = @tenant_id AND state = 'active'
  AND (@age_seconds::float8 = 0 OR created_at > now() - make_interval(secs => @age_seconds::float8))
ORDER BY created_at, id;
