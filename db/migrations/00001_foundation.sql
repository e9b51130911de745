-- +goose Up
-- Four visible schemas and one closed one. The roles optria_owner, optria_app
-- and optria_platform are cluster-wide and are ensured by db.Bootstrap before
-- the first migration; every migration runs as optria_owner.
CREATE SCHEMA core;
CREATE SCHEMA telemetry;
CREATE SCHEMA ai;
CREATE SCHEMA optimization;
CREATE SCHEMA ts_part; -- partitions live here; no role but the owner may look inside

GRANT USAGE ON SCHEMA core TO optria_app, optria_platform;
GRANT USAGE ON SCHEMA telemetry, ai, optimization TO optria_app;

-- Fails closed: unset or empty gives NULL, so no row is visible or writable.
-- +goose StatementBegin
CREATE FUNCTION core.current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;
-- +goose StatementEnd

-- Puts a business table under forced row-level security and grants the
-- application role the named privileges. Called once for every such table.
-- +goose StatementBegin
CREATE FUNCTION core.protect_tenant_table(target regclass, privileges text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s TO optria_app
    USING (tenant_id = (SELECT core.current_tenant()))
    WITH CHECK (tenant_id = (SELECT core.current_tenant()))', target);
  EXECUTE format('GRANT %s ON %s TO optria_app', privileges, target);
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION core.protect_tenant_table(regclass, text) FROM PUBLIC;
