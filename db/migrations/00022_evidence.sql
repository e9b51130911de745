-- +goose Up
-- Contents by their SHA-256, each kept once per tenant: inputs, warm starts and
-- outputs of runs. content is gzip of the bytes that the hash is of.
CREATE TABLE optimization.snapshots (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  content bytea NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, sha256)
);
SELECT core.protect_tenant_table('optimization.snapshots', 'SELECT, INSERT');

-- manifest says everything that a run was computed from, by hash where it is
-- of size: input, weights, seed, budget, warm starts, engine and build, and the
-- outputs. It is a text, so that the bytes under its hash stay as they are.
ALTER TABLE optimization.optimization_runs
  ADD COLUMN manifest text,
  ADD COLUMN manifest_sha256 bytea;

-- Repetitions of past runs from their snapshot.
CREATE TABLE optimization.reruns (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  run_id uuid NOT NULL,
  requested_by uuid NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'running', 'done', 'failed')),
  build text NOT NULL DEFAULT '',
  identical boolean,
  result jsonb NOT NULL DEFAULT '{}',
  error_key text NOT NULL DEFAULT '',
  error_detail jsonb NOT NULL DEFAULT '{}',
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES optimization.optimization_runs (tenant_id, id),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX reruns_run ON optimization.reruns (tenant_id, run_id, requested_at DESC);
SELECT core.protect_tenant_table('optimization.reruns', 'SELECT, INSERT, UPDATE');

-- Sealed files that were handed out about a plan.
CREATE TABLE optimization.dossiers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  plan_id uuid NOT NULL,
  format text NOT NULL CHECK (format IN ('html', 'pdf')),
  language text NOT NULL CHECK (language IN ('ar', 'en')),
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  audit_seq bigint NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, plan_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX dossiers_hash ON optimization.dossiers (tenant_id, sha256);
SELECT core.protect_tenant_table('optimization.dossiers', 'SELECT, INSERT');

-- The hash that a tenant's audit chain had at the end of each day.
CREATE TABLE core.audit_roots (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  day date NOT NULL,
  last_seq bigint NOT NULL CHECK (last_seq >= 0),
  rows bigint NOT NULL CHECK (rows >= 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, day)
);
SELECT core.protect_tenant_table('core.audit_roots', 'SELECT, INSERT');

-- Replays of past decisions: what the plans of the product would have avoided
-- in a period, each decided from what was known before it.
CREATE TABLE optimization.backtests (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  requested_by uuid NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  from_day date NOT NULL,
  to_day date NOT NULL CHECK (to_day > from_day),
  step_days int NOT NULL CHECK (step_days BETWEEN 1 AND 90),
  horizon_days int NOT NULL CHECK (horizon_days BETWEEN 1 AND 365),
  seed bigint NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'running', 'done', 'failed')),
  progress float8 NOT NULL DEFAULT 0,
  result jsonb NOT NULL DEFAULT '{}',
  result_sha256 bytea,
  error_key text NOT NULL DEFAULT '',
  error_detail jsonb NOT NULL DEFAULT '{}',
  workflow_id text NOT NULL DEFAULT '',
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX backtests_recent ON optimization.backtests (tenant_id, requested_at DESC);
SELECT core.protect_tenant_table('optimization.backtests', 'SELECT, INSERT, UPDATE');
