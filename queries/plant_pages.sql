-- name: PlantAssets :many
-- Every asset in its unit and site with what its newest score says, and the
-- redundancy group it belongs to; of one site when it is named.
SELECT s.id AS site_id, s.code AS site_code, s.name_ar AS site_ar, s.name_en AS site_en, u.id AS unit_id, u.name_ar AS unit_ar, u.name_en AS unit_en,
  a.id, a.tag, a.name_ar, a.name_en, a.criticality,
  coalesce((SELECT min(m.group_id::text) FROM core.redundancy_group_members m WHERE m.tenant_id = a.tenant_id AND m.asset_id = a.id), '')::text AS group_id,
  sc.as_of AS scored_at, sc.health_score, sc.failure_probability_30, sc.production_risk_sar, sc.production_risk_index, sc.risk_level, sc.trusted, sc.anomaly_flag
FROM core.assets a
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN core.units u ON u.tenant_id = a.tenant_id AND u.id = a.unit_id
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL
  AND (sqlc.narg('site_id')::uuid IS NULL OR a.site_id = sqlc.narg('site_id')::uuid)
ORDER BY s.code, u.code, a.tag;

-- name: ComponentRisks :many
-- The expected loss of the failure modes of every component of the named
-- assets, by their newest score. A mode belongs to its own component, else to
-- that of the signal it shows in. The offset keeps the planner from unpacking
-- older scores.
SELECT coalesce(m.component_id, g.component_id)::uuid AS component_id, sum(x.loss)::float8 AS loss_sar
FROM ai.asset_score_latest l
CROSS JOIN LATERAL (
  SELECT (e.mode ->> 'mode_id')::uuid AS mode_id, (e.mode ->> 'expected_cost')::float8 AS loss
  FROM ai.asset_scores sc, jsonb_array_elements(sc.detail #> '{failure,modes}') AS e(mode)
  WHERE sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of OFFSET 0
) x
JOIN core.asset_failure_modes m ON m.tenant_id = l.tenant_id AND m.id = x.mode_id
LEFT JOIN telemetry.signals g ON g.tenant_id = m.tenant_id AND g.asset_id = m.asset_id AND g.metric = m.metric
WHERE l.tenant_id = @tenant_id AND l.asset_id = ANY (@asset_ids::uuid[]) AND coalesce(m.component_id, g.component_id) IS NOT NULL
GROUP BY 1;
