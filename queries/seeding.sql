-- name: SeedIntegration :exec
-- Leaves an integration that exists as it is: its configuration may have been edited.
INSERT INTO core.integrations (tenant_id, id, name, kind, endpoint, config, watermark)
VALUES (@tenant_id, @id, @name, @kind, @endpoint, @config, @watermark)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: SeedMapping :exec
INSERT INTO core.integration_mappings (tenant_id, id, integration_id, external_tag, asset_id, signal_id, source_unit)
VALUES (@tenant_id, @id, @integration_id, @external_tag, @asset_id, @signal_id, @source_unit)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: SeedCostModel :exec
INSERT INTO optimization.optimization_cost_models (tenant_id, id, asset_id, kind, direct_cost, outage_hours, loss_per_hour,
  planned_factor, safety_env_cost, energy_cost_per_hour)
VALUES (@tenant_id, @id, @asset_id, @kind, @direct_cost, @outage_hours, @loss_per_hour, @planned_factor, @safety_env_cost, @energy_cost_per_hour)
ON CONFLICT (tenant_id, id) DO NOTHING;
