-- name: CreateAPIToken :one
INSERT INTO core.api_tokens (tenant_id, id, user_id, name, scopes, token_hash, created_by, expires_at, address_ranges, replaces)
VALUES (@tenant_id, @id, @user_id, @name, @scopes, @token_hash, @created_by, @expires_at, coalesce(@address_ranges::text[], '{}'), sqlc.narg('replaces'))
RETURNING id, created_at;

-- name: GetUsableAPIToken :one
-- The token with its account, if neither is revoked, expired or switched off.
SELECT sqlc.embed(t), u.username, u.name_ar, u.name_en, u.roles
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.tenant_id = @tenant_id AND t.id = @id AND t.revoked_at IS NULL AND t.expires_at > now()
  AND u.is_active AND u.archived_at IS NULL;

-- name: TouchAPIToken :execrows
-- Notes the use of a token and from where, at most once a minute.
UPDATE core.api_tokens SET last_used_at = now(), last_used_address = @address
WHERE tenant_id = @tenant_id AND id = @id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: ListAPITokens :many
-- superseded says that a newer token was made to take its place.
SELECT t.id, t.user_id, t.name, t.scopes, t.created_by, t.created_at, t.expires_at, t.revoked_at, t.last_used_at, t.last_used_address,
  t.address_ranges, t.replaces, u.username, u.roles, (u.is_active AND u.archived_at IS NULL)::boolean AS account_active,
  EXISTS (SELECT FROM core.api_tokens n WHERE n.tenant_id = t.tenant_id AND n.replaces = t.id)::boolean AS superseded
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.tenant_id = @tenant_id
ORDER BY t.created_at DESC, t.id;

-- name: LockAPIToken :one
-- Holds a token that is to be replaced until the transaction ends.
SELECT id FROM core.api_tokens WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: GetAPIToken :one
-- A token with its account.
SELECT sqlc.embed(t), u.username, u.roles, (u.is_active AND u.archived_at IS NULL)::boolean AS account_active,
  EXISTS (SELECT FROM core.api_tokens n WHERE n.tenant_id = t.tenant_id AND n.replaces = t.id)::boolean AS superseded
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.tenant_id = @tenant_id AND t.id = @id;

-- name: EndAPITokenBy :one
-- Lets a token end at a moment, unless it ends before that anyway.
UPDATE core.api_tokens SET expires_at = least(expires_at, @until::timestamptz)
WHERE tenant_id = @tenant_id AND id = @id AND revoked_at IS NULL
RETURNING expires_at;

-- name: MoveSchedulesToToken :execrows
-- Schedules outside the product go on with the token that replaces theirs.
UPDATE core.schedules SET token_id = @replacement, updated_at = now()
WHERE tenant_id = @tenant_id AND token_id = @replaced AND archived_at IS NULL;

-- name: RevokeAPIToken :execrows
UPDATE core.api_tokens SET revoked_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND revoked_at IS NULL;

-- name: ListEndingAPITokens :many
-- Tokens whose end is to be told: 14 days and 3 days before, unless they live
-- no longer than that, and when it has come. One that was replaced counts only
-- when it was used after its replacement was made.
SELECT t.id, t.name, t.expires_at, t.user_id, u.username, s.days_before,
  EXISTS (SELECT FROM core.api_tokens n WHERE n.tenant_id = t.tenant_id AND n.replaces = t.id)::boolean AS superseded
FROM core.api_tokens t JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
CROSS JOIN LATERAL (SELECT (CASE WHEN t.expires_at <= now() THEN 0 WHEN t.expires_at <= now() + interval '3 days' THEN 3 ELSE 14 END)::int AS days_before) s
WHERE t.tenant_id = @tenant_id AND t.revoked_at IS NULL AND u.archived_at IS NULL
  AND t.expires_at BETWEEN now() - interval '7 days' AND now() + interval '14 days'
  AND (t.warned_at IS NULL OR t.warned_at < t.expires_at - make_interval(days => s.days_before))
  AND (s.days_before = 0 OR t.created_at < t.expires_at - make_interval(days => s.days_before))
  AND NOT EXISTS (SELECT FROM core.api_tokens n WHERE n.tenant_id = t.tenant_id AND n.replaces = t.id
    AND (t.last_used_at IS NULL OR t.last_used_at <= n.created_at))
