-- name: LockAsset :one
-- Holds an asset for one change of what its score rests on: changes of one
-- asset come one after the other, and a stale form is noticed.
SELECT * FROM core.assets WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL FOR UPDATE;

-- name: SetAssetLife :execrows
UPDATE core.assets SET weibull_beta = @weibull_beta, weibull_eta_days = @weibull_eta_days, age_days = @age_days, age_as_of = @age_as_of
WHERE tenant_id = @tenant_id AND id = @id;

-- name: SetAssetAttributes :execrows
UPDATE core.assets SET attributes = @attributes WHERE tenant_id = @tenant_id AND id = @id;

-- name: GetFailureMode :one
SELECT * FROM core.asset_failure_modes
WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND id = @id AND archived_at IS NULL;

-- name: ArchiveFailureMode :execrows
UPDATE core.asset_failure_modes SET archived_at = now()
WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND id = @id AND archived_at IS NULL;

-- name: AddCostVersion :one
-- Adds the version after the one that was seen; two writers at once meet in a
-- unique violation.
INSERT INTO optimization.optimization_cost_models (tenant_id, asset_id, kind, version, effective_from, direct_cost, outage_hours, loss_per_hour,
  planned_factor, safety_env_cost, energy_cost_per_hour, created_by)
VALUES (@tenant_id, @asset_id, @kind, @version, @effective_from, @direct_cost, @outage_hours, @loss_per_hour, @planned_factor, @safety_env_cost,
  @energy_cost_per_hour, @created_by)
RETURNING id;

-- name: CostVersions :many
-- Every version of the cost models of an asset, newest first, with who made it.
SELECT sqlc.embed(c), coalesce(u.name_ar, '')::text AS by_ar, coalesce(u.name_en, '')::text AS by_en
FROM optimization.optimization_cost_models c
LEFT JOIN core.users u ON u.tenant_id = c.tenant_id AND u.id = c.created_by
WHERE c.tenant_id = @tenant_id AND c.asset_id = @asset_id
ORDER BY c.kind, c.version DESC;

-- name: AddAssetLife :one
INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by, mode_id, note, source, recorded_by)
VALUES (@tenant_id, @asset_id, @ended_at, @life_days, @ended_by, sqlc.narg('mode_id'), @note, 'manual', @recorded_by)
RETURNING id;

-- name: AssetLives :many
-- The completed lives of one asset, the last first, with the mode that ended
-- each and who recorded it.
SELECT sqlc.embed(l), coalesce(m.code, '')::text AS mode_code, coalesce(m.name_ar, '')::text AS mode_ar, coalesce(m.name_en, '')::text AS mode_en,
  coalesce(u.name_ar, '')::text AS by_ar, coalesce(u.name_en, '')::text AS by_en
FROM core.asset_lives l
LEFT JOIN core.asset_failure_modes m ON m.tenant_id = l.tenant_id AND m.id = l.mode_id
LEFT JOIN core.users u ON u.tenant_id = l.tenant_id AND u.id = l.recorded_by
WHERE l.tenant_id = @tenant_id AND l.asset_id = @asset_id
ORDER BY l.ended_at DESC LIMIT 200;

-- name: ClassLives :many
-- The completed lives of every asset of a class, oldest first.
SELECT l.asset_id, a.tag, l.ended_at, l.life_days, l.ended_by
FROM core.asset_lives l
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND a.class_code = @class_code
ORDER BY l.ended_at, l.id LIMIT 5000;

-- name: ClassAges :many
-- The assets of a class that run, with their effective ages: lives that are
-- not over.
SELECT id, tag, age_days, age_as_of FROM core.assets
WHERE tenant_id = @tenant_id AND class_code = @class_code AND archived_at IS NULL
ORDER BY tag LIMIT 5000;

-- name: AddInspection :one
INSERT INTO core.asset_inspections (tenant_id, asset_id, inspected_at, grade, observations, note, inspected_by)
VALUES (@tenant_id, @asset_id, @inspected_at, @grade, @observations, @note, @inspected_by)
RETURNING id;

-- name: AssetInspections :many
-- The inspections of an asset, newest first, with who made them.
SELECT sqlc.embed(i), coalesce(u.name_ar, '')::text AS by_ar, coalesce(u.name_en, '')::text AS by_en
FROM core.asset_inspections i
LEFT JOIN core.users u ON u.tenant_id = i.tenant_id AND u.id = i.inspected_by
WHERE i.tenant_id = @tenant_id AND i.asset_id = @asset_id
ORDER BY i.inspected_at DESC, i.id LIMIT 100;

-- name: LatestScoreAt :one
-- Of which moment the newest score of an asset speaks.
SELECT as_of FROM ai.asset_score_latest WHERE tenant_id = @tenant_id AND asset_id = @asset_id;
