-- name: LoadPolledIntegration :one
SELECT * FROM core.integrations WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListPolledMappings :many
-- Which external tag feeds which signal, the stored value is raw times factor + shift.
-- Tags that the source lacks have a time since when.
SELECT m.id, m.external_tag, m.signal_id, m.source_unit, m.factor, m.shift, m.low, m.high, a.since AS absent_since
FROM core.integration_mappings m
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id AND s.archived_at IS NULL
LEFT JOIN core.integration_absences a ON a.tenant_id = m.tenant_id AND a.mapping_id = m.id
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
ORDER BY m.external_tag;

-- name: NoteAbsent :exec
-- Tags that the source lacks from now on; those noted before keep their time.
INSERT INTO core.integration_absences (tenant_id, mapping_id, since)
SELECT @tenant_id, unnest(@mappings::uuid[]), @since
ON CONFLICT (tenant_id, mapping_id) DO NOTHING;

-- name: ForgetAbsent :exec
-- Tags that the source has again.
DELETE FROM core.integration_absences WHERE tenant_id = @tenant_id AND mapping_id = ANY(@mappings::uuid[]);

-- name: ListSealedCredentials :many
SELECT field, ciphertext FROM core.integration_credentials
WHERE tenant_id = @tenant_id AND integration_id = @integration_id ORDER BY field;

-- name: AdvanceWatermark :execrows
-- Moves the watermark only from where the poll found it, so that of two polls
-- at once one fails and stores nothing. An answer closes the circuit.
UPDATE core.integrations SET watermark = @watermark, last_sync_at = now(), last_sync_status = @status, last_error = '',
  rows_total = rows_total + @rows_written, circuit = 'closed',
  circuit_since = CASE circuit WHEN 'closed' THEN circuit_since ELSE now() END, failures = 0, retry_at = NULL, needs_person = false
WHERE tenant_id = @tenant_id AND id = @id AND watermark IS NOT DISTINCT FROM sqlc.narg('previous')::timestamptz;

-- name: TryIntegration :exec
-- An open circuit lets one attempt through.
UPDATE core.integrations SET circuit = 'half_open', circuit_since = now()
WHERE tenant_id = @tenant_id AND id = @id AND circuit = 'open';

-- name: RetryIntegration :execrows
-- A person wants an attempt now, however long the circuit was to stay open.
UPDATE core.integrations SET retry_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND circuit = 'open' AND retry_at > now();

-- name: BeginSession :execrows
-- Makes a session the only one that may store for this integration.
UPDATE core.integrations SET session = @session::uuid, streaming_since = NULL
WHERE tenant_id = @tenant_id AND id = @id AND state = 'active';

-- name: AdvanceStream :execrows
-- Moves the watermark of a stream forward, never back. Nothing happens, and the
-- caller must not commit, when a newer session has taken over or when the
-- integration is not active any more.
UPDATE core.integrations SET watermark = greatest(watermark, sqlc.narg('watermark')::timestamptz), last_sync_at = now(), last_sync_status = @status,
  last_error = '', rows_total = rows_total + @rows_written, streaming_since = coalesce(streaming_since, @since), circuit = 'closed',
  circuit_since = CASE circuit WHEN 'closed' THEN circuit_since ELSE now() END, failures = 0, retry_at = NULL, needs_person = false
WHERE tenant_id = @tenant_id AND id = @id AND session = @session::uuid AND state = 'active';

-- name: EndSession :execrows
-- A session has ended, by itself or because it was asked to.
UPDATE core.integrations SET streaming_since = NULL WHERE tenant_id = @tenant_id AND id = @id AND session = @session::uuid;

-- name: MarkFailed :execrows
UPDATE core.integrations SET last_sync_at = now(), last_sync_status = 'failed', last_error = @last_error, streaming_since = NULL,
  circuit = @circuit, circuit_since = @circuit_since, failures = @failures, retry_at = sqlc.narg('retry_at'), needs_person = @needs_person
WHERE tenant_id = @tenant_id AND id = @id;

-- name: IntegrationPulse :one
-- What a long stream has to know of its integration: whether to go on, and
-- whether other work is due.
SELECT i.state, i.updated_at, i.session, i.retry_at,
  (EXISTS (SELECT FROM core.integration_backfills b
    WHERE b.tenant_id = i.tenant_id AND b.integration_id = i.id AND b.state IN ('waiting', 'running'))
  OR EXISTS (SELECT FROM core.integration_backfills b
    WHERE b.tenant_id = i.tenant_id AND b.integration_id = i.id AND b.state = 'failed' AND b.cause = 'outage'
      AND b.finished_at < now() - interval '1 hour' AND b.created_at > now() - interval '30 days'))::boolean AS gaps,
  (coalesce(i.discovered_at, '-infinity') < now() - interval '1 day'
    AND coalesce(i.discovery_tried_at, '-infinity') < now() - interval '1 hour')::boolean AS undiscovered
FROM core.integrations i WHERE i.tenant_id = @tenant_id AND i.id = @id;

-- name: RecordSync :exec
INSERT INTO core.integration_syncs (tenant_id, integration_id, started_at, finished_at, status, from_ts, to_ts, rows_written, rows_bad, error, notices)
VALUES (@tenant_id, @integration_id, @started_at, now(), @status, sqlc.narg('from_ts'), sqlc.narg('to_ts'), @rows_written, @rows_bad, @error, @notices);

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

-- name: LockNearbyGap :many
-- A gap of all tags, in one of the given states, that overlaps a window or
-- lies within a minute of it; none or one.
SELECT * FROM core.integration_backfills
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND cause = 'outage' AND tags IS NULL AND state = ANY(@states::text[])
  AND from_ts <= CAST(@to_ts AS timestamptz) + interval '1 minute' AND to_ts >= CAST(@from_ts AS timestamptz) - interval '1 minute'
