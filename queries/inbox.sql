-- name: StoreMessage :many
-- Keeps a message of a source; no row comes back when its id is known already.
INSERT INTO core.integration_messages (tenant_id, integration_id, message_id, digest, content_type, size_bytes, body, received_at)
VALUES (@tenant_id, @integration_id, @message_id, @digest, @content_type, @size_bytes, @body, @received_at)
ON CONFLICT (tenant_id, integration_id, message_id) DO NOTHING
RETURNING id;

-- name: FindMessage :one
SELECT id, digest, state FROM core.integration_messages
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND message_id = @message_id;

-- name: InboxLoad :one
-- How many messages of an integration still carry their body, and its bytes.
SELECT count(*) AS messages, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM core.integration_messages
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND body IS NOT NULL;

-- name: ListWaitingMessages :many
SELECT id FROM core.integration_messages
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND state = 'received'
ORDER BY received_at, id LIMIT @page_size;

-- name: LoadMessage :one
SELECT * FROM core.integration_messages WHERE tenant_id = @tenant_id AND id = @id;

-- name: ClaimMessage :many
-- Locks a message that nobody has processed yet, none or one.
SELECT id FROM core.integration_messages
WHERE tenant_id = @tenant_id AND id = @id AND state = 'received' FOR UPDATE;

-- name: FinishMessage :execrows
UPDATE core.integration_messages SET state = @state, rows_written = @rows_written, rows_refused = @rows_refused,
  refusals = @refusals, error = @error, body = CASE WHEN @state::text = 'failed' THEN body END, processed_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'received';

-- name: RetryFailedMessages :execrows
-- Puts the messages that failed, and whose body is still there, back in line.
UPDATE core.integration_messages SET state = 'received', error = '', processed_at = NULL
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND state = 'failed' AND body IS NOT NULL;

-- name: EraseFailedBodies :execrows
-- The bodies of messages that failed before an instant; their record stays.
UPDATE core.integration_messages SET body = NULL
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND state = 'failed' AND body IS NOT NULL AND processed_at < @before;

-- name: CountInboxRows :execrows
-- Adds what a message brought to the totals of its integration.
UPDATE core.integrations SET rows_total = rows_total + @rows_written, last_sync_at = now(), last_sync_status = @status, last_error = @last_error
WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListMessages :many
-- The newest messages of an integration, without their bodies.
SELECT id, message_id, content_type, size_bytes, state, rows_written, rows_refused, refusals, error, received_at, processed_at
FROM core.integration_messages
WHERE tenant_id = @tenant_id AND integration_id = @integration_id
ORDER BY received_at DESC, id LIMIT @page_size OFFSET @skip;
