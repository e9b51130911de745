-- Queries of the administration pages: tenants, people, tokens, audit.

-- name: ListRoleHolders :many
-- The accounts that carry a role, those in use first.
SELECT id, email, username, name_ar, name_en, is_active, last_login_at, locked_until, must_change_password
FROM core.users
WHERE tenant_id = @tenant_id AND archived_at IS NULL AND @role::text = ANY (roles)
ORDER BY is_active DESC, username;

-- name: LockActiveRoleHolders :many
-- Locks the rows, so that two admins who take the role from each other at the
-- same moment cannot leave the tenant without one.
SELECT id FROM core.users
WHERE tenant_id = @tenant_id AND is_active AND archived_at IS NULL AND @role::text = ANY (roles)
ORDER BY id FOR UPDATE;

-- name: CountOtherUsers :one
SELECT count(*) FROM core.users WHERE tenant_id = @tenant_id AND id <> @id;

-- name: GetOneTimeCredential :one
-- Who a one-time credential is for and whether it was shown; never the secret.
SELECT c.id, c.user_id, c.created_by, c.created_at, c.revealed_at, c.revealed_by, u.email, u.name_ar, u.name_en
FROM core.one_time_credentials c JOIN core.users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
WHERE c.tenant_id = @tenant_id AND c.id = @id;

-- name: FindOpenCredential :one
SELECT id FROM core.one_time_credentials
WHERE tenant_id = @tenant_id AND user_id = @user_id AND revealed_at IS NULL
ORDER BY created_at DESC LIMIT 1;

-- name: VoidOneTimeCredentials :execrows
-- Erases secrets that nobody has seen, because a newer password replaced them.
UPDATE core.one_time_credentials SET ciphertext = NULL, revealed_at = now(), revealed_by = @actor_id::uuid
WHERE tenant_id = @tenant_id AND user_id = @user_id AND revealed_at IS NULL;

-- name: RaiseNotice :exec
-- An alert about the tenant itself rather than about an asset.
INSERT INTO core.alerts (tenant_id, kind, severity, dedupe_key, detail, raised_at, last_seen_at)
VALUES (@tenant_id, @kind, @severity, @dedupe_key, @detail, now(), now())
ON CONFLICT (tenant_id, dedupe_key) WHERE closed_at IS NULL DO UPDATE SET last_seen_at = excluded.last_seen_at;

-- name: CountAuditEntries :one
SELECT count(*) FROM core.audit_logs
WHERE tenant_id = @tenant_id AND action = @action AND object_id = @object_id;
