-- +goose Up
-- A credential that an integration no longer needs is taken away, not kept for
-- ever; that it was there stays in the audit log.
GRANT DELETE ON core.integration_credentials TO optria_app;
