-- name: DeliveryWork :one
-- Whether a tenant has events to route or due deliveries that can be claimed:
-- those of active webhooks and, where the deployment sends e-mail, e-mails.
SELECT (EXISTS (SELECT 1 FROM core.events e WHERE e.tenant_id = @tenant_id AND e.routed_at IS NULL)
  OR EXISTS (SELECT 1 FROM core.deliveries d LEFT JOIN core.webhooks w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id
    WHERE d.tenant_id = @tenant_id AND d.state = 'waiting' AND d.next_at <= now()
      AND (w.state = 'active' OR (d.user_id IS NOT NULL AND @mail::boolean))))::boolean AS waiting;

-- name: RouteEvents :execrows
-- Makes the deliveries of new events: one for each active webhook that wants
-- the kind, except one that the event itself is about, and, where the
-- deployment sends e-mail, one for each notified person who wants it.
WITH fresh AS (
  SELECT e.tenant_id, e.id, e.kind, e.object_id FROM core.events e
  WHERE e.tenant_id = @tenant_id AND e.routed_at IS NULL
  ORDER BY e.occurred_at LIMIT @page_size FOR UPDATE SKIP LOCKED
), hooks AS (
  INSERT INTO core.deliveries (tenant_id, event_id, webhook_id)
  SELECT f.tenant_id, f.id, w.id FROM fresh f
  JOIN core.webhooks w ON w.tenant_id = f.tenant_id AND w.state = 'active' AND w.id <> f.object_id AND (f.kind = ANY (w.kinds) OR '*' = ANY (w.kinds))
  ON CONFLICT (tenant_id, event_id, webhook_id) DO NOTHING
), mails AS (
  INSERT INTO core.deliveries (tenant_id, event_id, user_id)
  SELECT f.tenant_id, f.id, u.id FROM fresh f
  JOIN core.notifications n ON n.tenant_id = f.tenant_id AND n.event_id = f.id
  JOIN core.users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id AND u.is_active AND u.archived_at IS NULL AND u.email <> ''
  LEFT JOIN core.notification_settings s ON s.tenant_id = u.tenant_id AND s.user_id = u.id
  WHERE @mail::boolean AND coalesce(s.email, true)
  ON CONFLICT (tenant_id, event_id, user_id) DO NOTHING
)
UPDATE core.events e SET routed_at = now() FROM fresh f WHERE e.tenant_id = f.tenant_id AND e.id = f.id;

-- name: ClaimWebhookDeliveries :many
-- Takes due deliveries for a while, at most some of each webhook, and none of
-- the webhooks that are busy. One that is not settled within the lease is due
-- again, so what a killed worker held is sent by another.
WITH due AS (
  SELECT x.id FROM core.webhooks w CROSS JOIN LATERAL (
    SELECT d.id, d.next_at FROM core.deliveries d
    WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'waiting' AND d.next_at <= now()
    ORDER BY d.next_at LIMIT @per_webhook::int) x
  WHERE w.tenant_id = @tenant_id AND w.state = 'active' AND NOT w.id = ANY (coalesce(@busy::uuid[], '{}'))
  ORDER BY x.next_at LIMIT @page_size
), taken AS (
  UPDATE core.deliveries d SET attempts = d.attempts + 1, next_at = now() + make_interval(secs => @lease_seconds::float8)
  WHERE d.tenant_id = @tenant_id AND d.id IN (SELECT l.id FROM core.deliveries l
    WHERE l.tenant_id = @tenant_id AND l.id IN (SELECT due.id FROM due) AND l.state = 'waiting' AND l.next_at <= now() FOR UPDATE SKIP LOCKED)
  RETURNING d.tenant_id, d.id, d.event_id, d.webhook_id, d.attempts
)
SELECT t.id, t.attempts, e.id AS event_id, e.kind, e.object_type, e.object_id, e.payload, e.occurred_at,
  w.id AS webhook_id, w.url, w.secret, w.former_secret, w.former_until
FROM taken t
JOIN core.events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id
JOIN core.webhooks w ON w.tenant_id = t.tenant_id AND w.id = t.webhook_id
ORDER BY e.occurred_at, t.id;

