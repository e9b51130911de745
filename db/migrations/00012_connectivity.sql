-- +goose Up
-- The circuit of an integration: after repeated failures it opens and the
-- source is left alone until retry_at; needs_person says that trying again
-- with the same settings cannot help.
ALTER TABLE core.integrations
  ADD COLUMN circuit text NOT NULL DEFAULT 'closed' CHECK (circuit IN ('closed', 'open', 'half_open')),
  ADD COLUMN circuit_since timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN failures int NOT NULL DEFAULT 0 CHECK (failures >= 0),
  ADD COLUMN retry_at timestamptz,
  ADD COLUMN needs_person boolean NOT NULL DEFAULT false,
  ADD COLUMN streaming_since timestamptz,
  ADD COLUMN discovered_at timestamptz,
  ADD COLUMN discovery_error text NOT NULL DEFAULT '',
  ADD COLUMN records_synced_at timestamptz,
  ADD COLUMN records_full_at timestamptz,
  ADD COLUMN paused_note text NOT NULL DEFAULT '' CHECK (length(paused_note) <= 400);

ALTER TABLE core.integration_syncs
  ADD COLUMN notices jsonb NOT NULL DEFAULT '[]';

-- Readings outside low..high, in the unit of the signal, are kept as bad.
ALTER TABLE core.integration_mappings
  ADD COLUMN low float8,
  ADD COLUMN high float8,
  ADD CONSTRAINT integration_mappings_range CHECK (low IS NULL OR high IS NULL OR low < high);

-- The tree of a source as it was last listed, so that it can be searched and
-- counted without asking the source. parent is the address of the node above,
-- empty at the root; gone_at is set when a later listing lacks the node.
CREATE TABLE core.integration_nodes (
  tenant_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  address text NOT NULL CHECK (length(address) BETWEEN 1 AND 400),
  parent text NOT NULL DEFAULT '',
  name text NOT NULL,
  path text NOT NULL DEFAULT '',
  leaf boolean NOT NULL,
  unit text NOT NULL DEFAULT '',
  data_type text NOT NULL DEFAULT '',
  low float8,
  high float8,
  search_text text NOT NULL DEFAULT '',
  seen_at timestamptz NOT NULL,
  gone_at timestamptz,
  PRIMARY KEY (tenant_id, integration_id, address),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id)
);
CREATE INDEX integration_nodes_below ON core.integration_nodes (tenant_id, integration_id, parent, name);
SELECT core.protect_tenant_table('core.integration_nodes', 'SELECT, INSERT, UPDATE');

-- Windows that live reading has missed or that a person asked for; they are
-- filled from the source's archive, page by page, while live reading goes on.
CREATE TABLE core.integration_backfills (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  integration_id uuid NOT NULL,
  cause text NOT NULL CHECK (cause IN ('outage', 'mapping', 'requested')),
  from_ts timestamptz NOT NULL,
  to_ts timestamptz NOT NULL CHECK (to_ts > from_ts),
  reached_ts timestamptz NOT NULL,
  tags text[],
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'impossible')),
  rows_written bigint NOT NULL DEFAULT 0,
  attempts int NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT '',
  requested_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  FOREIGN KEY (tenant_id, requested_by) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX integration_backfills_open ON core.integration_backfills (tenant_id, integration_id, created_at) WHERE state IN ('waiting', 'running');
SELECT core.protect_tenant_table('core.integration_backfills', 'SELECT, INSERT, UPDATE');

-- Messages that sources have sent (webhooks) or people have uploaded (files).
-- The body is kept until it is processed. message_id is the sender's; the same
-- id with another digest is refused.
CREATE TABLE core.integration_messages (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  integration_id uuid NOT NULL,
  message_id text NOT NULL CHECK (length(message_id) BETWEEN 1 AND 200),
  digest bytea NOT NULL,
  content_type text NOT NULL DEFAULT '',
  size_bytes int NOT NULL,
  body bytea,
  state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'done', 'partial', 'failed')),
  rows_written bigint NOT NULL DEFAULT 0,
  rows_refused bigint NOT NULL DEFAULT 0,
  refusals jsonb NOT NULL DEFAULT '[]',
  error text NOT NULL DEFAULT '',
  received_at timestamptz NOT NULL DEFAULT now(),
  processed_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, integration_id, message_id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id)
);
CREATE INDEX integration_messages_waiting ON core.integration_messages (tenant_id, integration_id, received_at) WHERE state = 'received';
CREATE INDEX integration_messages_recent ON core.integration_messages (tenant_id, integration_id, received_at DESC);
SELECT core.protect_tenant_table('core.integration_messages', 'SELECT, INSERT, UPDATE');

-- Asset records of maintenance systems and the assets they belong to.
CREATE TABLE core.external_assets (
  tenant_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
  kind text NOT NULL CHECK (kind IN ('equipment', 'functional_location')),
  name text NOT NULL DEFAULT '',
  parent_id text NOT NULL DEFAULT '',
  attributes jsonb NOT NULL DEFAULT '{}',
  inactive boolean NOT NULL DEFAULT false,
  changed_at timestamptz,
  seen_at timestamptz NOT NULL,
  gone_at timestamptz,
  asset_id uuid,
  ignored boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, integration_id, kind, external_id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
CREATE INDEX external_assets_asset ON core.external_assets (tenant_id, asset_id) WHERE asset_id IS NOT NULL;
SELECT core.protect_tenant_table('core.external_assets', 'SELECT, INSERT, UPDATE');

-- Orders and notifications of maintenance systems, as last read.
CREATE TABLE core.external_orders (
  tenant_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
  kind text NOT NULL CHECK (kind IN ('order', 'notification')),
  idempotency_key text NOT NULL DEFAULT '',
  title text NOT NULL DEFAULT '',
  asset_external_id text NOT NULL DEFAULT '',
  asset_id uuid,
  type_code text NOT NULL DEFAULT '',
  priority_code text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('open', 'released', 'in_progress', 'on_hold', 'done', 'closed', 'cancelled')),
  source_state text NOT NULL DEFAULT '',
  planned_start timestamptz,
  planned_end timestamptz,
  actual_start timestamptz,
  actual_end timestamptz,
  hours float8,
  version text NOT NULL DEFAULT '',
  changed_at timestamptz,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, integration_id, kind, external_id),
  FOREIGN KEY (tenant_id, integration_id) REFERENCES core.integrations (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES core.assets (tenant_id, id)
);
CREATE INDEX external_orders_asset ON core.external_orders (tenant_id, asset_id, planned_start) WHERE asset_id IS NOT NULL;
SELECT core.protect_tenant_table('core.external_orders', 'SELECT, INSERT, UPDATE');
