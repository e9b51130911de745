-- +goose Up
-- What deferral, production and dispatch plan with besides the plant itself.

-- restoration is the share of its age that a job takes away: 1 renews the
-- asset. Outdoor assets fall under the summer midday ban.
ALTER TABLE core.assets
  ADD COLUMN restoration float8 NOT NULL DEFAULT 1 CHECK (restoration > 0 AND restoration <= 1),
  ADD COLUMN outdoor boolean NOT NULL DEFAULT true;

-- What a group of assets of a site has to produce together.
CREATE TABLE core.production_targets (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid NOT NULL,
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  unit text NOT NULL CHECK (length(unit) BETWEEN 1 AND 20),
  shortfall_sar float8 NOT NULL CHECK (shortfall_sar > 0),
  weekend_factor float8 NOT NULL DEFAULT 1 CHECK (weekend_factor >= 0),
  storage_capacity float8 NOT NULL DEFAULT 0 CHECK (storage_capacity >= 0),
  storage_level float8 NOT NULL DEFAULT 0 CHECK (storage_level >= 0 AND storage_level <= storage_capacity),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, site_id, code),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.production_targets', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.production_target_hours (
  tenant_id uuid NOT NULL,
  target_id uuid NOT NULL,
  hour int NOT NULL CHECK (hour BETWEEN 0 AND 23),
  quantity float8 NOT NULL CHECK (quantity >= 0),
  PRIMARY KEY (tenant_id, target_id, hour),
  FOREIGN KEY (tenant_id, target_id) REFERENCES core.production_targets (tenant_id, id)
);
SELECT core.protect_tenant_table('core.production_target_hours', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.energy_tariffs (
  tenant_id uuid NOT NULL,
  site_id uuid NOT NULL,
  hour int NOT NULL CHECK (hour BETWEEN 0 AND 23),
  sar_per_mwh float8 NOT NULL CHECK (sar_per_mwh >= 0),
  PRIMARY KEY (tenant_id, site_id, hour),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.energy_tariffs', 'SELECT, INSERT, UPDATE');

-- How an asset can be run. Loads are units of its target per hour.
CREATE TABLE core.asset_operations (
  tenant_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  target_id uuid NOT NULL,
  load_min float8 NOT NULL CHECK (load_min >= 0),
  load_rated float8 NOT NULL CHECK (load_rated > 0),
  load_max float8 NOT NULL,
  energy_fixed_kw float8 NOT NULL DEFAULT 0 CHECK (energy_fixed_kw >= 0),
  energy_kwh_per_unit float8 NOT NULL DEFAULT 0 CHECK (energy_kwh_per_unit >= 0),
  fuel_sar_per_unit float8 NOT NULL DEFAULT 0 CHECK (fuel_sar_per_unit >= 0),
  ramp_up float8 CHECK (ramp_up > 0),
  ramp_down float8 CHECK (ramp_down > 0),
  min_up_hours float8 NOT NULL DEFAULT 1 CHECK (min_up_hours >= 0),
  min_down_hours float8 NOT NULL DEFAULT 1 CHECK (min_down_hours >= 0),
  start_cost_sar float8 NOT NULL DEFAULT 0 CHECK (start_cost_sar >= 0),
  stress_exponent float8 NOT NULL DEFAULT 3 CHECK (stress_exponent BETWEEN 1 AND 10),
  running boolean NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, asset_id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, target_id) REFERENCES core.production_targets (tenant_id, id),
  CHECK (load_min <= load_rated AND load_rated <= load_max)
);
CREATE INDEX asset_operations_target ON core.asset_operations (tenant_id, target_id);
SELECT core.protect_tenant_table('core.asset_operations', 'SELECT, INSERT, UPDATE');

-- A rota of days on and off counted from its anchor; without one, people of
-- the shift work on the working days of the tenant's calendar. A shift may run
-- past midnight.
CREATE TABLE core.shifts (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  start_minute int NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
  minutes int NOT NULL CHECK (minutes BETWEEN 60 AND 1440),
  days_on int,
  days_off int,
  anchor date,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, code),
  CHECK ((days_on IS NULL AND days_off IS NULL AND anchor IS NULL) OR (days_on > 0 AND days_off >= 0 AND anchor IS NOT NULL))
);
SELECT core.protect_tenant_table('core.shifts', 'SELECT, INSERT, UPDATE');

-- Without a shift a technician works the hours of the tenant's calendar.
ALTER TABLE core.technicians
  ADD COLUMN home_site_id uuid,
  ADD COLUMN shift_id uuid,
  ADD COLUMN overtime_hours float8 NOT NULL DEFAULT 2 CHECK (overtime_hours BETWEEN 0 AND 12),
  ADD CONSTRAINT technicians_home_site_fkey FOREIGN KEY (tenant_id, home_site_id) REFERENCES core.sites (tenant_id, id),
  ADD CONSTRAINT technicians_shift_fkey FOREIGN KEY (tenant_id, shift_id) REFERENCES core.shifts (tenant_id, id);

CREATE TABLE core.technician_skills (
  tenant_id uuid NOT NULL,
  technician_id uuid NOT NULL,
  skill_id uuid NOT NULL,
  level int NOT NULL CHECK (level BETWEEN 1 AND 5),
  PRIMARY KEY (tenant_id, technician_id, skill_id),
  FOREIGN KEY (tenant_id, technician_id) REFERENCES core.technicians (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES core.skills (tenant_id, id)
);
SELECT core.protect_tenant_table('core.technician_skills', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE core.travel_times (
  tenant_id uuid NOT NULL,
  from_site_id uuid NOT NULL,
  to_site_id uuid NOT NULL,
  minutes float8 NOT NULL CHECK (minutes >= 0),
  PRIMARY KEY (tenant_id, from_site_id, to_site_id),
  FOREIGN KEY (tenant_id, from_site_id) REFERENCES core.sites (tenant_id, id),
  FOREIGN KEY (tenant_id, to_site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.travel_times', 'SELECT, INSERT, UPDATE');

-- Work that is asked for outside of a plan: repairs and emergencies. One that
-- is open past latest is overdue and still to be done.
CREATE TABLE core.work_requests (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  title_ar text NOT NULL,
  title_en text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('corrective', 'emergency', 'inspection')),
  skill_id uuid NOT NULL,
  skill_level int NOT NULL DEFAULT 1 CHECK (skill_level BETWEEN 1 AND 5),
  hours float8 NOT NULL CHECK (hours > 0 AND hours <= 24),
  crew_size int NOT NULL DEFAULT 1 CHECK (crew_size BETWEEN 1 AND 20),
  earliest timestamptz NOT NULL,
  latest timestamptz NOT NULL CHECK (latest > earliest),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'cancelled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES core.skills (tenant_id, id)
);
CREATE INDEX work_requests_open ON core.work_requests (tenant_id, earliest) WHERE state = 'open';
SELECT core.protect_tenant_table('core.work_requests', 'SELECT, INSERT, UPDATE');
