-- name: ListSites :many
SELECT * FROM core.sites WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY code;

-- name: UpsertSite :exec
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en, midday_ban_exempt, max_out)
VALUES (@tenant_id, @id, @code, @name_ar, @name_en, @midday_ban_exempt, sqlc.narg('max_out'))
ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, name_ar = excluded.name_ar, name_en = excluded.name_en,
  midday_ban_exempt = excluded.midday_ban_exempt, max_out = excluded.max_out;

-- name: UpsertUnit :exec
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en)
VALUES (@tenant_id, @id, @site_id, @code, @name_ar, @name_en)
ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, name_ar = excluded.name_ar, name_en = excluded.name_en;

-- name: ListSkills :many
SELECT * FROM core.skills WHERE tenant_id = @tenant_id ORDER BY code;

-- name: UpsertSkill :exec
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES (@tenant_id, @id, @code, @name_ar, @name_en)
ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, name_ar = excluded.name_ar, name_en = excluded.name_en;

-- name: ListCrews :many
SELECT c.*, s.code AS skill_code FROM core.crews c
JOIN core.skills s ON s.tenant_id = c.tenant_id AND s.id = c.skill_id
WHERE c.tenant_id = @tenant_id AND c.archived_at IS NULL
ORDER BY s.code, c.id;

-- name: UpsertCrew :exec
INSERT INTO core.crews (tenant_id, id, skill_id, name_ar, name_en, hours_per_day, productive_share)
VALUES (@tenant_id, @id, @skill_id, @name_ar, @name_en, @hours_per_day, @productive_share)
ON CONFLICT (tenant_id, id) DO UPDATE SET skill_id = excluded.skill_id, name_ar = excluded.name_ar, name_en = excluded.name_en,
  hours_per_day = excluded.hours_per_day, productive_share = excluded.productive_share;

-- name: ListTechnicians :many
SELECT t.*, c.skill_id FROM core.technicians t
JOIN core.crews c ON c.tenant_id = t.tenant_id AND c.id = t.crew_id
WHERE t.tenant_id = @tenant_id AND t.archived_at IS NULL
ORDER BY t.crew_id, t.name_en;

-- name: UpsertTechnician :exec
INSERT INTO core.technicians (tenant_id, id, crew_id, name_ar, name_en, cost_sar_per_hour)
VALUES (@tenant_id, @id, @crew_id, @name_ar, @name_en, @cost_sar_per_hour)
ON CONFLICT (tenant_id, id) DO UPDATE SET crew_id = excluded.crew_id, name_ar = excluded.name_ar, name_en = excluded.name_en,
  cost_sar_per_hour = excluded.cost_sar_per_hour;

-- name: ListSharedResources :many
SELECT * FROM core.shared_resources WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY code;

-- name: UpsertSharedResource :exec
INSERT INTO core.shared_resources (tenant_id, id, site_id, code, name_ar, name_en, units_available)
VALUES (@tenant_id, @id, sqlc.narg('site_id'), @code, @name_ar, @name_en, @units_available)
ON CONFLICT (tenant_id, id) DO UPDATE SET site_id = excluded.site_id, code = excluded.code, name_ar = excluded.name_ar,
  name_en = excluded.name_en, units_available = excluded.units_available;

-- name: ListAssetResourceNeeds :many
SELECT n.asset_id, n.resource_id, n.units, r.code FROM core.asset_resource_needs n
JOIN core.shared_resources r ON r.tenant_id = n.tenant_id AND r.id = n.resource_id
WHERE n.tenant_id = @tenant_id ORDER BY n.asset_id, r.code;

-- name: UpsertAssetResourceNeed :exec
INSERT INTO core.asset_resource_needs (tenant_id, asset_id, resource_id, units) VALUES (@tenant_id, @asset_id, @resource_id, @units)
ON CONFLICT (tenant_id, asset_id, resource_id) DO UPDATE SET units = excluded.units;

-- name: GetCalendar :one
SELECT * FROM core.calendars WHERE tenant_id = @tenant_id AND profile = @profile;

-- name: UpsertCalendar :one
INSERT INTO core.calendars (tenant_id, profile, overrides) VALUES (@tenant_id, @profile, @overrides)
ON CONFLICT (tenant_id, profile) DO UPDATE SET overrides = excluded.overrides, updated_at = now()
RETURNING *;

-- name: ListEmbargoes :many
SELECT * FROM core.embargoes WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY from_day, id;

-- name: UpsertEmbargo :exec
INSERT INTO core.embargoes (tenant_id, id, site_id, from_day, to_day, recurs_yearly, reason_ar, reason_en)
VALUES (@tenant_id, @id, sqlc.narg('site_id'), @from_day, @to_day, @recurs_yearly, @reason_ar, @reason_en)
ON CONFLICT (tenant_id, id) DO UPDATE SET site_id = excluded.site_id, from_day = excluded.from_day, to_day = excluded.to_day,
  recurs_yearly = excluded.recurs_yearly, reason_ar = excluded.reason_ar, reason_en = excluded.reason_en;

-- name: ListRedundancyGroups :many
SELECT * FROM core.redundancy_groups WHERE tenant_id = @tenant_id ORDER BY site_id, name_en, id;

-- name: ListRedundancyMembers :many
SELECT group_id, asset_id FROM core.redundancy_group_members WHERE tenant_id = @tenant_id ORDER BY group_id, asset_id;

-- name: UpsertRedundancyGroup :exec
INSERT INTO core.redundancy_groups (tenant_id, id, site_id, name_ar, name_en, max_out, needed, installed)
VALUES (@tenant_id, @id, @site_id, @name_ar, @name_en, @max_out, sqlc.narg('needed'), sqlc.narg('installed'))
ON CONFLICT (tenant_id, id) DO UPDATE SET name_ar = excluded.name_ar, name_en = excluded.name_en, max_out = excluded.max_out,
  needed = excluded.needed, installed = excluded.installed;

-- name: AddRedundancyMember :exec
INSERT INTO core.redundancy_group_members (tenant_id, group_id, asset_id) VALUES (@tenant_id, @group_id, @asset_id)
ON CONFLICT DO NOTHING;
