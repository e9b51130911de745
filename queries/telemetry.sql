-- name: UpsertSignal :one
INSERT INTO telemetry.signals (tenant_id, asset_id, component_id, metric, name_ar, name_en, unit, normal_low, normal_high, warn, alarm, sense, period_seconds)
VALUES (@tenant_id, @asset_id, sqlc.narg('component_id'), @metric, @name_ar, @name_en, @unit, sqlc.narg('normal_low'), sqlc.narg('normal_high'),
  sqlc.narg('warn'), sqlc.narg('alarm'), @sense, @period_seconds)
ON CONFLICT (tenant_id, asset_id, metric) DO UPDATE SET component_id = excluded.component_id, name_ar = excluded.name_ar, name_en = excluded.name_en,
  unit = excluded.unit, normal_low = excluded.normal_low, normal_high = excluded.normal_high, warn = excluded.warn, alarm = excluded.alarm,
  sense = excluded.sense, period_seconds = excluded.period_seconds, archived_at = NULL
RETURNING id;

-- name: GetSignal :one
SELECT * FROM telemetry.signals WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListSignals :many
-- The signals of the named assets, or of all assets when none is named.
SELECT * FROM telemetry.signals
WHERE tenant_id = @tenant_id AND archived_at IS NULL
  AND (coalesce(cardinality(@asset_ids::uuid[]), 0) = 0 OR asset_id = ANY (@asset_ids::uuid[]))
ORDER BY asset_id, id;

-- name: ListSignalsWithLatest :many
-- The signals of one asset, each with its newest reading if it has one.
SELECT sqlc.embed(s), l.ts AS latest_ts, l.value AS latest_value, l.quality AS latest_quality
FROM telemetry.signals s
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = s.tenant_id AND l.signal_id = s.id
WHERE s.tenant_id = @tenant_id AND s.asset_id = @asset_id AND s.archived_at IS NULL
ORDER BY s.id;

-- name: EnsurePartitions :one
-- Creates missing daily partitions of the historian, both days included (UTC).
SELECT telemetry.ensure_partitions(@from_day::date, @to_day::date)::int AS made;

-- name: RollUpProgress :one
-- The day from which on the hours of a tenant's readings are known, the given
-- day before the first look.
SELECT coalesce((SELECT p.marked_from FROM telemetry.rollup_progress p WHERE p.tenant_id = @tenant_id), @otherwise::date)::date AS marked_from;

-- name: MoveRollUpProgress :exec
INSERT INTO telemetry.rollup_progress (tenant_id, marked_from) VALUES (@tenant_id, @marked_from)
ON CONFLICT (tenant_id) DO UPDATE SET marked_from = excluded.marked_from;

-- name: APISignals :many
-- One page of signals by id, of one asset or of all, after an id already given.
SELECT s.id, s.asset_id, a.tag, s.metric, s.name_ar, s.name_en, s.unit, s.normal_low, s.normal_high, s.warn, s.alarm, s.sense, s.period_seconds
FROM telemetry.signals s
JOIN core.assets a ON a.tenant_id = s.tenant_id AND a.id = s.asset_id
WHERE s.tenant_id = @tenant_id AND s.archived_at IS NULL AND s.id > @after_id
  AND (sqlc.narg('asset_id')::uuid IS NULL OR s.asset_id = sqlc.narg('asset_id')::uuid)
ORDER BY s.id LIMIT @page_size;

-- name: APISignalIDs :many
-- One page of the ids of signals, as APISignals.
SELECT s.id FROM telemetry.signals s
WHERE s.tenant_id = @tenant_id AND s.archived_at IS NULL AND s.id > @after_id
  AND (sqlc.narg('asset_id')::uuid IS NULL OR s.asset_id = sqlc.narg('asset_id')::uuid)
ORDER BY s.id LIMIT @page_size;

-- name: APILatest :many
-- One page of newest readings by signal id, after an id already given.
SELECT l.signal_id, l.ts, l.value, l.quality FROM telemetry.signal_latest l
WHERE l.tenant_id = @tenant_id AND l.signal_id > @after_id
ORDER BY l.signal_id LIMIT @page_size;
