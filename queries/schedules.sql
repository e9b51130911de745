-- name: ListSchedules :many
-- The schedules of a tenant with the names around them and what became of the
-- last due time, by name.
SELECT sqlc.embed(s), o.name_ar AS owner_ar, o.name_en AS owner_en, a.username AS account, coalesce(k.name, '')::text AS token,
  k.expires_at AS token_until, coalesce(f.state, '')::text AS last_state, f.due_at AS last_due, f.run_id AS last_run
FROM core.schedules s
JOIN core.users o ON o.tenant_id = s.tenant_id AND o.id = s.owner_id
JOIN core.users a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
LEFT JOIN core.api_tokens k ON k.tenant_id = s.tenant_id AND k.id = s.token_id
LEFT JOIN core.schedule_firings f ON f.tenant_id = s.tenant_id AND f.id = (
  SELECT x.id FROM core.schedule_firings x
  WHERE x.tenant_id = s.tenant_id AND x.schedule_id = s.id ORDER BY x.due_at DESC, x.id LIMIT 1)
WHERE s.tenant_id = @tenant_id AND s.archived_at IS NULL AND (sqlc.narg('id')::uuid IS NULL OR s.id = sqlc.narg('id')::uuid)
ORDER BY lower(s.name), s.id LIMIT 200;

-- name: GetSchedule :one
SELECT * FROM core.schedules WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: LockSchedule :one
-- Holds a schedule, also an archived one, until the transaction ends.
SELECT * FROM core.schedules WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: FindSchedule :one
-- A schedule by its name or by its id as text.
SELECT * FROM core.schedules
WHERE tenant_id = @tenant_id AND archived_at IS NULL AND (lower(name) = lower(@name::text) OR id::text = lower(@name::text))
ORDER BY id LIMIT 1;

-- name: ListActiveSchedules :many
-- The schedules to look after.
SELECT * FROM core.schedules WHERE tenant_id = @tenant_id AND archived_at IS NULL ORDER BY id;

-- name: ListTriggers :many
-- The schedules whose start the workflow engine has to know, archived ones as
-- well so that it forgets them, if changed within the last age_seconds; zero
-- for all that are not archived.
SELECT * FROM core.schedules
WHERE tenant_id = @tenant_id
  AND ((@age_seconds::float8 = 0 AND archived_at IS NULL) OR updated_at > now() - make_interval(secs => @age_seconds::float8))
ORDER BY id;

-- name: CountSchedules :one
SELECT count(*) FROM core.schedules WHERE tenant_id = @tenant_id AND archived_at IS NULL;

-- name: AddSchedule :one
INSERT INTO core.schedules (tenant_id, id, name, trigger, kind, request, cron, time_zone, exclusions, overlap, catch_up_minutes, pause_on_failure,
  owner_id, account_id, token_id, created_by)
VALUES (@tenant_id, @id, @name, @trigger, @kind, @request, @cron, @time_zone, @exclusions, @overlap, @catch_up_minutes, @pause_on_failure,
  @owner_id, @account_id, sqlc.narg('token_id'), @created_by)
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING *;

-- name: SaveSchedule :one
-- Changes a schedule. Due times before the change are not looked for any more.
UPDATE core.schedules SET name = @name, trigger = @trigger, kind = @kind, request = @request, cron = @cron, time_zone = @time_zone,
  exclusions = @exclusions, overlap = @overlap, catch_up_minutes = @catch_up_minutes, pause_on_failure = @pause_on_failure,
  owner_id = @owner_id, account_id = @account_id, token_id = sqlc.narg('token_id'), watched_from = now(), updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL
RETURNING *;

-- name: PauseSchedule :one
UPDATE core.schedules SET paused = true, paused_until = sqlc.narg('paused_until'), pause_note = @pause_note, updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL
RETURNING *;

-- name: ResumeSchedule :one
-- Due times of the pause are not looked for.
UPDATE core.schedules SET paused = false, paused_until = NULL, pause_note = '', failures = 0,
  watched_from = greatest(watched_from, @watched_from), updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND paused AND archived_at IS NULL
RETURNING *;

-- name: ArchiveSchedule :one
UPDATE core.schedules SET archived_at = now(), updated_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL
RETURNING *;

-- name: SetScheduleWatched :execrows
-- Notes up to when every due time is accounted for.
UPDATE core.schedules SET watched_from = @watched_from
WHERE tenant_id = @tenant_id AND id = @id AND watched_from < @watched_from;

-- name: SetScheduleFailures :execrows
UPDATE core.schedules SET failures = @failures WHERE tenant_id = @tenant_id AND id = @id;

