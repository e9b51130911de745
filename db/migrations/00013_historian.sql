-- +goose Up
-- What statistics need beyond mean and range. m2 is the sum of the squared
-- distances from the mean: with it two hours merge into exact statistics, where
-- sums of squares would lose the spread of large values. last_value is the
-- newest usable sample of the hour; bad counts the samples left out. by_minute
-- says that telemetry.signal_minutes has the minutes of the hour.
ALTER TABLE telemetry.signal_hours
  ADD COLUMN m2 float8,
  ADD COLUMN last_value float8,
  ADD COLUMN first_at timestamptz,
  ADD COLUMN last_at timestamptz,
  ADD COLUMN by_minute boolean NOT NULL DEFAULT false,
  ADD COLUMN bad int NOT NULL DEFAULT 0 CHECK (bad >= 0);

-- The same by minute, for signals that are read more often than every ten
-- seconds; for others the samples are the minutes. Minutes are filled together
-- with their hour and are as fresh as it is.
CREATE TABLE telemetry.signal_minutes (
  minute timestamptz NOT NULL,
  mean_value float8,
  min_value float8,
  max_value float8,
  m2 float8,
  last_value float8,
  first_at timestamptz,
  last_at timestamptz,
  tenant_id uuid NOT NULL,
  signal_id bigint NOT NULL,
  samples int NOT NULL DEFAULT 0 CHECK (samples >= 0),
  bad int NOT NULL DEFAULT 0 CHECK (bad >= 0),
  quality smallint NOT NULL DEFAULT 0 CHECK (quality BETWEEN 0 AND 2),
  PRIMARY KEY (tenant_id, signal_id, minute)
);
SELECT core.protect_tenant_table('telemetry.signal_minutes', 'SELECT, INSERT, UPDATE');

-- A closed day of one signal in one row: the distance of every sample from the
-- one before in microseconds (of the first from the start of the day, UTC),
-- its value, and its quality where not all are good.
CREATE TABLE telemetry.signal_days (
  tenant_id uuid NOT NULL,
  signal_id bigint NOT NULL,
  day date NOT NULL,
  samples int NOT NULL CHECK (samples > 0),
  steps bigint[] NOT NULL,
  readings float8[] NOT NULL,
  qualities smallint[],
  PRIMARY KEY (tenant_id, signal_id, day),
  FOREIGN KEY (tenant_id, signal_id) REFERENCES telemetry.signals (tenant_id, id),
  CHECK (cardinality(steps) = samples AND cardinality(readings) = samples AND (qualities IS NULL OR cardinality(qualities) = samples))
);
SELECT core.protect_tenant_table('telemetry.signal_days', 'SELECT, INSERT, UPDATE');

-- Days of a tenant that are packed, or that got readings after they were
-- closed: late says that telemetry.asset_timeseries has rows that the packed
-- form lacks. packed_at is null until a day is packed for the first time.
CREATE TABLE telemetry.historian_days (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  day date NOT NULL,
  late boolean NOT NULL,
  packed_at timestamptz,
  samples bigint NOT NULL DEFAULT 0 CHECK (samples >= 0),
  PRIMARY KEY (tenant_id, day)
);
SELECT core.protect_tenant_table('telemetry.historian_days', 'SELECT, INSERT, UPDATE');

-- The manifest of archive files: one per tenant and detached partition. digest
-- is the sum of the hashes of the rows, the same in the table and in the file.
CREATE TABLE telemetry.historian_archives (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  partition text NOT NULL,
  day date NOT NULL,
  rows bigint NOT NULL CHECK (rows > 0),
  digest numeric NOT NULL,
  file text NOT NULL,
  file_bytes bigint NOT NULL CHECK (file_bytes > 0),
  file_sha256 bytea NOT NULL CHECK (length(file_sha256) = 32),
  verified_at timestamptz NOT NULL,
  restored_at timestamptz,
  PRIMARY KEY (tenant_id, partition)
);
SELECT core.protect_tenant_table('telemetry.historian_archives', 'SELECT, INSERT, UPDATE');
