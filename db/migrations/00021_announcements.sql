-- +goose Up
-- Outbox of what people and other systems want to hear of. It is written in
-- the transaction of the event itself; sending comes after.
CREATE TABLE core.events (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind ~ '^[a-z_]+\.[a-z_]+$'),
  object_type text NOT NULL,
  object_id uuid NOT NULL,
  dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 200),
  payload jsonb NOT NULL DEFAULT '{}',
  occurred_at timestamptz NOT NULL DEFAULT now(),
  routed_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, dedupe_key)
);
CREATE INDEX events_unrouted ON core.events (tenant_id, occurred_at) WHERE routed_at IS NULL;
SELECT core.protect_tenant_table('core.events', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.notifications (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  event_id uuid NOT NULL,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id, user_id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES core.events (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX notifications_unread ON core.notifications (tenant_id, user_id, created_at DESC) WHERE read_at IS NULL;
SELECT core.protect_tenant_table('core.notifications', 'SELECT, INSERT, UPDATE');

-- Whether a person wants e-mail, and of which kinds of events none.
CREATE TABLE core.notification_settings (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  email boolean NOT NULL DEFAULT true,
  muted text[] NOT NULL DEFAULT '{}',
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('core.notification_settings', 'SELECT, INSERT, UPDATE');

-- Addresses of other systems that are told of events. Secrets are sealed; the
-- one before stays valid beside the new one for a time.
CREATE TABLE core.webhooks (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  url text NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
  kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
  secret bytea NOT NULL,
  former_secret bytea,
  former_until timestamptz,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'archived')),
  failures int NOT NULL DEFAULT 0,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('core.webhooks', 'SELECT, INSERT, UPDATE');

-- Every sending of an event to a webhook or by e-mail to a person, with the
-- outcome of its last attempt.
CREATE TABLE core.deliveries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  event_id uuid NOT NULL,
  webhook_id uuid,
  user_id uuid,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  last_status int,
  last_error text NOT NULL DEFAULT '' CHECK (length(last_error) <= 500),
  duration_ms int,
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id, webhook_id),
  UNIQUE (tenant_id, event_id, user_id),
  CHECK ((webhook_id IS NULL) <> (user_id IS NULL)),
  FOREIGN KEY (tenant_id, event_id) REFERENCES core.events (tenant_id, id),
  FOREIGN KEY (tenant_id, webhook_id) REFERENCES core.webhooks (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id)
);
CREATE INDEX deliveries_due ON core.deliveries (tenant_id, next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_webhook ON core.deliveries (tenant_id, webhook_id, created_at DESC) WHERE webhook_id IS NOT NULL;
SELECT core.protect_tenant_table('core.deliveries', 'SELECT, INSERT, UPDATE');
