-- name: RecordLife :execrows
-- A life that ended at the same moment is known already and stays as it is.
INSERT INTO core.asset_lives (tenant_id, id, asset_id, ended_at, life_days, ended_by, mode_id, work_order_id, note, source, recorded_by)
VALUES (@tenant_id, @id, @asset_id, @ended_at, @life_days, @ended_by, sqlc.narg('mode_id'), sqlc.narg('work_order_id'), @note, @source,
  sqlc.narg('recorded_by'))
ON CONFLICT DO NOTHING;

-- name: ListClassLives :many
-- The completed lives of every asset of a class, oldest end first.
SELECT l.id, l.asset_id, a.tag, l.ended_at, l.life_days, l.ended_by
FROM core.asset_lives l JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND a.class_code = @class_code ORDER BY l.ended_at, l.id LIMIT 2000;

-- name: ListLivesByID :many
-- Lives with the asset they belong to, for naming past lives in explanations.
SELECT l.id, l.asset_id, a.tag, l.ended_at, l.life_days, l.ended_by
FROM core.asset_lives l JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND l.id = ANY (@ids::uuid[]);

-- name: ListClasses :many
-- Every class with its assets and completed lives.
SELECT a.class_code, count(DISTINCT a.id)::int AS assets, count(l.id) FILTER (WHERE l.ended_by = 'failure')::int AS failures,
  count(l.id) FILTER (WHERE l.ended_by = 'preventive')::int AS renewals
FROM core.assets a LEFT JOIN core.asset_lives l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL GROUP BY a.class_code ORDER BY a.class_code;

-- name: DailyMeans :many
-- Means by day from the hours that have been rolled up, days counted from the
-- beginning of the window. Hours without a usable sample give nothing.
SELECT h.signal_id, (extract(epoch FROM h.hour - @from_hour::timestamptz)::bigint / 86400)::int AS day,
  (sum(h.mean_value * h.samples) / sum(h.samples))::float8 AS mean_value
FROM telemetry.signal_hours h
WHERE h.tenant_id = @tenant_id AND h.signal_id = ANY (@signal_ids::bigint[]) AND h.hour >= @from_hour::timestamptz AND h.hour < @to_hour::timestamptz
  AND NOT h.stale AND h.quality < 2 AND h.samples > 0 AND h.mean_value IS NOT NULL
GROUP BY h.signal_id, day ORDER BY h.signal_id, day;
