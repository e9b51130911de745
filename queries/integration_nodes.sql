-- name: ListChildNodes :many
-- One page of the nodes below another, folders first, with the rule of a leaf
-- and how many nodes are below a folder.
SELECT n.address, n.name, n.path, n.leaf, n.unit, n.data_type, n.low, n.high,
  (SELECT count(*) FROM core.integration_nodes c WHERE c.tenant_id = n.tenant_id AND c.integration_id = n.integration_id AND c.parent = n.address AND c.gone_at IS NULL)::int AS below,
  (m.id IS NOT NULL)::boolean AS mapped
FROM core.integration_nodes n
LEFT JOIN core.integration_mappings m ON m.tenant_id = n.tenant_id AND m.integration_id = n.integration_id AND m.external_tag = n.address AND m.archived_at IS NULL
WHERE n.tenant_id = @tenant_id AND n.integration_id = @integration_id AND n.parent = @parent AND n.gone_at IS NULL
ORDER BY n.leaf, n.name, n.address LIMIT @page_size OFFSET @skip;

-- name: NodeAncestors :many
-- A node and those above it, the topmost first.
WITH RECURSIVE up AS (
  SELECT n.address, n.name, n.parent, 1 AS height FROM core.integration_nodes n
  WHERE n.tenant_id = @tenant_id AND n.integration_id = @integration_id AND n.address = @address
  UNION ALL
  SELECT n.address, n.name, n.parent, up.height + 1 FROM up
  JOIN core.integration_nodes n ON n.tenant_id = @tenant_id AND n.integration_id = @integration_id AND n.address = up.parent
  WHERE up.parent <> '' AND up.height < 20
)
SELECT address, name FROM up ORDER BY height DESC;

-- name: FindNodes :many
SELECT * FROM core.integration_nodes
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND address = ANY(@addresses::text[]);

-- name: ListTags :many
-- One page of the tags of a source: those it lists and those that a rule names
-- although it does not. show is unmapped, mapped, stale, gone or empty for all;
-- pattern is a LIKE pattern in folded letters.
WITH tags AS (
  SELECT n.address, n.name, n.path, n.unit, n.data_type, n.low, n.high, true AS listed, n.search_text
  FROM core.integration_nodes n
  WHERE n.tenant_id = @tenant_id AND n.integration_id = @integration_id AND n.leaf AND n.gone_at IS NULL
  UNION ALL
  SELECT m.external_tag, '', '', m.source_unit, '', NULL::float8, NULL::float8, false, lower(m.external_tag)
  FROM core.integration_mappings m
  WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
    AND NOT EXISTS (SELECT FROM core.integration_nodes n WHERE n.tenant_id = m.tenant_id AND n.integration_id = m.integration_id
      AND n.address = m.external_tag AND n.leaf AND n.gone_at IS NULL)
)
SELECT t.address::text AS address, t.name::text AS name, t.path::text AS path, t.unit::text AS unit, t.data_type::text AS data_type, t.low, t.high, t.listed::boolean AS listed
FROM tags t
LEFT JOIN core.integration_mappings m ON m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.external_tag = t.address AND m.archived_at IS NULL
LEFT JOIN core.assets a ON a.tenant_id = m.tenant_id AND a.id = m.asset_id
LEFT JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE (@pattern::text = '' OR t.search_text LIKE @pattern::text OR lower(t.address) LIKE @pattern::text OR a.search_text LIKE @pattern::text OR lower(s.metric) LIKE @pattern::text)
  AND CASE @show::text WHEN 'unmapped' THEN m.id IS NULL WHEN 'mapped' THEN m.id IS NOT NULL WHEN 'gone' THEN NOT t.listed
    WHEN 'stale' THEN m.id IS NOT NULL AND (l.ts IS NULL OR l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) < CAST(@as_of AS timestamptz))
    ELSE true END
ORDER BY t.path, t.name, t.address LIMIT @page_size OFFSET @skip;

-- name: CountTags :one
-- The tags of a source as in ListTags: all, those with a rule, the stale ones
-- among them and those that the source no longer lists.
WITH tags AS (
  SELECT n.address, true AS listed, n.search_text
  FROM core.integration_nodes n
  WHERE n.tenant_id = @tenant_id AND n.integration_id = @integration_id AND n.leaf AND n.gone_at IS NULL
  UNION ALL
  SELECT m.external_tag, false, lower(m.external_tag)
  FROM core.integration_mappings m
  WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL
    AND NOT EXISTS (SELECT FROM core.integration_nodes n WHERE n.tenant_id = m.tenant_id AND n.integration_id = m.integration_id
      AND n.address = m.external_tag AND n.leaf AND n.gone_at IS NULL)
)
SELECT count(*) AS total, count(m.id) AS mapped, count(*) FILTER (WHERE NOT t.listed) AS gone,
  count(m.id) FILTER (WHERE l.ts IS NULL OR l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) < CAST(@as_of AS timestamptz)) AS stale
