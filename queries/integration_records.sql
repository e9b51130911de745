-- name: ListExternalAssets :many
-- Asset records as read, with the asset each belongs to. show is unmatched,
-- matched, ignored or empty for all; pattern is a LIKE pattern in lower case.
SELECT sqlc.embed(e), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en
FROM core.external_assets e
LEFT JOIN core.assets a ON a.tenant_id = e.tenant_id AND a.id = e.asset_id
WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.gone_at IS NULL
  AND CASE @show::text WHEN 'unmatched' THEN e.asset_id IS NULL AND NOT e.ignored WHEN 'matched' THEN e.asset_id IS NOT NULL WHEN 'ignored' THEN e.ignored ELSE true END
  AND (@pattern::text = '' OR lower(e.external_id || ' ' || e.name) LIKE @pattern::text OR a.search_text LIKE @pattern::text)
ORDER BY e.kind DESC, e.external_id LIMIT @page_size OFFSET @skip;

-- name: CountExternalAssets :one
SELECT count(*) AS total, count(*) FILTER (WHERE asset_id IS NULL AND NOT ignored) AS unmatched, count(*) FILTER (WHERE asset_id IS NOT NULL) AS matched,
  count(*) FILTER (WHERE ignored) AS ignored
FROM core.external_assets e
WHERE e.tenant_id = @tenant_id AND e.integration_id = @integration_id AND e.gone_at IS NULL
  AND (@pattern::text = '' OR lower(e.external_id || ' ' || e.name) LIKE @pattern::text);

-- name: LockExternalAsset :one
SELECT * FROM core.external_assets
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND kind = @kind AND external_id = @external_id FOR UPDATE;

-- name: MatchExternalAsset :execrows
-- Says which asset a record belongs to, none to undo, or that it is not wanted.
UPDATE core.external_assets SET asset_id = sqlc.narg('asset_id'), ignored = @ignored
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND kind = @kind AND external_id = @external_id;

-- name: MatchOrdersOf :execrows
-- Gives the orders of a record the asset of the record.
UPDATE core.external_orders SET asset_id = sqlc.narg('asset_id')
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND asset_external_id = @external_id AND asset_id IS DISTINCT FROM sqlc.narg('asset_id')::uuid;

-- name: ListExternalOrders :many
-- Orders and notifications as read, the latest first. show is unmatched,
-- matched, open or empty for all.
SELECT sqlc.embed(o), coalesce(a.tag, '')::text AS tag, coalesce(a.name_ar, '')::text AS asset_ar, coalesce(a.name_en, '')::text AS asset_en
FROM core.external_orders o
LEFT JOIN core.assets a ON a.tenant_id = o.tenant_id AND a.id = o.asset_id
WHERE o.tenant_id = @tenant_id AND o.integration_id = @integration_id
  AND CASE @show::text WHEN 'unmatched' THEN o.asset_id IS NULL WHEN 'matched' THEN o.asset_id IS NOT NULL
    WHEN 'open' THEN o.state NOT IN ('done', 'closed', 'cancelled') ELSE true END
  AND (@pattern::text = '' OR lower(o.external_id || ' ' || o.title || ' ' || o.asset_external_id) LIKE @pattern::text OR a.search_text LIKE @pattern::text)
ORDER BY o.planned_start DESC NULLS LAST, o.external_id LIMIT @page_size OFFSET @skip;

-- name: CountExternalOrders :one
SELECT count(*) AS total, count(*) FILTER (WHERE asset_id IS NULL) AS unmatched, count(*) FILTER (WHERE asset_id IS NOT NULL) AS matched,
  count(*) FILTER (WHERE state NOT IN ('done', 'closed', 'cancelled')) AS open
FROM core.external_orders o
WHERE o.tenant_id = @tenant_id AND o.integration_id = @integration_id
  AND (@pattern::text = '' OR lower(o.external_id || ' ' || o.title || ' ' || o.asset_external_id) LIKE @pattern::text);

-- name: AssetOfTag :many
-- The asset of a tag, none or one.
SELECT id FROM core.assets WHERE tenant_id = @tenant_id AND tag = @tag AND archived_at IS NULL;