-- name: ClaimMailDeliveries :many
-- Takes due e-mails for a while; see ClaimWebhookDeliveries.
WITH taken AS (
  UPDATE core.deliveries d SET attempts = d.attempts + 1, next_at = now() + make_interval(secs => @lease_seconds::float8)
  WHERE d.tenant_id = @tenant_id AND d.id IN (SELECT l.id FROM core.deliveries l
    WHERE l.tenant_id = @tenant_id AND l.user_id IS NOT NULL AND l.state = 'waiting' AND l.next_at <= now()
    ORDER BY l.next_at LIMIT @page_size FOR UPDATE SKIP LOCKED)
  RETURNING d.tenant_id, d.id, d.event_id, d.user_id, d.attempts
)
SELECT t.id, t.attempts, e.kind, e.object_type, e.object_id, e.payload, e.occurred_at, u.id AS user_id, u.email, u.language,
  u.name_ar, u.name_en, (u.is_active AND u.archived_at IS NULL)::boolean AS active
FROM taken t
JOIN core.events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id
JOIN core.users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
ORDER BY e.occurred_at, t.id;

-- name: SettleDelivery :execrows
-- Writes the outcome of an attempt. One that was settled meanwhile is left.
UPDATE core.deliveries SET state = @state, next_at = now() + make_interval(secs => @wait_seconds::float8), last_status = @last_status,
  last_error = @last_error, duration_ms = @duration_ms, delivered_at = CASE WHEN @state = 'delivered' THEN now() END
WHERE tenant_id = @tenant_id AND id = @id AND state = 'waiting';

-- name: WebhookReached :execrows
-- Notes that a webhook takes deliveries again.
UPDATE core.webhooks SET failures = 0, failing_since = NULL WHERE tenant_id = @tenant_id AND id = @id AND failures > 0;

-- name: WebhookFailed :one
-- Counts a failed attempt of a webhook.
UPDATE core.webhooks SET failures = failures + 1, failing_since = coalesce(failing_since, now())
WHERE tenant_id = @tenant_id AND id = @id
RETURNING name, state, failures, failing_since;

-- name: PauseWebhook :execrows
-- Pauses an active webhook and keeps why, as the key of a message.
UPDATE core.webhooks SET state = 'paused', paused_note = @note, updated_at = now() WHERE tenant_id = @tenant_id AND id = @id AND state = 'active';

-- name: ListWebhooks :many
-- Webhooks that are not archived, with what became of their deliveries within
-- a week.
SELECT sqlc.embed(w), coalesce(d.waiting, 0)::bigint AS waiting, coalesce(d.delivered, 0)::bigint AS delivered, coalesce(d.failed, 0)::bigint AS failed
FROM core.webhooks w
LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE x.state = 'waiting') AS waiting, count(*) FILTER (WHERE x.state = 'delivered') AS delivered,
    count(*) FILTER (WHERE x.state = 'failed') AS failed
  FROM core.deliveries x WHERE x.tenant_id = w.tenant_id AND x.webhook_id = w.id AND x.created_at > now() - interval '7 days') d ON true
WHERE w.tenant_id = @tenant_id AND w.state <> 'archived'
ORDER BY w.name, w.id LIMIT 500;

-- name: CountWebhooks :one
-- How many webhooks of a tenant are not archived.
SELECT count(*) FROM core.webhooks WHERE tenant_id = @tenant_id AND state <> 'archived';

-- name: GetWebhook :one
SELECT * FROM core.webhooks WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived';

-- name: LockWebhook :one
-- GetWebhook for a change of it.
SELECT * FROM core.webhooks WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived' FOR UPDATE;

-- name: AddWebhook :one
INSERT INTO core.webhooks (tenant_id, id, name, url, kinds, secret, created_by)
VALUES (@tenant_id, @id, @name, @url, @kinds, @secret, @created_by)
RETURNING *;

-- name: UpdateWebhook :one
UPDATE core.webhooks SET name = @name, url = @url, kinds = @kinds, updated_at = now() WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived'
RETURNING *;

-- name: SetWebhookState :execrows
-- Moves a webhook to a state. One that is resumed begins without failures.
UPDATE core.webhooks SET state = @state, paused_note = @note, failures = CASE WHEN @state = 'active' THEN 0 ELSE failures END,
  failing_since = CASE WHEN @state = 'active' THEN NULL ELSE failing_since END, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived';

-- name: RotateWebhookSecret :one
-- Puts a new secret in the place of the present one, which signs beside it for
-- a while.
UPDATE core.webhooks SET former_secret = secret, former_until = @former_until, secret = @secret, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state <> 'archived'
RETURNING *;

-- name: ListDeliveries :many
-- Deliveries of a webhook, newest first, with their events.
SELECT sqlc.embed(d), e.kind, e.object_type, e.object_id, e.occurred_at, count(*) OVER () AS total
FROM core.deliveries d JOIN core.events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
WHERE d.tenant_id = @tenant_id AND d.webhook_id = @webhook_id::uuid AND (@state::text = '' OR d.state = @state)
ORDER BY d.created_at DESC, d.id LIMIT @page_size OFFSET @skip;