ORDER BY to_ts DESC LIMIT 1 FOR UPDATE;

-- name: WidenGap :exec
UPDATE core.integration_backfills SET from_ts = least(from_ts, @from_ts), to_ts = greatest(to_ts, @to_ts), reached_ts = least(reached_ts, @from_ts)
WHERE tenant_id = @tenant_id AND id = @id;

-- name: RecordGap :exec
INSERT INTO core.integration_backfills (tenant_id, integration_id, cause, from_ts, to_ts, reached_ts, tags, state, error, finished_at)
VALUES (@tenant_id, @integration_id, 'outage', @from_ts, @to_ts, @from_ts, sqlc.narg('tags')::text[], @state::text, @error,
  CASE @state::text WHEN 'impossible' THEN now() END);

-- name: LockNearbyTagGap :many
-- A gap of single tags, in one of the given states, that lies as close to a
-- window and begins at most ten minutes before or after it; none or one. One
-- that cannot be filled counts only when it is of all the given tags.
SELECT b.id FROM core.integration_backfills b
WHERE b.tenant_id = @tenant_id AND b.integration_id = @integration_id AND b.cause = 'outage' AND b.tags IS NOT NULL AND b.state = ANY(@states::text[])
  AND b.from_ts BETWEEN CAST(@from_ts AS timestamptz) - interval '10 minutes' AND CAST(@from_ts AS timestamptz) + interval '10 minutes'
  AND b.from_ts <= CAST(@to_ts AS timestamptz) + interval '1 minute' AND b.to_ts >= CAST(@from_ts AS timestamptz) - interval '1 minute'
  AND (b.state <> 'impossible' OR NOT EXISTS (SELECT unnest(@tags::text[]) EXCEPT SELECT unnest(b.tags)))
ORDER BY b.to_ts DESC LIMIT 1 FOR UPDATE OF b;

-- name: WidenTagGap :exec
UPDATE core.integration_backfills SET from_ts = least(from_ts, @from_ts), to_ts = greatest(to_ts, @to_ts), reached_ts = least(reached_ts, @from_ts),
  tags = ARRAY(SELECT DISTINCT unnest(tags || @tags::text[]))
WHERE tenant_id = @tenant_id AND id = @id;

-- name: LastHeardOf :one
-- The oldest of the newest readings of some signals, the epoch when there is none.
SELECT coalesce(min(ts), 'epoch'::timestamptz)::timestamptz AS heard FROM telemetry.signal_latest
WHERE tenant_id = @tenant_id AND signal_id = ANY(@signals::bigint[]);

-- name: RequestBackfill :one
-- Asks for a window to be filled from the source's archive: cause is mapping
-- or requested, no tags mean all that are mapped. The caller starts the filling
-- through the workflow client.
INSERT INTO core.integration_backfills (tenant_id, integration_id, cause, from_ts, to_ts, reached_ts, tags, requested_by)
VALUES (@tenant_id, @integration_id, @cause, @from_ts, @to_ts, @from_ts, sqlc.narg('tags')::text[], sqlc.narg('requested_by'))
RETURNING id;

-- name: NextBackfill :many
-- The window to fill next, none or one: what may still grow comes last; then
-- what has failed least, outages before requests, the newest first. An outage
-- that was given up is tried again every hour for thirty days.
SELECT * FROM core.integration_backfills
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND (state IN ('waiting', 'running')
  OR state = 'failed' AND cause = 'outage' AND finished_at < now() - interval '1 hour' AND created_at > now() - interval '30 days')
ORDER BY to_ts > CAST(@settled AS timestamptz), attempts, cause <> 'outage', to_ts DESC LIMIT 1;

-- name: AdvanceBackfill :execrows
-- Moves a filling on from where the caller found it; it is done at its end.
-- Nothing happens when other tags were added meanwhile.
UPDATE core.integration_backfills SET reached_ts = @reached_ts, rows_written = rows_written + @rows_written, attempts = 0, error = '',
  state = CASE WHEN @reached_ts::timestamptz >= to_ts THEN 'done' ELSE 'running' END,
  finished_at = CASE WHEN @reached_ts::timestamptz >= to_ts THEN now() END
WHERE tenant_id = @tenant_id AND id = @id AND reached_ts = @previous AND coalesce(cardinality(tags), 0) = @tags::int
  AND state IN ('waiting', 'running', 'failed');

-- name: CountFilled :exec
-- Adds what a filling has stored to the total of its integration.
UPDATE core.integrations SET rows_total = rows_total + @rows_written WHERE tenant_id = @tenant_id AND id = @id;

-- name: FailBackfill :exec
-- Notes why a filling did not go on; state is waiting, failed or impossible.
UPDATE core.integration_backfills SET state = @state::text, error = @error, attempts = attempts + 1,
  finished_at = CASE @state::text WHEN 'waiting' THEN NULL ELSE now() END
WHERE tenant_id = @tenant_id AND id = @id;

-- name: MarkNodesGone :execrows
-- After a complete listing: what it did not see is gone.
UPDATE core.integration_nodes SET gone_at = now()
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND gone_at IS NULL AND seen_at < @started_at;

-- name: RecordDiscovery :exec
UPDATE core.integrations SET discovery_tried_at = now(), discovery_error = @error::text,
  discovered_at = CASE @error::text WHEN '' THEN now() ELSE discovered_at END
WHERE tenant_id = @tenant_id AND id = @id;
