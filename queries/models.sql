-- name: ListModels :many
-- Every model of a tenant without its artefact, newest first within a kind.
SELECT m.id, m.kind, m.version, m.state, m.features, m.parameters, m.metrics, m.trained_on, m.protocol, m.trained_from, m.trained_to,
  m.compared_with, m.decision, m.decided_at, m.decided_by, m.created_at, (m.artefact IS NOT NULL)::boolean AS stored
FROM ai.models m WHERE m.tenant_id = @tenant_id AND (@kind::text = '' OR m.kind = @kind::text)
ORDER BY m.kind, (m.state = 'active') DESC, m.created_at DESC, m.id LIMIT 500;

-- name: GetModel :one
SELECT m.id, m.kind, m.version, m.state, m.features, m.parameters, m.metrics, m.trained_on, m.protocol, m.trained_from, m.trained_to,
  m.compared_with, m.decision, m.decided_at, m.decided_by, m.created_at, (m.artefact IS NOT NULL)::boolean AS stored,
  coalesce(u.name_ar, '')::text AS decided_by_ar, coalesce(u.name_en, '')::text AS decided_by_en
FROM ai.models m LEFT JOIN core.users u ON u.tenant_id = m.tenant_id AND u.id = m.decided_by
WHERE m.tenant_id = @tenant_id AND m.id = @id;

-- name: LoadModel :one
SELECT * FROM ai.models WHERE tenant_id = @tenant_id AND id = @id;

-- name: LoadActiveModel :one
SELECT * FROM ai.models WHERE tenant_id = @tenant_id AND kind = @kind AND state = 'active';

-- name: LockModelKind :many
-- Locks the models of a kind, so that only one decision is taken at a time.
SELECT m.id, m.version, m.state, m.decision FROM ai.models m
WHERE m.tenant_id = @tenant_id AND m.kind = @kind ORDER BY m.id FOR UPDATE;

-- name: InsertCandidate :one
-- A training that is repeated finds the candidate it made before.
INSERT INTO ai.models AS m (tenant_id, kind, version, state, features, parameters, metrics, trained_from, trained_to, trained_on, protocol,
  artefact, artefact_sha256, compared_with)
VALUES (@tenant_id, @kind, @version, 'candidate', @features, @parameters, @metrics, @trained_from, @trained_to, @trained_on, @protocol,
  sqlc.narg('artefact'), sqlc.narg('artefact_sha256'), sqlc.narg('compared_with'))
ON CONFLICT (tenant_id, kind, version) DO UPDATE SET version = excluded.version
RETURNING m.id;

-- name: SetModelState :execrows
UPDATE ai.models SET state = @state, decision = @decision, decided_at = now(), decided_by = sqlc.narg('decided_by')
WHERE tenant_id = @tenant_id AND id = @id;

-- name: RetireActiveModels :exec
-- Ahead of a promotion; the decision that once made them active stays.
UPDATE ai.models SET state = 'retired' WHERE tenant_id = @tenant_id AND kind = @kind AND state = 'active' AND id <> @id;

-- name: PreviousModel :one
-- The model that was active before the present one of a kind.
SELECT m.id, m.version FROM ai.models m
WHERE m.tenant_id = @tenant_id AND m.kind = @kind AND m.state = 'retired' AND m.decision = 'promoted'
ORDER BY m.decided_at DESC, m.id LIMIT 1;

-- name: OpenTraining :execrows
INSERT INTO ai.training_runs (tenant_id, id, kind, reason, workflow_id, requested_by)
VALUES (@tenant_id, @id, @kind, @reason, @workflow_id, sqlc.narg('requested_by'))
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: LoadTraining :one
SELECT * FROM ai.training_runs WHERE tenant_id = @tenant_id AND id = @id;

-- name: CloseTraining :execrows
UPDATE ai.training_runs SET state = @state, outcome = @outcome, candidate_id = sqlc.narg('candidate_id'), error_key = @error_key,
  detail = @detail, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: RunningTraining :many
-- Trainings of a kind that have not ended.
SELECT r.id FROM ai.training_runs r WHERE r.tenant_id = @tenant_id AND r.kind = @kind AND r.state = 'running' ORDER BY r.started_at;

