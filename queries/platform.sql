-- Platform metadata, run through DB.Platform under optria_platform. The
-- application role may read its own tenant with GetTenant and nothing else.

-- name: ListTenants :many
SELECT * FROM core.tenants ORDER BY kind DESC, code;

-- name: GetTenant :one
SELECT * FROM core.tenants WHERE id = @tenant_id;

-- name: GetTenantByCode :one
SELECT * FROM core.tenants WHERE code = @code;

-- name: CreateTenant :one
-- Returns no row when the id or the code is taken already.
INSERT INTO core.tenants (id, code, kind, name_ar, name_en, industry, calendar_profile, time_zone, currency, synthetic, settings)
VALUES (@id, @code, @kind, @name_ar, @name_en, @industry, @calendar_profile, @time_zone, @currency, @synthetic, @settings)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: UpdateTenant :one
UPDATE core.tenants SET name_ar = @name_ar, name_en = @name_en, industry = @industry,
  calendar_profile = @calendar_profile, time_zone = @time_zone, currency = @currency, settings = @settings
WHERE id = @tenant_id
RETURNING *;

-- name: SetTenantStatus :execrows
UPDATE core.tenants SET status = @status WHERE id = @tenant_id;

-- name: FindLogins :many
-- The accounts of an e-mail address, the home account first.
SELECT l.tenant_id, l.user_id, l.is_home, t.code, t.kind, t.name_ar, t.name_en, t.status
FROM core.login_directory l JOIN core.tenants t ON t.id = l.tenant_id
WHERE l.email = @email
ORDER BY l.is_home DESC, t.code;

-- name: AddLogin :execrows
INSERT INTO core.login_directory (email, tenant_id, user_id, is_home)
VALUES (@email, @tenant_id, @user_id, @is_home)
ON CONFLICT (email, tenant_id) DO NOTHING;

-- name: CreateDemoRequest :one
INSERT INTO core.demo_requests (name, organization, email, message)
VALUES (@name, @organization, @email, @message)
RETURNING *;

-- name: ListDemoRequests :many
SELECT * FROM core.demo_requests ORDER BY created_at DESC, id LIMIT @page_size OFFSET @skip;

-- name: FindSession :one
SELECT data FROM core.sessions WHERE token = @token AND expiry > now();

-- name: CommitSession :exec
INSERT INTO core.sessions (token, data, expiry) VALUES (@token, @data, @expiry)
ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry;

-- name: DeleteSession :exec
DELETE FROM core.sessions WHERE token = @token;

-- name: DeleteExpiredSessions :execrows
DELETE FROM core.sessions WHERE expiry <= now();
