-- name: RetireOtherModels :execrows
UPDATE ai.models SET state = 'retired'
WHERE tenant_id = @tenant_id AND kind = @kind AND version <> @version AND state = 'active';

-- name: EnsureModel :one
INSERT INTO ai.models (tenant_id, kind, version, parameters) VALUES (@tenant_id, @kind, @version, @parameters)
ON CONFLICT (tenant_id, kind, version) DO UPDATE SET state = 'active'
RETURNING id;

-- name: BeginSweep :exec
INSERT INTO ai.scoring_sweeps (tenant_id, id, as_of, assets_total, assets_skipped, workflow_id)
VALUES (@tenant_id, @id, @as_of, @assets_total, @assets_skipped, @workflow_id)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: EndSweep :execrows
UPDATE ai.scoring_sweeps SET state = @state, assets_scored = @assets_scored, assets_greyed = @assets_greyed,
  rows_rejected = @rows_rejected, detail = @detail, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

-- name: CountActiveAssets :one
SELECT count(*) FROM core.assets WHERE tenant_id = @tenant_id AND archived_at IS NULL;

-- name: ListDueAssets :many
-- One page of the assets to score as of a moment, by id after one already
-- given, with the number of all that follow: every asset, or those that were
-- never scored, are due or have a reading newer than their score has seen.
SELECT a.id, count(*) OVER () AS due
FROM core.assets a
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL AND a.id > @after_id::uuid
  AND (@every::boolean OR l.asset_id IS NULL OR l.due_at <= greatest(now(), @as_of::timestamptz) OR EXISTS (
    SELECT FROM telemetry.signals s
    JOIN telemetry.signal_latest g ON g.tenant_id = s.tenant_id AND g.signal_id = s.id
    WHERE s.tenant_id = a.tenant_id AND s.asset_id = a.id AND s.archived_at IS NULL AND g.ts > coalesce(l.seen_to, '-infinity')))
ORDER BY a.id LIMIT @page_size;

-- name: CountStaleHours :one
-- How many closed hours wait for a roll-up, counted up to a limit.
SELECT count(*) FROM (
  SELECT FROM telemetry.signal_hours h
  WHERE h.tenant_id = @tenant_id AND h.stale AND h.hour <= now() - interval '1 hour' LIMIT @most
) waiting;

-- name: LastSweep :one
-- When the newest finished sweep saw the plant, NULL before the first.
SELECT max(as_of)::timestamptz AS as_of FROM ai.scoring_sweeps
WHERE tenant_id = @tenant_id AND state = 'done' HAVING max(as_of) IS NOT NULL;

-- name: ListScoredAssets :many
SELECT * FROM core.assets
WHERE tenant_id = @tenant_id AND archived_at IS NULL AND id = ANY (@ids::uuid[]) ORDER BY id;

-- name: UpsertAssetScore :exec
-- Keyed by asset and moment: a repeated batch of a sweep writes the same again.
INSERT INTO ai.asset_scores (tenant_id, asset_id, as_of, sweep_id, model_id, health_score, failure_probability_7, failure_probability_30,
  failure_probability_90, failure_probability_30_lo, failure_probability_30_hi, rul_days, rul_lo_days, rul_hi_days, anomaly_flag, anomaly_score,
  evidence_factor, production_risk_sar, production_risk_lo_sar, production_risk_hi_sar, production_risk_index, risk_level, coverage, trusted,
  confidence, detail)
VALUES (@tenant_id, @asset_id, @as_of, @sweep_id, @model_id, @health_score, @failure_probability_7, @failure_probability_30,
  @failure_probability_90, @failure_probability_30_lo, @failure_probability_30_hi, @rul_days, @rul_lo_days, @rul_hi_days, @anomaly_flag, @anomaly_score,
  @evidence_factor, @production_risk_sar, @production_risk_lo_sar, @production_risk_hi_sar, @production_risk_index, @risk_level, @coverage, @trusted,
  @confidence, @detail)
ON CONFLICT (tenant_id, asset_id, as_of) DO UPDATE SET sweep_id = excluded.sweep_id, model_id = excluded.model_id,
  health_score = excluded.health_score, failure_probability_7 = excluded.failure_probability_7,
  failure_probability_30 = excluded.failure_probability_30, failure_probability_90 = excluded.failure_probability_90,
  failure_probability_30_lo = excluded.failure_probability_30_lo, failure_probability_30_hi = excluded.failure_probability_30_hi,
  rul_days = excluded.rul_days, rul_lo_days = excluded.rul_lo_days, rul_hi_days = excluded.rul_hi_days, anomaly_flag = excluded.anomaly_flag,
  anomaly_score = excluded.anomaly_score, evidence_factor = excluded.evidence_factor, production_risk_sar = excluded.production_risk_sar,
  production_risk_lo_sar = excluded.production_risk_lo_sar, production_risk_hi_sar = excluded.production_risk_hi_sar,
  production_risk_index = excluded.production_risk_index, risk_level = excluded.risk_level, coverage = excluded.coverage,
  trusted = excluded.trusted, confidence = excluded.confidence, detail = excluded.detail;

