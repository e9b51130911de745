-- +goose Up
-- What the AI service learns from and keeps: hourly roll-ups, completed lives,
-- inspections, the model registry with its training and drift checks, verdicts.

-- One row per signal and hour in which something was measured. Ingest marks the
-- hours it touches as stale; a roll-up fills them from the historian. The
-- values are null until then, and where every sample of the hour was bad.
CREATE TABLE telemetry.signal_hours (
  hour timestamptz NOT NULL,
  mean_value float8,
  min_value float8,
  max_value float8,
  tenant_id uuid NOT NULL,
  signal_id bigint NOT NULL,
  samples int NOT NULL DEFAULT 0 CHECK (samples >= 0),
  quality smallint NOT NULL DEFAULT 0 CHECK (quality BETWEEN 0 AND 2),
  stale boolean NOT NULL DEFAULT true,
  PRIMARY KEY (tenant_id, signal_id, hour)
);
CREATE INDEX signal_hours_stale ON telemetry.signal_hours (tenant_id, signal_id, hour) WHERE stale;
SELECT core.protect_tenant_table('telemetry.signal_hours', 'SELECT, INSERT, UPDATE');

-- attributes: further facts about an asset by topic; "cnaim" describes
-- electrical equipment for the network asset method.
ALTER TABLE core.assets
  ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}';

-- A completed life: from a renewal to a failure, or to a preventive renewal,
-- which only says that the asset would have lived longer (right-censored).
CREATE TABLE core.asset_lives (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  ended_at timestamptz NOT NULL,
  life_days float8 NOT NULL CHECK (life_days > 0 AND life_days <= 36525),
  ended_by text NOT NULL CHECK (ended_by IN ('failure', 'preventive')),
  mode_id uuid,
  work_order_id uuid,
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  source text NOT NULL DEFAULT 'manual',
  recorded_by uuid,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, asset_id, ended_at),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, mode_id) REFERENCES core.asset_failure_modes (tenant_id, id),
  FOREIGN KEY (tenant_id, work_order_id) REFERENCES core.work_orders (tenant_id, id),
  FOREIGN KEY (tenant_id, recorded_by) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('core.asset_lives', 'SELECT, INSERT');

-- grade: 0 (worst) to 1 (as new). observations: what was seen, by name.
CREATE TABLE core.asset_inspections (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  inspected_at timestamptz NOT NULL,
  grade float8 CHECK (grade BETWEEN 0 AND 1),
  observations jsonb NOT NULL DEFAULT '{}',
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  inspected_by uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, inspected_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX asset_inspections_recent ON core.asset_inspections (tenant_id, asset_id, inspected_at DESC);
SELECT core.protect_tenant_table('core.asset_inspections', 'SELECT, INSERT');

-- kind is the family of a model and, after a colon, the equipment class it was
-- trained for. decision says how a candidate left that state.
ALTER TABLE ai.models
  ADD COLUMN trained_from timestamptz,
  ADD COLUMN trained_to timestamptz,
  ADD COLUMN trained_on jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN protocol text NOT NULL DEFAULT '',
  ADD COLUMN artefact bytea,
  ADD COLUMN artefact_sha256 bytea,
  ADD COLUMN compared_with uuid,
  ADD COLUMN decision text NOT NULL DEFAULT '' CHECK (decision IN ('', 'promoted', 'kept', 'rolled_back')),
  ADD COLUMN decided_at timestamptz,
  ADD COLUMN decided_by uuid,
  ADD FOREIGN KEY (tenant_id, compared_with) REFERENCES ai.models (tenant_id, id),
  ADD FOREIGN KEY (tenant_id, decided_by) REFERENCES core.users (tenant_id, id);

CREATE TABLE ai.training_runs (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 120),
  reason text NOT NULL CHECK (reason IN ('schedule', 'drift', 'manual')),
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
  outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'promoted', 'kept', 'too_little_data')),
  candidate_id uuid,
  error_key text NOT NULL DEFAULT '',
  detail jsonb NOT NULL DEFAULT '{}',
  workflow_id text NOT NULL DEFAULT '',
  requested_by uuid,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, candidate_id) REFERENCES ai.models (tenant_id, id),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX training_runs_recent ON ai.training_runs (tenant_id, started_at DESC);
SELECT core.protect_tenant_table('ai.training_runs', 'SELECT, INSERT, UPDATE');

CREATE TABLE ai.drift_checks (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  model_id uuid NOT NULL,
  checked_at timestamptz NOT NULL,
  input_drift float8 NOT NULL CHECK (input_drift >= 0),
  residual_drift float8 NOT NULL CHECK (residual_drift >= 0),
  alarm boolean NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, model_id, checked_at),
  FOREIGN KEY (tenant_id, model_id) REFERENCES ai.models (tenant_id, id)
);
SELECT core.protect_tenant_table('ai.drift_checks', 'SELECT, INSERT');

-- What an engineer said about an alert. The episode is what the detector saw
-- from its start to the verdict; a later verdict on the same alert counts.
CREATE TABLE ai.labels (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  alert_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('confirmed', 'false', 'expected')),
  reason_code text NOT NULL DEFAULT '' CHECK (length(reason_code) <= 60),
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  episode_from timestamptz NOT NULL,
  episode_to timestamptz NOT NULL,
  score float8 NOT NULL DEFAULT 0,
  detail jsonb NOT NULL DEFAULT '{}',
  given_by uuid NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, alert_id) REFERENCES core.alerts (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, given_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX labels_asset ON ai.labels (tenant_id, asset_id, given_at DESC);
SELECT core.protect_tenant_table('ai.labels', 'SELECT, INSERT');

-- How an asset looks when healthy, learned once after a renewal and kept, so
-- that a slow degradation cannot become the new normal.
CREATE TABLE ai.asset_baselines (
  tenant_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired')),
  learned_from timestamptz NOT NULL,
  learned_to timestamptz NOT NULL,
  rows_used int NOT NULL CHECK (rows_used > 0),
  signals jsonb NOT NULL DEFAULT '[]',
  artefact bytea NOT NULL,
  learned_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, asset_id, version),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
CREATE UNIQUE INDEX asset_baselines_active ON ai.asset_baselines (tenant_id, asset_id) WHERE state = 'active';
SELECT core.protect_tenant_table('ai.asset_baselines', 'SELECT, INSERT, UPDATE');

-- due_at: when the score is to be made again even without new data; a change of
-- what the score rests on sets it to now. seen_to: newest reading it has seen.
-- risk_index_change: against the last score at least a day older.
ALTER TABLE ai.asset_score_latest
  ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN seen_to timestamptz,
  ADD COLUMN risk_index_change float8 NOT NULL DEFAULT 0;
CREATE INDEX asset_score_latest_due ON ai.asset_score_latest (tenant_id, due_at);

ALTER TABLE ai.scoring_sweeps
  ADD COLUMN assets_skipped int NOT NULL DEFAULT 0,
  ADD COLUMN detail jsonb NOT NULL DEFAULT '{}';

ALTER TABLE core.alerts
  ADD COLUMN acknowledged_by uuid,
  ADD COLUMN acknowledged_at timestamptz,
  ADD COLUMN occurrences int NOT NULL DEFAULT 1 CHECK (occurrences > 0),
  ADD COLUMN advisory boolean NOT NULL DEFAULT true,
  ADD FOREIGN KEY (tenant_id, acknowledged_by) REFERENCES core.users (tenant_id, id);
