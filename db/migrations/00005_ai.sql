-- +goose Up
CREATE TABLE ai.models (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  kind text NOT NULL,
  version text NOT NULL,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('candidate', 'active', 'retired')),
  features jsonb NOT NULL DEFAULT '[]',
  parameters jsonb NOT NULL DEFAULT '{}',
  metrics jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, version)
);
CREATE UNIQUE INDEX models_active ON ai.models (tenant_id, kind) WHERE state = 'active';
SELECT core.protect_tenant_table('ai.models', 'SELECT, INSERT, UPDATE');

CREATE TABLE ai.scoring_sweeps (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  as_of timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
  assets_total int NOT NULL DEFAULT 0,
  assets_scored int NOT NULL DEFAULT 0,
  assets_greyed int NOT NULL DEFAULT 0,
  rows_rejected bigint NOT NULL DEFAULT 0,
  workflow_id text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX scoring_sweeps_recent ON ai.scoring_sweeps (tenant_id, started_at DESC);
SELECT core.protect_tenant_table('ai.scoring_sweeps', 'SELECT, INSERT, UPDATE');

CREATE TABLE ai.asset_scores (
  tenant_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  as_of timestamptz NOT NULL,
  sweep_id uuid NOT NULL,
  model_id uuid NOT NULL,
  health_score float8 NOT NULL CHECK (health_score BETWEEN 0 AND 100),
  failure_probability_7 float8 NOT NULL,
  failure_probability_30 float8 NOT NULL,
  failure_probability_90 float8 NOT NULL,
  failure_probability_30_lo float8 NOT NULL,
  failure_probability_30_hi float8 NOT NULL,
  rul_days float8 NOT NULL,
  rul_lo_days float8 NOT NULL,
  rul_hi_days float8 NOT NULL,
  anomaly_flag boolean NOT NULL,
  anomaly_score float8 NOT NULL,
  evidence_factor float8 NOT NULL CHECK (evidence_factor > 0),
  production_risk_sar float8 NOT NULL,
  production_risk_lo_sar float8 NOT NULL,
  production_risk_hi_sar float8 NOT NULL,
  production_risk_index float8 NOT NULL CHECK (production_risk_index BETWEEN 0 AND 100),
  risk_level smallint NOT NULL CHECK (risk_level BETWEEN 1 AND 5),
  coverage float8 NOT NULL CHECK (coverage BETWEEN 0 AND 1),
  trusted boolean NOT NULL,
  confidence float8 NOT NULL,
  detail jsonb NOT NULL,
  PRIMARY KEY (tenant_id, asset_id, as_of),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, sweep_id) REFERENCES ai.scoring_sweeps (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id) REFERENCES ai.models (tenant_id, id)
);
CREATE INDEX asset_scores_time ON ai.asset_scores (tenant_id, as_of DESC);
SELECT core.protect_tenant_table('ai.asset_scores', 'SELECT, INSERT, UPDATE');

-- One row per asset: the newest score, for lists and the planner.
CREATE TABLE ai.asset_score_latest (
  tenant_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  as_of timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, asset_id),
  FOREIGN KEY (tenant_id, asset_id, as_of) REFERENCES ai.asset_scores (tenant_id, asset_id, as_of)
);
SELECT core.protect_tenant_table('ai.asset_score_latest', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.alerts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid,
  signal_id bigint,
  integration_id uuid,
  kind text NOT NULL,
  severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 5),
  state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'acknowledged', 'confirmed', 'false', 'expected', 'cleared')),
  dedupe_key text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  raised_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_by uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, signal_id) REFERENCES telemetry.signals (tenant_id, id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id)
);
CREATE UNIQUE INDEX alerts_open ON core.alerts (tenant_id, dedupe_key) WHERE closed_at IS NULL;
CREATE INDEX alerts_recent ON core.alerts (tenant_id, raised_at DESC);
CREATE INDEX alerts_asset ON core.alerts (tenant_id, asset_id, raised_at DESC);
SELECT core.protect_tenant_table('core.alerts', 'SELECT, INSERT, UPDATE');
