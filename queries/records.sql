-- name: UpsertExternalAssets :execrows
-- Stores a page of asset records, given as a JSON array. What a person decided
-- about a record is kept; one that was gone is back.
INSERT INTO core.external_assets (tenant_id, integration_id, external_id, kind, name, parent_id, attributes, inactive, changed_at, seen_at)
SELECT @tenant_id, @integration_id, r.external_id, r.kind, r.name, r.parent_id, r.attributes, r.inactive, r.changed_at, CAST(@seen_at AS timestamptz)
FROM jsonb_to_recordset(@records::jsonb)
  AS r (external_id text, kind text, name text, parent_id text, attributes jsonb, inactive boolean, changed_at timestamptz)
ON CONFLICT (tenant_id, integration_id, kind, external_id) DO UPDATE SET
  name = excluded.name, parent_id = excluded.parent_id, attributes = excluded.attributes, inactive = excluded.inactive,
  changed_at = excluded.changed_at, seen_at = excluded.seen_at, gone_at = NULL;

-- name: UpsertExternalOrders :execrows
-- Stores a page of orders and notifications, given as a JSON array.
INSERT INTO core.external_orders (tenant_id, integration_id, external_id, kind, idempotency_key, title, asset_external_id, type_code, priority_code,
  state, source_state, planned_start, planned_end, actual_start, actual_end, hours, version, changed_at, seen_at)
SELECT @tenant_id, @integration_id, r.external_id, r.kind, r.idempotency_key, r.title, r.asset_external_id, r.type_code, r.priority_code,
  r.state, r.source_state, r.planned_start, r.planned_end, r.actual_start, r.actual_end, r.hours, r.version, r.changed_at, CAST(@seen_at AS timestamptz)
FROM jsonb_to_recordset(@records::jsonb)
  AS r (external_id text, kind text, idempotency_key text, title text, asset_external_id text, type_code text, priority_code text, state text,
    source_state text, planned_start timestamptz, planned_end timestamptz, actual_start timestamptz, actual_end timestamptz, hours float8,
    version text, changed_at timestamptz)
ON CONFLICT (tenant_id, integration_id, kind, external_id) DO UPDATE SET
  idempotency_key = excluded.idempotency_key, title = excluded.title, asset_external_id = excluded.asset_external_id,
  type_code = excluded.type_code, priority_code = excluded.priority_code, state = excluded.state, source_state = excluded.source_state,
  planned_start = excluded.planned_start, planned_end = excluded.planned_end, actual_start = excluded.actual_start,
  actual_end = excluded.actual_end, hours = excluded.hours, version = excluded.version, changed_at = excluded.changed_at, seen_at = excluded.seen_at;

-- name: AdvanceRecords :execrows
-- Moves a reading of records on from where the caller found it, so that of two
-- readings at once one fails and stores nothing. An answer closes the circuit.
UPDATE core.integrations SET records_state = sqlc.narg('state')::jsonb, last_sync_at = now(), last_sync_status = @status, last_error = '',
  circuit = 'closed', circuit_since = CASE circuit WHEN 'closed' THEN circuit_since ELSE now() END, failures = 0, retry_at = NULL, needs_person = false
WHERE tenant_id = @tenant_id AND id = @id AND records_state IS NOT DISTINCT FROM sqlc.narg('previous')::jsonb;

-- name: DropRecordsState :exec
-- Forgets where a reading stood, so that the next one begins anew.
UPDATE core.integrations SET records_state = NULL
WHERE tenant_id = @tenant_id AND id = @id AND records_state IS NOT DISTINCT FROM sqlc.narg('previous')::jsonb;

-- name: FinishRecords :exec
-- Notes that all records were read as of a moment: those changed, or all.
UPDATE core.integrations SET records_synced_at = CAST(@as_of AS timestamptz),
  records_full_at = CASE WHEN @whole::boolean THEN CAST(@as_of AS timestamptz) ELSE records_full_at END
WHERE tenant_id = @tenant_id AND id = @id;

-- name: MarkExternalAssetsGone :execrows
-- After a full reading: records that it did not see are gone at the source. A
-- reading that saw none at all proves nothing, for an account that lost its
-- rights is shown an empty list.
UPDATE core.external_assets a SET gone_at = now()
WHERE a.tenant_id = @tenant_id AND a.integration_id = @integration_id AND a.gone_at IS NULL AND a.seen_at < CAST(@started_at AS timestamptz)
  AND EXISTS (SELECT FROM core.external_assets s
    WHERE s.tenant_id = a.tenant_id AND s.integration_id = a.integration_id AND s.seen_at >= CAST(@started_at AS timestamptz));

-- name: MatchExternalAssets :execrows
-- Matches records to assets whose tag is exactly the tag or the key of the
-- record, but for case and for leading zeros of a key. Only where one record of
-- its kind and one asset have that name, and neither is matched already: in any
-- other case a person decides. Records that a person ignores take no part.
WITH named AS (
  SELECT e.kind, e.external_id, lower(n.name) AS folded
  FROM core.external_assets e
  CROSS JOIN LATERAL (VALUES (e.attributes ->> 'tag'), (e.external_id), (ltrim(e.external_id, '0'))) AS n (name)
  WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.gone_at IS NULL AND NOT e.inactive AND NOT e.ignored AND n.name <> ''
), tagged AS (
  SELECT lower(a.tag) AS folded, (array_agg(a.id))[1] AS asset_id
  FROM core.assets a WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL
  GROUP BY lower(a.tag) HAVING count(*) = 1
), pairs AS (
  SELECT DISTINCT n.kind, n.external_id, t.asset_id FROM named n JOIN tagged t ON t.folded = n.folded
), sole AS (
  SELECT p.kind, p.external_id, p.asset_id, count(*) OVER (PARTITION BY p.kind, p.external_id) AS assets, count(*) OVER (PARTITION BY p.kind, p.asset_id) AS records
  FROM pairs p
)
UPDATE core.external_assets e SET asset_id = s.asset_id
FROM sole s
WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.kind = s.kind AND e.external_id = s.external_id
  AND s.assets = 1 AND s.records = 1 AND e.asset_id IS NULL
  AND NOT EXISTS (SELECT FROM core.external_assets o
    WHERE o.tenant_id = e.tenant_id AND o.integration_id = e.integration_id AND o.kind = e.kind AND o.asset_id = s.asset_id);

-- name: LinkExternalOrders :execrows
-- Gives each order the asset that its record is matched to now, or none.
UPDATE core.external_orders o SET asset_id = m.asset_id
FROM (
  SELECT w.kind, w.external_id, (SELECT e.asset_id FROM core.external_assets e
    WHERE e.tenant_id = w.tenant_id AND e.integration_id = w.integration_id AND e.external_id = w.asset_external_id AND e.asset_id IS NOT NULL
    ORDER BY e.kind LIMIT 1) AS asset_id
  FROM core.external_orders w WHERE w.tenant_id = @tenant_id AND w.integration_id = @integration_id AND w.asset_external_id <> ''
) m
WHERE o.tenant_id = @tenant_id AND o.integration_id = @integration_id AND o.kind = m.kind AND o.external_id = m.external_id
  AND o.asset_id IS DISTINCT FROM m.asset_id;
