-- +goose Up
-- How far back the hours of a tenant's historian are known to telemetry.signal_hours:
-- readings stored before there were roll-ups are marked day by day, newest first.
CREATE TABLE telemetry.rollup_progress (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  marked_from date NOT NULL,
  PRIMARY KEY (tenant_id)
);
SELECT core.protect_tenant_table('telemetry.rollup_progress', 'SELECT, INSERT, UPDATE');
