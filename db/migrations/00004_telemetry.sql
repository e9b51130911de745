-- +goose Up
CREATE SEQUENCE telemetry.signal_ids;
GRANT USAGE ON SEQUENCE telemetry.signal_ids TO optria_app;

CREATE TABLE telemetry.signals (
  tenant_id uuid NOT NULL,
  id bigint NOT NULL DEFAULT nextval('telemetry.signal_ids'),
  asset_id uuid NOT NULL,
  component_id uuid,
  metric text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  unit text NOT NULL DEFAULT '',
  normal_low float8,
  normal_high float8,
  warn float8,
  alarm float8,
  sense text NOT NULL DEFAULT 'hi' CHECK (sense IN ('hi', 'lo', 'both')),
  period_seconds int NOT NULL DEFAULT 60 CHECK (period_seconds > 0),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, asset_id, metric),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, component_id) REFERENCES core.asset_components (tenant_id, id)
);
SELECT core.protect_tenant_table('telemetry.signals', 'SELECT, INSERT, UPDATE');

-- The mini-historian. Column order keeps rows narrow; the key is the only
-- index and makes a resent batch harmless. quality: 0 good, 1 uncertain, 2 bad.
CREATE TABLE telemetry.asset_timeseries (
  ts timestamptz NOT NULL,
  value float8,
  tenant_id uuid NOT NULL,
  signal_id bigint NOT NULL,
  quality smallint NOT NULL DEFAULT 0 CHECK (quality BETWEEN 0 AND 2),
  PRIMARY KEY (tenant_id, signal_id, ts)
) PARTITION BY RANGE (ts);
SELECT core.protect_tenant_table('telemetry.asset_timeseries', 'SELECT, INSERT');

CREATE TABLE telemetry.signal_latest (
  tenant_id uuid NOT NULL,
  signal_id bigint NOT NULL,
  ts timestamptz NOT NULL,
  value float8,
  quality smallint NOT NULL,
  PRIMARY KEY (tenant_id, signal_id),
  FOREIGN KEY (tenant_id, signal_id) REFERENCES telemetry.signals (tenant_id, id)
) WITH (fillfactor = 50);
SELECT core.protect_tenant_table('telemetry.signal_latest', 'SELECT, INSERT, UPDATE');

-- Creates the daily partitions of a bounded range; missing days only. Runs as
-- the owner because the application role may not create tables. A table is made
-- and then attached, since CREATE TABLE … PARTITION OF would lock the historian
-- against readers and writers until the caller's transaction ends.
-- +goose StatementBegin
CREATE FUNCTION telemetry.ensure_partitions(from_day date, to_day date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  d date;
  made int := 0;
  part text;
BEGIN
  IF from_day < current_date - 1100 OR to_day > current_date + 60 THEN
    RAISE EXCEPTION 'partition range % .. % is out of bounds', from_day, to_day USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(727301);
  FOR d IN SELECT generate_series(from_day, to_day, interval '1 day')::date LOOP
    part := 'asset_timeseries_' || to_char(d, 'YYYYMMDD');
    IF to_regclass('ts_part.' || part) IS NULL THEN
      EXECUTE format('CREATE TABLE ts_part.%I (LIKE telemetry.asset_timeseries INCLUDING ALL)', part);
      EXECUTE format('ALTER TABLE telemetry.asset_timeseries ATTACH PARTITION ts_part.%I FOR VALUES FROM (%L) TO (%L)',
        part, d::timestamp AT TIME ZONE 'UTC', (d + 1)::timestamp AT TIME ZONE 'UTC');
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION telemetry.ensure_partitions(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION telemetry.ensure_partitions(date, date) TO optria_app;

-- Which external tag feeds which signal; the stored value is raw × factor + shift.
CREATE TABLE core.integration_mappings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  integration_id uuid NOT NULL,
  external_tag text NOT NULL CHECK (length(external_tag) BETWEEN 1 AND 400),
  asset_id uuid NOT NULL,
  component_id uuid,
  signal_id bigint NOT NULL,
  source_unit text NOT NULL DEFAULT '',
  factor float8 NOT NULL DEFAULT 1 CHECK (factor <> 0),
  shift float8 NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, component_id) REFERENCES core.asset_components (tenant_id, id),
  FOREIGN KEY (tenant_id, signal_id) REFERENCES telemetry.signals (tenant_id, id)
);
CREATE UNIQUE INDEX integration_mappings_tag ON core.integration_mappings (tenant_id, integration_id, external_tag) WHERE archived_at IS NULL;
CREATE INDEX integration_mappings_signal ON core.integration_mappings (tenant_id, signal_id);
SELECT core.protect_tenant_table('core.integration_mappings', 'SELECT, INSERT, UPDATE');
