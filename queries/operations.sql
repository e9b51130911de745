-- name: ListProductionTargets :many
SELECT * FROM core.production_targets WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY site_id, code;

-- name: UpsertProductionTarget :exec
INSERT INTO core.production_targets (tenant_id, id, site_id, code, name_ar, name_en, unit, shortfall_sar, weekend_factor, storage_capacity, storage_level)
VALUES (@tenant_id, @id, @site_id, @code, @name_ar, @name_en, @unit, @shortfall_sar, @weekend_factor, @storage_capacity, @storage_level)
ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, name_ar = excluded.name_ar, name_en = excluded.name_en, unit = excluded.unit,
  shortfall_sar = excluded.shortfall_sar, weekend_factor = excluded.weekend_factor, storage_capacity = excluded.storage_capacity,
  storage_level = excluded.storage_level;

-- name: ListTargetHours :many
SELECT target_id, hour, quantity FROM core.production_target_hours WHERE tenant_id = @tenant_id ORDER BY target_id, hour;

-- name: UpsertTargetHour :exec
INSERT INTO core.production_target_hours (tenant_id, target_id, hour, quantity) VALUES (@tenant_id, @target_id, @hour, @quantity)
ON CONFLICT (tenant_id, target_id, hour) DO UPDATE SET quantity = excluded.quantity;

-- name: ListEnergyTariffs :many
SELECT site_id, hour, sar_per_mwh FROM core.energy_tariffs WHERE tenant_id = @tenant_id ORDER BY site_id, hour;

-- name: UpsertEnergyTariff :exec
INSERT INTO core.energy_tariffs (tenant_id, site_id, hour, sar_per_mwh) VALUES (@tenant_id, @site_id, @hour, @sar_per_mwh)
ON CONFLICT (tenant_id, site_id, hour) DO UPDATE SET sar_per_mwh = excluded.sar_per_mwh;

-- name: ListAssetOperations :many
SELECT * FROM core.asset_operations WHERE tenant_id = @tenant_id ORDER BY asset_id;

-- name: UpsertAssetOperation :exec
INSERT INTO core.asset_operations (tenant_id, asset_id, target_id, load_min, load_rated, load_max, energy_fixed_kw, energy_kwh_per_unit,
  fuel_sar_per_unit, ramp_up, ramp_down, min_up_hours, min_down_hours, start_cost_sar, stress_exponent, running)
VALUES (@tenant_id, @asset_id, @target_id, @load_min, @load_rated, @load_max, @energy_fixed_kw, @energy_kwh_per_unit,
  @fuel_sar_per_unit, sqlc.narg('ramp_up'), sqlc.narg('ramp_down'), @min_up_hours, @min_down_hours, @start_cost_sar, @stress_exponent, @running)
ON CONFLICT (tenant_id, asset_id) DO UPDATE SET target_id = excluded.target_id, load_min = excluded.load_min, load_rated = excluded.load_rated,
  load_max = excluded.load_max, energy_fixed_kw = excluded.energy_fixed_kw, energy_kwh_per_unit = excluded.energy_kwh_per_unit,
  fuel_sar_per_unit = excluded.fuel_sar_per_unit, ramp_up = excluded.ramp_up, ramp_down = excluded.ramp_down, min_up_hours = excluded.min_up_hours,
  min_down_hours = excluded.min_down_hours, start_cost_sar = excluded.start_cost_sar, stress_exponent = excluded.stress_exponent,
  running = excluded.running, updated_at = now();

-- name: SetAssetCondition :exec
-- What a job restores of an asset, and whether it stands outdoors.
UPDATE core.assets SET restoration = @restoration, outdoor = @outdoor WHERE tenant_id = @tenant_id AND id = @id;
