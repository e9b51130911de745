-- +goose Up
-- Recurring work of a tenant. internal ones are started by the platform;
-- external ones by a scheduler of the customer's own with a token, and are only
-- watched. cron is read in time_zone. exclusions is a list of {"holiday": key},
-- {"period": "ramadan" | "weekend"} and {"from": date, "to": date}.
CREATE TABLE core.schedules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  trigger text NOT NULL DEFAULT 'internal' CHECK (trigger IN ('internal', 'external')),
  kind text NOT NULL CHECK (kind IN ('optimization', 'sweep', 'report')),
  request jsonb NOT NULL DEFAULT '{}',
  cron text NOT NULL CHECK (length(cron) BETWEEN 9 AND 200),
  time_zone text NOT NULL,
  exclusions jsonb NOT NULL DEFAULT '[]',
  overlap text NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip', 'buffer_one', 'allow_all')),
  catch_up_minutes int NOT NULL DEFAULT 360 CHECK (catch_up_minutes BETWEEN 1 AND 10080),
  pause_on_failure boolean NOT NULL DEFAULT false,
  paused boolean NOT NULL DEFAULT false,
  paused_until timestamptz,
  pause_note text NOT NULL DEFAULT '' CHECK (length(pause_note) <= 500),
  owner_id uuid NOT NULL,
  account_id uuid NOT NULL,
  token_id uuid,
  failures int NOT NULL DEFAULT 0,
  watched_from timestamptz NOT NULL DEFAULT now(),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, token_id) REFERENCES core.api_tokens (tenant_id, id)
);
CREATE UNIQUE INDEX schedules_name ON core.schedules (tenant_id, lower(name)) WHERE archived_at IS NULL;
SELECT core.protect_tenant_table('core.schedules', 'SELECT, INSERT, UPDATE');

-- Every due time of a schedule and what became of it.
CREATE TABLE core.schedule_firings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  schedule_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  cause text NOT NULL CHECK (cause IN ('due', 'catch_up', 'manual', 'backfill', 'external')),
  state text NOT NULL CHECK (state IN ('started', 'done', 'failed', 'skipped', 'missed')),
  run_id uuid,
  sweep_id uuid,
  report_id uuid,
  workflow_id text NOT NULL DEFAULT '',
  error_key text NOT NULL DEFAULT '',
  error_detail jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, schedule_id, due_at, cause),
  FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.schedules (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES optimization.optimization_runs (tenant_id, id)
);
CREATE INDEX schedule_firings_recent ON core.schedule_firings (tenant_id, schedule_id, due_at DESC);
SELECT core.protect_tenant_table('core.schedule_firings', 'SELECT, INSERT, UPDATE');

-- Reports that schedules make: one page per language of what was decided and
-- done in a period.
CREATE TABLE core.reports (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  schedule_id uuid,
  from_day date NOT NULL,
  to_day date NOT NULL CHECK (to_day >= from_day),
  content jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.schedules (tenant_id, id)
);
SELECT core.protect_tenant_table('core.reports', 'SELECT, INSERT');

-- Where a run came from. rerun_of is the run whose snapshot it repeats.
ALTER TABLE optimization.optimization_runs
  ADD COLUMN channel text NOT NULL DEFAULT 'web' CHECK (channel IN ('web', 'api', 'schedule')),
  ADD COLUMN schedule_id uuid,
  ADD COLUMN due_at timestamptz,
  ADD CONSTRAINT runs_schedule FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.schedules (tenant_id, id);

-- Addresses from which a token may be used, empty for any; the token that it
-- replaces, which lives on for a time; and where it was last used from.
ALTER TABLE core.api_tokens
  ADD COLUMN address_ranges text[] NOT NULL DEFAULT '{}',
  ADD COLUMN replaces uuid,
  ADD COLUMN last_used_address text NOT NULL DEFAULT '',
  ADD COLUMN warned_at timestamptz,
  ADD CONSTRAINT api_tokens_replaces FOREIGN KEY (tenant_id, replaces) REFERENCES core.api_tokens (tenant_id, id);

-- Answers to requests of the API that carried an idempotency key: the same
-- request is answered the same way again.
CREATE TABLE core.idempotent_requests (
  tenant_id uuid NOT NULL,
  account_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
  operation text NOT NULL,
  request_sha256 bytea NOT NULL,
  status int,
  headers jsonb NOT NULL DEFAULT '{}',
  body bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, account_id, key),
  FOREIGN KEY (tenant_id, account_id) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX idempotent_requests_age ON core.idempotent_requests (tenant_id, created_at);
SELECT core.protect_tenant_table('core.idempotent_requests', 'SELECT, INSERT, UPDATE, DELETE');
