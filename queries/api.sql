-- name: APIRuns :many
-- One page of runs, newest first, after a run that was already given.
SELECT r.id, r.title, r.problem, r.state, r.stage, r.requested_by, r.window_start, r.window_days, r.time_limit_seconds, r.incumbent, r.bound, r.gap,
  r.stop_requested, r.error_key, r.requested_at, r.started_at, r.finished_at, r.based_on
FROM optimization.optimization_runs r
WHERE r.tenant_id = @tenant_id AND (@state::text = '' OR r.state = @state::text)
  AND (sqlc.narg('before_at')::timestamptz IS NULL OR (r.requested_at, r.id) < (sqlc.narg('before_at')::timestamptz, @before_id::uuid))
ORDER BY r.requested_at DESC, r.id DESC LIMIT @page_size;

-- name: APIRunEvents :many
-- What happened in a run after an event that was already given, oldest first.
SELECT seq, at, stage, kind, scenario, elapsed_seconds, incumbent, bound, gap FROM optimization.run_events
WHERE tenant_id = @tenant_id AND run_id = @run_id AND seq > @after_seq
ORDER BY seq LIMIT @page_size;

-- name: APIScenario :one
SELECT id, run_id, preset FROM optimization.optimization_scenarios WHERE tenant_id = @tenant_id AND id = @id;

-- name: APIPlans :many
-- One page of plans, newest first, after a plan that was already given; with
-- ids, of these alone.
SELECT p.id, p.run_id, p.scenario_id, p.version, p.state, p.proposed_by, p.launched_by, p.note, p.proposed_at, p.due_at, p.decided_at, p.released_at,
  p.endorsed_at, p.content_sha256, p.previous_id, r.title, s.preset, s.total_cost, s.actions_planned
FROM optimization.plans p
JOIN optimization.optimization_runs r ON r.tenant_id = p.tenant_id AND r.id = p.run_id
JOIN optimization.optimization_scenarios s ON s.tenant_id = p.tenant_id AND s.id = p.scenario_id
WHERE p.tenant_id = @tenant_id AND (@state::text = '' OR p.state = @state::text)
  AND (sqlc.narg('ids')::uuid[] IS NULL OR p.id = ANY (sqlc.narg('ids')::uuid[]))
  AND (sqlc.narg('before_at')::timestamptz IS NULL OR (p.proposed_at, p.id) < (sqlc.narg('before_at')::timestamptz, @before_id::uuid))
ORDER BY p.proposed_at DESC, p.id DESC LIMIT @page_size;

-- name: APIAssets :many
-- One page of assets by tag with their newest score, after a tag already given.
SELECT a.id, a.tag, a.name_ar, a.name_en, a.class_code, a.criticality, s.code AS site_code, u.code AS unit_code,
  sc.as_of, sc.health_score, sc.failure_probability_30, sc.rul_days, sc.rul_lo_days, sc.rul_hi_days, sc.risk_level, sc.production_risk_sar, sc.trusted
FROM core.assets a
JOIN core.sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
JOIN core.units u ON u.tenant_id = a.tenant_id AND u.id = a.unit_id
LEFT JOIN ai.asset_score_latest l ON l.tenant_id = a.tenant_id AND l.asset_id = a.id
LEFT JOIN ai.asset_scores sc ON sc.tenant_id = l.tenant_id AND sc.asset_id = l.asset_id AND sc.as_of = l.as_of
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL AND a.tag > @after_tag
  AND (sqlc.narg('id')::uuid IS NULL OR a.id = sqlc.narg('id')::uuid)
ORDER BY a.tag LIMIT @page_size;

-- name: APIWorkOrders :many
-- One page of work orders, newest number first, below a number already given.
SELECT w.id, w.number, w.title_ar, w.title_en, w.status, w.asset_id, a.tag, w.plan_id, w.start_on, w.due_on, w.crew_hours, w.started_at, w.done_at
FROM core.work_orders w
JOIN core.assets a ON a.tenant_id = w.tenant_id AND a.id = w.asset_id
WHERE w.tenant_id = @tenant_id AND (@status::text = '' OR w.status = @status::text) AND w.number < @below_number
ORDER BY w.number DESC LIMIT @page_size;

-- name: APISignalsOfTags :many
-- The signals of the assets with the given tags, for readings that name them.
SELECT a.tag, s.metric, s.id FROM core.assets a
JOIN telemetry.signals s ON s.tenant_id = a.tenant_id AND s.asset_id = a.id AND s.archived_at IS NULL
WHERE a.tenant_id = @tenant_id AND a.archived_at IS NULL AND a.tag = ANY (@tags::text[]);

-- name: PlanNames :many
-- The names of everything that a plan may refer to, by id and by code.
SELECT id::text AS ref, name_ar, name_en FROM core.skills s WHERE s.tenant_id = @tenant_id
UNION ALL SELECT code, name_ar, name_en FROM core.skills s WHERE s.tenant_id = @tenant_id
UNION ALL SELECT code, name_ar, name_en FROM core.shared_resources r WHERE r.tenant_id = @tenant_id
UNION ALL SELECT id::text, name_ar, name_en FROM core.sites s WHERE s.tenant_id = @tenant_id
UNION ALL SELECT id::text, name_ar, name_en FROM core.redundancy_groups g WHERE g.tenant_id = @tenant_id
UNION ALL SELECT id::text, reason_ar, reason_en FROM core.embargoes e WHERE e.tenant_id = @tenant_id
UNION ALL SELECT id::text, tag, tag FROM core.assets a WHERE a.tenant_id = @tenant_id
UNION ALL SELECT id::text, name_ar, name_en FROM core.technicians t WHERE t.tenant_id = @tenant_id
UNION ALL SELECT id::text, name_ar, name_en FROM core.production_targets p WHERE p.tenant_id = @tenant_id
UNION ALL SELECT id::text, title_ar, title_en FROM core.work_requests w WHERE w.tenant_id = @tenant_id
UNION ALL SELECT id::text, title_ar, title_en FROM core.work_orders o WHERE o.tenant_id = @tenant_id
UNION ALL SELECT l.id::text, a.tag, a.tag FROM core.alerts l JOIN core.assets a ON a.tenant_id = l.tenant_id AND a.id = l.asset_id
WHERE l.tenant_id = @tenant_id AND l.closed_at IS NULL;