ORDER BY t.expires_at, t.id;

-- name: MarkAPITokenWarned :execrows
UPDATE core.api_tokens SET warned_at = now() WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListSchedulesOfToken :many
-- Schedules outside the product that call with a token: those that name it,
-- and those that name none and run as its account.
SELECT id, name, owner_id FROM core.schedules
WHERE tenant_id = @tenant_id AND archived_at IS NULL AND trigger = 'external'
  AND (token_id = @token_id OR (token_id IS NULL AND account_id = @account_id))
ORDER BY name, id;

-- name: ListTokenSchedules :many
-- Schedules, and of those outside the product since when no token can start
-- them: the one they name, or when they name none every one of their account,
-- has ended or was revoked. A paused schedule wants none.
SELECT s.id, s.name, coalesce(t.name, '') AS token, coalesce(t.ended_at, now())::timestamptz AS ended_at,
  (s.trigger = 'external' AND NOT s.paused AND t.ended_at IS NOT NULL AND t.ended_at <= now())::boolean AS shut_out
FROM core.schedules s
LEFT JOIN LATERAL (
  SELECT k.name, LEAST(k.expires_at, k.revoked_at) AS ended_at FROM core.api_tokens k
  WHERE k.tenant_id = s.tenant_id AND (k.id = s.token_id OR (s.token_id IS NULL AND k.user_id = s.account_id))
  ORDER BY ended_at DESC, k.id LIMIT 1) t ON true
WHERE s.tenant_id = @tenant_id AND s.archived_at IS NULL
ORDER BY s.id;

-- name: ClaimIdempotentRequest :execrows
-- Takes a key for a request. Nothing is taken when the key is in use, or was
-- used within a day. What a crash left unanswered may be taken up by the same
-- request after two minutes, which is longer than any request may last.
INSERT INTO core.idempotent_requests AS r (tenant_id, account_id, key, operation, request_sha256)
VALUES (@tenant_id, @account_id, @key, @operation, @request_sha256)
ON CONFLICT (tenant_id, account_id, key) DO UPDATE
  SET operation = excluded.operation, request_sha256 = excluded.request_sha256, status = NULL, headers = '{}', body = NULL, created_at = now()
  WHERE r.created_at < now() - interval '24 hours'
    OR (r.status IS NULL AND r.created_at < now() - interval '2 minutes' AND r.request_sha256 = excluded.request_sha256);

-- name: GetIdempotentRequest :one
SELECT * FROM core.idempotent_requests WHERE tenant_id = @tenant_id AND account_id = @account_id AND key = @key;

-- name: AnswerIdempotentRequest :execrows
-- Keeps the answer to a request, sealed.
UPDATE core.idempotent_requests SET status = @status, headers = @headers, body = @body
WHERE tenant_id = @tenant_id AND account_id = @account_id AND key = @key AND status IS NULL;

-- name: ReleaseIdempotentRequest :execrows
-- Gives a key back whose request changed nothing.
DELETE FROM core.idempotent_requests
WHERE tenant_id = @tenant_id AND account_id = @account_id AND key = @key AND status IS NULL;

-- name: IdempotentAnswersPage :many
-- Sealed answers after a place, in the order of their key.
SELECT account_id, key, body FROM core.idempotent_requests
WHERE tenant_id = @tenant_id AND (account_id, key) > (@after_account::uuid, @after_key::text) AND body IS NOT NULL
ORDER BY account_id, key LIMIT @page_size;

-- name: ReplaceIdempotentAnswer :execrows
-- Replaces a ciphertext that nobody has changed meanwhile.
UPDATE core.idempotent_requests SET body = @fresh WHERE tenant_id = @tenant_id AND account_id = @account_id AND key = @key AND body = @seen;

-- name: DeleteOldIdempotentRequests :execrows
DELETE FROM core.idempotent_requests WHERE tenant_id = @tenant_id AND created_at < now() - interval '24 hours';
