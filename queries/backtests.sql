-- name: AddBacktest :one
-- No row comes back while another one of the tenant is open.
INSERT INTO optimization.backtests (tenant_id, requested_by, from_day, to_day, step_days, horizon_days, seed)
VALUES (@tenant_id, @requested_by, @from_day, @to_day, @step_days, @horizon_days, @seed)
ON CONFLICT (tenant_id) WHERE state IN ('requested', 'running') DO NOTHING
RETURNING id;

-- name: BeginBacktest :one
-- Takes a requested backtest up; one that has ended is returned as it is.
UPDATE optimization.backtests SET state = CASE WHEN state = 'requested' THEN 'running' ELSE state END, workflow_id = @workflow_id
WHERE tenant_id = @tenant_id AND id = @id
RETURNING *;

-- name: NoteBacktest :execrows
UPDATE optimization.backtests SET progress = @progress WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: FinishBacktest :execrows
UPDATE optimization.backtests SET state = 'done', progress = 1, result = @result, result_sha256 = @result_sha256, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: FailBacktest :execrows
UPDATE optimization.backtests SET state = 'failed', error_key = @error_key, error_detail = @error_detail, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running');

-- name: BacktestDetail :one
SELECT sqlc.embed(b), u.name_ar, u.name_en FROM optimization.backtests b
JOIN core.users u ON u.tenant_id = b.tenant_id AND u.id = b.requested_by
WHERE b.tenant_id = @tenant_id AND b.id = @id;

-- name: BacktestPage :many
-- The newest backtests without their cases.
SELECT b.id, b.requested_at, b.from_day, b.to_day, b.step_days, b.horizon_days, b.state, b.progress, b.error_key, b.finished_at,
  coalesce(b.result -> 'summary', 'null')::jsonb AS summary, u.name_ar, u.name_en
FROM optimization.backtests b
JOIN core.users u ON u.tenant_id = b.tenant_id AND u.id = b.requested_by
WHERE b.tenant_id = @tenant_id ORDER BY b.requested_at DESC, b.id LIMIT @page_size;

-- name: ListForgottenBacktests :many
-- Open ones; starting one whose workflow runs changes nothing.
SELECT id FROM optimization.backtests
WHERE tenant_id = @tenant_id AND state IN ('requested', 'running') AND requested_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY requested_at LIMIT 100;

-- name: ListEndings :many
-- Every recorded end of a life of the tenant's assets, and since when it is
-- known. History that was loaded in bulk counts as known since it happened.
SELECT l.asset_id, a.class_code, l.ended_at, l.life_days, (l.ended_by = 'failure')::boolean AS failed,
  (CASE WHEN l.source IN ('demo', 'import') THEN l.ended_at ELSE greatest(l.recorded_at, l.ended_at) END)::timestamptz AS known_at
FROM core.asset_lives l
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND a.archived_at IS NULL ORDER BY l.asset_id, l.ended_at;

-- name: ListLifeChanges :many
-- Edits of planning lives, from the audit log.
SELECT object_id, occurred_at, before_state FROM core.audit_logs
WHERE tenant_id = @tenant_id AND action = 'asset.life_changed' ORDER BY occurred_at, seq;

-- name: ListPastScores :many
-- What the planner would have read of the scores of a moment: the newest of
-- every asset that is not older than a day.
SELECT DISTINCT ON (sc.asset_id) sc.asset_id, sc.as_of, sc.evidence_factor, sc.trusted, sc.failure_probability_30
FROM ai.asset_scores sc
WHERE sc.tenant_id = @tenant_id AND sc.as_of <= @at AND sc.as_of > CAST(@at AS timestamptz) - interval '24 hours'
ORDER BY sc.asset_id, sc.as_of DESC;

-- name: ListCostHistory :many
-- Every version of the cost models of the tenant.
SELECT * FROM optimization.optimization_cost_models WHERE tenant_id = @tenant_id ORDER BY asset_id, kind, version;
