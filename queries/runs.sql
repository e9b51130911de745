-- name: BeginRun :one
-- Takes a requested run up, or an open one up again.
UPDATE optimization.optimization_runs SET state = 'running', stage = 'load', workflow_id = @workflow_id, workflow_run_id = @workflow_run_id,
  started_at = coalesce(started_at, now())
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running')
RETURNING *;

-- name: LoadRun :one
SELECT * FROM optimization.optimization_runs WHERE tenant_id = @tenant_id AND id = @id;

-- name: LockRun :one
SELECT * FROM optimization.optimization_runs WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: SetRunStage :execrows
UPDATE optimization.optimization_runs SET stage = @stage WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: StoreRunInput :execrows
UPDATE optimization.optimization_runs SET input = @input, input_sha256 = @input_sha256, stage = 'solve'
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: StoreRunDraft :execrows
-- Keeps a solved but not yet verified plan beside the run, FinishRun replaces
-- the drafts by the record of the solver.
UPDATE optimization.optimization_runs
SET solver = jsonb_set(coalesce(solver, '{"drafts": {}}'), ARRAY['drafts', @preset::text], @draft::jsonb, true)
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: NoteRunProgress :execrows
UPDATE optimization.optimization_runs SET incumbent = sqlc.narg('incumbent'), bound = sqlc.narg('bound'), gap = sqlc.narg('gap')
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: NoteRunAttempt :execrows
UPDATE optimization.optimization_runs SET attempt = greatest(attempt, @attempt)
WHERE tenant_id = @tenant_id AND id = @id AND state = 'running';

-- name: RunStopRequested :one
SELECT stop_requested FROM optimization.optimization_runs WHERE tenant_id = @tenant_id AND id = @id;

-- name: RequestRunStop :execrows
UPDATE optimization.optimization_runs SET stop_requested = true
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running');

-- name: FinishRun :execrows
-- Closes an open run, whatever the end.
UPDATE optimization.optimization_runs SET state = @state, stage = @stage, solver = sqlc.narg('solver'), error_key = @error_key,
  error_detail = @error_detail, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state IN ('requested', 'running');

-- name: AddRunEvent :exec
INSERT INTO optimization.run_events (tenant_id, run_id, stage, kind, scenario, elapsed_seconds, incumbent, bound, gap, detail)
VALUES (@tenant_id, @run_id, @stage, @kind, @scenario, @elapsed_seconds, sqlc.narg('incumbent'), sqlc.narg('bound'), sqlc.narg('gap'), @detail);

-- name: UpsertScenario :one
INSERT INTO optimization.optimization_scenarios (tenant_id, run_id, preset, status, objective, bound, gap, verified, seconds, total_cost, risk_cost,
  downtime_hours, labour_hours, actions_planned, actions_deferred, output)
VALUES (@tenant_id, @run_id, @preset, @status, @objective, sqlc.narg('bound'), sqlc.narg('gap'), @verified, @seconds, @total_cost, @risk_cost,
  @downtime_hours, @labour_hours, @actions_planned, @actions_deferred, @output)
ON CONFLICT (tenant_id, run_id, preset) DO UPDATE SET status = excluded.status, objective = excluded.objective, bound = excluded.bound,
  gap = excluded.gap, verified = excluded.verified, seconds = excluded.seconds, total_cost = excluded.total_cost, risk_cost = excluded.risk_cost,
  downtime_hours = excluded.downtime_hours, labour_hours = excluded.labour_hours, actions_planned = excluded.actions_planned,
  actions_deferred = excluded.actions_deferred, output = excluded.output
RETURNING id;

-- name: AddRecommendation :exec
INSERT INTO optimization.optimization_recommendations (tenant_id, scenario_id, asset_id, rank, decision, start_on, end_on, baseline_start_on,
  skill_code, crew_hours, planned_cost, expected_cost, value_at_stake, failure_probability, trusted, reasons, move_costs)
VALUES (@tenant_id, @scenario_id, @asset_id, @rank, @decision, sqlc.narg('start_on'), sqlc.narg('end_on'), sqlc.narg('baseline_start_on'),
  @skill_code, @crew_hours, @planned_cost, @expected_cost, @value_at_stake, @failure_probability, @trusted, @reasons, @move_costs)
ON CONFLICT (tenant_id, scenario_id, asset_id) DO NOTHING;

-- name: ListPlannedStarts :many
-- The current plan: the start day of the newest open work order of each asset.
SELECT DISTINCT ON (asset_id) asset_id, start_on, status FROM core.work_orders
WHERE tenant_id = @tenant_id AND status IN ('open', 'in_progress')
ORDER BY asset_id, number DESC;

-- name: ListForgottenRuns :many
-- Runs that were asked for a while ago and that no workflow took up.
SELECT id FROM optimization.optimization_runs
WHERE tenant_id = @tenant_id AND state = 'requested' AND requested_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY requested_at LIMIT 100;

-- name: ListOpenRuns :many
SELECT id, workflow_id FROM optimization.optimization_runs
WHERE tenant_id = @tenant_id AND state = 'running' AND started_at < now() - make_interval(secs => @age_seconds::float8)
ORDER BY started_at LIMIT 100;
