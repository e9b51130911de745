-- name: AddEvent :one
-- Writes an event to the outbox. No row comes back when one of the same
-- deduplication key is there.
INSERT INTO core.events (tenant_id, kind, object_type, object_id, dedupe_key, payload)
VALUES (@tenant_id, @kind, @object_type, @object_id, @dedupe_key, @payload)
ON CONFLICT (tenant_id, dedupe_key) DO NOTHING
RETURNING id;

-- name: AddNotifications :execrows
-- Tells active people of an event, except those who muted its kind.
INSERT INTO core.notifications (tenant_id, event_id, user_id)
SELECT u.tenant_id, @event_id, u.id FROM core.users u
LEFT JOIN core.notification_settings s ON s.tenant_id = u.tenant_id AND s.user_id = u.id
WHERE u.tenant_id = @tenant_id AND u.id = ANY (@user_ids::uuid[]) AND u.is_active AND u.archived_at IS NULL
  AND NOT 'service_account' = ANY (u.roles) AND NOT coalesce(@kind::text = ANY (s.muted), false)
ON CONFLICT (tenant_id, event_id, user_id) DO NOTHING;

-- name: ListPeopleWithRoles :many
-- Active people who carry any of the roles.
SELECT id FROM core.users
WHERE tenant_id = @tenant_id AND roles && @roles::text[] AND is_active AND archived_at IS NULL AND NOT 'service_account' = ANY (roles)
ORDER BY id;
