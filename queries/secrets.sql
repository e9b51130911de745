-- name: CredentialsPage :many
-- Sealed credentials of integrations after a place, in the order of their key.
SELECT integration_id, field, ciphertext FROM core.integration_credentials
WHERE tenant_id = @tenant_id AND (integration_id, field) > (@after_integration::uuid, @after_field::text)
ORDER BY integration_id, field LIMIT @page_size;

-- name: ReplaceCredential :execrows
-- Replaces a ciphertext that nobody has changed meanwhile.
UPDATE core.integration_credentials SET ciphertext = @fresh
WHERE tenant_id = @tenant_id AND integration_id = @integration_id AND field = @field AND ciphertext = @seen;

-- name: OneTimeCredentialsPage :many
-- One-time passwords that nobody has been shown yet, after a place.
SELECT id, user_id, ciphertext FROM core.one_time_credentials
WHERE tenant_id = @tenant_id AND ciphertext IS NOT NULL AND id > @after_id
ORDER BY id LIMIT @page_size;

-- name: ReplaceOneTimeCredential :execrows
-- Replaces a ciphertext that nobody has been shown meanwhile.
UPDATE core.one_time_credentials SET ciphertext = @fresh
WHERE tenant_id = @tenant_id AND id = @id AND ciphertext = @seen;
