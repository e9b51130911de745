-- +goose Up
CREATE TABLE core.sites (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  midday_ban_exempt boolean NOT NULL DEFAULT false,
  max_out int CHECK (max_out > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, code)
);
SELECT core.protect_tenant_table('core.sites', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.units (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid NOT NULL,
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, site_id, code),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.units', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.skills (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, code)
);
SELECT core.protect_tenant_table('core.skills', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.assets (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid NOT NULL,
  unit_id uuid NOT NULL,
  tag text NOT NULL CHECK (length(tag) BETWEEN 1 AND 80),
  name_ar text NOT NULL,
  name_en text NOT NULL,
  search_text text NOT NULL,
  class_code text NOT NULL,
  criticality text NOT NULL CHECK (criticality IN ('A', 'B', 'C')),
  redundancy text NOT NULL DEFAULT '',
  skill_id uuid,
  crew_hours float8 NOT NULL DEFAULT 0 CHECK (crew_hours >= 0),
  weibull_beta float8 NOT NULL DEFAULT 1 CHECK (weibull_beta > 0),
  weibull_eta_days float8 NOT NULL DEFAULT 3650 CHECK (weibull_eta_days > 0),
  age_days float8 NOT NULL DEFAULT 0 CHECK (age_days >= 0),
  age_as_of timestamptz NOT NULL DEFAULT now(),
  source text NOT NULL DEFAULT 'manual',
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, tag),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id),
  FOREIGN KEY (tenant_id, unit_id) REFERENCES core.units (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES core.skills (tenant_id, id)
);
CREATE INDEX assets_site ON core.assets (tenant_id, site_id, unit_id);
SELECT core.protect_tenant_table('core.assets', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.asset_components (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  parent_id uuid,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  position int NOT NULL DEFAULT 0,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES core.asset_components (tenant_id, id)
);
CREATE INDEX asset_components_asset ON core.asset_components (tenant_id, asset_id, position);
SELECT core.protect_tenant_table('core.asset_components', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.asset_failure_modes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  component_id uuid,
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  detection text NOT NULL DEFAULT '',
  metric text NOT NULL DEFAULT '',
  severity int NOT NULL CHECK (severity BETWEEN 1 AND 10),
  occurrence int NOT NULL CHECK (occurrence BETWEEN 1 AND 10),
  detectability int NOT NULL CHECK (detectability BETWEEN 1 AND 10),
  rpn int NOT NULL GENERATED ALWAYS AS (severity * occurrence * detectability) STORED,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, component_id) REFERENCES core.asset_components (tenant_id, id)
);
CREATE INDEX asset_failure_modes_asset ON core.asset_failure_modes (tenant_id, asset_id);
SELECT core.protect_tenant_table('core.asset_failure_modes', 'SELECT, INSERT, UPDATE');

-- Assets of a group back each other up: at most max_out may be out at once.
CREATE TABLE core.redundancy_groups (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  max_out int NOT NULL CHECK (max_out > 0),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.redundancy_groups', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.redundancy_group_members (
  tenant_id uuid NOT NULL,
  group_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, group_id, asset_id),
  FOREIGN KEY (tenant_id, group_id) REFERENCES core.redundancy_groups (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
SELECT core.protect_tenant_table('core.redundancy_group_members', 'SELECT, INSERT, DELETE');

CREATE TABLE core.crews (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  skill_id uuid NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  hours_per_day float8 NOT NULL DEFAULT 8 CHECK (hours_per_day > 0 AND hours_per_day <= 24),
  productive_share float8 NOT NULL DEFAULT 0.62 CHECK (productive_share > 0 AND productive_share <= 1),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, skill_id) REFERENCES core.skills (tenant_id, id)
);
SELECT core.protect_tenant_table('core.crews', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.technicians (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  crew_id uuid NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  cost_sar_per_hour float8 NOT NULL DEFAULT 95 CHECK (cost_sar_per_hour >= 0),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, crew_id) REFERENCES core.crews (tenant_id, id)
);
SELECT core.protect_tenant_table('core.technicians', 'SELECT, INSERT, UPDATE');

-- Things a job occupies besides people: a cleaning skid, a crane, a bay.
CREATE TABLE core.shared_resources (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid,
  code text NOT NULL,
  name_ar text NOT NULL,
  name_en text NOT NULL,
  units_available float8 NOT NULL CHECK (units_available >= 0),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, code),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.shared_resources', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.asset_resource_needs (
  tenant_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  units float8 NOT NULL CHECK (units > 0),
  PRIMARY KEY (tenant_id, asset_id, resource_id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, resource_id) REFERENCES core.shared_resources (tenant_id, id)
);
SELECT core.protect_tenant_table('core.asset_resource_needs', 'SELECT, INSERT, UPDATE, DELETE');

-- The tenant's working calendar: profile names a built-in calendar and
-- overrides amend it (weekend, hours, holidays, Hijri shift).
CREATE TABLE core.calendars (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  profile text NOT NULL,
  overrides jsonb NOT NULL DEFAULT '{}',
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, profile)
);
SELECT core.protect_tenant_table('core.calendars', 'SELECT, INSERT, UPDATE');

-- Days on which no planned outage may stand, for one site or for all.
-- Month and day recur every year when recurs_yearly is set.
CREATE TABLE core.embargoes (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  site_id uuid,
  from_day date NOT NULL,
  to_day date NOT NULL CHECK (to_day >= from_day),
  recurs_yearly boolean NOT NULL DEFAULT false,
  reason_ar text NOT NULL,
  reason_en text NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, site_id) REFERENCES core.sites (tenant_id, id)
);
SELECT core.protect_tenant_table('core.embargoes', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.integrations (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  kind text NOT NULL,
  endpoint text NOT NULL DEFAULT '',
  config jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'archived')),
  watermark timestamptz,
  last_sync_at timestamptz,
  last_sync_status text NOT NULL DEFAULT 'never' CHECK (last_sync_status IN ('never', 'ok', 'partial', 'failed')),
  last_error text NOT NULL DEFAULT '',
  rows_total bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
SELECT core.protect_tenant_table('core.integrations', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.integration_credentials (
  tenant_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  field text NOT NULL,
  ciphertext bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, integration_id, field),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id)
);
SELECT core.protect_tenant_table('core.integration_credentials', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.integration_syncs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  integration_id uuid NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('ok', 'partial', 'failed')),
  from_ts timestamptz,
  to_ts timestamptz,
  rows_written bigint NOT NULL DEFAULT 0,
  rows_bad bigint NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id)
);
CREATE INDEX integration_syncs_recent ON core.integration_syncs (tenant_id, integration_id, finished_at DESC);
SELECT core.protect_tenant_table('core.integration_syncs', 'SELECT, INSERT');