-- name: MoveLatestScore :execrows
-- Moves the newest score of an asset forward, never back. A due time that was
-- changed since the reader saw it stays when it comes first.
INSERT INTO ai.asset_score_latest AS l (tenant_id, asset_id, as_of, due_at, seen_to, risk_index_change)
VALUES (@tenant_id, @asset_id, @as_of, @due_at, sqlc.narg('seen_to'), @risk_index_change)
ON CONFLICT (tenant_id, asset_id) DO UPDATE SET as_of = excluded.as_of, seen_to = excluded.seen_to, risk_index_change = excluded.risk_index_change,
  due_at = CASE WHEN l.due_at = sqlc.narg('due_seen')::timestamptz THEN excluded.due_at ELSE least(l.due_at, excluded.due_at) END
WHERE excluded.as_of > l.as_of;

-- name: ListDueTimes :many
SELECT asset_id, due_at FROM ai.asset_score_latest WHERE tenant_id = @tenant_id AND asset_id = ANY (@ids::uuid[]);

-- name: ListNewestReadings :many
-- The time of the newest reading of every named asset that has one.
SELECT s.asset_id, max(x.ts)::timestamptz AS seen_to FROM telemetry.signals s
JOIN telemetry.signal_latest x ON x.tenant_id = s.tenant_id AND x.signal_id = s.id
WHERE s.tenant_id = @tenant_id AND s.asset_id = ANY (@ids::uuid[]) AND s.archived_at IS NULL GROUP BY s.asset_id;

-- name: ListEarlierIndexes :many
-- The risk index of the last score of every named asset up to a moment.
SELECT a.id::uuid AS asset_id, sc.production_risk_index
FROM unnest(@ids::uuid[]) AS a (id)
JOIN LATERAL (
  SELECT x.production_risk_index FROM ai.asset_scores x
  WHERE x.tenant_id = @tenant_id AND x.asset_id = a.id AND x.as_of <= @moment ORDER BY x.as_of DESC LIMIT 1
) sc ON true;

-- name: ListPopulationLives :many
-- Completed lives of the equipment classes of the named assets, as they were
-- known at a moment.
SELECT a.class_code, f.life_days, f.ended_by
FROM core.asset_lives f
JOIN core.assets a ON a.tenant_id = f.tenant_id AND a.id = f.asset_id
WHERE f.tenant_id = @tenant_id AND f.ended_at <= @moment
  AND a.class_code IN (SELECT b.class_code FROM core.assets b WHERE b.tenant_id = @tenant_id AND b.id = ANY (@ids::uuid[]))
ORDER BY a.class_code, f.ended_at, f.id LIMIT 20000;

-- name: ListRenewals :many
-- When each of the named assets was last renewed up to a moment.
SELECT f.asset_id, max(f.ended_at)::timestamptz AS renewed_at FROM core.asset_lives f
WHERE f.tenant_id = @tenant_id AND f.asset_id = ANY (@ids::uuid[]) AND f.ended_at <= @moment GROUP BY f.asset_id;

-- name: ListInspectionGrades :many
-- The newest graded inspection of every named asset up to a moment. What was
-- seen before the asset was last renewed says nothing of it now.
SELECT DISTINCT ON (i.asset_id) i.asset_id, i.grade::float8 AS grade FROM core.asset_inspections i
WHERE i.tenant_id = @tenant_id AND i.asset_id = ANY (@ids::uuid[]) AND i.inspected_at <= @moment AND i.grade IS NOT NULL
  AND NOT EXISTS (SELECT FROM core.asset_lives f
    WHERE f.tenant_id = i.tenant_id AND f.asset_id = i.asset_id AND f.ended_at <= @moment AND f.ended_at >= i.inspected_at)
ORDER BY i.asset_id, i.inspected_at DESC, i.id;

-- name: ListScoringModels :many
-- The active models that scores rest on and that knew nothing after a moment.
SELECT m.id, m.kind, m.version, m.parameters FROM ai.models m
WHERE m.tenant_id = @tenant_id AND m.state = 'active' AND (m.kind = 'anomaly' OR m.kind LIKE 'rul:%')
  AND (m.trained_to IS NULL OR m.trained_to <= @moment::timestamptz) ORDER BY m.kind;

-- name: ModelArtefact :one
SELECT m.artefact, m.artefact_sha256 FROM ai.models m WHERE m.tenant_id = @tenant_id AND m.id = @id AND m.artefact IS NOT NULL;

-- name: ListBaselines :many
-- The baseline of every named asset that was in force at a moment: the one
-- learned last before it, unless that was retired and not replaced yet.
SELECT DISTINCT ON (b.asset_id) b.asset_id, b.version, b.learned_at, b.learned_to, b.artefact,
  (b.state = 'active' OR EXISTS (SELECT FROM ai.asset_baselines n
    WHERE n.tenant_id = b.tenant_id AND n.asset_id = b.asset_id AND n.version > b.version))::boolean AS in_force
