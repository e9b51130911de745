-- +goose Up
-- Versioned money of an asset. Amounts in the tenant's currency (SAR).
CREATE TABLE optimization.optimization_cost_models (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  asset_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('failure', 'maintenance', 'energy')),
  version int NOT NULL DEFAULT 1 CHECK (version > 0),
  effective_from timestamptz NOT NULL DEFAULT now(),
  direct_cost float8 NOT NULL DEFAULT 0 CHECK (direct_cost >= 0),
  outage_hours float8 NOT NULL DEFAULT 0 CHECK (outage_hours >= 0),
  loss_per_hour float8 NOT NULL DEFAULT 0 CHECK (loss_per_hour >= 0),
  planned_factor float8 NOT NULL DEFAULT 1 CHECK (planned_factor BETWEEN 0 AND 1),
  safety_env_cost float8 NOT NULL DEFAULT 0 CHECK (safety_env_cost >= 0),
  energy_cost_per_hour float8 NOT NULL DEFAULT 0 CHECK (energy_cost_per_hour >= 0),
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, asset_id, kind, version),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.optimization_cost_models', 'SELECT, INSERT');

CREATE TABLE optimization.optimization_runs (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  problem text NOT NULL CHECK (problem IN ('maintenance_prioritization', 'maintenance_deferral_cost', 'production_risk', 'workforce_dispatch')),
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'running', 'done', 'failed', 'cancelled')),
  stage text NOT NULL DEFAULT 'requested',
  requested_by uuid NOT NULL,
  idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 128),
  objective jsonb NOT NULL,
  constraints jsonb NOT NULL,
  window_start date NOT NULL,
  window_days int NOT NULL CHECK (window_days BETWEEN 1 AND 365),
  time_limit_seconds int NOT NULL DEFAULT 30 CHECK (time_limit_seconds BETWEEN 1 AND 3600),
  seed bigint NOT NULL DEFAULT 1,
  input jsonb,
  input_sha256 bytea,
  solver jsonb,
  incumbent float8,
  bound float8,
  gap float8,
  attempt int NOT NULL DEFAULT 0,
  stop_requested boolean NOT NULL DEFAULT false,
  error_key text NOT NULL DEFAULT '',
  error_detail jsonb NOT NULL DEFAULT '{}',
  workflow_id text NOT NULL DEFAULT '',
  workflow_run_id text NOT NULL DEFAULT '',
  requested_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, idempotency_key),
  UNIQUE (tenant_id, id, requested_by),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX optimization_runs_recent ON optimization.optimization_runs (tenant_id, requested_at DESC);
CREATE INDEX optimization_runs_open ON optimization.optimization_runs (tenant_id, state, requested_at) WHERE state IN ('requested', 'running');
SELECT core.protect_tenant_table('optimization.optimization_runs', 'SELECT, INSERT, UPDATE');

