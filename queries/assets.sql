-- name: UpsertAsset :exec
-- search_text is what lists search in: tag and names, folded by the caller.
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, redundancy,
  skill_id, crew_hours, weibull_beta, weibull_eta_days, age_days, age_as_of, source)
VALUES (@tenant_id, @id, @site_id, @unit_id, @tag, @name_ar, @name_en, @search_text, @class_code, @criticality, @redundancy,
  sqlc.narg('skill_id'), @crew_hours, @weibull_beta, @weibull_eta_days, @age_days, @age_as_of, @source)
ON CONFLICT (tenant_id, id) DO UPDATE SET site_id = excluded.site_id, unit_id = excluded.unit_id, tag = excluded.tag, name_ar = excluded.name_ar,
  name_en = excluded.name_en, search_text = excluded.search_text, class_code = excluded.class_code, criticality = excluded.criticality,
  redundancy = excluded.redundancy, skill_id = excluded.skill_id, crew_hours = excluded.crew_hours, weibull_beta = excluded.weibull_beta,
  weibull_eta_days = excluded.weibull_eta_days, age_days = excluded.age_days, age_as_of = excluded.age_as_of, source = excluded.source;

-- name: GetAsset :one
SELECT sqlc.embed(a), s.code AS site_code, s.name_ar AS site_name_ar, s.name_en AS site_name_en,
  u.code AS unit_code, u.name_ar AS unit_name_ar, u.name_en AS unit_name_en, k.code AS skill_code
FROM core.assets a
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN core.units u ON u.tenant_id = a.tenant_id AND u.id = a.unit_id
LEFT JOIN core.skills k ON k.tenant_id = a.tenant_id AND k.id = a.skill_id
WHERE a.tenant_id = @tenant_id AND a.id = @id;

-- name: ListAssetsPlain :many
-- Every asset that is not archived, for engines: no scores, no paging.
SELECT * FROM core.assets WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY tag;

-- name: ListAssets :many
-- One page of assets with their newest score. Empty filters match everything.
-- sort: tag, criticality, health, probability, rul, level, risk (SAR) or change
-- (of the risk index, in whole points, so that noise does not order the steady
-- ones); assets without a score come last either way, and equal ones by their
-- expected loss. total counts all pages.
SELECT sqlc.embed(a), s.code AS site_code, s.name_ar AS site_name_ar, s.name_en AS site_name_en,
  u.code AS unit_code, u.name_ar AS unit_name_ar, u.name_en AS unit_name_en,
  sc.as_of AS scored_at, sc.health_score, sc.failure_probability_30, sc.failure_probability_30_lo, sc.failure_probability_30_hi,
  sc.rul_days, sc.rul_lo_days, sc.rul_hi_days, sc.anomaly_flag, sc.anomaly_score, sc.production_risk_sar, sc.production_risk_index,
  sc.risk_level, sc.coverage, sc.trusted, sc.confidence, l.risk_index_change,
  count(*) OVER () AS total
