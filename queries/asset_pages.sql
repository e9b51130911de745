-- name: AssetScorePage :one
-- The newest score of an asset with the model that made it.
SELECT sqlc.embed(sc), m.kind AS model_kind, m.version AS model_version
FROM ai.asset_score_latest l
JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
JOIN ai.models m ON m.tenant_id = sc.tenant_id AND m.id = sc.model_id
WHERE l.tenant_id = @tenant_id AND l.asset_id = @asset_id;

-- name: AssetScoreDays :many
-- The last score of every day since a moment, oldest first. Days are those of
-- Riyadh, as on every page.
SELECT DISTINCT ON ((as_of AT TIME ZONE 'Asia/Riyadh')::date) as_of, health_score, failure_probability_30, production_risk_index, trusted
FROM ai.asset_scores
WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND as_of >= @since
ORDER BY (as_of AT TIME ZONE 'Asia/Riyadh')::date, as_of DESC;

-- name: AssetWorkOrders :many
SELECT id, number, title_ar, title_en, start_on, due_on, status, plan_id FROM core.work_orders
WHERE tenant_id = @tenant_id AND asset_id = @asset_id
ORDER BY status IN ('done', 'cancelled'), start_on DESC LIMIT 10;

-- name: SearchRuns :many
-- Runs whose title holds a folded text; the letters are folded as the caller
-- folds the text.
SELECT id, title, state, requested_at FROM optimization.optimization_runs
WHERE tenant_id = @tenant_id AND strpos(translate(lower(title), 'أإآٱىةؤئـًٌٍَُِّْ', 'اااايهوي'), @search::text) > 0
ORDER BY requested_at DESC LIMIT 20;

-- name: SearchPlans :many
SELECT p.id, r.title, p.version, p.state, p.proposed_at FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
WHERE p.tenant_id = @tenant_id AND strpos(translate(lower(r.title), 'أإآٱىةؤئـًٌٍَُِّْ', 'اااايهوي'), @search::text) > 0
ORDER BY p.proposed_at DESC LIMIT 20;

-- name: AnomalyBands :many
-- The greatest deviation index of every step in [since, until): what the
-- detector made of an asset, score by score. Steps begin at since.
SELECT date_bin(make_interval(secs => @step_seconds::float8), as_of, @since::timestamptz)::timestamptz AS start,
  max(anomaly_score)::float8 AS index
FROM ai.asset_scores
WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND as_of >= @since::timestamptz AND as_of < @until::timestamptz
GROUP BY 1 ORDER BY 1;

-- name: ExpectedValues :many
-- What the scores in [since, until) expected a signal to read: of the last
-- score in every step. The limit inside makes the planner look the few scores
-- up by their key; else it may unpack every score of the asset first.
SELECT b.as_of, c.expected FROM (
  SELECT max(k.as_of)::timestamptz AS as_of FROM ai.asset_scores k
  WHERE k.tenant_id = @tenant_id AND k.asset_id = @asset_id AND k.as_of >= @since::timestamptz AND k.as_of < @until::timestamptz
  GROUP BY date_bin(make_interval(secs => @step_seconds::float8), k.as_of, @since::timestamptz)
) b
CROSS JOIN LATERAL (
  SELECT (x.part ->> 'expected')::float8 AS expected
  FROM ai.asset_scores sc, jsonb_array_elements(sc.detail #> '{anomaly,contributors}') AS x(part)
  WHERE sc.tenant_id = @tenant_id AND sc.asset_id = @asset_id AND sc.as_of = b.as_of AND x.part ->> 'signal' = @metric::text LIMIT 1
) c
ORDER BY b.as_of;

-- name: AnomalyEpisodes :many
-- The spells in [since, until) in which score after score found an anomaly,
-- newest first.
SELECT min(f.as_of)::timestamptz AS began, max(f.as_of)::timestamptz AS ended, max(f.anomaly_score)::float8 AS peak
FROM (
  SELECT as_of, anomaly_flag, anomaly_score, count(*) FILTER (WHERE NOT anomaly_flag) OVER (ORDER BY as_of) AS usual_before
  FROM ai.asset_scores
  WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND as_of >= @since::timestamptz AND as_of < @until::timestamptz
) f
WHERE f.anomaly_flag GROUP BY f.usual_before ORDER BY began DESC LIMIT 100;

-- name: AnomalyAlerts :many
-- The alerts about anomalies of an asset that were open in [since, until),
-- newest first.
SELECT id, state, severity, raised_at, coalesce(closed_at, greatest(last_seen_at, now()))::timestamptz AS ended_at, detail
FROM core.alerts
WHERE tenant_id = @tenant_id AND asset_id = @asset_id AND kind = 'anomaly'
  AND raised_at < @until::timestamptz AND coalesce(closed_at, 'infinity') > @since::timestamptz
ORDER BY raised_at DESC LIMIT 50;

-- name: FleetCells :many
-- How many assets stand in every cell of the risk matrix that is not empty.
SELECT (sc.detail #>> '{risk,likelihood}')::int AS likelihood, (sc.detail #>> '{risk,consequence}')::int AS consequence,
  count(*) AS assets, count(*) FILTER (WHERE NOT sc.trusted) AS greyed
FROM ai.asset_score_latest l
JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id AND a.archived_at IS NULL
WHERE l.tenant_id = @tenant_id AND sc.detail #> '{risk,likelihood}' IS NOT NULL AND sc.detail #> '{risk,consequence}' IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: ModelsNamed :many
-- The models of the registry with the named kinds and versions, each given as
-- kind, space, version.
SELECT id, kind, version, state FROM ai.models
WHERE tenant_id = @tenant_id AND kind || ' ' || version = ANY (@names::text[]);
