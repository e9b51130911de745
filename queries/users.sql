-- name: GetUser :one
SELECT * FROM core.users WHERE tenant_id = @tenant_id AND id = @id;

-- name: GetUserByEmail :one
SELECT * FROM core.users WHERE tenant_id = @tenant_id AND email = @email AND archived_at IS NULL;

-- name: ListUsers :many
-- People and service accounts without their password hashes.
SELECT id, email, username, name_ar, name_en, roles, is_active, must_change_password, language,
  failed_attempts, locked_until, last_login_at, created_at, archived_at
FROM core.users
WHERE tenant_id = @tenant_id AND (@with_archived::boolean OR archived_at IS NULL)
ORDER BY username;

-- name: CreateUser :one
INSERT INTO core.users (tenant_id, id, email, username, name_ar, name_en, password_hash, roles, must_change_password, language, password_changed_at)
VALUES (@tenant_id, @id, @email, @username, @name_ar, @name_en, sqlc.narg('password_hash'), @roles, @must_change_password, @language,
  CASE WHEN sqlc.narg('password_hash')::text IS NULL THEN NULL ELSE now() END)
RETURNING *;

-- name: UpdateUserProfile :execrows
UPDATE core.users SET name_ar = @name_ar, name_en = @name_en, language = @language
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: SetUserLanguage :execrows
UPDATE core.users SET language = @language WHERE tenant_id = @tenant_id AND id = @id;

-- name: SetUserRoles :execrows
UPDATE core.users SET roles = @roles WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: SetUserActive :execrows
UPDATE core.users SET is_active = @is_active WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: ArchiveUser :execrows
UPDATE core.users SET archived_at = now(), is_active = false
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: SetUserPassword :execrows
UPDATE core.users SET password_hash = @password_hash::text, must_change_password = @must_change_password,
  password_changed_at = now(), failed_attempts = 0, locked_until = NULL
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: RecordLoginFailure :one
-- Counts a wrong password and locks the account when the limit is reached; the
-- count starts over after a lock has run out.
UPDATE core.users SET
  failed_attempts = CASE WHEN locked_until <= now() THEN 1 ELSE failed_attempts + 1 END,
  locked_until = CASE
    WHEN locked_until <= now() THEN NULL
    WHEN failed_attempts + 1 >= @attempt_limit::int THEN now() + make_interval(secs => @lock_seconds::float8)
    ELSE locked_until END
WHERE tenant_id = @tenant_id AND id = @id
RETURNING failed_attempts, locked_until;

-- name: RecordLoginSuccess :exec
UPDATE core.users SET failed_attempts = 0, locked_until = NULL, last_login_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

-- name: UnlockUser :execrows
UPDATE core.users SET failed_attempts = 0, locked_until = NULL WHERE tenant_id = @tenant_id AND id = @id;

-- name: CreateOneTimeCredential :one
INSERT INTO core.one_time_credentials (tenant_id, user_id, ciphertext, created_by)
VALUES (@tenant_id, @user_id, @ciphertext, @created_by)
RETURNING id;

-- name: RevealOneTimeCredential :one
-- Hands the ciphertext out once and erases it; a second reader finds no row.
WITH secret AS (
  SELECT o.tenant_id, o.id, o.user_id, o.ciphertext FROM core.one_time_credentials o
  WHERE o.tenant_id = @tenant_id AND o.id = @id AND o.revealed_at IS NULL
  FOR UPDATE
)
UPDATE core.one_time_credentials c SET ciphertext = NULL, revealed_at = now(), revealed_by = @revealed_by::uuid
FROM secret
WHERE c.tenant_id = secret.tenant_id AND c.id = secret.id
RETURNING secret.user_id, secret.ciphertext;

-- name: GrantBreakGlass :one
INSERT INTO core.break_glass_grants (tenant_id, actor_id, actor_name, reason, expires_at)
VALUES (@tenant_id, @actor_id, @actor_name, @reason, now() + make_interval(mins => @minutes::int))
RETURNING *;

-- name: GetActiveBreakGlass :one
SELECT * FROM core.break_glass_grants
WHERE tenant_id = @tenant_id AND actor_id = @actor_id AND ended_at IS NULL AND expires_at > now()
ORDER BY starts_at DESC LIMIT 1;

-- name: EndBreakGlass :execrows
UPDATE core.break_glass_grants SET ended_at = now()
WHERE tenant_id = @tenant_id AND actor_id = @actor_id AND ended_at IS NULL;

-- name: ListBreakGlass :many
SELECT * FROM core.break_glass_grants WHERE tenant_id = @tenant_id
ORDER BY starts_at DESC LIMIT @page_size;