-- name: DeliveryState :one
-- State of a delivery of a webhook.
SELECT state FROM core.deliveries WHERE tenant_id = @tenant_id AND webhook_id = @webhook_id::uuid AND id = @id;

-- name: SendAgain :execrows
-- Puts a delivery back in line.
UPDATE core.deliveries SET state = 'waiting', attempts = 0, next_at = now(), delivered_at = NULL
WHERE tenant_id = @tenant_id AND webhook_id = @webhook_id::uuid AND id = @id AND state <> 'waiting';

-- name: AddTestEvent :one
-- Writes an event for one webhook alone.
WITH event AS (
  INSERT INTO core.events (tenant_id, kind, object_type, object_id, dedupe_key, payload, routed_at)
  SELECT w.tenant_id, 'webhook.test', 'webhook', w.id, 'webhook.test/' || gen_random_uuid(), @payload, now() FROM core.webhooks w
  WHERE w.tenant_id = @tenant_id AND w.id = @webhook_id AND w.state = 'active'
  RETURNING tenant_id, id, object_id
)
INSERT INTO core.deliveries (tenant_id, event_id, webhook_id) SELECT tenant_id, id, object_id FROM event RETURNING id;

-- name: MailSummary :one
-- What became of a tenant's e-mails within a week.
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'delivered') AS delivered, count(*) FILTER (WHERE state = 'failed') AS failed
FROM core.deliveries WHERE tenant_id = @tenant_id AND user_id IS NOT NULL AND created_at > now() - interval '7 days';

-- name: CountUnread :one
-- How many notifications a person has not read.
SELECT count(*) FROM core.notifications WHERE tenant_id = @tenant_id AND user_id = @user_id AND read_at IS NULL;

-- name: NotificationPage :many
-- Notifications of a person, newest first.
SELECT n.id, n.created_at, n.read_at, e.kind, e.object_type, e.object_id, e.payload, count(*) OVER () AS total
FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
WHERE n.tenant_id = @tenant_id AND n.user_id = @user_id AND (NOT @unread::boolean OR n.read_at IS NULL) AND (@area::text = '' OR split_part(e.kind, '.', 1) = @area)
ORDER BY n.created_at DESC, n.id LIMIT @page_size OFFSET @skip;

-- name: GetNotification :one
-- One notification of a person.
SELECT n.id, n.created_at, n.read_at, e.kind, e.object_type, e.object_id, e.payload
FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
WHERE n.tenant_id = @tenant_id AND n.user_id = @user_id AND n.id = @id;

-- name: ReadNotification :execrows
-- Marks a person's notification as read; the first time stays.
UPDATE core.notifications SET read_at = coalesce(read_at, now()) WHERE tenant_id = @tenant_id AND user_id = @user_id AND id = @id;

-- name: ReadNotifications :execrows
-- Marks a person's notifications up to a moment as read.
UPDATE core.notifications SET read_at = now() WHERE tenant_id = @tenant_id AND user_id = @user_id AND read_at IS NULL AND created_at <= @until;

-- name: GetNotificationSettings :one
SELECT * FROM core.notification_settings WHERE tenant_id = @tenant_id AND user_id = @user_id;

-- name: SaveNotificationSettings :exec
INSERT INTO core.notification_settings (tenant_id, user_id, email, muted) VALUES (@tenant_id, @user_id, @email, @muted::text[])
ON CONFLICT (tenant_id, user_id) DO UPDATE SET email = excluded.email, muted = excluded.muted, updated_at = now();

-- name: WebhookSecretsPage :many
-- Sealed secrets of webhooks after a place, in the order of their key.
SELECT id, secret, former_secret FROM core.webhooks WHERE tenant_id = @tenant_id AND id > @after_id ORDER BY id LIMIT @page_size;

-- name: ReplaceWebhookSecret :execrows
-- Replaces a ciphertext that nobody has changed meanwhile.
UPDATE core.webhooks SET secret = @fresh WHERE tenant_id = @tenant_id AND id = @id AND secret = @seen;

-- name: ReplaceFormerWebhookSecret :execrows
-- Replaces a ciphertext that nobody has changed meanwhile.
UPDATE core.webhooks SET former_secret = @fresh WHERE tenant_id = @tenant_id AND id = @id AND former_secret = @seen;
