-- +goose Up
-- How a tenant decides: working hours until a plan is due and before that a
-- reminder, days until it expires, whether a technical endorsement must come
-- first, who hears of an overdue plan besides the approvers, and from which
-- change of cost in SAR on a recurring run is worth a notification.
CREATE TABLE core.governance (
  tenant_id uuid PRIMARY KEY REFERENCES core.tenants (id),
  decision_hours float8 NOT NULL DEFAULT 8 CHECK (decision_hours BETWEEN 1 AND 400),
  reminder_hours float8 NOT NULL DEFAULT 4 CHECK (reminder_hours BETWEEN 0 AND 400),
  expiry_days int NOT NULL DEFAULT 30 CHECK (expiry_days BETWEEN 1 AND 365),
  require_endorsement boolean NOT NULL DEFAULT false,
  escalate_to uuid,
  material_change_sar float8 NOT NULL DEFAULT 0 CHECK (material_change_sar >= 0),
  updated_by uuid,
  updated_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, escalate_to) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, updated_by) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('core.governance', 'SELECT, INSERT, UPDATE');

-- An approver who is away lets another person decide for a time.
CREATE TABLE core.delegations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  from_user uuid NOT NULL,
  to_user uuid NOT NULL CHECK (to_user <> from_user),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '90 days'),
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, from_user) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, to_user) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX delegations_to ON core.delegations (tenant_id, to_user, ends_at) WHERE revoked_at IS NULL;
SELECT core.protect_tenant_table('core.delegations', 'SELECT, INSERT, UPDATE');

-- lifecycle is the state as people know it: a proposed plan with a standing
-- endorsement is endorsed. content_sha256 is what was proposed and is decided
-- on: the verified output, its input and what the proposer left out.
ALTER TABLE optimization.plans
  ADD COLUMN endorsed_at timestamptz,
  ADD COLUMN reminded_at timestamptz,
  ADD COLUMN content_sha256 bytea,
  ADD COLUMN lifecycle text GENERATED ALWAYS AS (CASE WHEN state = 'proposed' AND endorsed_at IS NOT NULL THEN 'endorsed' ELSE state END) STORED;

-- Whom a deputy stood in for. The rule of four eyes covers both.
ALTER TABLE optimization.plan_decisions
  ADD COLUMN on_behalf_of uuid,
  ADD CONSTRAINT decisions_deputy FOREIGN KEY (tenant_id, on_behalf_of) REFERENCES core.users (tenant_id, id),
  ADD CONSTRAINT four_eyes_deputy CHECK (kind <> 'approved' OR on_behalf_of IS NULL OR (on_behalf_of <> launched_by AND on_behalf_of <> proposed_by));

-- Decisions, proposals and releases are made by active people, whatever the
-- program says: never by a service account.
-- +goose StatementBegin
CREATE FUNCTION optimization.person_only(tenant uuid, account uuid) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (SELECT FROM core.users u WHERE u.tenant_id = tenant AND u.id = account
    AND u.is_active AND u.archived_at IS NULL AND NOT 'service_account' = ANY (u.roles));
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION optimization.decided_by_person() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT optimization.person_only(NEW.tenant_id, NEW.actor_id) THEN
    RAISE EXCEPTION 'only an active person may decide' USING ERRCODE = 'check_violation', CONSTRAINT = 'person_only';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER plan_decisions_person BEFORE INSERT ON optimization.plan_decisions
  FOR EACH ROW EXECUTE FUNCTION optimization.decided_by_person();
-- +goose StatementBegin
CREATE FUNCTION optimization.planned_by_person() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (TG_OP = 'INSERT' AND NOT optimization.person_only(NEW.tenant_id, NEW.proposed_by))
    OR (TG_OP = 'UPDATE' AND NEW.release_requested_by IS DISTINCT FROM OLD.release_requested_by
      AND NEW.release_requested_by IS NOT NULL AND NOT optimization.person_only(NEW.tenant_id, NEW.release_requested_by)) THEN
    RAISE EXCEPTION 'only an active person may propose or release' USING ERRCODE = 'check_violation', CONSTRAINT = 'person_only';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER plans_person BEFORE INSERT OR UPDATE ON optimization.plans
  FOR EACH ROW EXECUTE FUNCTION optimization.planned_by_person();

-- What people say of a scenario or of one of its recommendations. It stays
-- with the scenario whatever becomes of the plan.
CREATE TABLE optimization.plan_comments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  scenario_id uuid NOT NULL,
  recommendation_id uuid,
  plan_id uuid,
  author_id uuid NOT NULL,
  body text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, scenario_id) REFERENCES optimization.optimization_scenarios (tenant_id, id),
  FOREIGN KEY (tenant_id, recommendation_id) REFERENCES optimization.optimization_recommendations (tenant_id, id),
  FOREIGN KEY (tenant_id, plan_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, author_id) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX plan_comments_scenario ON optimization.plan_comments (tenant_id, scenario_id, created_at);
SELECT core.protect_tenant_table('optimization.plan_comments', 'SELECT, INSERT');

