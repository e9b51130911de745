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
-- Stores a page of orders and notifications, given as a JSON array, each with
-- the asset that its record is matched to.
INSERT INTO core.external_orders (tenant_id, integration_id, external_id, kind, idempotency_key, title, asset_external_id, type_code, priority_code,
  state, source_state, planned_start, planned_end, actual_start, actual_end, hours, version, changed_at, seen_at, asset_id)
SELECT @tenant_id, @integration_id, r.external_id, r.kind, r.idempotency_key, r.title, r.asset_external_id, r.type_code, r.priority_code,
  r.state, r.source_state, r.planned_start, r.planned_end, r.actual_start, r.actual_end, r.hours, r.version, r.changed_at, CAST(@seen_at AS timestamptz),
  coalesce(
    (SELECT e.asset_id FROM core.external_assets e
      WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.kind = 'equipment' AND e.external_id = r.asset_external_id),
    (SELECT e.asset_id FROM core.external_assets e
      WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.kind = 'functional_location' AND e.external_id = r.asset_external_id))
FROM jsonb_to_recordset(@records::jsonb)
  AS r (external_id text, kind text, idempotency_key text, title text, asset_external_id text, type_code text, priority_code text, state text,
    source_state text, planned_start timestamptz, planned_end timestamptz, actual_start timestamptz, actual_end timestamptz, hours float8,
    version text, changed_at timestamptz)
ON CONFLICT (tenant_id, integration_id, kind, external_id) DO UPDATE SET
  idempotency_key = excluded.idempotency_key, title = excluded.title, asset_external_id = excluded.asset_external_id,
  type_code = excluded.type_code, priority_code = excluded.priority_code, state = excluded.state, source_state = excluded.source_state,
  planned_start = excluded.planned_start, planned_end = excluded.planned_end, actual_start = excluded.actual_start,
  actual_end = excluded.actual_end, hours = excluded.hours, version = excluded.version, changed_at = excluded.changed_at, seen_at = excluded.seen_at,
  asset_id = excluded.asset_id;

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
    WHERE s.tenant_id = @tenant_id AND s.integration_id = @integration_id AND s.seen_at >= CAST(@started_at AS timestamptz));

-- name: MatchExternalAssets :execrows
-- Matches records to assets whose tag is exactly the tag or the key of the
-- record, but for case and for leading zeros of a key. Only where one record of
-- its kind and one asset have that name, and neither is matched already: in any
-- other case a person decides. Records that a person ignores take no part.
-- Groups and the conflict on the key, which every record has, stand in for
-- joins: they are fast before the tables have statistics, in the first reading.
WITH names AS (
  SELECT lower(n.name) COLLATE "C" AS folded, e.kind, e.external_id COLLATE "C" AS external_id, NULL::uuid AS asset_id
  FROM core.external_assets e
  CROSS JOIN LATERAL (VALUES (e.attributes ->> 'tag'), (e.external_id), (ltrim(e.external_id, '0'))) AS n (name)
  WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.gone_at IS NULL AND NOT e.inactive AND NOT e.ignored AND n.name <> ''
  UNION ALL
  SELECT lower(a.tag) COLLATE "C", k.kind, NULL, a.id
  FROM core.assets a CROSS JOIN (VALUES ('equipment'), ('functional_location')) AS k (kind)
  WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL
), pairs AS (
  SELECT kind, min(external_id) AS external_id, (array_agg(asset_id) FILTER (WHERE asset_id IS NOT NULL))[1] AS asset_id
  FROM names GROUP BY folded, kind
  HAVING count(asset_id) = 1 AND min(external_id) = max(external_id)
), sole AS (
  SELECT kind, external_id, (array_agg(asset_id))[1] AS asset_id, false AS taken
  FROM pairs GROUP BY kind, external_id HAVING count(DISTINCT asset_id) = 1
  UNION ALL
  SELECT m.kind, m.external_id, m.asset_id, true
  FROM core.external_assets m WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.asset_id IS NOT NULL
), free AS (
  SELECT kind, min(external_id) AS external_id, asset_id
  FROM sole GROUP BY kind, asset_id HAVING count(*) = 1 AND NOT bool_or(taken)
)
INSERT INTO core.external_assets AS e (tenant_id, integration_id, kind, external_id, seen_at, asset_id)
SELECT @tenant_id, @integration_id, kind, external_id, now(), asset_id FROM free
ON CONFLICT (tenant_id, integration_id, kind, external_id) DO UPDATE SET asset_id = excluded.asset_id WHERE e.asset_id IS NULL;

-- name: LinkExternalOrders :execrows
-- Gives orders without an asset the one that their record is matched to now.
UPDATE core.external_orders o SET asset_id = coalesce(
  (SELECT e.asset_id FROM core.external_assets e
    WHERE e.tenant_id = o.tenant_id AND e.integration_id = o.integration_id AND e.kind = 'equipment' AND e.external_id = o.asset_external_id),
  (SELECT e.asset_id FROM core.external_assets e
    WHERE e.tenant_id = o.tenant_id AND e.integration_id = o.integration_id AND e.kind = 'functional_location' AND e.external_id = o.asset_external_id))
WHERE o.tenant_id = @tenant_id AND o.integration_id = @integration_id AND o.asset_external_id <> '' AND o.asset_id IS NULL;
