-- name: FindAssets :many
SELECT id FROM core.assets WHERE tenant_id = @tenant_id AND tag = @tag;

-- name: FindSignal :many
SELECT id FROM telemetry.signals WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND metric = @metric;