-- name: ListTrainings :many
SELECT r.id, r.kind, r.reason, r.state, r.outcome, r.candidate_id, r.error_key, r.detail, r.started_at, r.finished_at,
  coalesce(u.name_ar, '')::text AS requested_by_ar, coalesce(u.name_en, '')::text AS requested_by_en, coalesce(m.version, '')::text AS version
FROM ai.training_runs r
LEFT JOIN core.users u ON u.tenant_id = r.tenant_id AND u.id = r.requested_by
LEFT JOIN ai.models m ON m.tenant_id = r.tenant_id AND m.id = r.candidate_id
WHERE r.tenant_id = @tenant_id AND (@kind::text = '' OR r.kind = @kind::text)
ORDER BY r.started_at DESC, r.id LIMIT @page_size;

-- name: LastTrainings :many
-- The newest training of every kind.
SELECT DISTINCT ON (r.kind) r.kind, r.state, r.outcome, r.started_at FROM ai.training_runs r
WHERE r.tenant_id = @tenant_id ORDER BY r.kind, r.started_at DESC;

-- name: ListOpenTrainings :many
-- Trainings that were asked for a while ago and have not ended.
SELECT r.id, r.workflow_id FROM ai.training_runs r
WHERE r.tenant_id = @tenant_id AND r.state = 'running' AND r.started_at < now() - make_interval(secs => @older_seconds::float8)
ORDER BY r.started_at;

-- name: InsertDriftCheck :execrows
INSERT INTO ai.drift_checks (tenant_id, id, model_id, checked_at, input_drift, residual_drift, alarm, detail)
VALUES (@tenant_id, @id, @model_id, @checked_at, @input_drift, @residual_drift, @alarm, @detail)
ON CONFLICT DO NOTHING;

-- name: ListDriftChecks :many
-- The newest checks of one model, of every model when none is named.
SELECT * FROM ai.drift_checks
WHERE tenant_id = @tenant_id AND (sqlc.narg('model_id')::uuid IS NULL OR model_id = sqlc.narg('model_id')::uuid)
ORDER BY checked_at DESC LIMIT @page_size;

-- name: LastDriftChecks :many
-- The newest check of every model.
SELECT DISTINCT ON (d.model_id) d.model_id, d.checked_at, d.input_drift, d.residual_drift, d.alarm
FROM ai.drift_checks d WHERE d.tenant_id = @tenant_id ORDER BY d.model_id, d.checked_at DESC;

-- name: ListAnomalyLabels :many
-- The verdict that counts for every anomaly that engineers judged, newest
-- first.
SELECT l.* FROM (
  SELECT DISTINCT ON (b.alert_id) b.asset_id, b.verdict, b.episode_from, b.episode_to, b.given_at
  FROM ai.labels b JOIN core.alerts a ON a.tenant_id = b.tenant_id AND a.id = b.alert_id AND a.kind = 'anomaly'
  WHERE b.tenant_id = @tenant_id ORDER BY b.alert_id, b.given_at DESC
) l ORDER BY l.given_at DESC LIMIT @page_size;

-- name: CountAnomalyLabels :one
-- How many anomalies engineers have judged.
SELECT count(DISTINCT b.alert_id) FROM ai.labels b
JOIN core.alerts a ON a.tenant_id = b.tenant_id AND a.id = b.alert_id AND a.kind = 'anomaly'
WHERE b.tenant_id = @tenant_id;

-- name: SetModelMetrics :execrows
UPDATE ai.models SET metrics = @metrics, protocol = @protocol, compared_with = sqlc.narg('compared_with')
WHERE tenant_id = @tenant_id AND id = @id AND state = 'candidate';

-- name: ListModelAssets :many
-- The assets that a model of a class speaks of; every asset without a class.
SELECT a.id FROM core.assets a
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL AND (@class_code::text = '' OR a.class_code = @class_code::text) ORDER BY a.id;

-- name: ListAnomalySpans :many
-- When assets had an anomaly alert since a moment: those weeks are not quiet.
SELECT a.asset_id, a.raised_at, coalesce(a.closed_at, now())::timestamptz AS ended_at FROM core.alerts a
WHERE a.tenant_id = @tenant_id AND a.kind = 'anomaly' AND a.asset_id IS NOT NULL AND coalesce(a.closed_at, now()) >= @since::timestamptz
ORDER BY a.asset_id, a.raised_at;