-- name: AddFiring :one
-- Notes a due time once; no row comes back when it is there.
INSERT INTO core.schedule_firings (tenant_id, schedule_id, due_at, cause, state, workflow_id, run_id, started_at, finished_at, error_key)
VALUES (@tenant_id, @schedule_id, @due_at, @cause, @state, @workflow_id, sqlc.narg('run_id'), sqlc.narg('started_at'), sqlc.narg('finished_at'), @error_key)
ON CONFLICT (tenant_id, schedule_id, due_at, cause) DO NOTHING
RETURNING *;

-- name: TakeFiring :execrows
-- Starts a firing that waited, was missed or is to be done again, without what
-- an earlier try left. Its cause says how it came about.
UPDATE core.schedule_firings SET state = 'started', cause = @cause, workflow_id = @workflow_id, run_id = sqlc.narg('run_id'),
  sweep_id = NULL, report_id = NULL, started_at = @started_at, finished_at = NULL, error_key = '', error_detail = '{}'
WHERE tenant_id = @tenant_id AND id = @id;

-- name: SetFiringState :execrows
-- Closes a firing that was never started.
UPDATE core.schedule_firings SET state = @state, error_key = @error_key, finished_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND state <> 'done';

-- name: FindFiring :one
-- What became of a due time, by any of the causes.
SELECT * FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND schedule_id = @schedule_id AND due_at = @due_at AND cause = ANY (@causes::text[])
ORDER BY id LIMIT 1;

-- name: LockFiring :one
SELECT * FROM core.schedule_firings WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE;

-- name: ListFirings :many
-- The firings of a schedule whose due time lies between two moments, newest
-- first, with the run that they started.
SELECT sqlc.embed(f), coalesce(r.title, '')::text AS run_title, coalesce(r.state, '')::text AS run_state
FROM core.schedule_firings f
LEFT JOIN optimization.optimization_runs r ON r.tenant_id = f.tenant_id AND r.id = f.run_id
WHERE f.tenant_id = @tenant_id AND f.schedule_id = @schedule_id AND f.due_at >= @since AND f.due_at < @until
ORDER BY f.due_at DESC, f.id LIMIT @page_size;

-- name: ListDueFirings :many
-- The due times of a schedule after a moment that are accounted for.
SELECT due_at, state, cause FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND schedule_id = @schedule_id AND due_at > @since AND cause = ANY (@causes::text[])
ORDER BY due_at;

-- name: ListFiringsToMakeUp :many
-- The due times of a schedule after a moment that are noted as missed for a
-- reason and that nobody has taken up since, the newest first.
SELECT due_at FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND schedule_id = @schedule_id AND cause = 'due' AND state = 'missed' AND error_key = @error_key AND due_at > @since
ORDER BY due_at DESC LIMIT @page_size;

-- name: CountOpenFirings :one
-- How many other firings of a schedule run, how many wait, and how many wait
-- that were due earlier.
SELECT count(*) FILTER (WHERE started_at IS NOT NULL) AS running, count(*) FILTER (WHERE started_at IS NULL) AS waiting,
  count(*) FILTER (WHERE started_at IS NULL AND due_at < @due_at) AS earlier
FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND schedule_id = @schedule_id AND state = 'started' AND (due_at, cause) <> (@due_at::timestamptz, @cause::text);

-- name: SetFiringRun :execrows
UPDATE core.schedule_firings SET run_id = @run_id::uuid WHERE tenant_id = @tenant_id AND id = @id;

-- name: EndFiring :execrows
-- Ends a started firing.
UPDATE core.schedule_firings SET state = @state, error_key = @error_key, error_detail = @error_detail, finished_at = now(),
  sweep_id = coalesce(sqlc.narg('sweep_id'), sweep_id), report_id = coalesce(sqlc.narg('report_id'), report_id)
WHERE tenant_id = @tenant_id AND id = @id AND state = 'started';

-- name: ListSettledFirings :many
-- Firings that are open although their run has ended: those of outside
-- schedulers, and those whose workflow is gone.
SELECT f.id, f.schedule_id, r.state AS run_state, r.error_key, r.error_detail, f.workflow_id
FROM core.schedule_firings f
JOIN optimization.optimization_runs r ON r.tenant_id = f.tenant_id AND r.id = f.run_id
WHERE f.tenant_id = @tenant_id AND f.state = 'started' AND r.state IN ('done', 'failed', 'cancelled')
  AND (f.cause = 'external' OR r.finished_at < now() - interval '5 minutes')
ORDER BY f.due_at LIMIT 100;

-- name: ListStaleFirings :many
-- Firings without a run that have been open for long: their workflow may be gone.
SELECT id, schedule_id, workflow_id, due_at, cause FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND state = 'started' AND run_id IS NULL AND coalesce(started_at, due_at) < now() - interval '15 minutes'
ORDER BY due_at LIMIT 100;

