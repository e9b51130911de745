-- name: CreateAPIToken :one
INSERT INTO core.api_tokens (tenant_id, id, user_id, name, scopes, token_hash, created_by, expires_at)
VALUES (@tenant_id, @id, @user_id, @name, @scopes, @token_hash, @created_by, @expires_at)
RETURNING id, created_at;

-- name: GetUsableAPIToken :one
-- The token with its account, if neither is revoked, expired or switched off.
SELECT sqlc.embed(t), u.username, u.name_ar, u.name_en, u.roles
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.tenant_id = @tenant_id AND t.id = @id AND t.revoked_at IS NULL AND t.expires_at > now()
  AND u.is_active AND u.archived_at IS NULL;

-- name: TouchAPIToken :execrows
-- Notes the use of a token, at most once a minute.
UPDATE core.api_tokens SET last_used_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: ListAPITokens :many
SELECT t.id, t.user_id, t.name, t.scopes, t.created_by, t.created_at, t.expires_at, t.revoked_at, t.last_used_at, u.username
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.tenant_id = @tenant_id
ORDER BY t.created_at DESC, t.id;

-- name: RevokeAPIToken :execrows
UPDATE core.api_tokens SET revoked_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND revoked_at IS NULL;
