-- +goose Up
-- session is the one that may store what a stream delivers: a newer session
-- takes over from an older, which then stores nothing more. discovery_tried_at
-- keeps a listing that fails from being tried all the time.
ALTER TABLE core.integrations
  ADD COLUMN session uuid,
  ADD COLUMN discovery_tried_at timestamptz;

-- A stream ends and begins anew when updated_at of its integration changes, so
-- everything that it was opened with moves it: settings, mappings, credentials.
-- +goose StatementBegin
CREATE FUNCTION core.touch_integrations() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE core.integrations i SET updated_at = clock_timestamp()
  FROM (SELECT DISTINCT tenant_id, integration_id FROM changed) c
  WHERE i.tenant_id = c.tenant_id AND i.id = c.integration_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER integration_mappings_added AFTER INSERT ON core.integration_mappings
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.touch_integrations();
CREATE TRIGGER integration_mappings_changed AFTER UPDATE ON core.integration_mappings
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.touch_integrations();
CREATE TRIGGER integration_credentials_added AFTER INSERT ON core.integration_credentials
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.touch_integrations();
CREATE TRIGGER integration_credentials_changed AFTER UPDATE ON core.integration_credentials
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.touch_integrations();
