-- name: RetireOtherModels :exec
UPDATE ai.models SET state = 'retired'
WHERE tenant_id = @tenant_id AND kind = @kind AND version <> @version AND state = 'active';

-- name: EnsureModel :one
INSERT INTO ai.models (tenant_id, kind, version, parameters) VALUES (@tenant_id, @kind, @version, @parameters)
ON CONFLICT (tenant_id, kind, version) DO UPDATE SET state = 'active'
RETURNING id;

-- name: BeginSweep :exec
INSERT INTO ai.scoring_sweeps (tenant_id, id, as_of, assets_total, workflow_id)
VALUES (@tenant_id, @id, @as_of, @assets_total, @workflow_id)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: EndSweep :execrows
UPDATE ai.scoring_sweeps SET state = @state, assets_scored = @assets_scored, assets_greyed = @assets_greyed,
  rows_rejected = @rows_rejected, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id;

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
INSERT INTO ai.asset_score_latest AS l (tenant_id, asset_id, as_of) VALUES (@tenant_id, @asset_id, @as_of)
ON CONFLICT (tenant_id, asset_id) DO UPDATE SET as_of = excluded.as_of WHERE excluded.as_of > l.as_of;

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
