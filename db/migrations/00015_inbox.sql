-- +goose Up
-- How much an inbox holds is asked with every message that arrives, so it is
-- answered from the messages that still carry a body, not from all there were.
CREATE INDEX integration_messages_kept ON core.integration_messages (tenant_id, integration_id) INCLUDE (size_bytes) WHERE body IS NOT NULL;