CREATE TABLE optimization.run_events (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stage text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('stage', 'progress', 'attempt', 'failure', 'stop')),
  scenario text NOT NULL DEFAULT '',
  elapsed_seconds float8 NOT NULL DEFAULT 0,
  incumbent float8,
  bound float8,
  gap float8,
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, run_id, seq),
  FOREIGN KEY (tenant_id, run_id) REFERENCES optimization.optimization_runs (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.run_events', 'SELECT, INSERT');

CREATE TABLE optimization.optimization_scenarios (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  run_id uuid NOT NULL,
  preset text NOT NULL CHECK (preset IN ('cheapest', 'lowest_risk', 'balanced', 'custom')),
  status text NOT NULL CHECK (status IN ('optimal', 'feasible', 'time_limit', 'infeasible')),
  objective float8 NOT NULL,
  bound float8,
  gap float8,
  verified boolean NOT NULL CHECK (verified),
  seconds float8 NOT NULL,
  total_cost float8 NOT NULL,
  risk_cost float8 NOT NULL,
  downtime_hours float8 NOT NULL,
  labour_hours float8 NOT NULL,
  actions_planned int NOT NULL,
  actions_deferred int NOT NULL,
  output jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, run_id, preset),
  FOREIGN KEY (tenant_id, run_id) REFERENCES optimization.optimization_runs (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.optimization_scenarios', 'SELECT, INSERT, UPDATE');

CREATE TABLE optimization.optimization_recommendations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  scenario_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  rank int NOT NULL,
  decision text NOT NULL CHECK (decision IN ('do', 'defer')),
  start_on date,
  end_on date,
  baseline_start_on date,
  skill_code text NOT NULL DEFAULT '',
  crew_hours float8 NOT NULL DEFAULT 0,
  planned_cost float8 NOT NULL,
  expected_cost float8 NOT NULL,
  value_at_stake float8 NOT NULL,
  failure_probability float8 NOT NULL,
  trusted boolean NOT NULL DEFAULT true,
  reasons jsonb NOT NULL DEFAULT '[]',
  move_costs jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, scenario_id, asset_id),
  FOREIGN KEY (tenant_id, scenario_id) REFERENCES optimization.optimization_scenarios (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  CHECK (decision = 'defer' OR (start_on IS NOT NULL AND end_on >= start_on))
);
SELECT core.protect_tenant_table('optimization.optimization_recommendations', 'SELECT, INSERT');

-- A plan is a scenario put forward for approval. The launcher of the run and
-- the proposer are copied beside it so that the four-eyes rule is a constraint.
CREATE TABLE optimization.plans (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  run_id uuid NOT NULL,
  scenario_id uuid NOT NULL,
  version int NOT NULL DEFAULT 1 CHECK (version > 0),
  previous_id uuid,
  state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'returned', 'expired', 'released', 'superseded')),
  launched_by uuid NOT NULL,
  proposed_by uuid NOT NULL,
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  proposed_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL,
  escalated_at timestamptz,
  decided_at timestamptz,
  release_requested_by uuid,
  release_requested_at timestamptz,
  released_at timestamptz,
  workflow_id text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, id, launched_by, proposed_by),
  CHECK (released_at IS NULL OR state IN ('released', 'superseded')),
  FOREIGN KEY (tenant_id, release_requested_by) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id, launched_by) REFERENCES optimization.optimization_runs (tenant_id, id, requested_by),
  FOREIGN KEY (tenant_id, scenario_id) REFERENCES optimization.optimization_scenarios (tenant_id, id),
  FOREIGN KEY (tenant_id, previous_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, proposed_by) REFERENCES core.users (tenant_id, id)
);
CREATE UNIQUE INDEX plans_open_scenario ON optimization.plans (tenant_id, scenario_id) WHERE state IN ('proposed', 'approved', 'released');
CREATE INDEX plans_recent ON optimization.plans (tenant_id, proposed_at DESC);
SELECT core.protect_tenant_table('optimization.plans', 'SELECT, INSERT, UPDATE');

CREATE TABLE optimization.plan_decisions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  plan_id uuid NOT NULL,
  launched_by uuid NOT NULL,
  proposed_by uuid NOT NULL,
  actor_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('endorsed', 'objected', 'approved', 'returned')),
  comment text NOT NULL DEFAULT '' CHECK (length(comment) <= 2000),
  decided_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, plan_id, launched_by, proposed_by) REFERENCES optimization.plans (tenant_id, id, launched_by, proposed_by),
  FOREIGN KEY (tenant_id, actor_id) REFERENCES core.users (tenant_id, id),
  CONSTRAINT four_eyes CHECK (kind <> 'approved' OR (actor_id <> launched_by AND actor_id <> proposed_by)),
  CHECK (kind NOT IN ('returned', 'objected') OR length(comment) > 0)
);
CREATE UNIQUE INDEX plan_decisions_final ON optimization.plan_decisions (tenant_id, plan_id) WHERE kind IN ('approved', 'returned');
SELECT core.protect_tenant_table('optimization.plan_decisions', 'SELECT, INSERT');

CREATE TABLE core.work_orders (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  number bigint NOT NULL,
  plan_id uuid NOT NULL,
  recommendation_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  title_ar text NOT NULL,
  title_en text NOT NULL,
  start_on date NOT NULL,
  due_on date NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in_progress', 'done', 'cancelled')),
  technician_id uuid,
  crew_hours float8 NOT NULL DEFAULT 0,
  started_at timestamptz,
  done_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number),
  UNIQUE (tenant_id, recommendation_id),
  FOREIGN KEY (tenant_id, plan_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, recommendation_id) REFERENCES optimization.optimization_recommendations (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id),
  FOREIGN KEY (tenant_id, technician_id) REFERENCES core.technicians (tenant_id, id)
);
CREATE INDEX work_orders_due ON core.work_orders (tenant_id, status, due_on);
CREATE INDEX work_orders_asset ON core.work_orders (tenant_id, asset_id);
SELECT core.protect_tenant_table('core.work_orders', 'SELECT, INSERT, UPDATE');
