-- +goose Up
-- Since when a webhook has been failing without a delivery in between, and why
-- it was paused (the key of a message when the product paused it).
ALTER TABLE core.webhooks ADD COLUMN failing_since timestamptz;
ALTER TABLE core.webhooks ADD COLUMN paused_note text NOT NULL DEFAULT '' CHECK (length(paused_note) <= 500);

-- What waits for one webhook, so that a long line of one never hides another's.
CREATE INDEX deliveries_waiting_webhook ON core.deliveries (tenant_id, webhook_id, next_at) WHERE state = 'waiting' AND webhook_id IS NOT NULL;
CREATE INDEX deliveries_waiting_mail ON core.deliveries (tenant_id, next_at) WHERE state = 'waiting' AND user_id IS NOT NULL;
CREATE INDEX notifications_person ON core.notifications (tenant_id, user_id, created_at DESC);