-- Recommendations of a plan that are not to be carried out: left out by the
-- proposer, or held back by the approver (partial approval).
CREATE TABLE optimization.plan_withheld (
  tenant_id uuid NOT NULL,
  plan_id uuid NOT NULL,
  recommendation_id uuid NOT NULL,
  stage text NOT NULL CHECK (stage IN ('proposal', 'approval')),
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  actor_id uuid NOT NULL,
  withheld_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, plan_id, recommendation_id),
  FOREIGN KEY (tenant_id, plan_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, recommendation_id) REFERENCES optimization.optimization_recommendations (tenant_id, id),
  FOREIGN KEY (tenant_id, actor_id) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.plan_withheld', 'SELECT, INSERT');

-- The release of a plan to work orders and, with an integration, to the
-- maintenance system behind it. running: lines are written; stuck: a line
-- failed and a person must say retry, skip or undo; undoing; done: every line
-- is written or skipped with a reason; undone: what was written was taken back.
CREATE TABLE optimization.releases (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  plan_id uuid NOT NULL,
  integration_id uuid,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stuck', 'undoing', 'done', 'undone')),
  requested_by uuid NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  reconciled_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, plan_id),
  FOREIGN KEY (tenant_id, plan_id) REFERENCES optimization.plans (tenant_id, id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.releases', 'SELECT, INSERT, UPDATE');

-- One line per recommendation to act. action says what the line does in the
-- maintenance system: create an order, move an open one, keep one that already
-- stands there, or nothing but the work order of the product (none). before is
-- the order as it was, so that a move can be taken back.
CREATE TABLE optimization.release_lines (
  tenant_id uuid NOT NULL,
  release_id uuid NOT NULL,
  line int NOT NULL CHECK (line > 0),
  recommendation_id uuid NOT NULL,
  asset_id uuid NOT NULL,
  action text NOT NULL CHECK (action IN ('create', 'move', 'keep', 'none', 'conflict')),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'writing', 'written', 'failed', 'skipped', 'undone', 'undo_failed')),
  idempotency_key text NOT NULL CHECK (idempotency_key ~ '^[A-Z0-9-]{1,40}$'),
  external_asset_id text NOT NULL DEFAULT '',
  external_id text NOT NULL DEFAULT '',
  external_version text NOT NULL DEFAULT '',
  planned_start timestamptz NOT NULL,
  planned_end timestamptz NOT NULL CHECK (planned_end >= planned_start),
  before jsonb,
  attempts int NOT NULL DEFAULT 0,
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  error_key text NOT NULL DEFAULT '',
  error_detail jsonb NOT NULL DEFAULT '{}',
  written_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, release_id, line),
  UNIQUE (tenant_id, release_id, recommendation_id),
  UNIQUE (tenant_id, idempotency_key),
  FOREIGN KEY (tenant_id, release_id) REFERENCES optimization.releases (tenant_id, id),
  FOREIGN KEY (tenant_id, recommendation_id) REFERENCES optimization.optimization_recommendations (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.release_lines', 'SELECT, INSERT, UPDATE');

-- What happened in a release, in order: attempts, failures, choices of people.
CREATE TABLE optimization.release_events (
  tenant_id uuid NOT NULL,
  release_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  line int,
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
  actor_id uuid,
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, release_id, seq),
  FOREIGN KEY (tenant_id, release_id) REFERENCES optimization.releases (tenant_id, id),
  FOREIGN KEY (tenant_id, actor_id) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('optimization.release_events', 'SELECT, INSERT');

-- A work order follows its twin in the maintenance system. baseline_* are the
-- dates of the plan, kept when the order is moved. found_condition and the
-- failure mode are what the technician met; actual_* what the job took.
ALTER TABLE core.work_orders
  ADD COLUMN integration_id uuid,
  ADD COLUMN external_id text NOT NULL DEFAULT '',
  ADD COLUMN external_state text NOT NULL DEFAULT '',
  ADD COLUMN external_version text NOT NULL DEFAULT '',
  ADD COLUMN external_synced_at timestamptz,
  ADD COLUMN baseline_start_on date,
  ADD COLUMN baseline_due_on date,
  ADD COLUMN found_condition text NOT NULL DEFAULT '' CHECK (found_condition IN ('', 'as_expected', 'better', 'worse', 'failed')),
  ADD COLUMN failure_mode_id uuid,
  ADD COLUMN finding text NOT NULL DEFAULT '' CHECK (length(finding) <= 2000),
  ADD COLUMN actual_hours float8 CHECK (actual_hours BETWEEN 0 AND 100000),
  ADD COLUMN actual_cost float8 CHECK (actual_cost >= 0),
  ADD COLUMN done_by uuid,
  ADD CONSTRAINT work_orders_integration FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  ADD CONSTRAINT work_orders_failure_mode FOREIGN KEY (tenant_id, failure_mode_id) REFERENCES core.asset_failure_modes (tenant_id, id),
  ADD CONSTRAINT work_orders_done_by FOREIGN KEY (tenant_id, done_by) REFERENCES core.users (tenant_id, id);
CREATE INDEX work_orders_external ON core.work_orders (tenant_id, integration_id, external_id) WHERE integration_id IS NOT NULL;
CREATE INDEX work_orders_technician ON core.work_orders (tenant_id, technician_id, start_on);