FROM ai.asset_baselines b
WHERE b.tenant_id = @tenant_id AND b.asset_id = ANY (@ids::uuid[]) AND b.learned_at < @moment
ORDER BY b.asset_id, b.version DESC;

-- name: RetireBaselines :execrows
-- Has the named assets learn anew how they look when healthy.
UPDATE ai.asset_baselines SET state = 'retired' WHERE tenant_id = @tenant_id AND asset_id = ANY (@ids::uuid[]) AND state = 'active';

-- name: StoreBaseline :execrows
-- The next version of an asset's baseline; the active one must be retired.
INSERT INTO ai.asset_baselines (tenant_id, asset_id, version, learned_from, learned_to, rows_used, signals, artefact, learned_at)
SELECT @tenant_id, @asset_id, 1 + coalesce(max(b.version), 0), @learned_from, @learned_to, @rows_used, @signals, @artefact, @learned_at
FROM ai.asset_baselines b WHERE b.tenant_id = @tenant_id AND b.asset_id = @asset_id;

-- name: ListAdmissions :many
-- Episodes that engineers judged expected and want learned as normal, of the
-- named assets, with when they said so. A later verdict on the same alert
-- counts.
SELECT l.asset_id, l.episode_from, l.episode_to, l.given_at FROM (
  SELECT DISTINCT ON (b.alert_id) b.* FROM ai.labels b
  WHERE b.tenant_id = @tenant_id AND b.asset_id = ANY (@ids::uuid[]) AND b.given_at <= @moment
  ORDER BY b.alert_id, b.given_at DESC, b.id
) l WHERE l.verdict = 'expected' AND l.detail ->> 'admit' = 'true' ORDER BY l.asset_id, l.given_at, l.id;

-- name: ListPlanningScores :many
-- What the planner needs of the newest score of every asset.
SELECT sc.asset_id, sc.as_of, sc.evidence_factor, sc.trusted, sc.failure_probability_30
FROM ai.asset_score_latest l
JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE l.tenant_id = @tenant_id ORDER BY sc.asset_id;

-- name: TouchScores :exec
-- Has the named assets scored anew by the next sweep: what their score rests
-- on has changed.
UPDATE ai.asset_score_latest SET due_at = now() WHERE tenant_id = @tenant_id AND asset_id = ANY (@asset_ids::uuid[]);

-- name: TouchAllScores :exec
-- Has every asset scored anew by the next sweep: the engine has changed.
UPDATE ai.asset_score_latest SET due_at = now() WHERE tenant_id = @tenant_id;

-- name: SignalNames :many
-- The tag and the metric of signals.
SELECT s.id, s.metric, a.tag FROM telemetry.signals s
JOIN core.assets a ON a.tenant_id = s.tenant_id AND a.id = s.asset_id
WHERE s.tenant_id = @tenant_id AND s.id = ANY (@ids::bigint[]);

-- name: AssetTags :many
SELECT a.id, a.tag FROM core.assets a WHERE a.tenant_id = @tenant_id AND a.id = ANY (@ids::uuid[]);

-- name: APIScores :many
-- One page of the scores of an asset, newest first, before a moment already
-- given.
SELECT sc.as_of, sc.health_score, sc.failure_probability_7, sc.failure_probability_30, sc.failure_probability_30_lo, sc.failure_probability_30_hi,
  sc.failure_probability_90, sc.rul_days, sc.rul_lo_days, sc.rul_hi_days, sc.anomaly_flag, sc.anomaly_score, sc.production_risk_sar,
  sc.production_risk_index, sc.risk_level, sc.coverage, sc.trusted, sc.confidence, m.version AS model_version
FROM ai.asset_scores sc
JOIN ai.models m ON m.tenant_id = sc.tenant_id AND m.id = sc.model_id
WHERE sc.tenant_id = @tenant_id AND sc.asset_id = @asset_id
  AND (sqlc.narg('before_at')::timestamptz IS NULL OR sc.as_of < sqlc.narg('before_at')::timestamptz)
ORDER BY sc.as_of DESC LIMIT @page_size;

-- name: ListSweeps :many
-- The newest sweeps of a tenant.
SELECT s.id, s.as_of, s.state, s.assets_total, s.assets_scored, s.assets_skipped, s.assets_greyed, s.rows_rejected, s.detail, s.started_at, s.finished_at
FROM ai.scoring_sweeps s WHERE s.tenant_id = @tenant_id ORDER BY s.started_at DESC, s.id LIMIT @page_size;

-- name: AssetsOfTags :many
-- The ids of the assets with the given tags.
SELECT a.id, a.tag FROM core.assets a WHERE a.tenant_id = @tenant_id AND a.tag = ANY (@tags::text[]);
