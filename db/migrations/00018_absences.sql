-- +goose Up
-- Tags that a polled source does not know, or does not let be read, and since
-- when: the watermark goes on without them, so what they miss is filled once
-- they are back. A row of its own keeps a change from touching the integration
-- as a change of a mapping does.
CREATE TABLE core.integration_absences (
  tenant_id uuid NOT NULL,
  mapping_id uuid NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, mapping_id),
  FOREIGN KEY (tenant_id, mapping_id) REFERENCES core.integration_mappings (tenant_id, id)
);
SELECT core.protect_tenant_table('core.integration_absences', 'SELECT, INSERT, DELETE');

-- Outages whose filling has failed are tried again every hour.
CREATE INDEX integration_backfills_failed ON core.integration_backfills (tenant_id, integration_id, finished_at)
  WHERE state = 'failed' AND cause = 'outage';
