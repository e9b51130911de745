-- +goose Up
CREATE TABLE core.tenants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z][A-Z0-9_]{1,39}$'),
  kind text NOT NULL DEFAULT 'customer' CHECK (kind IN ('customer', 'platform')),
  name_ar text NOT NULL CHECK (length(name_ar) BETWEEN 1 AND 200),
  name_en text NOT NULL CHECK (length(name_en) BETWEEN 1 AND 200),
  industry text NOT NULL CHECK (industry IN ('oil_gas', 'petrochemical', 'power', 'water', 'mining', 'manufacturing', 'other')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'archived')),
  calendar_profile text NOT NULL DEFAULT 'SA-STD',
  time_zone text NOT NULL DEFAULT 'Asia/Riyadh',
  currency text NOT NULL DEFAULT 'SAR' CHECK (currency ~ '^[A-Z]{3}$'),
  synthetic boolean NOT NULL DEFAULT false,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE core.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON core.tenants FOR SELECT TO optria_app USING (id = (SELECT core.current_tenant()));
CREATE POLICY platform_all ON core.tenants TO optria_platform USING (true) WITH CHECK (true);
GRANT SELECT ON core.tenants TO optria_app;
GRANT SELECT, INSERT, UPDATE ON core.tenants TO optria_platform;

CREATE TABLE core.users (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  email text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  username text NOT NULL CHECK (length(username) BETWEEN 2 AND 64),
  name_ar text NOT NULL,
  name_en text NOT NULL,
  password_hash text,
  roles text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['platform_owner', 'tenant_admin', 'optimization_engineer', 'reliability_engineer', 'viewer', 'service_account']),
  is_active boolean NOT NULL DEFAULT true,
  must_change_password boolean NOT NULL DEFAULT false,
  language text NOT NULL DEFAULT 'ar' CHECK (language IN ('ar', 'en')),
  failed_attempts int NOT NULL DEFAULT 0,
  locked_until timestamptz,
  last_login_at timestamptz,
  password_changed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email),
  UNIQUE (tenant_id, username)
);
SELECT core.protect_tenant_table('core.users', 'SELECT, INSERT, UPDATE');

-- Platform metadata: which account an e-mail address signs in to. One home
-- account holds the password; accounts in other tenants feed the switcher.
CREATE TABLE core.login_directory (
  email text NOT NULL CHECK (email = lower(email)),
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  is_home boolean NOT NULL DEFAULT true,
  PRIMARY KEY (email, tenant_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id)
);
CREATE UNIQUE INDEX login_directory_home ON core.login_directory (email) WHERE is_home;
GRANT SELECT, INSERT, UPDATE ON core.login_directory TO optria_platform;

-- Platform metadata: browser sessions (scs). Tokens are stored hashed.
CREATE TABLE core.sessions (
  token text PRIMARY KEY,
  data bytea NOT NULL,
  expiry timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON core.sessions (expiry);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.sessions TO optria_platform;

-- Platform metadata: requests from the public landing page.
CREATE TABLE core.demo_requests (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  organization text NOT NULL CHECK (length(organization) BETWEEN 1 AND 200),
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  message text NOT NULL DEFAULT '' CHECK (length(message) <= 4000),
  created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON core.demo_requests TO optria_platform;

CREATE TABLE core.one_time_credentials (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  ciphertext bytea,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revealed_at timestamptz,
  revealed_by uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id),
  CHECK (revealed_at IS NULL OR ciphertext IS NULL)
);
SELECT core.protect_tenant_table('core.one_time_credentials', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.break_glass_grants (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  actor_id uuid NOT NULL,
  actor_name text NOT NULL,
  reason text NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
  starts_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK (expires_at > starts_at AND expires_at <= starts_at + interval '30 minutes')
);
SELECT core.protect_tenant_table('core.break_glass_grants', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.api_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  token_hash bytea NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES core.users (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES core.users (tenant_id, id)
);
SELECT core.protect_tenant_table('core.api_tokens', 'SELECT, INSERT, UPDATE');

CREATE TABLE core.sso_identity_providers (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  protocol text NOT NULL CHECK (protocol IN ('oidc', 'saml')),
  issuer text NOT NULL,
  client_id text NOT NULL,
  client_secret bytea,
  settings jsonb NOT NULL DEFAULT '{}',
  enabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
SELECT core.protect_tenant_table('core.sso_identity_providers', 'SELECT, INSERT, UPDATE');

-- Append-only and hash-chained per tenant. before_state and after_state are
-- json, not jsonb, so that the text under the hash stays byte for byte.
CREATE TABLE core.audit_logs (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  seq bigint NOT NULL CHECK (seq > 0),
  occurred_at timestamptz NOT NULL,
  actor_id uuid,
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'service', 'system', 'anonymous')),
  actor_name text NOT NULL,
  action text NOT NULL,
  object_type text NOT NULL,
  object_id text NOT NULL,
  before_state json,
  after_state json,
  remote_addr text NOT NULL DEFAULT '',
  request_id text NOT NULL DEFAULT '',
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX audit_logs_time ON core.audit_logs (tenant_id, occurred_at DESC);
CREATE INDEX audit_logs_action ON core.audit_logs (tenant_id, action, occurred_at DESC);
SELECT core.protect_tenant_table('core.audit_logs', 'SELECT, INSERT');

CREATE TABLE core.audit_heads (
  tenant_id uuid PRIMARY KEY REFERENCES core.tenants (id),
  seq bigint NOT NULL,
  hash bytea NOT NULL
);
SELECT core.protect_tenant_table('core.audit_heads', 'SELECT, INSERT, UPDATE');
