-- name: EnsureAuditHead :exec
INSERT INTO core.audit_heads (tenant_id, seq, hash) VALUES (@tenant_id, 0, @hash)
ON CONFLICT (tenant_id) DO NOTHING;

-- name: LockAuditHead :one
SELECT seq, hash FROM core.audit_heads WHERE tenant_id = @tenant_id FOR UPDATE;

-- name: InsertAuditLog :exec
INSERT INTO core.audit_logs (tenant_id, seq, occurred_at, actor_id, actor_kind, actor_name, action, object_type, object_id,
  before_state, after_state, remote_addr, request_id, prev_hash, hash)
VALUES (@tenant_id, @seq, @occurred_at, sqlc.narg('actor_id'), @actor_kind, @actor_name, @action, @object_type, @object_id,
  sqlc.narg('before_state'), sqlc.narg('after_state'), @remote_addr, @request_id, @prev_hash, @hash);

-- name: MoveAuditHead :exec
UPDATE core.audit_heads SET seq = @seq, hash = @hash WHERE tenant_id = @tenant_id;

-- name: GetAuditHead :one
SELECT seq, hash FROM core.audit_heads WHERE tenant_id = @tenant_id;

-- name: ListAuditChain :many
SELECT * FROM core.audit_logs WHERE tenant_id = @tenant_id AND seq > @after_seq::bigint
ORDER BY seq LIMIT @page_size;

-- name: ListAuditLogs :many
-- Newest first. Empty filters match everything; before_seq continues a list
-- below the last row seen, 0 starts at the top.
SELECT * FROM core.audit_logs
WHERE tenant_id = @tenant_id
  AND (@before_seq::bigint = 0 OR seq < @before_seq::bigint)
  AND (sqlc.narg('actor_id')::uuid IS NULL OR actor_id = sqlc.narg('actor_id')::uuid)
  AND (@action::text = '' OR action = @action::text)
  AND (@object_type::text = '' OR object_type = @object_type::text)
  AND (@object_id::text = '' OR object_id = @object_id::text)
  AND (sqlc.narg('from_time')::timestamptz IS NULL OR occurred_at >= sqlc.narg('from_time')::timestamptz)
  AND (sqlc.narg('to_time')::timestamptz IS NULL OR occurred_at < sqlc.narg('to_time')::timestamptz)
ORDER BY seq DESC LIMIT @page_size;

-- name: ListAuditActions :many
SELECT DISTINCT action FROM core.audit_logs WHERE tenant_id = @tenant_id ORDER BY action;