FROM core.assets a
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN core.units u ON u.tenant_id = a.tenant_id AND u.id = a.unit_id
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL
  AND (sqlc.narg('site_id')::uuid IS NULL OR a.site_id = sqlc.narg('site_id')::uuid)
  AND (@criticality::text = '' OR a.criticality = @criticality::text)
  AND (@risk_level::int = 0 OR sc.risk_level = @risk_level::int)
  AND (NOT @only_anomalous::boolean OR sc.anomaly_flag)
  AND (NOT @only_greyed::boolean OR NOT sc.trusted)
  AND (@likelihood::int = 0 OR (sc.detail #>> '{risk,likelihood}')::int = @likelihood::int)
  AND (@consequence::int = 0 OR (sc.detail #>> '{risk,consequence}')::int = @consequence::int)
  AND (@search::text = '' OR strpos(a.search_text, @search::text) > 0)
ORDER BY
  (CASE WHEN @descending::boolean THEN -1 ELSE 1 END) * (CASE @sort::text
    WHEN 'criticality' THEN ascii(a.criticality)::float8
    WHEN 'health' THEN sc.health_score
    WHEN 'probability' THEN sc.failure_probability_30
    WHEN 'rul' THEN sc.rul_days
    WHEN 'level' THEN sc.risk_level::float8
    WHEN 'risk' THEN sc.production_risk_sar
    WHEN 'change' THEN round(l.risk_index_change)
  END) NULLS LAST,
  CASE WHEN @sort::text = 'tag' AND @descending::boolean THEN a.tag END DESC,
  CASE WHEN @sort::text NOT IN ('tag', '') THEN sc.production_risk_sar END DESC NULLS LAST,
  a.tag
LIMIT @page_size OFFSET @skip;

-- name: ListComponents :many
SELECT * FROM core.asset_components
WHERE tenant_id = @tenant_id AND archived_at IS NULL
  AND (coalesce(cardinality(@asset_ids::uuid[]), 0) = 0 OR asset_id = ANY (@asset_ids::uuid[]))
ORDER BY asset_id, position, id;

-- name: UpsertComponent :exec
INSERT INTO core.asset_components (tenant_id, id, asset_id, parent_id, name_ar, name_en, position)
VALUES (@tenant_id, @id, @asset_id, sqlc.narg('parent_id'), @name_ar, @name_en, @position)
ON CONFLICT (tenant_id, id) DO UPDATE SET parent_id = excluded.parent_id, name_ar = excluded.name_ar, name_en = excluded.name_en,
  position = excluded.position;

-- name: ListFailureModes :many
SELECT * FROM core.asset_failure_modes
WHERE tenant_id = @tenant_id AND archived_at IS NULL
  AND (coalesce(cardinality(@asset_ids::uuid[]), 0) = 0 OR asset_id = ANY (@asset_ids::uuid[]))
ORDER BY asset_id, rpn DESC, id;

-- name: UpsertFailureMode :execrows
-- A mode of another asset, or one that was archived, stays as it is.
INSERT INTO core.asset_failure_modes AS m (tenant_id, id, asset_id, component_id, code, name_ar, name_en, detection, metric, severity, occurrence, detectability)
VALUES (@tenant_id, @id, @asset_id, sqlc.narg('component_id'), @code, @name_ar, @name_en, @detection, @metric, @severity, @occurrence, @detectability)
ON CONFLICT (tenant_id, id) DO UPDATE SET component_id = excluded.component_id, code = excluded.code, name_ar = excluded.name_ar,
  name_en = excluded.name_en, detection = excluded.detection, metric = excluded.metric, severity = excluded.severity,
  occurrence = excluded.occurrence, detectability = excluded.detectability
WHERE m.asset_id = excluded.asset_id AND m.archived_at IS NULL;

-- name: ListCostModels :many
-- The version in force of every kind, for the named assets or for all.
SELECT DISTINCT ON (asset_id, kind) * FROM optimization.optimization_cost_models
WHERE tenant_id = @tenant_id AND effective_from <= now()
  AND (coalesce(cardinality(@asset_ids::uuid[]), 0) = 0 OR asset_id = ANY (@asset_ids::uuid[]))
ORDER BY asset_id, kind, version DESC;

-- name: ListCostModelHistory :many
SELECT * FROM optimization.optimization_cost_models
WHERE tenant_id = @tenant_id AND asset_id = @asset_id ORDER BY kind, version DESC;

-- name: AddCostModel :one
-- Adds the next version; two writers at once meet in a unique violation.
INSERT INTO optimization.optimization_cost_models (tenant_id, asset_id, kind, version, direct_cost, outage_hours, loss_per_hour,
  planned_factor, safety_env_cost, energy_cost_per_hour, created_by)
VALUES (@tenant_id, @asset_id, @kind,
  (SELECT coalesce(max(m.version), 0) + 1 FROM optimization.optimization_cost_models m
    WHERE m.tenant_id = @tenant_id AND m.asset_id = @asset_id AND m.kind = @kind),
  @direct_cost, @outage_hours, @loss_per_hour, @planned_factor, @safety_env_cost, @energy_cost_per_hour, sqlc.narg('created_by'))
RETURNING id, version;
