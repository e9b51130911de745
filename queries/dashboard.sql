-- name: FleetSummary :one
-- The fleet by its newest scores. fresh_sar is the expected loss over the next
-- 30 days of the same assets when new and healthy: the loss of one failure
-- (risk over probability) times the Weibull probability at age zero.
SELECT count(*) AS assets, count(DISTINCT a.site_id) AS sites, count(sc.as_of) AS scored,
  count(*) FILTER (WHERE NOT sc.trusted) AS greyed, count(*) FILTER (WHERE sc.anomaly_flag) AS anomalies,
  count(*) FILTER (WHERE sc.risk_level = 1) AS level1, count(*) FILTER (WHERE sc.risk_level = 2) AS level2,
  count(*) FILTER (WHERE sc.risk_level = 3) AS level3, count(*) FILTER (WHERE sc.risk_level = 4) AS level4,
  count(*) FILTER (WHERE sc.risk_level = 5) AS level5,
  coalesce(sum(sc.production_risk_sar), 0)::float8 AS risk_sar,
  coalesce(sum(sc.production_risk_sar / nullif(sc.failure_probability_30, 0)
    * (1 - exp(-power(30 / a.weibull_eta_days, a.weibull_beta)))), 0)::float8 AS fresh_sar,
  coalesce(avg(sc.health_score), 0)::float8 AS health,
  coalesce(max(sc.as_of), 'epoch'::timestamptz)::timestamptz AS scored_at
FROM core.assets a
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL;

-- name: RiskByDay :many
-- Expected loss of the fleet at the end of every day, by the last score of
-- each asset on that day. Days are those of Riyadh, as on every page.
SELECT d.day::date AS day, max(d.as_of)::timestamptz AS as_of, count(*) AS assets,
  sum(d.production_risk_sar)::float8 AS risk_sar, sum(d.production_risk_lo_sar)::float8 AS lo_sar, sum(d.production_risk_hi_sar)::float8 AS hi_sar,
  coalesce(sum(d.fresh), 0)::float8 AS fresh_sar
FROM (
  SELECT DISTINCT ON (sc.asset_id, (sc.as_of AT TIME ZONE 'Asia/Riyadh')::date)
    (sc.as_of AT TIME ZONE 'Asia/Riyadh')::date AS day, sc.as_of, sc.production_risk_sar, sc.production_risk_lo_sar, sc.production_risk_hi_sar,
    sc.production_risk_sar / nullif(sc.failure_probability_30, 0) * (1 - exp(-power(30 / a.weibull_eta_days, a.weibull_beta))) AS fresh
  FROM ai.asset_scores sc
  JOIN core.assets a ON a.tenant_id = sc.tenant_id AND a.id = sc.asset_id AND a.archived_at IS NULL
  WHERE sc.tenant_id = @tenant_id AND sc.as_of >= @since
  ORDER BY sc.asset_id, (sc.as_of AT TIME ZONE 'Asia/Riyadh')::date, sc.as_of DESC
) d
GROUP BY d.day ORDER BY d.day;

-- name: TopRisks :many
-- The assets with the greatest expected loss, with all that explains it.
SELECT a.id, a.tag, a.name_ar, a.name_en, s.name_ar AS site_ar, s.name_en AS site_en, sc.production_risk_sar, sc.production_risk_index,
  sc.risk_level, sc.failure_probability_30, sc.health_score, sc.trusted, sc.as_of, sc.detail
FROM ai.asset_score_latest l
JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id AND a.archived_at IS NULL
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
WHERE l.tenant_id = @tenant_id
ORDER BY sc.risk_level DESC, sc.production_risk_sar DESC, a.tag LIMIT @page_size;

-- name: UpcomingActions :one
-- Jobs due until a day: orders that are not closed, and recommendations of the
-- newest approved plan that are not orders yet.
WITH chosen AS (
  SELECT p.tenant_id, p.scenario_id FROM optimization.plans p
  WHERE p.tenant_id = @tenant_id AND p.state IN ('approved', 'released') ORDER BY p.decided_at DESC NULLS LAST, p.id LIMIT 1
)
SELECT
  (SELECT count(*) FROM core.work_orders w WHERE w.tenant_id = @tenant_id AND w.status IN ('open', 'in_progress') AND w.start_on <= @until::date) AS orders,
  (SELECT count(*) FROM core.work_orders w WHERE w.tenant_id = @tenant_id AND w.status IN ('open', 'in_progress') AND w.due_on < @today::date) AS overdue,
  (SELECT count(*) FROM optimization.optimization_recommendations r JOIN chosen c ON c.tenant_id = r.tenant_id AND c.scenario_id = r.scenario_id
    WHERE r.tenant_id = @tenant_id AND r.decision = 'do' AND r.start_on BETWEEN @today::date AND @until::date
      AND NOT EXISTS (SELECT 1 FROM core.work_orders w WHERE w.tenant_id = r.tenant_id AND w.recommendation_id = r.id)) AS recommended;