-- name: LastStarted :one
-- The newest due time of a schedule before a moment that was started.
SELECT coalesce(max(due_at), 'epoch'::timestamptz)::timestamptz AS due_at FROM core.schedule_firings
WHERE tenant_id = @tenant_id AND schedule_id = @schedule_id AND due_at < @before AND started_at IS NOT NULL AND cause IN ('due', 'catch_up', 'external');

-- name: RequestScheduledRun :one
-- Records the run of a firing once.
INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
  window_start, window_days, time_limit_seconds, channel, schedule_id, due_at)
VALUES (@tenant_id, @problem, @title, @requested_by, @idempotency_key, @objective, @constraints, @window_start, @window_days, @time_limit_seconds,
  'schedule', @schedule_id::uuid, @due_at::timestamptz)
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING id;

-- name: MarkScheduledRun :execrows
-- Names the schedule of a run that its own scheduler asked for.
UPDATE optimization.optimization_runs SET schedule_id = @schedule_id::uuid, due_at = @due_at::timestamptz
WHERE tenant_id = @tenant_id AND id = @id;

-- name: FormerRun :one
-- The run of a schedule that finished last before the given one.
SELECT p.id FROM optimization.optimization_runs r
JOIN optimization.optimization_runs p ON p.tenant_id = r.tenant_id AND p.schedule_id = r.schedule_id AND p.id <> r.id
  AND p.state = 'done' AND p.finished_at <= r.finished_at
WHERE r.tenant_id = @tenant_id AND r.id = @id
ORDER BY p.finished_at DESC, p.id LIMIT 1;

-- name: ListRunActions :many
-- What the scenario that a run recommends wants done: the balanced one, or the
-- cheapest where there is none. start_on is absent for what is deferred.
WITH chosen AS (
  SELECT s.tenant_id, s.id, s.total_cost FROM optimization.optimization_scenarios s
  WHERE s.tenant_id = @tenant_id AND s.run_id = @run_id
  ORDER BY s.preset <> 'balanced', s.total_cost, s.id LIMIT 1
)
SELECT c.total_cost, r.asset_id, coalesce(r.decision = 'do', false)::boolean AS acts, coalesce(r.value_at_stake, 0)::float8 AS value_at_stake
FROM chosen c
LEFT JOIN optimization.optimization_recommendations r ON r.tenant_id = c.tenant_id AND r.scenario_id = c.id
ORDER BY r.asset_id;

-- name: AddReport :one
INSERT INTO core.reports (tenant_id, id, schedule_id, from_day, to_day, content)
VALUES (@tenant_id, @id, sqlc.narg('schedule_id'), @from_day, @to_day, @content)
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id;

-- name: GetReport :one
SELECT sqlc.embed(r), coalesce(s.name, '')::text AS schedule FROM core.reports r
LEFT JOIN core.schedules s ON s.tenant_id = r.tenant_id AND s.id = r.schedule_id
WHERE r.tenant_id = @tenant_id AND r.id = @id;

-- name: ListReports :many
SELECT r.id, r.from_day, r.to_day, r.created_at, coalesce(s.name, '')::text AS schedule, count(*) OVER () AS total FROM core.reports r
LEFT JOIN core.schedules s ON s.tenant_id = r.tenant_id AND s.id = r.schedule_id
WHERE r.tenant_id = @tenant_id
ORDER BY r.created_at DESC, r.id LIMIT @page_size OFFSET @skip;

-- name: CountPlansBetween :many
-- Plans by state that were proposed or decided between two moments.
SELECT state, count(*) AS plans FROM optimization.plans
WHERE tenant_id = @tenant_id AND ((proposed_at >= @since AND proposed_at < @until) OR (decided_at >= @since AND decided_at < @until))
GROUP BY state ORDER BY state;

-- name: CountReleasesBetween :one
-- Releases begun between two moments, with their lines.
SELECT count(DISTINCT r.id) AS releases, count(l.line) AS lines, count(l.line) FILTER (WHERE l.state = 'written') AS written
FROM optimization.releases r
LEFT JOIN optimization.release_lines l ON l.tenant_id = r.tenant_id AND l.release_id = r.id
WHERE r.tenant_id = @tenant_id AND r.requested_at >= @since AND r.requested_at < @until;

-- name: CountOrdersBetween :one
-- Work orders that were due from one day to another, both included, as they
-- stand on the day asked about: done in time, done late, and overdue.
SELECT count(*) AS due, count(*) FILTER (WHERE status = 'done') AS done,
  count(*) FILTER (WHERE status = 'done' AND done_at < (coalesce(baseline_due_on, due_on) + 1)::timestamp AT TIME ZONE @time_zone::text) AS in_time,
  count(*) FILTER (WHERE status IN ('open', 'in_progress') AND due_on < @today::date) AS late
FROM core.work_orders
WHERE tenant_id = @tenant_id AND status <> 'cancelled' AND coalesce(baseline_due_on, due_on) BETWEEN @from_day::date AND @to_day::date;
