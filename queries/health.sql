-- name: ListIntegrationKinds :many
SELECT DISTINCT kind FROM core.integrations WHERE tenant_id = @tenant_id AND state <> 'archived' ORDER BY kind;