-- name: DeferralCost :one
-- What it costs to put off by the given days every job of a scenario that is
-- due by the given day and not closed: the cost of moving it to the first
-- feasible day that is late enough, else of leaving the window (day -1 among
-- move_costs).
SELECT count(*) AS jobs, coalesce(sum(greatest(0, coalesce(
    (SELECT (m ->> 'delta')::float8 FROM jsonb_array_elements(r.move_costs) m
      WHERE (m ->> 'day')::int = -1 OR (m ->> 'day')::int >= r.start_on - n.window_start + @days::int
      ORDER BY (m ->> 'day')::int = -1, (m ->> 'day')::int LIMIT 1),
    r.value_at_stake))), 0)::float8 AS cost_sar
FROM optimization.optimization_recommendations r
JOIN optimization.optimization_scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
JOIN optimization.optimization_runs n ON n.tenant_id = s.tenant_id AND n.id = s.run_id
WHERE r.tenant_id = @tenant_id AND r.scenario_id = @scenario_id AND r.decision = 'do' AND r.start_on <= @due_by::date
  AND NOT EXISTS (SELECT 1 FROM core.work_orders w WHERE w.tenant_id = r.tenant_id AND w.recommendation_id = r.id
    AND w.status IN ('done', 'cancelled'));

-- name: FinishedRuns :many
-- The newest maintenance plans; what-ifs and other problems are not plans of
-- the overview.
SELECT id, title, window_start, window_days, finished_at FROM optimization.optimization_runs r
WHERE r.tenant_id = @tenant_id AND r.state = 'done' AND r.problem = 'maintenance_prioritization' AND r.based_on IS NULL
  AND EXISTS (SELECT 1 FROM optimization.optimization_scenarios s WHERE s.tenant_id = r.tenant_id AND s.run_id = r.id)
ORDER BY r.finished_at DESC LIMIT 12;

-- name: ScenarioCosts :many
-- Expected cost of every scenario of a run by its parts.
SELECT s.id, s.preset, s.status, s.total_cost, s.gap, s.bound, s.actions_planned, s.actions_deferred,
  coalesce((s.output -> 'objective' ->> 'planned_work')::float8, 0)::float8 AS planned_work,
  coalesce((s.output -> 'objective' ->> 'planned_outage')::float8, 0)::float8 AS planned_outage,
  coalesce((s.output -> 'objective' ->> 'failure')::float8, 0)::float8 AS failure
FROM optimization.optimization_scenarios s
WHERE s.tenant_id = @tenant_id AND s.run_id = @run_id
ORDER BY array_position(ARRAY['cheapest', 'balanced', 'lowest_risk', 'custom'], s.preset);

-- name: RunInView :one
-- The run to watch: one that is under way, else the newest.
SELECT id FROM optimization.optimization_runs WHERE tenant_id = @tenant_id
ORDER BY (state IN ('requested', 'running')) DESC, requested_at DESC LIMIT 1;

-- name: ConnectorFreshness :many
-- Connectors with their newest reading and how many of their signals are
-- fresh: no older than three of their periods, a quarter of an hour at least.
SELECT i.id, i.name, i.kind, i.state, i.last_sync_at, i.last_sync_status, coalesce(max(l.ts), 'epoch'::timestamptz)::timestamptz AS newest,
  count(s.id) AS signals,
  count(*) FILTER (WHERE l.ts + make_interval(secs => CASE WHEN s.period_seconds > 300 THEN 3 * s.period_seconds ELSE 900 END) >= now()) AS fresh
FROM core.integrations i
LEFT JOIN core.integration_mappings m ON m.tenant_id = i.tenant_id AND m.integration_id = i.id AND m.archived_at IS NULL
LEFT JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id AND s.archived_at IS NULL
LEFT JOIN telemetry.signal_latest l ON l.tenant_id = s.tenant_id AND l.signal_id = s.id
WHERE i.tenant_id = @tenant_id AND i.state <> 'archived'
GROUP BY i.id, i.name, i.kind, i.state, i.last_sync_at, i.last_sync_status
ORDER BY i.name;
