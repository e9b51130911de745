-- name: PutSnapshot :exec
-- Keeps bytes under their hash, once. content is gzip of the bytes.
INSERT INTO optimization.snapshots (tenant_id, sha256, content, size_bytes) VALUES (@tenant_id, @sha256, @content, @size_bytes)
ON CONFLICT (tenant_id, sha256) DO NOTHING;

-- name: GetSnapshot :one
SELECT content FROM optimization.snapshots WHERE tenant_id = @tenant_id AND sha256 = @sha256;

-- name: OpenRunManifest :execrows
-- Keeps what is known of a run's evidence while it is searched for.
UPDATE optimization.optimization_runs SET manifest = @manifest, manifest_sha256 = NULL
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: SealRunManifest :execrows
-- Closes the evidence of a run, in the transaction that finishes it.
UPDATE optimization.optimization_runs SET manifest = @manifest, manifest_sha256 = @manifest_sha256
WHERE tenant_id = @tenant_id AND id = @id AND manifest_sha256 IS NULL;

-- name: RequestRerun :one
-- Asks for the repetition of a run under an id of the caller's. When one is
-- asked for or under way already, the answer is that one.
INSERT INTO optimization.reruns (tenant_id, id, run_id, requested_by) VALUES (@tenant_id, @id, @run_id, @requested_by)
ON CONFLICT (tenant_id, run_id) WHERE state IN ('requested', 'running') DO UPDATE SET state = reruns.state
RETURNING *;

-- name: BeginRerun :one
UPDATE optimization.reruns SET state = 'running', build = @build
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running')
RETURNING *;

-- name: GetRerun :one
SELECT * FROM optimization.reruns WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListReruns :many
SELECT e.id, e.run_id, e.state, e.build, e.identical, e.result, e.error_key, e.error_detail, e.requested_at, e.finished_at, e.requested_by,
  u.name_ar AS requested_ar, u.name_en AS requested_en
FROM optimization.reruns e JOIN core.users u ON u.tenant_id = e.tenant_id AND u.id = e.requested_by
WHERE e.tenant_id = @tenant_id AND e.run_id = @run_id ORDER BY e.requested_at DESC LIMIT 20;

-- name: NoteRerunPreset :execrows
-- Keeps what came of one preset of a repetition.
UPDATE optimization.reruns SET result = jsonb_set(
  CASE WHEN result ? 'presets' THEN result ELSE result || '{"presets": {}}' END, ARRAY['presets', @preset::text], @outcome::jsonb, true)
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: CloseRerun :execrows
UPDATE optimization.reruns SET state = @state, identical = sqlc.narg('identical'), result = @result, error_key = @error_key,
  error_detail = @error_detail, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running');

-- name: ListForgottenReruns :many
-- Repetitions that are open for a while; starting one whose workflow runs
-- changes nothing.
SELECT id FROM optimization.reruns
WHERE tenant_id = @tenant_id AND state IN ('requested', 'running') AND requested_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY requested_at LIMIT 100;