FROM tags t
LEFT JOIN core.integration_mappings m ON m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.external_tag = t.address AND m.archived_at IS NULL
LEFT JOIN core.assets a ON a.tenant_id = m.tenant_id AND a.id = m.asset_id
LEFT JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE @pattern::text = '' OR t.search_text LIKE @pattern::text OR lower(t.address) LIKE @pattern::text OR a.search_text LIKE @pattern::text OR lower(s.metric) LIKE @pattern::text;

-- name: RulesOfTags :many
-- The rules of some tags with what they feed and its newest reading.
SELECT sqlc.embed(m), a.tag, a.name_ar AS asset_ar, a.name_en AS asset_en, s.metric, s.unit, s.name_ar AS signal_ar, s.name_en AS signal_en,
  coalesce(c.name_ar, '')::text AS component_ar, coalesce(c.name_en, '')::text AS component_en, l.ts AS latest_ts,
  (l.ts IS NULL OR l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) < CAST(@as_of AS timestamptz))::boolean AS stale
FROM core.integration_mappings m
JOIN core.assets a ON a.tenant_id = m.tenant_id AND a.id = m.asset_id
JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id
LEFT JOIN core.asset_components c ON c.tenant_id = m.tenant_id AND c.id = m.component_id
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = m.tenant_id AND l.signal_id = m.signal_id
WHERE m.tenant_id = @tenant_id AND m.integration_id = @integration_id AND m.archived_at IS NULL AND m.external_tag = ANY(@tags::text[]);

-- name: TargetUnits :many
-- The units of every site with their assets counted, for the tree of signals.
SELECT t.id AS site_id, t.name_ar AS site_ar, t.name_en AS site_en, u.id, u.name_ar, u.name_en, count(a.id)::int AS assets
FROM core.units u
JOIN core.sites t ON t.tenant_id = u.tenant_id AND t.id = u.site_id AND t.archived_at IS NULL
LEFT JOIN core.assets a ON a.tenant_id = u.tenant_id AND a.unit_id = u.id AND a.archived_at IS NULL
WHERE u.tenant_id = @tenant_id AND u.archived_at IS NULL
GROUP BY t.id, t.code, t.name_ar, t.name_en, u.id, u.code, u.name_ar, u.name_en
ORDER BY t.code, u.code;

-- name: TargetAssets :many
-- Assets of a unit, or those whose name matches a LIKE pattern, with their
-- signals counted and how many of them a rule of any integration feeds.
SELECT a.id, a.tag, a.name_ar, a.name_en, count(DISTINCT s.id)::int AS signals, count(DISTINCT m.signal_id)::int AS fed
FROM core.assets a
LEFT JOIN telemetry.signals s ON s.tenant_id = a.tenant_id AND s.asset_id = a.id AND s.archived_at IS NULL
LEFT JOIN core.integration_mappings m ON m.tenant_id = s.tenant_id AND m.signal_id = s.id AND m.archived_at IS NULL
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL AND (sqlc.narg('unit_id')::uuid IS NULL OR a.unit_id = sqlc.narg('unit_id')::uuid)
  AND (@pattern::text = '' OR a.search_text LIKE @pattern::text)
GROUP BY a.id, a.tag, a.name_ar, a.name_en
ORDER BY a.tag LIMIT @page_size;

-- name: TargetSignals :many
-- Signals of an asset with the component they belong to and the rules, of any
-- integration, that feed them.
SELECT s.id, s.metric, s.name_ar, s.name_en, s.unit, coalesce(c.name_ar, '')::text AS component_ar, coalesce(c.name_en, '')::text AS component_en,
  (SELECT count(*) FROM core.integration_mappings m WHERE m.tenant_id = s.tenant_id AND m.signal_id = s.id AND m.archived_at IS NULL)::int AS rules
FROM telemetry.signals s
LEFT JOIN core.asset_components c ON c.tenant_id = s.tenant_id AND c.id = s.component_id
WHERE s.tenant_id = @tenant_id AND s.asset_id = @asset_id AND s.archived_at IS NULL
ORDER BY c.position NULLS FIRST, c.name_en NULLS FIRST, s.metric;

-- name: FindTarget :many
-- One signal with the names that a rule refers to it by, none or one.
SELECT s.id, s.metric, s.unit, s.asset_id, a.tag, coalesce(c.name_en, '')::text AS component_en
FROM telemetry.signals s
JOIN core.assets a ON a.tenant_id = s.tenant_id AND a.id = s.asset_id AND a.archived_at IS NULL
LEFT JOIN core.asset_components c ON c.tenant_id = s.tenant_id AND c.id = s.component_id
WHERE s.tenant_id = @tenant_id AND s.id = @id AND s.archived_at IS NULL;
